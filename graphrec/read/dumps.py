"""Dumps of RDF beside any source: external triples, linked to items by their titles.

Every ``.nt``, ``.nq``, ``.ttl`` and ``.trig`` file of a folder (also ``.gz``), or those that ``graph`` in ``data.toml``
names. ``links.csv`` (item_id, entity) holds choices by hand; an empty entity means none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graphrec.data.dataset import Dataset
from graphrec.door import check as door
from graphrec.errors import DataError, FormatError
from graphrec.read.forms import find_form, read_table
from graphrec.read.source import Source, listing
from graphrec.read.spec import SPEC_FILE
from kg.errors import KGError
from kg.rdf.dump import read_dumps
from kg.rdf.parse import rdf_format
from kg.types import ExternalTriples

LINKS = "links.csv"


def attach(source: Source, data: Dataset, paths: Sequence[Path]) -> Dataset:
    """The data with the triples of the source's dumps, if it has any. Raises FormatError and DataError."""
    if not paths:
        return data
    quarantine = data.quarantine
    titles = dict(zip(data.items.ids, map(str, data.item_titles), strict=True))
    try:
        found = read_dumps(
            paths,
            titles,
            _choices(source, data),
            lambda path, line, reason: quarantine.add(path, line, "not valid RDF", reason),
        )
    except KGError as error:
        raise DataError(str(error)) from None
    return replace(data, external=merged(data.external, found))


def merged(old: ExternalTriples, new: ExternalTriples) -> ExternalTriples:
    """Both; an item that has an entity already keeps it, and in the new triples it stands for the new one."""
    same = {e: old.item_entities[i] for i, e in new.item_entities.items() if i in old.item_entities}
    triples = ((same.get(h, h), r, same.get(t, t)) for h, r, t in new.triples)
    return ExternalTriples(
        (*old.triples, *triples),
        {**new.item_entities, **old.item_entities},
        {**new.labels, **old.labels},
        (*old.links, *new.links),
    )


def paths_of(source: Source) -> list[Path]:
    """The dumps of a source. Raises FormatError where ``graph`` names what is none."""
    folder = source.path if source.path.is_dir() else source.path.parent
    if source.spec.graph:
        paths = [folder / name for name in source.spec.graph]
        if missing := [p.name for p in paths if not p.is_file() or rdf_format(p) is None]:
            raise FormatError(
                f"{folder / SPEC_FILE}: graph names {missing[0]!r}, which is no file of RDF in the folder; "
                f"found {listing(folder)}"
            )
        return paths
    return [p for p in source.files if rdf_format(p) is not None] if source.path.is_dir() else []


def _choices(source: Source, data: Dataset) -> dict[str, str]:
    path = source.find(LINKS) if source.path.is_dir() else None
    if path is None:
        return {}
    rows = read_table(path, find_form(path), data.quarantine)
    header = [str(c) for c in rows.columns.drop(["file", "line"])]
    if missing := [c for c in ("item_id", "entity") if c not in rows]:
        raise FormatError(f"{path}:1: needs a column {missing[0]}; found {', '.join(header)}; rename it")
    data.report.use_file(path, "links", kind="by hand")
    roles = {"item_id": "item_id", "entity": "entity"}
    data.report.use_columns(path, header, roles, dict.fromkeys(header, "no part of a link"))
    rows = door.check_ids(rows, data.quarantine, "item_id")
    return dict(zip(rows["item_id"], rows["entity"].str.strip(), strict=True))

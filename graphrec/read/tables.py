"""Any tables: CSV, TSV, JSON lines, Parquet, with or without a header, under any names. One loader for every reading.

A reading is found out by ``plan.py`` or said in ``data.toml``; what is done here depends on it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from graphrec.door.report import Report
from graphrec.errors import DataError, FormatError
from graphrec.read import beside, dumps, layouts, lightgcn, logs, plan, reading
from graphrec.read.assemble import Tables
from graphrec.read.forms import read_table
from graphrec.read.logs import Load
from graphrec.read.reading import Plan, Planned
from graphrec.read.source import Source, ending, listing
from graphrec.read.spec import EventTable, SideTable, Spec
from graphrec.runtime import give_back

NAME = "csv"
_ENDINGS = (".csv", ".tsv", ".parquet", ".txt", ".dat", ".tab", ".jsonl", ".json", ".ndjson", ".data")


def matches(source: Source) -> Path | None:
    """A table with a column of users and a column of items."""
    if source.spec.events:
        return source.path / source.spec.events[0].file if source.path.is_dir() else source.path
    lists = lightgcn.matches(source) is not None
    for path in source.candidates:
        if ending(path) not in _ENDINGS or not path.stat().st_size or (lists and ending(path) == ".txt"):
            continue
        if ending(path) == ".txt" and layouts.lines_of_numbers(path) == "adjacency":
            continue
        try:
            found = plan.look(path)
        except DataError:
            continue
        given = {r: c for r, c in source.spec.columns.items() if c in found.header}
        found.user = plan.one_person(source, found, None, given, len(source.candidates) == 1)
        if plan.holds_events(found, given):
            return path
    return None


def read(source: Source, report: Report) -> Tables:
    """The events of all files that hold some, and what the files beside them tell. Sets ``data_toml``."""
    found = plan.plan(source, _of_dumps(source))
    if not found.of("events"):
        raise FormatError(
            f"{source.path}: no file holds events of users and items; found {listing(source.path)}; "
            f"{reading.remedy(found)}"
        )
    tables = run(found, source.spec, report)
    _refused(found, source, report)
    report.data_toml = _settled(found, tables, report).spec(source.spec).to_toml()
    return tables


def _settled(found: Plan, out: Tables, report: Report) -> Plan:
    """The reading with what the whole files showed: scales of ratings, types of attributes.

    A column from which nothing is learned has no type there: that is found out again.
    """
    for place, p in enumerate(found.planned):
        if not isinstance(p.table, (EventTable, SideTable)):
            continue
        name = report.relative(p.path)
        kept = [c for c in report.columns if c.file == name and c.role.endswith("attribute") and c.type]
        update: dict[str, object] = {
            "types": {c.column: c.type for c in kept if not c.why_not or c.why_not.startswith("sensitive")}
        }
        if isinstance(p.table, EventTable) and p.path.name in out.scales:
            update["scale"] = out.scales[p.path.name]
        found.planned[place] = replace(p, table=p.table.model_copy(update=update))
    return found


def attach(source: Source, paths: Sequence[Path], out: Tables, report: Report) -> None:
    """Side tables beside the events of another format: ``paths`` that hold no events are classified and read."""
    if not source.path.is_dir():
        return
    of_others = [p for p in source.files if p not in paths]
    side = source.spec.model_copy(update={"file": None, "columns": {}})
    found = plan.plan(Source(source.path, side), [*of_others, *_of_dumps(source)])
    for planned in found.of("events"):
        report.use_file(planned.path, "", f"events beside those of the {report.format} format")
    found.planned = [p for p in found.planned if p.use != "events"]
    _run_sides(found, source.spec, out, report, load_table)
    _refused(found, source, report)


def remedy(source: Source) -> str:
    """The lines to write in ``data.toml`` for a source of which no format is known."""
    try:
        return reading.remedy(plan.plan(source, _of_dumps(source)))
    except DataError as error:
        return str(error)


def _of_dumps(source: Source) -> list[Path]:
    """Files that belong to RDF beside the tables."""
    paths = dumps.paths_of(source)
    links = source.find(dumps.LINKS) if paths and source.path.is_dir() else None
    return [*paths, *([links] if links else [])]


def _refused(found: Plan, source: Source, report: Report) -> None:
    """Name the files that are no part of the reading, and their columns."""
    for name, reason in found.ignored.items():
        report.use_file(source.folder / name, "", reason)
    for guess in found.refused:
        report.use_columns(guess.path, guess.header, {}, dict.fromkeys(guess.header, "the file is not used"))


def run(found: Plan, spec: Spec, report: Report, load: Load | None = None) -> Tables:
    """Execute a reading: read every table that it uses, check it, and name all its columns."""
    load = load or load_table
    out = logs.read_logs(found.of("events"), spec, report, load)
    give_back()
    out.catalogue = spec.catalogue or "all"
    _run_sides(found, spec, out, report, load)
    return out


def _run_sides(found: Plan, spec: Spec, out: Tables, report: Report, load: Load) -> None:
    known = beside.Known.of(out)
    for planned in found.planned:
        if planned.use != "events":
            beside.READ[planned.use](planned, load(planned, report), out, known, spec, report)
    beside.finish(out, known, report)


def load_table(planned: Planned, report: Report) -> pd.DataFrame:
    """The columns of a table that are used, as they came, with ``file`` and ``line``."""
    unused = set(planned.table.unused) - set(planned.table.columns.values())
    columns = [c for c in planned.header if c not in unused]
    ids: list[str] = []
    if isinstance(table := planned.table, EventTable):
        told = [*table.columns.values(), *table.item_attributes, *table.user_attributes]
        ids = [c for role, c in table.columns.items() if role in ("user_id", "item_id") and told.count(c) == 1]
    return read_table(planned.path, planned.form, report.quarantine, columns, ids=ids)

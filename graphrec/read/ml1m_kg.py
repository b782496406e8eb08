"""MovieLens-1M with a DBpedia graph, as published for explainable path reasoning (Balloccu et al. 2022, 2023).

``train/valid/test.txt``: user number, product number, 1, time. ``user_mapping`` and ``product_mapping`` take the
numbers to the MovieLens ids, which are the external ids here; ``pid`` in ``i2kg_map`` and ``products`` and ``uid`` in
``users`` are these ids already. ``kg_final`` holds triples over entity numbers, ``e_map`` and ``r_map`` their names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from graphrec.data.attributes import Column
from graphrec.data.dataset import TEST, TRAIN, VALID
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.read.assemble import Tables, checked, columns_of, published
from graphrec.read.columns import attributes
from graphrec.read.files import table
from graphrec.read.source import Source
from kg.types import ExternalTriples

NAME = "ml1m_kg"
_USED_AS = {
    **dict.fromkeys(("user_mapping.txt", "product_mapping.txt", "i2kg_map.txt"), "links"),
    **dict.fromkeys(("kg_final.txt", "e_map.txt", "r_map.txt"), "triples"),
    "products.txt": "items",
    "users.txt": "users",
}
_ROLES = {
    "user_mapping.txt": {"rating_id": "user_id", "new_id": "user_id"},
    "product_mapping.txt": {"rating_id": "item_id", "new_id": "item_id"},
    "i2kg_map.txt": {"pid": "item_id", "entity": "entity"},
    "kg_final.txt": {"entity_head": "head", "relation": "relation", "entity_tail": "tail"},
    "e_map.txt": {"eid": "entity", "name": "entity_label", "entity": "entity"},
    "r_map.txt": {"id": "relation", "name": "relation"},
    "products.txt": {"pid": "item_id", "name": "title", "genre": "attribute"},
    "users.txt": {"uid": "user_id", "gender": "attribute", "age": "attribute"},
}
_WHY_NOT = {
    "pop_item": "counts of events may hold held-out ones",
    "pop_provider": "counts of events may hold held-out ones",
    "gender": "sensitive: read for measuring only",
    "age": "sensitive: read for measuring only",
}
_MARKS = ("i2kg_map.txt", "kg_final.txt", "product_mapping.txt", "train.txt")


def matches(source: Source) -> Path | None:
    """The mapping files together with ``kg_final`` and ``train``."""
    found = [source.find(name) for name in _MARKS]
    return found[0] if all(p is not None and p in source.files for p in found) and not source.spec.file else None


def read(source: Source, report: Report) -> Tables:
    """Interactions with parts and times, titles, genres, users' gender and age, and all triples under DBpedia's ids."""
    quarantine = report.quarantine

    def load(name: str, *needs: str) -> pd.DataFrame:
        path = source.need(name, NAME)
        frame = table(path, quarantine, sep="\t", needs=needs)
        if all(f.path != report.relative(path) for f in report.files):
            report.use_file(path, _USED_AS[name])
            report.use_columns(path, [str(c) for c in frame.columns.drop(["file", "line"])], _ROLES[name], _WHY_NOT)
        return frame

    parts = {"train.txt": TRAIN, "valid.txt": VALID, "test.txt": TEST}
    event = ["user_id", "item_id", "rating", "timestamp"]
    found = {path: part for name, part in parts.items() if (path := source.find(name)) is not None}
    tables = [table(path, quarantine, sep="\t", names=event).assign(part=part) for path, part in found.items()]
    raw = pd.concat(tables, ignore_index=True)
    for column, name in (("user_id", "user_mapping.txt"), ("item_id", "product_mapping.txt")):
        numbers = load(name, "rating_id", "new_id")
        mapping = dict(zip(numbers["new_id"], numbers["rating_id"], strict=True))
        raw = door.translate(raw, column, mapping, name, quarantine)
    for path in found:
        report.use_file(path, "events")
        report.use_columns(path, event, {c: c for c in event if c != "rating"}, {"rating": "the same in every row"})
    events = checked(raw.drop(columns="rating"), quarantine, source.path)

    products = door.check_ids(load("products.txt", "pid", "name", "genre"), quarantine, "pid")
    products = products.rename(columns={"pid": "item_id", "name": "title"})
    user_attributes = None
    if source.find("users.txt") is not None:
        people = door.check_ids(load("users.txt", "uid", "gender", "age"), quarantine, "uid")
        user_attributes = attributes(people, "uid", "user_id", ["gender", "age"], "")
    return Tables(
        published(events, quarantine),
        items=products[["item_id", "title"]],
        item_attributes=attributes(products, "item_id", "item_id", ["genre"], "|"),
        user_attributes=user_attributes,
        item_columns=columns_of({"genre": "list"}),
        user_columns=[
            Column("gender", "category", True, "sensitive: read for measuring only"),
            Column("age", "category", True, "sensitive: read for measuring only"),
        ],
        external=_external(load, quarantine, set(events["item_id"].cat.categories)),
        catalogue="events",  # as published
    )


def _external(load: Callable[..., pd.DataFrame], quarantine: Quarantine, catalogue: set[str]) -> ExternalTriples:
    """Every row of ``kg_final``, entities by their DBpedia address, relations by their name in ``r_map``."""
    entities = load("e_map.txt", "eid", "name", "entity")
    relations, links = load("r_map.txt", "id", "name"), load("i2kg_map.txt", "pid", "entity")
    address = dict(zip(entities["eid"], entities["entity"], strict=True))
    relation = dict(zip(relations["id"], relations["name"], strict=True))
    kg = load("kg_final.txt", "entity_head", "relation", "entity_tail")
    for column, mapping, where in (
        ("entity_head", address, "e_map.txt"),
        ("relation", relation, "r_map.txt"),
        ("entity_tail", address, "e_map.txt"),
    ):
        kg = door.translate(kg, column, mapping, where, quarantine)
    labels = dict(zip(entities["entity"], entities["name"].str.replace("_", " "), strict=True))
    labels |= {name: name.replace("_", " ") for name in relation.values()}
    return ExternalTriples(
        tuple(zip(*(kg[c].tolist() for c in ("entity_head", "relation", "entity_tail")), strict=True)),
        {pid: entity for pid, entity in zip(links["pid"], links["entity"], strict=True) if pid in catalogue},
        labels,
    )

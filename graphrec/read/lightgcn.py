"""LightGCN and KGAT text splits: ``train.txt``, ``test.txt``, optional ``valid.txt`` and ``kg_final.txt``.

Each line of a split is a user and the items of that user, all numbers: ``u i i i …``. A line of ``kg_final.txt`` is
``head relation tail``; in KGAT's numbering (Wang et al. 2019, arXiv:1905.07854) item n is entity n.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from graphrec.data.dataset import TEST, TRAIN, VALID
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.read import layouts
from graphrec.read.assemble import Tables, checked, published
from graphrec.read.files import head, slurp, table
from graphrec.read.source import Source
from kg.types import ExternalTriples

NAME = "lightgcn"
PARTS = {"train.txt": TRAIN, "valid.txt": VALID, "test.txt": TEST}
_NUMBERS = re.compile(rb"\s*(?:\d{1,18}(?:\s+\d{1,18})*\s*)?")
_ADJACENCY = re.compile(rb"^\d+(?: +\d+)+ *\r?$", re.MULTILINE)


def matches(source: Source) -> Path | None:
    """``train.txt``, or a text file by itself, with numbers separated by spaces."""
    found = source.find("train.txt") if source.path.is_dir() else source.path
    if found not in source.candidates or not found.name.lower().removesuffix(".gz").endswith(".txt"):
        return None
    if not _ADJACENCY.search(head(found)):
        return None
    return found if source.spec.format == NAME or layouts.lines_of_numbers(found) == "adjacency" else None


def read(source: Source, report: Report) -> Tables:
    """The split as the source's ``parts`` (of a folder); one file by itself is plain interactions."""
    quarantine = report.quarantine
    if source.path.is_dir():
        source.need("train.txt", NAME)
        found = {path: part for name, part in PARTS.items() if (path := source.find(name)) is not None}
        raw = pd.concat([adjacency(p, quarantine).assign(part=part) for p, part in found.items()], ignore_index=True)
        for path in found:
            report.use_file(path, "events", form="lines of a user and the items of that user")
    else:
        raw = adjacency(source.path, quarantine)
        report.use_file(source.path, "events", form="lines of a user and the items of that user")
    events = checked(raw, quarantine, source.path)
    external = None
    if source.path.is_dir() and (path := source.find("kg_final.txt")) is not None:
        names = ["head", "relation", "tail"]
        report.use_file(path, "triples")
        report.use_columns(path, names, {n: n for n in names})
        kg = door.check_ids(table(path, quarantine, sep=" ", names=names), quarantine, *names)
        triples = tuple(zip(*(kg[c].tolist() for c in names), strict=True))
        entities = {*kg["head"], *kg["tail"]}
        external = ExternalTriples(triples, {i: i for i in events["item_id"].cat.categories if i in entities})
    return Tables(published(events, quarantine), external=external, catalogue="events")  # as published


def adjacency(path: Path, quarantine: Quarantine) -> pd.DataFrame:
    """Lines ``u i i i …`` → one row for each pair: user_id, item_id (int64), file, line. A lone user is no row."""
    kept: list[bytes] = []
    numbers: list[int] = []
    for number, line in enumerate(slurp(path, quarantine).split(b"\n"), 1):
        if not _NUMBERS.fullmatch(line):
            quarantine.add(path, number, "not a line of numbers", line.decode("utf-8", "replace"))
        elif len(line) > 1:
            kept.append(line)
            numbers.append(number)
    counts = np.array([len(line.split()) for line in kept], np.int64)
    values = np.fromstring(b" ".join(kept).decode("ascii"), np.int64, sep=" ")
    kept_rows, starts = counts > 0, np.cumsum(counts) - counts
    is_user = np.zeros(len(values), np.bool_)
    is_user[starts[kept_rows]] = True
    items = counts[kept_rows] - 1
    return pd.DataFrame(
        {
            "user_id": np.repeat(values[is_user], items),
            "item_id": values[~is_user],
            "line": np.repeat(np.array(numbers, np.int64)[kept_rows], items),
        }
    ).assign(file=str(path))

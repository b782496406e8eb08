"""RecBole's atomic files (Zhao et al. 2021, arXiv:2011.01731): tab separated, with a header of ``field:type``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from graphrec.data.attributes import AttributeType
from graphrec.door.report import ColumnUse, Report
from graphrec.errors import FormatError
from graphrec.read import guess as g
from graphrec.read import plan, reading, sides, tables
from graphrec.read.assemble import Tables
from graphrec.read.columns import Role
from graphrec.read.files import head, table
from graphrec.read.form import Form
from graphrec.read.guess import Guess
from graphrec.read.reading import Plan, Planned
from graphrec.read.source import Source, check_names, ending, stem
from graphrec.read.spec import SPEC_FILE, SideTable, Spec, Use

NAME = "recbole"
_USES: Mapping[str, Use] = {".item": "items", ".user": "users", ".net": "friends", ".kg": "triples", ".link": "links"}
_NEEDS: Mapping[str, tuple[Role, ...]] = {
    "friends": ("user_id", "friend_id"),
    "triples": ("head", "relation", "tail"),
    "links": ("item_id", "entity"),
}
_FIELDS: Mapping[Role, str] = {
    "user_id": "source_id",
    "friend_id": "target_id",
    "head": "head_id",
    "relation": "relation_id",
    "tail": "tail_id",
    "entity": "entity_id",
}


def matches(source: Source) -> Path | None:
    """A file ``*.inter``."""
    return next((p for p in source.candidates if ending(p) == ".inter" and head(p)), None)


def name_of(source: Source) -> str:
    """The name that the atomic files have in common."""
    return stem(_inter(source))


def _inter(source: Source) -> Path:
    return source.only((p for p in source.candidates if ending(p) == ".inter"), NAME)


def read(source: Source, report: Report) -> Tables:
    """The ``.inter`` file, and the other atomic files of the same name beside it."""
    path = _inter(source)
    spec = source.spec
    frames: dict[Path, pd.DataFrame] = {}
    full: dict[tuple[str, str], str] = {}
    found = Plan()
    events = _atomic(path, report, frames, full)
    check_names(path, spec.columns.values(), events.header, f"{SPEC_FILE} ([columns])")
    if not g.ids_of_events(events, spec.columns):
        raise FormatError(
            f"{path}:1: needs user_id and item_id; found {', '.join(events.header)}; say which is which in a "
            f'{SPEC_FILE}: columns = {{ user_id = "…", item_id = "…" }}'
        )
    g.read_events(events, spec.columns)
    found.planned.append(reading.planned(events, None, spec))
    beside = {ending(p): p for p in path.parent.iterdir() if p.is_file() and stem(p) == stem(path)}
    for kind, use in _USES.items():
        if kind in beside:
            found.planned.append(_side(_atomic(beside[kind], report, frames, full), use, events.roles, spec))

    def load(planned: Planned, _: Report) -> pd.DataFrame:
        return frames.pop(planned.path)

    out = tables.run(found, spec, report, load)
    report.columns = [_named(c, full) for c in report.columns]
    return out


def _named(column: ColumnUse, full: Mapping[tuple[str, str], str]) -> ColumnUse:
    """A column under its name in the file: with its type."""
    return replace(column, column=full.get((column.file, column.column), column.column))


def _atomic(path: Path, report: Report, frames: dict[Path, pd.DataFrame], full: dict[tuple[str, str], str]) -> Guess:
    """The table under plain field names; lists of words are written with ``|``."""
    frame = table(path, report.quarantine, sep="\t")
    header = [c for c in frame.columns if c not in ("file", "line")]
    plain = [c.partition(":")[0] for c in header]
    full |= {(report.relative(path), p): h for p, h in zip(plain, header, strict=True)}
    for column in (h for h in header if h.endswith(("_seq",))):
        name = column.partition(":")[0]
        frame[column] = frame[column].str.strip()
        if name.lower() not in _WORDS and "title" not in name and "name" not in name and "text" not in name:
            frame[column] = frame[column].str.replace(r"\s+", "|", regex=True)
    frame = frame.rename(columns=dict(zip(header, plain, strict=True)))
    frame = frame.loc[:, ~frame.columns.duplicated()]
    frames[path] = frame
    names = list(dict.fromkeys(plain))
    guess = Guess(path, Form(sep="\t", quoted=False), frame[names].head(plan.SAMPLE))
    lists = {h.partition(":")[0] for h in header if h.endswith("_seq")}
    guess.lists = lists
    return guess


_WORDS = frozenset(("description", "review", "plot", "overview", "synopsis", "abstract", "summary"))


def _side(guess: Guess, use: Use, events: Mapping[Role, str], spec: Spec) -> Planned:
    """One of the other atomic files. Raises FormatError where a field is missing."""
    if use in ("items", "users"):
        key: Role = "item_id" if use == "items" else "user_id"
        guess.roles = {key: _field(guess, events[key])}
        sides.READERS[use](guess, {})
        types: dict[str, AttributeType] = {c: "list" for c in guess.rest if c in guess.lists}
        guess.use = use
        return reading.planned(guess, SideTable(file=guess.path.name, types=types), spec)
    for role in _NEEDS[use]:
        field = events["item_id"] if role == "item_id" else _FIELDS[role]
        guess.roles[role] = _field(guess, field)
    guess.unused = dict.fromkeys(guess.rest, "no use is known for it")
    guess.use = use
    return reading.planned(guess, None, spec)


def _field(guess: Guess, name: str) -> str:
    if name not in guess.header:
        raise FormatError(
            f"{guess.path}:1: needs a field {name}; found {', '.join(guess.header)}; rename the field in its header"
        )
    return name

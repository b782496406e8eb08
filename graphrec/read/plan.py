"""Files → a reading of them that ``data.toml`` can say: which is what, and which are not read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.errors import DataError, FormatError
from graphrec.read import candidates, layouts, proof, sides
from graphrec.read import columns as c
from graphrec.read import guess as g
from graphrec.read.columns import SYNONYMS, Role, normal
from graphrec.read.forms import find_form, sample
from graphrec.read.guess import Guess
from graphrec.read.reading import FORM_KEYS, NO_ROWS, Plan, as_said, leave_prices, named_in, no_ids, part_of, planned
from graphrec.read.source import Source, check_names, ending, stem
from graphrec.read.spec import SPEC_FILE, EventTable, Table, Use

SAMPLE = 5000  # rows looked at of each file
_UUID = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}")  # of one write, in the names that Spark gives its parts
_NO_TABLE = frozenset(
    (".md", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".html", ".htm", ".xml", ".py", ".ipynb", ".toml", ".yaml", ".yml")
) | {".rst", ".doc", ".docx", ".sh", ".r", ".bib", ".tex", ".npy", ".npz", ".pkl", ".pt", ".bin", ".ttl", ".nt", ".nq"}


def plan(source: Source, skip: Collection[Path] = ()) -> Plan:
    """Find out what each file of a source is, but for those to ``skip``.

    Raises FormatError (ambiguous, or columns that are not there).
    """
    out = Plan()
    spec = source.spec
    said = _said(source)
    tables: list[tuple[Guess, Use | None, Table | None]] = []
    for path in (p for p in source.files if p not in skip):
        use, table = said.get(path.name, (None, None))
        if path.name in spec.ignore and table is None:
            out.ignored[path.name] = spec.ignore[path.name]
        elif table is None and (reason := _no_table(path)):
            out.ignored[path.name] = reason
        else:
            try:
                found = look(path, table)
            except DataError as error:
                if table is not None or len(source.files) == 1 or path.name == spec.file:
                    raise
                out.ignored[path.name] = str(error).removeprefix(f"{path}: ")
                continue
            tables.append((found, use, table))
    if any(len(found.frame) for found, _, _ in tables):  # else it is said of the first one that it is empty
        without = [found.path.name for found, use, _ in tables if use is None and not len(found.frame)]
        out.ignored |= dict.fromkeys(without, NO_ROWS)
        tables = [one for one in tables if one[0].path.name not in without]
    return understand(source, tables, out)


def _said(source: Source) -> dict[str, tuple[Use, Table]]:
    """File → its section in ``data.toml``. Raises FormatError where a file has two."""
    said: dict[str, tuple[Use, Table]] = {}
    for use, table in source.spec.tables():
        if table.file in said:
            raise FormatError(
                f"{source.folder / SPEC_FILE}: {table.file!r} stands in [[{said[table.file][0]}]] and in [[{use}]]; "
                "a file has one section (what a file of events tells of its items: item_attributes)"
            )
        said[table.file] = (use, table)
    return said


def understand(source: Source, tables: list[tuple[Guess, Use | None, Table | None]], out: Plan) -> Plan:
    """The plan for tables that were looked at, each with what ``data.toml`` says of it, if anything.

    Raises FormatError (ambiguous, or columns that are not there).
    """
    spec = source.spec
    out.seen = [found for found, _, _ in tables]
    events = _events(source, tables, out)
    users = pd.Index(sorted({i for e in events for i in e.ids("user_id")}))
    items = pd.Index(sorted({i for e in events for i in e.ids("item_id")}))
    for found, use, table in tables:
        if found.use == "events":
            out.planned.append(planned(found, table, spec))
            continue
        if use is not None and table is not None:
            as_said(found, use, table)
        else:
            sides.classify(found, users, items)
        if found.use is None:
            out.ignored[found.path.name] = found.why_not
            out.refused.append(found)
        else:
            out.planned.append(planned(found, table, spec))
    leave_prices(out)
    return out


def _no_table(path: Path) -> str:
    if ending(path) in _NO_TABLE:
        return "no table"
    if path.stat().st_size == 0:
        return "empty"
    return "about the data, no data" if stem(path).lower() in ("readme", "license", "licence", "citation") else ""


def look(path: Path, table: Table | None = None) -> Guess:
    """The form of a file, its columns and a sample. Raises DataError where it cannot be read as a table."""
    given: dict[str, Any] = {}
    if table is not None:
        given = {k: v for k in FORM_KEYS if (v := getattr(table, k)) not in (None, ())}
    if table is not None and table.header is not None:
        given["header"] = table.header
    elif table is not None and table.columns and not table.names:
        given["header"] = True  # it has columns of these names
    form = find_form(path, given)
    frame = sample(path, form, SAMPLE)
    if form.names and "names" not in given and all(n == str(k) for k, n in enumerate(form.names, 1)):
        names = layouts.names_of(path, frame) or tuple(f"column_{n}" for n in form.names)
        form = replace(form, names=names)
        frame.columns = pd.Index(names)
    return Guess(path, form, frame)


def _events(source: Source, tables: list[tuple[Guess, Use | None, Table | None]], out: Plan) -> list[Guess]:
    """The tables of events, their columns understood. Raises FormatError where files could be parts or alternatives."""
    spec = source.spec
    named = [(t, table) for t, use, table in tables if use == "events"]
    found: list[Guess] = []
    for guess, use, table in tables:
        mine = guess.path.name == spec.file or (len(tables) == 1 and use is None)
        if (named or (spec.file and source.path.is_dir())) and use != "events" and not mine:
            continue
        if use not in (None, "events"):
            continue
        given: dict[Role, str] = dict(table.columns) if table is not None else {}
        if table is None and (mine or not spec.file):
            given = {r: col for r, col in spec.columns.items() if col in guess.header}
        where = f"{SPEC_FILE} ({'[[events]]' if table is not None else '[columns]'})"
        if use == "events" or mine:
            wanted = named_in(table) if table is not None else tuple(spec.columns.values())
            check_names(guess.path, wanted, guess.header, where)
            if given.get("user_id") == given.get("item_id") is not None:
                raise FormatError(
                    f"{guess.path}:1: {where} names the column {given['user_id']!r} for user_id and for item_id; "
                    f"name another column for one of them"
                )
        guess.user = one_person(source, guess, table, given, mine)
        is_events = g.ids_of_events(guess, given)
        if is_events and use is None and not mine and _is_side(guess):
            is_events = False
        if not is_events:
            if use == "events" or guess.path.name == spec.file:
                raise FormatError(no_ids(guess))
            guess.roles = {}
            continue
        if isinstance(table, EventTable):
            guess.unused.update({k: v for k, v in table.unused.items() if k in guess.header})
            guess.of_items.extend(x for x in table.item_attributes if x in guess.header)
            guess.of_users.extend(x for x in table.user_attributes if x in guess.header)
        g.read_events(guess, given)
        found.append(guess)
    if not named and not spec.file:
        _one_log(source, found)
    return found


def one_person(source: Source, guess: Guess, table: Table | None, given: Mapping[Role, str], mine: bool) -> str:
    """Whose events a table holds, where ``data.toml`` says it and no column does; else "".

    What it says of the whole source counts for a table with times, or one that is known to hold events (``mine``).
    Raises FormatError where a section names a person and a column of them.
    """
    said = getattr(table, "user", None)
    if said and "user_id" in given:
        raise FormatError(
            f"{guess.path}:1: {SPEC_FILE} ([[events]]) says user = {said!r} and names the column {given['user_id']!r} "
            "for user_id; say one of them"
        )
    if said or not source.spec.user or "user_id" in given or c.find(guess.header, SYNONYMS["user_id"]):
        return said or ""
    return source.spec.user if mine or table is not None or candidates.time_of(guess) else ""


def _is_side(guess: Guess) -> bool:
    """A table of items or users that also names one of the others: its file says so, and its rows are the things."""
    frame, roles = guess.frame, guess.roles
    if guess.user:
        return g.of_things(guess.path) and proof.is_key(frame[roles["item_id"]])
    items = g.of_things(guess.path) and not g.of_people(guess.path) and g.kind_of(guess) == "interaction"
    if items and proof.is_key(frame[roles["item_id"]]) and not proof.is_key(frame[roles["user_id"]]):
        return len(frame) > 1
    return g.is_social(guess.path) and len(guess.header) <= 3


def _one_log(source: Source, found: list[Guess]) -> None:
    """Several files with the same columns are one log only where their names say so. Raises FormatError."""
    series: dict[tuple[str, ...], list[Guess]] = {}
    for guess in found:
        series.setdefault(tuple(sorted(map(normal, guess.header))), []).append(guess)
    for same in series.values():
        if len(same) < 2 or _are_parts(same) or len({_series(x.path) for x in same}) == 1:
            continue
        if len({x.kind for x in same}) == len(same):
            continue  # views.csv, carts.csv, purchases.csv
        names = [x.path.name for x in same]
        lines = ", ".join(f'{{ file = "{n}" }}' for n in names)
        raise FormatError(
            f"{source.path}: {len(same)} files hold events with the same columns, {', '.join(names[:3])}"
            f"{' …' if len(names) > 3 else ''}: they may be parts of one log or alternatives; point at one of them, or "
            f'say so in a {SPEC_FILE}: events = [{lines}] for parts, file = "{names[0]}" for one alone'
        )


def _series(path: Path) -> str:
    """A name without what differs between the parts of one log."""
    return re.sub(r"[\d\W_]+", "", _UUID.sub("", stem(path).lower()))


def _are_parts(tables: list[Guess]) -> bool:
    """One file is the training part, and each other one another part."""
    parts = [part_of(t.path) for t in tables]
    return None not in parts and len(set(parts)) == len(parts) and "train" in parts


def holds_events(guess: Guess, given: Mapping[Role, str]) -> bool:
    """Whether a table by itself holds events."""
    found = g.ids_of_events(guess, given) and (guess.user != "" or not _is_side(guess))
    guess.roles = {}
    return found

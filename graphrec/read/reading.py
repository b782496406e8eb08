"""A reading as ``data.toml`` says it: from what was found out, or from what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.errors import DataError, FormatError
from graphrec.read import candidates, sides
from graphrec.read import guess as g
from graphrec.read.columns import ROLES, Role
from graphrec.read.forms import Form, find_form
from graphrec.read.guess import Guess
from graphrec.read.source import check_names, stem
from graphrec.read.spec import SPEC_FILE, EventTable, FriendTable, SideTable, Spec, Table, Use

_PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
}
_PARTS |= {"test": "test", "testing": "test"}
NO_ROWS = "no rows"
FORM_KEYS = ("sep", "encoding", "names", "skip", "quoted")
_HOW_KEYS = ("decimal", "date_format", "zone", "unit")


@dataclass(frozen=True)
class Planned:
    """One file that is used: how it is written down, all its columns, and what ``data.toml`` would say of it."""

    path: Path
    form: Form
    use: Use
    table: Table
    header: tuple[str, ...]


def written(form: Form) -> str:
    """How a file is written down, for the report."""
    plain = form.encoding.lower() in ("utf-8", "utf-8-sig")
    return form.why if plain else f"encoding {form.encoding}: {form.why}"


@dataclass
class Plan:
    """What is used of a source, and why the other files (name → reason) are not."""

    planned: list[Planned] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    refused: list[Guess] = field(default_factory=list)
    seen: list[Guess] = field(default_factory=list)

    def of(self, use: Use) -> list[Planned]:
        """What is planned for one use."""
        return [p for p in self.planned if p.use == use]

    def spec(self, given: Spec) -> Spec:
        """The whole reading."""
        tables: dict[str, list[Table]] = {}
        for p in self.planned:
            tables.setdefault(p.use, []).append(p.table)
        said: dict[str, Any] = {use: tuple(found) for use, found in tables.items()}
        said |= {"format": "csv", "file": None, "user": None, "columns": {}, "ignore": self.ignored}
        return given.model_copy(update=said)


def leave_prices(out: Plan) -> None:
    """Where a table tells of the items, what an item cost in an order is told of the order only."""
    of_items = out.of("items")
    if not of_items:
        return
    for place, p in enumerate(out.planned):
        if isinstance(p.table, EventTable):
            prices = [c for c in p.table.item_attributes if g.is_price(c)]
            why = f"a price of the event; {of_items[0].path.name} tells of the items"
            update = {
                "item_attributes": tuple(c for c in p.table.item_attributes if c not in prices),
                "unused": {**p.table.unused, **dict.fromkeys(prices, why)},
            }
            out.planned[place] = replace(p, table=p.table.model_copy(update=update))


def part_of(path: Path) -> str | None:
    """The part of a split that a file name says ("train", "valid", "test"); None where it says none."""
    words = [_PARTS[w] for w in re.split(r"[\W_\d]+", stem(path).lower()) if w in _PARTS]
    return words[0] if words else None


def named_in(table: Table) -> tuple[str, ...]:
    """Every column that a section of ``data.toml`` names."""
    lists = [getattr(table, k, ()) for k in ("unused", "types", "item_attributes", "user_attributes")]
    return tuple(dict.fromkeys((*table.columns.values(), *(c for names in lists for c in names))))


def as_said(guess: Guess, use: Use, table: Table) -> None:
    """A table whose use ``data.toml`` names: the columns it names, the others found out."""
    check_names(guess.path, named_in(table), guess.header, f"{SPEC_FILE} ([[{use}]])")
    guess.unused.update(table.unused)
    if use in sides.READERS:
        key: Role = "item_id" if use == "items" else "user_id"
        guess.roles = dict(table.columns)
        if key not in guess.roles:
            sides.classify(guess, pd.Index([]), pd.Index([]))
            if guess.use != use:
                guess.roles = {key: guess.header[0]}
                guess.unused = dict(table.unused)
        sides.READERS[use](guess, table.columns)
    elif table.columns:
        guess.roles = dict(table.columns)
        guess.unused.update(dict.fromkeys(guess.rest, f"not named in {SPEC_FILE}"))
    else:
        sides.classify(guess, pd.Index([]), pd.Index([]))
        if guess.use != use:
            raise FormatError(
                f"{guess.path}:1: does not look like {use}; found {', '.join(guess.header)}; say which column is "
                f'which in {SPEC_FILE}: {use} = [{{ file = "{guess.path.name}", columns = {{ {_ROLES_OF[use]} }} }}]'
            )
    guess.use = use


_ROLES_OF: Mapping[str, str] = {
    "friends": 'user_id = "…", friend_id = "…"',
    "triples": 'head = "…", relation = "…", tail = "…"',
    "links": 'item_id = "…", entity = "…"',
}


def planned(guess: Guess, table: Table | None, spec: Spec) -> Planned:
    """What is used of a table, as ``data.toml`` would say it."""
    assert guess.use is not None
    form = guess.form
    columns = {r: guess.roles[r] for r in sorted(guess.roles, key=ROLES.index)}
    said: dict[str, Any] = {"file": guess.path.name, "columns": columns, "unused": guess.unused}
    default = _found(guess.path) if form.container == "delimited" and table is not None else form
    said |= {
        k: getattr(form, k) for k in ("sep", "encoding", "skip", "quoted") if getattr(form, k) != getattr(default, k)
    }
    if form.names:
        said["names"] = form.names
    if table is not None:
        said |= {k: v for k in (*FORM_KEYS, *_HOW_KEYS) if (v := getattr(table, k)) not in (None, ())}
    made: Table
    if guess.use == "events":
        old = table if isinstance(table, EventTable) else None
        part = part_of(guess.path) if old is None else old.part
        made = EventTable(
            **said,
            user=guess.user or None,
            kind=(old and old.kind) or guess.kind,
            values=(old and old.values) or guess.values,
            part=part,
            item_attributes=tuple(guess.of_items),
            user_attributes=tuple(guess.of_users),
            **({k: getattr(old, k) for k in ("weight", "scale", "disliked_to", "unrated", "types")} if old else {}),
        )
    elif guess.use in ("items", "users"):
        made = SideTable(**said, types=getattr(table, "types", {}))
    elif guess.use == "friends":
        directed = getattr(table, "directed", None)
        made = FriendTable(**said, directed=sides.is_directed(guess) if directed is None else directed)
    else:
        made = Table(**said)
    return Planned(guess.path, form, guess.use, made, tuple(guess.header))


def no_ids(guess: Guess) -> str:
    """The message for a file of events without a column of users or of items."""
    lacking = " and ".join(r for r in ("item_id", "user_id") if r not in guess.roles)
    known = ", ".join(f'{r} = "{col}"' for r, col in guess.roles.items() if r in ("user_id", "item_id"))
    wanted = ", ".join(f'{r} = "…"' for r in ("user_id", "item_id") if r not in guess.roles)
    columns = ", ".join(x for x in (known, wanted) if x)
    return (
        f"{guess.path}:1: no column for {lacking}; found {candidates.listed(guess)}; say which is which "
        f'in a {SPEC_FILE}: events = [{{ file = "{guess.path.name}", columns = {{ {columns} }} }}] '
        f"or under [columns] for one file of events{candidates.one_person(guess)}"
    )


def _found(path: Path) -> Form:
    try:
        return find_form(path)
    except DataError:
        return Form(sep="\0", quoted=False)


def remedy(found: Plan) -> str:
    """The lines to write where no file holds events."""
    if not found.seen:
        return f'name one in a {SPEC_FILE} in the folder, for example format = "csv"'
    first = [*found.refused, *found.seen][0]
    table, lines = next(((t, says) for t in found.seen if (says := candidates.one_person(t))), (first, ""))
    name = table.path.name
    return (
        f"no column of {name} is known to hold users and items (it has {candidates.listed(table)}): say which do "
        f'in a {SPEC_FILE}: events = [{{ file = "{name}", columns = {{ user_id = "…", item_id = "…" }} }}]{lines}'
    )

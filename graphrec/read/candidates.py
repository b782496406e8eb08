"""Which columns could hold users and items, for errors about tables where none is known to."""

from __future__ import annotations

from graphrec.read import columns as c
from graphrec.read import proof
from graphrec.read.columns import SYNONYMS
from graphrec.read.guess import Guess
from graphrec.read.spec import SPEC_FILE

MOST = 12  # columns named in an error
_TOO_LONG = 40  # characters on average of a value that is no id


def listed(table: Guess, most: int = MOST) -> str:
    """The columns of a table, the likeliest to hold ids first, and how many more there are."""
    found = sorted(table.header, key=lambda h: -_likely(table, h)) if len(table.header) > most else table.header
    rest = len(found) - most
    return (", ".join(found[:most]) or "no header") + (f" and {rest} more" if rest > 0 else "")


def time_of(table: Guess) -> str | None:
    """The column that would be the time of events, by its name and its values."""
    named = [h for n in SYNONYMS["timestamp"] for h in table.header if c.normal(h) == n]
    named += [h for h in table.header if c.is_time_name(h)]
    return next((h for h in named if proof.are_times(table.frame[h])), None)


def one_person(table: Guess) -> str:
    """The lines for a table with items and times but no users, which may be one person's; else ""."""
    if "user_id" in table.roles or c.find(table.header, SYNONYMS["user_id"]) or time_of(table) is None:
        return ""
    known = table.roles.get("item_id") or c.find(table.header, SYNONYMS["item_id"])
    item = known or c.find(table.header, [n for n in c.TITLES if not n.startswith(("artist", "album"))])
    if item is None:
        return ""
    columns = "" if known else f' and columns = {{ item_id = "{item}" }}'
    return f'; if all of it is one person\'s, say user = "me"{columns} in {SPEC_FILE}'


def _likely(table: Guess, column: str) -> int:
    """0 for a column that hardly holds ids of users or items, up to 4 for one that does by its name."""
    name, values = c.normal(column), proof.present(table.frame[column])
    if name in SYNONYMS["user_id"] or name in SYNONYMS["item_id"]:
        return 4
    if values.empty or values.str.len().mean() > _TOO_LONG or proof.are_dates(values):
        return 0
    found = proof.numbers(values)
    if c.is_link(column) or (found.notna().all() and (found != found.round()).any()):
        return 0
    coded = values.str.fullmatch(r"(?=\S*\d)[\w.:/#@-]{3,}").mean() >= 0.9  # C-1042, B00005N7P0
    repeated = 1 < values.nunique() <= 0.9 * len(values)
    return 1 + bool(coded) + (repeated and values.nunique() > min(20, 0.05 * len(values)))

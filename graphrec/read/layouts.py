"""Files without a line of column names, in layouts that are well known: what their columns are is proved by the values.

``u.data`` and the triplets of FilmTrust, Ciao and Epinions (user item rating), Amazon's ratings-only CSV (user, item,
rating, time; and item, user, …), Steam-200k (user, game, behaviour, hours, 0), Last.fm 360K (user, id, artist, plays).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from graphrec.errors import FormatError
from graphrec.read import proof
from graphrec.read.files import head
from graphrec.read.spec import SPEC_FILE
from graphrec.read.streams import bare

_NUMBERS = re.compile(rb"\s*-?\d+(\.\d+)?(\s+-?\d+(\.\d+)?)*\s*")
_WHOLE = re.compile(r"-?\d+")
_AMAZON_USER, _AMAZON_ITEM = re.compile(r"A[0-9A-Z]{2,20}"), re.compile(r"B[0-9A-Z]{9}|\d{9}[\dX]")
_HEX, _UUID = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KNOWN = {  # by the file's name: what cannot be seen from the values
    "usersha1-artmbid-artname-plays.tsv": ("user_id", "item_id", "artist_name", "plays"),
    "usersha1-profile.tsv": ("user_id", "gender", "age", "country", "signup_date"),
    "trust_data.txt": ("trustor", "trustee", "trust"),
    "trust.txt": ("trustor", "trustee", "trust"),
    "trusts.txt": ("trustor", "trustee", "trust"),
}


def names_of(path: Path, frame: pd.DataFrame) -> tuple[str, ...]:
    """Names for the columns of a file without a header; () where the values prove nothing.

    ``frame``: a sample, columns in order.
    """
    if (known := KNOWN.get(bare(path.name).lower())) is not None and frame.shape[1] >= len(known) - 1:
        return known[: frame.shape[1]]
    columns = [frame.iloc[:, k] for k in range(frame.shape[1])]
    n = len(columns)
    if n < 2:
        return ()
    if n >= 4 and proof.are_kinds(columns[2]) and proof.are_numbers(columns[3]):
        return ("user_id", "item_id", "behavior", "count", *(f"column_{k}" for k in range(5, n + 1)))
    pair = _pair(columns[0], columns[1])
    if n == 2:
        return pair
    if n == 3 and proof.are_epochs(columns[2]):
        return (*pair, "timestamp")
    if not proof.are_numbers(columns[2]):
        return ()
    third = "rating" if proof.are_ratings(columns[2]) else "count"
    if n == 3:
        return (*pair, third)
    if n == 4 and proof.are_times(columns[3]):
        return (*pair, third, "timestamp")
    if n == 5 and proof.are_times(columns[4]) and proof.are_ratings(columns[3]):  # Epinions, Ciao: a category between
        return (*pair, "category", "rating", "timestamp")
    return ()


def _pair(first: pd.Series, second: pd.Series) -> tuple[str, str]:
    """Which of two columns of ids is the user: Amazon's ids tell, else users come first."""
    matching = {
        (k, role): sum(pattern.fullmatch(x) is not None for x in found) / max(len(found), 1)
        for k, found in enumerate((proof.present(first).tolist(), proof.present(second).tolist()))
        for role, pattern in (("user", _AMAZON_USER), ("item", _AMAZON_ITEM))
    }
    turned = matching[(0, "item")] > 0.9 and matching[(1, "user")] > 0.9
    return ("item_id", "user_id") if turned else ("user_id", "item_id")


def lines_of_numbers(path: Path) -> str:
    """What a text file of numbers between blanks is: "adjacency" (user item item …), "triplets" or "" (neither).

    Triplets (user item rating [time]) have three or four fields in every line and users that come again; lists of
    items have each user once. Raises FormatError where both readings are as good.
    """
    first = head(path)
    rows = [line.split() for line in first.split(b"\n")[:5000] if line.strip()]
    if len(first) >= 1 << 16 and len(rows) > 1:
        rows.pop()  # cut off
    good = [r for r in rows if _NUMBERS.fullmatch(b" ".join(r))]
    if len(good) < 0.5 * len(rows) or not good:
        return ""
    widths = Counter(map(len, good))
    users = Counter(r[0] for r in good)
    again = sum(n for n in users.values() if n > 1) > 0
    width = widths.most_common(1)[0][0]
    uniform = len(widths) == 1 and width in (3, 4)
    whole = all(_WHOLE.fullmatch(f.decode()) for r in good for f in r)
    if not whole:
        return "triplets" if uniform else ""
    if uniform and again:
        return "triplets"
    if uniform and len(good) >= 2 and path.name.lower() not in ("train.txt", "test.txt", "valid.txt"):
        stars = {r[2] for r in good}
        if len(stars) <= 11 and all(len(s) <= 2 for s in stars):
            raise FormatError(
                f"{path}: two readings are equally good: lines of user, item and rating, or lines of a user and the "
                f"items of that user; say which in a {SPEC_FILE}: "
                f'events = [{{ file = "{path.name}", sep = "", names = ["user_id", "item_id", "rating"'
                + (', "timestamp"' if width == 4 else "")
                + '] }] or format = "lightgcn"'
            )
    if len(widths) == 1 and width == 2 and again:
        return "triplets"  # pairs
    return "adjacency"

"""Clean tables over external ids → arrays and tables over numbers: the steps of ``dataset.build``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.events import Events
from graphrec.data.kinds import Kind, usual_kind
from graphrec.door.privacy import mask_all
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.types import Ints, Vocabulary, frozen

EVENT = ("user_id", "item_id", "timestamp", "kind", "value", "text", "summary", "part", "latitude", "longitude")
_LETTER = re.compile(r"[^\W\d_]")
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth, The Art of Computer Programming, section 6.4


def review_id(user_id: str, item_id: str) -> str:
    """A stable public name for the review of one pair, which does not carry the user's id."""
    return "r" + hashlib.blake2b(f"{user_id}\x1f{item_id}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def merged(events: pd.DataFrame, quarantine: Quarantine) -> pd.DataFrame:
    """Without the rows that repeat another in everything, which are counted. Without times, repeats are events."""
    if "timestamp" not in events:
        return events
    columns = [c for c in EVENT if c in events]
    mixed = np.zeros(len(events), np.uint64)  # rows that are equal have equal ones, and few others
    for column in ("user_id", "item_id", "timestamp"):
        own = events[column]
        if isinstance(own.dtype, pd.CategoricalDtype):
            mixed += own.cat.codes.to_numpy().astype(np.uint64)
        else:
            mixed += (own.to_numpy(np.int64) if column == "timestamp" else pd.factorize(own)[0]).astype(np.uint64)
        mixed *= _MIX
    found = np.sort(mixed)
    several = found[:-1][found[1:] == found[:-1]]
    if not len(several):
        return events
    alike = np.flatnonzero(np.isin(mixed, several))
    repeated = np.zeros(len(events), np.bool_)
    repeated[alike] = events.iloc[alike].duplicated(columns).to_numpy()
    quarantine.merged += int(repeated.sum())
    return events[~repeated] if repeated.any() else events


def numbered(columns: Sequence[pd.Series], kind: str) -> tuple[Vocabulary, Ints]:
    """The vocabulary of columns of ids, and the number of each row of the first; a distinct id is looked up once."""
    codes, known = _coded(columns[0])
    others = {str(id_) for column in columns[1:] for id_ in pd.unique(column).tolist()}
    vocabulary = Vocabulary({*known, *others}, kind)
    same = vocabulary.ids == tuple(known)
    return vocabulary, codes.astype(np.int64) if same else vocabulary.numbers(known)[codes]


def _coded(column: pd.Series) -> tuple[npt.NDArray[np.integer], list[str]]:
    """Codes of the rows, and their distinct ids as text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, found = column.cat.codes.to_numpy(), column.cat.categories
        if np.bincount(codes, minlength=len(found)).all():
            return codes, found.astype(object).tolist()
    codes, found = pd.factorize(column)
    return codes, found.astype(str).tolist()


def social_edges(friends: pd.DataFrame | None, directed: bool, users: Vocabulary, report: Report) -> Ints:
    """Who hears whom, int64 (2, S), sorted: both directions of a friendship, of ``directed`` ones the follower's.

    Rows of somebody with themselves, of people whom the catalogue leaves out, and repeats are not used, and counted.
    """
    if friends is None or friends.empty:
        return frozen(np.zeros((2, 0), np.int64), np.int64)
    a = users.numbers(friends["user_id"].astype(str).tolist(), missing="-1")
    b = users.numbers(friends["friend_id"].astype(str).tolist(), missing="-1")
    there, same = (a >= 0) & (b >= 0), a == b
    known = there & ~same
    pairs = np.vstack([a[known], b[known]])
    unused = {
        "of somebody with themselves": int((there & same).sum()),
        "of people who are not in the catalogue": int((~there).sum()),
        "that repeat another": int(known.sum()) - np.unique(pairs, axis=1).shape[1],
    }
    if any(unused.values()):
        told = ", ".join(f"{n:,} {what}" for what, n in unused.items() if n)
        report.warn(f"of {len(friends):,} rows of friends these are not used: {told}")
    return frozen(np.unique(pairs if directed else np.hstack([pairs, pairs[::-1]]), axis=1), np.int64)


def attributes(
    rows: pd.DataFrame | None, id_column: str, number_column: str, vocabulary: Vocabulary, quarantine: Quarantine
) -> pd.DataFrame:
    """Number, key and value, sorted and distinct, with personal data masked; without unknown ids and blank values."""
    columns = [number_column, "key", "value"]
    if rows is None or rows.empty:
        return pd.DataFrame({number_column: np.array([], np.int64), "key": [], "value": []})[columns]
    numbers = vocabulary.numbers(rows[id_column].astype(str).tolist(), missing="-1")
    codes, distinct = pd.factorize(rows["value"].astype(str).fillna(""))
    values = np.array(mask_all(distinct.tolist(), quarantine.masked), dtype=object)[codes]
    out = pd.DataFrame({number_column: numbers, "key": rows["key"].astype(str).to_numpy(), "value": values})
    out = out[(numbers >= 0) & (out["value"].str.strip() != "").to_numpy()]
    return out.drop_duplicates().sort_values(columns, kind="stable").reset_index(drop=True)


def texts(
    rows: pd.DataFrame | None, id_column: str, column: str, vocabulary: Vocabulary, quarantine: Quarantine
) -> npt.NDArray[np.object_]:
    """The text of each number, str objects (n,), "" where there is none, with personal data masked. A description
    without a letter is none, and counted; a title may be a number."""
    out = np.full(len(vocabulary), "", dtype=object)
    if rows is None or column not in rows:
        return out
    present = rows[rows[column].notna()]
    numbers = vocabulary.numbers(present[id_column].astype(str).tolist(), missing="-1")
    known = numbers >= 0
    texts = present[column].astype(str).to_numpy()[known]
    out[numbers[known]] = np.array(mask_all(texts.tolist(), quarantine.masked), dtype=object)
    if (
        column == "text"
        and (wordless := np.array([bool(t.strip()) and not _LETTER.search(t) for t in out], bool)).any()
    ):
        out[wordless] = ""
        quarantine.wordless[f"{vocabulary.kind} text"] += int(wordless.sum())
    return out


def event_log(events: pd.DataFrame, user_nums: Ints, item_nums: Ints, kinds: tuple[Kind, ...]) -> Events:
    """The log of checked rows; what a column says is missing where there is no such column."""
    none = np.full(len(events), np.nan, np.float32)
    values = events["value"].to_numpy(np.float32) if "value" in events else none
    kind = events["kind"].to_numpy(np.uint8) if "kind" in events else np.zeros(len(events), np.uint8)
    times = events["timestamp"].to_numpy(np.int64) if "timestamp" in events else None
    places = None
    if {"latitude", "longitude"} <= set(events.columns):
        places = events[["latitude", "longitude"]].to_numpy(np.float32)
    known = kinds or (usual_kind(values),)
    order = events["order"].to_numpy(np.int64) if "order" in events else None
    return Events(user_nums, item_nums, values, kind, times, places, known, order=order)


def review_table(events: pd.DataFrame, user_nums: Ints, item_nums: Ints, quarantine: Quarantine) -> pd.DataFrame:
    """The texts of the events. A second review of a pair is "…-2".

    One without a letter ("!!!", "5/5") says nothing that can be read: its event stays, the text goes, and is counted.
    """
    if "text" not in events:
        events = events.iloc[:0]
    text, summary = (
        events[c].fillna("").astype(str) if c in events else pd.Series("", index=events.index)
        for c in ("text", "summary")
    )
    written = np.flatnonzero((text.str.strip() != "").to_numpy())
    worded = [bool(_LETTER.search(f"{text.iat[n]} {summary.iat[n]}")) for n in written.tolist()]
    if not all(worded):
        quarantine.wordless["review"] += worded.count(False)
        written = written[np.array(worded, bool)]
    users, items = user_nums[written], item_nums[written]
    names = [review_id(str(u), str(i)) for u, i in events.iloc[written][["user_id", "item_id"]].itertuples(index=False)]
    repeat = pd.Series(names, dtype=object).groupby(names).cumcount().to_numpy() if names else np.zeros(0, np.int64)
    return pd.DataFrame(
        {
            "review_id": [n if not r else f"{n}-{r + 1}" for n, r in zip(names, repeat.tolist(), strict=True)],
            "event": written,
            "user_num": users,
            "item_num": items,
            "summary": summary.iloc[written].to_numpy(),
            "text": text.iloc[written].to_numpy(),
        }
    )


def no_reviews() -> pd.DataFrame:
    """A table of reviews without any."""
    numbers = dict.fromkeys(("event", "user_num", "item_num"), np.zeros(0, np.int64))
    return pd.DataFrame({"review_id": np.zeros(0, object), **numbers, "summary": [], "text": []})

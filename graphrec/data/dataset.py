"""The Dataset: validated once at the door, numbers inside, external ids outside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from graphrec.data import show
from graphrec.data.same import log, ordered, same
from graphrec.door.privacy import mask_all
from graphrec.door.quarantine import Quarantine
from graphrec.types import Interactions, Ints, Vocabulary, frozen
from kg.types import ExternalTriples

TRAIN, VALID, TEST = 0, 1, 2


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Everything known about one catalogue and its users.

    Shapes and columns:
        social_edge_index: int64 (2, S), user numbers, both directions of a friendship present.
        reviews: DataFrame review_id, user_num, item_num, summary, text; text is verbatim from the source, but for
            personal data, which is masked in every text here (``door/privacy.py``).
        item_titles: str (I,), "" where unknown. item_text, user_text: str (I,) and (U,), longer descriptions.
        item_attributes: DataFrame item_num, key, value. user_attributes: DataFrame user_num, key, value.
        external: triples over external entities, linked to item ids.
        parts: uint8 (E,), the split the source itself brings (TRAIN, VALID, TEST), or None.
    """

    name: str
    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    social_edge_index: Ints
    reviews: pd.DataFrame
    item_titles: npt.NDArray[np.object_]
    item_text: npt.NDArray[np.object_]
    user_text: npt.NDArray[np.object_]
    item_attributes: pd.DataFrame
    user_attributes: pd.DataFrame
    external: ExternalTriples = field(default_factory=ExternalTriples)
    parts: npt.NDArray[np.uint8] | None = None
    quarantine: Quarantine = field(default_factory=Quarantine, compare=False)

    @staticmethod
    def load(source: str | Path) -> Dataset:
        """Read a folder or file in any known public format; the format is found out from the files themselves.

        Raises FormatError (unknown or ambiguous), EmptyDataError (no usable row), DataError (cannot be read).
        """
        from graphrec.read.detect import load  # the readers build Datasets, so they are imported late

        return load(Path(source))

    @staticmethod
    def from_frames(
        events: Any,
        items: Any = None,
        users: Any = None,
        friends: Any = None,
        triples: Any = None,
        *,
        name: str = "frames",
        said: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Read tables of pandas, polars or pyarrow as files are read: the same door, the same report.

        Args:
            events: one table, or several as kind → table (``{"order": orders, "view": views}``).
            items, users, friends, triples: what is known beside the events; see ``docs/data.md``.
            name: what the data is called.
            said: what a ``data.toml`` would say (``{"columns": {"user_id": "who"}}``). Its files are the names of the
                tables: events (or the kind), items, users, friends, triples.

        Raises FormatError (no column of users or items is known), EmptyDataError (no usable row), DataError (no table).
        """
        from graphrec.read.frames import load  # like the readers

        sides = {"items": items, "users": users, "friends": friends, "triples": triples}
        return load(events, sides, name, said)

    def to_folder(self, path: str | Path) -> None:
        """Write it as a new folder of Parquet files and a ``data.toml``; ``Dataset.load`` reads an equal Dataset.

        Raises DataError where the folder is not new or cannot be written.
        """
        from graphrec.read.folder import write  # like the readers

        write(self, Path(path))

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same data, whatever they are called and wherever they were read.

        The order of several events of one user with one item in one second does not count.
        """
        if not isinstance(other, Dataset) or (self.users, self.items) != (other.users, other.items):
            return False if isinstance(other, Dataset) else NotImplemented
        return all(map(same, self._content(), other._content()))

    def __hash__(self) -> int:
        return hash((self.users, self.items))

    def _content(self) -> tuple[Any, ...]:
        """All that is data."""
        columns = [{(c.name, c.type, c.sensitive) for c in cs} for cs in (self.item_columns, self.user_columns)]
        tables = (
            log(self.events, self.reviews, self.parts),
            ordered(self.item_attributes),
            ordered(self.user_attributes),
        )
        texts = (self.item_titles, self.item_text, self.user_text)
        return (*tables, *columns, *texts, self.social_edge_index, self.directed, self.external)

    def __repr__(self) -> str:
        return show.text(self.name, self.counts(), self.events.timestamps)

    def _repr_html_(self) -> str:
        return show.as_html(self.name, self.counts(), self.events.timestamps, self.quarantine.summary())

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def has_times(self) -> bool:
        return self.interactions.timestamps is not None

    def matrix(self) -> sp.csr_matrix:
        """Binary user-item matrix, CSR float32 (U, I)."""
        return self.interactions.matrix(self.n_users, self.n_items)

    def title(self, item_num: int) -> str:
        """The item's title, or its id where it has none."""
        return str(self.item_titles[item_num]) or self.items.ids[item_num]

    def subset(self, mask: npt.NDArray[Any], name: str | None = None) -> Dataset:
        """The interactions under a boolean mask (E,), and only the reviews that belong to them.

        # No leakage. Reviews of held-out interactions do not survive, whatever is built from the result.
        """
        kept = self.interactions.take(mask)
        pairs = kept.user_nums * self.n_items + kept.item_nums
        review_pairs = self.reviews["user_num"].to_numpy() * self.n_items + self.reviews["item_num"].to_numpy()
        reviews = self.reviews[np.isin(review_pairs, pairs)].reset_index(drop=True)
        parts = None if self.parts is None else self.parts[mask]
        return replace(self, name=name or self.name, interactions=kept, reviews=reviews, parts=parts)

    def fingerprint(self) -> str:
        """SHA-256 over ids and interactions: what a model was trained on."""
        digest = hashlib.sha256((self.users.fingerprint + self.items.fingerprint).encode())
        i = self.interactions
        for array in (i.user_nums, i.item_nums, i.weights, i.timestamps):
            if array is not None:
                digest.update(array.tobytes())
        return digest.hexdigest()

    def counts(self) -> Mapping[str, int]:
        """What is in it, for a summary line."""
        return {
            "users": self.n_users,
            "items": self.n_items,
            "interactions": len(self.interactions),
            "reviews": len(self.reviews),
            "friendships": self.social_edge_index.shape[1] // 2,
            "external triples": len(self.external),
        }


def review_id(user_id: str, item_id: str) -> str:
    """A stable public name for the review of one pair, which does not carry the user's id."""
    return "r" + hashlib.blake2b(f"{user_id}\x1f{item_id}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def _number(ids: pd.Series, kind: str) -> tuple[Vocabulary, Ints]:
    """The vocabulary of a column of ids, and the number of each row; a distinct id is looked up once."""
    codes, distinct = pd.factorize(ids)
    vocabulary = Vocabulary(distinct.tolist(), kind)
    return vocabulary, vocabulary.numbers(distinct.tolist())[codes]


def _attributes(
    rows: pd.DataFrame | None, id_column: str, number_column: str, vocabulary: Vocabulary, quarantine: Quarantine
) -> pd.DataFrame:
    columns = [number_column, "key", "value"]
    if rows is None or rows.empty:
        return pd.DataFrame({number_column: np.array([], np.int64), "key": [], "value": []})[columns]
    numbers = vocabulary.numbers(rows[id_column].astype(str).tolist(), missing="-1")
    codes, distinct = pd.factorize(rows["value"].astype(str).fillna(""))
    values = np.array(mask_all(distinct.tolist(), quarantine.masked), dtype=object)[codes]
    out = pd.DataFrame({number_column: numbers, "key": rows["key"].astype(str).to_numpy(), "value": values})
    out = out[(numbers >= 0) & (out["value"].str.strip() != "").to_numpy()]
    return out.drop_duplicates().sort_values(columns, kind="stable").reset_index(drop=True)


def _texts(
    rows: pd.DataFrame | None, id_column: str, column: str, vocabulary: Vocabulary, quarantine: Quarantine
) -> npt.NDArray[np.object_]:
    out = np.full(len(vocabulary), "", dtype=object)
    if rows is not None and column in rows:
        present = rows[rows[column].notna()]
        numbers = vocabulary.numbers(present[id_column].astype(str).tolist(), missing="-1")
        known = numbers >= 0
        texts = present[column].astype(str).to_numpy()[known]
        out[numbers[known]] = np.array(mask_all(texts.tolist(), quarantine.masked), dtype=object)
    return out


def build(
    name: str,
    events: pd.DataFrame,
    *,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    friends: pd.DataFrame | None = None,
    item_attributes: pd.DataFrame | None = None,
    user_attributes: pd.DataFrame | None = None,
    external: ExternalTriples | None = None,
    quarantine: Quarantine | None = None,
) -> Dataset:
    """Clean tables over external ids → Dataset. The rows are trusted; ``door.check_events`` has seen them.

    Args:
        events: user_id, item_id, weight; optional timestamp (s), text, summary, part. File order.
        items: item_id, title, text. users: user_id, text. friends: user_id, friend_id, either direction.
        item_attributes: item_id, key, value. user_attributes: user_id, key, value.

    Repeated (user, item) pairs within a part: the latest timestamp wins, then the later row.
    The catalogue is every item with an interaction, and every user likewise.
    """
    quarantine = quarantine if quarantine is not None else Quarantine()
    events = events.reset_index(drop=True)
    keys = ["user_id", "item_id"] + (["part"] if "part" in events else [])
    if "timestamp" in events:
        events = events.sort_values("timestamp", kind="stable")
    before = len(events)
    events = events.drop_duplicates(keys, keep="last")
    if "part" in events:
        # No leakage. A pair in two parts stays in the earlier one only, so that a test answer is never a training row.
        events = events.sort_values("part", kind="stable").drop_duplicates(keys[:2], keep="first")
    quarantine.merged += before - len(events)
    events = events.sort_values(["user_id", "item_id"], kind="stable").reset_index(drop=True)

    user_vocabulary, user_nums = _number(events["user_id"], "user")
    item_vocabulary, item_nums = _number(events["item_id"], "item")
    weights = events["weight"].to_numpy(np.float32) if "weight" in events else np.ones(len(events), np.float32)
    times = events["timestamp"].to_numpy(np.int64) if "timestamp" in events else None
    interactions = Interactions(user_nums, item_nums, weights, times)

    text = events["text"].fillna("").astype(str) if "text" in events else pd.Series("", index=events.index)
    summary = events["summary"].fillna("").astype(str) if "summary" in events else pd.Series("", index=events.index)
    written = (text.str.strip() != "").to_numpy()
    reviews = pd.DataFrame(
        {
            "review_id": list(map(review_id, events["user_id"][written], events["item_id"][written])),
            "user_num": user_nums[written],
            "item_num": item_nums[written],
            "summary": summary[written].to_numpy(),
            "text": text[written].to_numpy(),
        }
    )

    edges = np.zeros((2, 0), np.int64)
    if friends is not None and len(friends):
        a = user_vocabulary.numbers(friends["user_id"].astype(str).tolist(), missing="-1")
        b = user_vocabulary.numbers(friends["friend_id"].astype(str).tolist(), missing="-1")
        known = (a >= 0) & (b >= 0) & (a != b)
        pairs = np.vstack([np.r_[a[known], b[known]], np.r_[b[known], a[known]]])
        edges = np.unique(pairs, axis=1)

    return Dataset(
        name=name,
        users=user_vocabulary,
        items=item_vocabulary,
        interactions=interactions,
        social_edge_index=frozen(edges, np.int64),
        reviews=reviews,
        item_titles=_texts(items, "item_id", "title", item_vocabulary, quarantine),
        item_text=_texts(items, "item_id", "text", item_vocabulary, quarantine),
        user_text=_texts(users, "user_id", "text", user_vocabulary, quarantine),
        item_attributes=_attributes(item_attributes, "item_id", "item_num", item_vocabulary, quarantine),
        user_attributes=_attributes(user_attributes, "user_id", "user_num", user_vocabulary, quarantine),
        external=external or ExternalTriples(),
        parts=frozen(events["part"].to_numpy(), np.uint8) if "part" in events else None,
        quarantine=quarantine,
    )

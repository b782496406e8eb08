"""The Dataset: validated once at the door, numbers inside, external ids outside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from graphrec.data import order, port, show, tables
from graphrec.data.attributes import Column, columns_of
from graphrec.data.events import Events
from graphrec.data.kinds import Kind
from graphrec.data.same import digest, log, ordered, same
from graphrec.door import languages
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.errors import DataError
from graphrec.runtime import give_back
from graphrec.types import Interactions, Ints, Vocabulary, frozen
from kg.types import ExternalTriples

TRAIN, VALID, TEST = 0, 1, 2


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Everything known about one catalogue and its users.

    Shapes and columns:
        social_edge_index: int64 (2, S), user numbers: who hears whom. Both directions of a friendship are there; of
            ``directed`` ones (follows) only the follower's.
        reviews: DataFrame review_id, event, user_num, item_num, summary, text; ``event`` is the place of its event in
            ``events``. Text is verbatim from the source, but for personal data, which is masked in every text here
            (``door/privacy.py``), and what nobody sees of it (``door/hidden.py``).
        item_titles: str (I,), "" where unknown. item_text, user_text: str (I,) and (U,), longer descriptions.
        item_attributes: DataFrame item_num, key, value. user_attributes: DataFrame user_num, key, value.
        item_columns, user_columns: the type of each key of these.
        external: triples over external entities, linked to item ids.
        parts: uint8 (E,), the split the source itself brings (TRAIN, VALID, TEST) of each event, or None.
        report: what became of everything that the source held.
    """

    name: str
    users: Vocabulary
    items: Vocabulary
    events: Events
    social_edge_index: Ints
    reviews: pd.DataFrame
    item_titles: npt.NDArray[np.object_]
    item_text: npt.NDArray[np.object_]
    user_text: npt.NDArray[np.object_]
    item_attributes: pd.DataFrame
    user_attributes: pd.DataFrame
    item_columns: tuple[Column, ...] = ()
    user_columns: tuple[Column, ...] = ()
    external: ExternalTriples = field(default_factory=ExternalTriples)
    directed: bool = False
    parts: npt.NDArray[np.uint8] | None = None
    report: Report = field(default_factory=Report, compare=False)

    @staticmethod
    def load(source: str | Path, allow_bad: float | None = None) -> Dataset:
        """Read a folder or file in any known public format; the format is found out from the files themselves.

        ``allow_bad`` is the share of a file's rows that one reason may set aside (.05, or what ``data.toml`` says).
        Raises FormatError (unknown or ambiguous), EmptyDataError (no usable row), DataError (cannot be read).
        """
        data: Dataset = port.files.load(Path(source), allow_bad)
        give_back()
        return data

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
            said: what a ``data.toml`` would say; its files are the names of the tables, or the kinds of the events.

        Raises FormatError (no column of users or items is known), EmptyDataError (no usable row), DataError (no table).
        """
        sides = {"items": items, "users": users, "friends": friends, "triples": triples}
        data: Dataset = port.files.from_frames(events, sides, name, said)
        return data

    def to_folder(self, path: str | Path) -> None:
        """Write it as a new folder of Parquet files and a ``data.toml``; ``Dataset.load`` reads an equal Dataset.

        Raises DataError where the folder is not new or cannot be written.
        """
        port.files.write(self, Path(path))

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same data, whatever they are called and wherever they were read."""
        return self is other or (isinstance(other, Dataset) and all(map(same, self._content(), other._content())))

    def __hash__(self) -> int:
        return hash((self.users, self.items))

    def _content(self) -> tuple[Any, ...]:
        """All that is data. The order of the source's rows does not count."""
        told = [{(c.name, c.type, c.sensitive) for c in cs} for cs in (self.item_columns, self.user_columns)]
        texts = (self.item_titles, self.item_text, self.user_text)
        directed = self.directed and self.social_edge_index.size > 0
        attributes = (ordered(self.item_attributes), ordered(self.user_attributes))
        known = (self.users, self.items, *told, *texts, *attributes, self.social_edge_index, directed, self.external)
        return (*known, log(self.events, self.reviews, self.parts))

    def __repr__(self) -> str:
        return show.text(self.name, self.counts(), self.events.timestamps)

    def _repr_html_(self) -> str:
        return show.as_html(self.name, self.counts(), self.events.timestamps, self.quarantine.summary())

    @property
    def n_users(self) -> int:
        """Number of users U."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items I."""
        return len(self.items)

    @property
    def quarantine(self) -> Quarantine:
        """The rows of the source: read, merged, set aside."""
        return self.report.quarantine

    @property
    def interactions(self) -> Interactions:
        """Distinct pairs that are liked, in order of user and item: weights are their strengths, times the latest."""
        return self.events.liked

    @property
    def has_times(self) -> bool:
        """Whether it is known when events happened."""
        return self.events.timestamps is not None

    def matrix(self) -> sp.csr_matrix:
        """Who likes what, binary CSR float32 (U, I)."""
        return self.interactions.matrix(self.n_users, self.n_items)

    def seen(self) -> sp.csr_matrix:
        """Who knows what, dislikes too, binary CSR float32 (U, I)."""
        return self.events.pairs.matrix(self.n_users, self.n_items)

    def taste(self, reading: str) -> sp.csr_matrix:
        """Users' rows over the items under a reading of the strengths, CSR float32 (U, I); see ``Events.taste``."""
        return self.events.taste(reading, self.n_users, self.n_items)

    def learning(self, reading: str) -> sp.csr_matrix:
        """What is learned from under a reading of the strengths, CSR float32 (U, I); see ``Events.learning``."""
        return self.events.learning(reading, self.n_users, self.n_items)

    def title(self, item_num: int) -> str:
        """The item's title, or its id where it has none."""
        return str(self.item_titles[item_num]) or self.items.ids[item_num]

    def subset(self, mask: npt.NDArray[Any], name: str | None = None) -> Dataset:
        """The events under a boolean mask (E,), and only the reviews that belong to them.

        # No leakage. Reviews of held-out events do not survive, whatever is built from the result.
        """
        if len(mask) != len(self.events):
            raise DataError(f"{self.name}: a mask of {len(mask)} rows for {len(self.events)} events")
        events = self.reviews["event"].to_numpy(np.int64)
        reviews = self.reviews[mask[events]].reset_index(drop=True)
        reviews["event"] = (np.cumsum(mask) - 1)[reviews["event"].to_numpy(np.int64)]
        parts = None if self.parts is None else self.parts[mask]
        return replace(self, name=name or self.name, events=self.events.take(mask), reviews=reviews, parts=parts)

    def alike(self) -> Dataset:
        """The same with events that all say the same; those that say nothing go."""
        weights = np.array([kind.weight for kind in self.events.kind_table])[self.events.kinds]
        kept = self.subset(weights != 0)
        return replace(kept, events=kept.events.alike())

    def fingerprint(self) -> str:
        """SHA-256 over ids and events: what a model was trained on."""
        digest = hashlib.sha256((self.users.fingerprint + self.items.fingerprint).encode())
        e = self.events
        for array in (e.user_nums, e.item_nums, e.values, e.kinds, e.timestamps, e.order):
            digest.update(b"" if array is None else array.tobytes())
        digest.update(repr(e.kind_table).encode())
        return digest.hexdigest()

    def digest(self) -> str:
        """SHA-256 over all of it: ids, events, reviews, texts, friends, attributes and triples."""
        x = self.external
        triples = (sorted(x.triples), sorted(x.item_entities.items()), sorted(x.labels.items()))
        ties = (self.social_edge_index, self.directed, self.events.places)
        texts = (self.item_titles, self.item_text, self.user_text, self.reviews)
        attributes = (self.item_attributes, self.user_attributes, self.item_columns, self.user_columns)
        return digest((self.fingerprint(), *texts, *attributes, *ties, triples))

    def counts(self) -> Mapping[str, int]:
        """What is in it, for a summary line."""
        return {
            "users": self.n_users,
            "items": self.n_items,
            "events": len(self.events),
            "interactions": len(self.interactions),
            "reviews": len(self.reviews),
            "friendships": self.social_edge_index.shape[1] // (1 if self.directed else 2),
            "external triples": len(self.external),
        }


def build(
    name: str,
    events: pd.DataFrame,
    *,
    kinds: Sequence[Kind] = (),
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    friends: pd.DataFrame | None = None,
    directed: bool = False,
    item_attributes: pd.DataFrame | None = None,
    user_attributes: pd.DataFrame | None = None,
    item_columns: Sequence[Column] = (),
    user_columns: Sequence[Column] = (),
    external: ExternalTriples | None = None,
    catalogue: Literal["all", "events"] = "all",
    report: Report | None = None,
) -> Dataset:
    """Clean tables over external ids → Dataset. The rows are trusted; ``check.check_events`` has seen them.

    Args:
        events: user_id, item_id; optional value (a rating or count, NaN where there is none), kind (place in
            ``kinds``), timestamp (s), text, summary, part, latitude and longitude. File order.
        kinds: by default one kind, whose values are ratings where they are on a scale of few steps, else counts.
        items: item_id, title, text. users: user_id, text. friends: user_id, friend_id; in either direction, or who
            follows and who is followed where ``directed``.
        item_attributes: item_id, key, value. user_attributes: user_id, key, value.
        item_columns, user_columns: the types of these keys where they are known or set; the others are found out.
        catalogue: ``events`` leaves out items and users of which no event is known.

    Rows that are equal in everything are one event, and counted as merged.
    """
    report = Report() if report is None else report
    quarantine = report.quarantine
    events = tables.merged(events.reset_index(drop=True), quarantine)

    ids: dict[str, list[pd.Series]] = {"user_id": [events["user_id"]], "item_id": [events["item_id"]]}
    if catalogue == "all":
        for table in (items, item_attributes):
            ids["item_id"] += [] if table is None else [table["item_id"]]
        for table in (users, user_attributes):
            ids["user_id"] += [] if table is None else [table["user_id"]]
        if friends is not None:
            ids["user_id"] += [friends["user_id"], friends["friend_id"]]
        if external is not None:
            ids["item_id"].append(pd.Series(list(external.item_entities), dtype=object))
    user_vocabulary, user_nums = tables.numbered(ids["user_id"], "user")
    item_vocabulary, item_nums = tables.numbered(ids["item_id"], "item")
    events, user_nums, item_nums = order.placed(events, user_nums, item_nums, item_vocabulary.ids)

    of_items = tables.attributes(item_attributes, "item_id", "item_num", item_vocabulary, quarantine)
    of_users = tables.attributes(user_attributes, "user_id", "user_num", user_vocabulary, quarantine)
    reviews = tables.review_table(events, user_nums, item_nums, quarantine)
    item_text = tables.texts(items, "item_id", "text", item_vocabulary, quarantine)
    languages.tell(report, reviews["text"].tolist(), item_text.tolist())
    return Dataset(
        name=name,
        users=user_vocabulary,
        items=item_vocabulary,
        events=tables.event_log(events, user_nums, item_nums, tuple(kinds)),
        social_edge_index=tables.social_edges(friends, directed, user_vocabulary, report),
        directed=directed,
        reviews=reviews,
        item_titles=tables.texts(items, "item_id", "title", item_vocabulary, quarantine),
        item_text=item_text,
        user_text=tables.texts(users, "user_id", "text", user_vocabulary, quarantine),
        item_attributes=of_items,
        user_attributes=of_users,
        item_columns=columns_of(of_items, len(item_vocabulary), item_columns, of="items"),
        user_columns=columns_of(of_users, len(user_vocabulary), user_columns, of="users"),
        external=external or ExternalTriples(),
        parts=frozen(events["part"].to_numpy(), np.uint8) if "part" in events else None,
        report=report,
    )

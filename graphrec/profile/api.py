"""What every fitted block is: it encodes queries, holds a side for every item, and accounts for its scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import ConfigError
from graphrec.query.fading import STEADY, Fading
from graphrec.query.few import heard_of, taste_of
from graphrec.query.hearing import Hearing
from graphrec.query.query import Queries
from graphrec.query.ties import Ties, row
from graphrec.types import Floats, Ints

FLAT = 1e-12  # a deviation of scores up to which everything scores the same
Side: TypeAlias = "Floats | sp.csr_matrix"
S = TypeVar("S", Floats, sp.csr_matrix, Side)
Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """How a block is put into sentences.

    Args:
        because: a clause after "because": "people with a taste like yours took it".
        cause: the same as a noun phrase: "the taste of people like you".
        like: a clause for one item that somebody took, {title}, where it adds to a score by something else than that
            people took both: "its text reads like that of {title}".
        last: ``like`` of the item that they took last: "you took {title} last, and people go on to it".
        counted: the number of people who took the item is told with it.
        rest: ``because`` of what belongs to nothing that they or their friends took, where that is another clause.
    """

    because: str = ""
    cause: str = ""
    like: str = ""
    last: str = ""
    counted: bool = False
    rest: str = ""


NO_WORDS = Words()


@dataclass(frozen=True)
class Effects:
    """The parts of one unweighted score of a block, which sum to it exactly.

    Shapes: items int64 (J,), shares float64 (J,): of what the person took, liked or not. ``friends``: user number →
    items and shares of what that friend took. ``rest`` belongs to neither.
    """

    items: Ints
    shares: Doubles
    friends: Mapping[int, tuple[Ints, Doubles]] = field(default_factory=dict)
    rest: float = 0.0


def account(
    query: Queries,
    reading: str,
    friend_weight: Hearing,
    each: Callable[[Ints, Doubles], Doubles],
    score: float,
    fading: Fading = STEADY,
) -> Effects:
    """The parts of a score that is a sum over what a person and their friends took.

    Args:
        query: one (B = 1). each: items int64 (J,) and their weights in a taste float64 (J,) → what they add to the
            score, float64 (J,). score: the whole, of which the rest is what these do not add.
        fading: of one's own taste.
    """

    items, values = taste_of(query, reading, fading)
    shares, friends = each(items, values.astype(np.float64)), dict[int, tuple[Ints, Doubles]]()
    heard, parts = heard_of(query, friend_weight)
    everybody: Any = query.ties.taste(reading) if len(heard) else None
    for friend, part in zip(heard.tolist(), parts.tolist(), strict=True):
        theirs = row(everybody, friend)
        values = everybody.data[slice(*everybody.indptr[friend : friend + 2])]
        friends[friend] = theirs, part * each(theirs, values.astype(np.float64))
    found = float(shares.sum()) + sum(float(theirs.sum()) for _, theirs in friends.values())
    return Effects(items, shares, friends, score - found)


class FittedBlock(ABC):
    """One learned view of every user and item; a score is an inner product of the two sides.

        score_b(u, i) = weight · ⟨encode(u), items[i]⟩

    Attributes:
        name, weight: of the block; its weight in the blend, 0 or more.
        users: the rows of ``encode`` for every user of the training data, a cache: float32 (U, d), or CSR where sparse.
        items: float32 (I, d), or CSR float32 (I, d) where sparse.
        reading: how strengths are read in a taste, of ``data.readings.READINGS``.
        prior: this many dimensions, the last, say the same of everybody.
        linear: a score is wholly a sum over what the person and their friends took.
        sparse: both sides are CSR, for what no low rank can hold; else they lie in the index.
        learns: ``grown`` is as good as a fit, so that rows of everybody may change.
        tabled: ``items`` is a table of which single rows can be others.
        momentary: it says of everybody what holds at the moment of asking.
    """

    name: str
    weight: float
    users: Any
    items: Any
    reading: str
    prior: int
    linear: bool
    words: Words
    sparse: ClassVar[bool] = False
    learns: ClassVar[bool] = False
    tabled: ClassVar[bool] = False
    momentary: ClassVar[bool] = False

    @abstractmethod
    def encode(self, queries: Queries) -> Side:
        """The user's side of each query, float32 (B, d) or CSR (B, d), at unit deviation of scores over the catalogue
        where the block tells items apart for them. Of stored users it is their row of ``users``."""

    @abstractmethod
    def effects(self, query: Queries, item_num: int) -> Effects | None:
        """The exact parts of the unweighted score of an item for one query (B = 1); None where the score is no sum."""

    @abstractmethod
    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """What the block is made of: arrays by name, and settings that JSON can hold."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> FittedBlock:
        """The block that ``arrays`` describes."""

    @property
    @abstractmethod
    def size(self) -> str:
        """How large it is, for people: "64 dimensions", "1,200 links"."""

    @abstractmethod
    def scores(self, queries: Queries) -> Floats:
        """Unweighted scores of the whole catalogue, float32 (B, I)."""

    @abstractmethod
    def score(self, queries: Queries, item_num: int) -> Doubles:
        """Unweighted scores of one item for each query, float64 (B,)."""

    def said(self, query: Queries, item_num: int) -> Words:
        """How its part of one score (B = 1) is put into sentences."""
        return self.words

    def looks(self, query: Queries) -> Mapping[int, float]:
        """How much of its attention it gives to each item of a history (B = 1), where it reads histories so."""
        return {}

    def likeness(self, item_num: int) -> Floats:
        """How close every item is to one, by the items' sides, float32 (I,)."""
        found = self.items @ self.items[item_num].T
        return np.asarray(found.toarray() if self.sparse else found, np.float32).ravel()

    def compared(self) -> Side:
        """The sides by which items are compared, float32 (I, d) or CSR: without what says how popular they are."""
        found: Side = self.items[:, : self.items.shape[1] - self.prior]
        return found

    @abstractmethod
    def reweighted(self, weight: float) -> FittedBlock:
        """The same block with another weight."""

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> FittedBlock:
        """The block over data with new events, users and items, with nothing learned anew.

        Args:
            ties: the data; users and items that the block does not know come last.
            touched: users whose rows are made anew, int64 (n,), new ones among them.
            texts: unit embeddings of the new items' texts, float32 (m, F), zero where there is none; or None.

        A block that does not say how cannot be updated: raises ConfigError.
        """
        raise ConfigError(f"block {self.name} cannot take in new events; fit again, or leave it out of the blocks")

    def among(self, users: Ints) -> Self:
        """The block as if there were only these users, int64 (n,) ascending, with what it learned of items: their rows
        get their places in ``users`` as numbers."""
        return cast(Self, replace(cast(Any, self), users=self.users[users]))

    def with_sides(self, rows: npt.NDArray[np.bool_], sides: Floats) -> FittedBlock:
        """The same block where it is ``tabled``, with other sides float32 (n, d) of the items at ``rows`` bool (I,)."""
        raise NotImplementedError(f"block {self.name} has no table of sides; ask tabled first")

    def computed(self, queries: Queries) -> Side:
        """``encode``, made from the histories even where rows are stored; where the block is ``tabled``."""
        raise NotImplementedError(f"block {self.name} has no table of sides; ask tabled first")

    def fitted(self, ties: Ties, users: Ints | None = None) -> Self:
        """The block with the stored rows of all users of the training data, or with those of some, int64 (n,), made
        anew; where it has ``computed``."""
        block, found = cast(Any, self), self.computed(Queries.stored(ties, users))
        return cast(Self, replace(block, users=found if users is None else with_rows(self.users, users, found)))

    @property
    def hears_friends(self) -> bool:
        """Whether a user's side depends on what friends took."""
        return bool(getattr(self, "friend_weight", 0.0))

    def hears_place(self, place: tuple[float, float] | None = None) -> bool:
        """Whether a user's side depends on where they are now; at a place, in degrees, whether it says anything."""
        return False

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of users and items (U, I)."""
        return int(self.users.shape[0]), int(self.items.shape[0])

    @property
    def empty(self) -> bool:
        """Whether it says nothing of anybody: one that sat out, or that the blend left out."""
        return False

    @property
    def places_text(self) -> bool:
        """Whether a text alone has an item's side; see ``encode_text``."""
        return False

    def encode_text(self, text: Floats) -> Floats:
        """The item's side, float32 (d,), of a unit text embedding float32 (F,)."""
        raise NotImplementedError(f"block {self.name} places no texts; ask places_text first")


def with_rows(matrix: S, places: Ints, rows: S) -> S:
    """The matrix (n, d), dense or CSR, with other rows (m, d) of its kind at these places int64 (m,)."""
    if not isinstance(matrix, sp.csr_matrix):
        out: Any = matrix.copy()
        out[places] = rows
        return cast(S, out)
    kept = np.ones(matrix.shape[0], np.float32)
    kept[places] = 0.0
    ones, m = np.ones(len(places), np.float32), len(places)
    place = sp.csr_matrix((ones, (places, np.arange(m))), (matrix.shape[0], m))
    found: Any = sp.csr_matrix(sp.diags(kept) @ matrix + place @ rows, dtype=np.float32)
    found.eliminate_zeros()
    return cast(S, found)

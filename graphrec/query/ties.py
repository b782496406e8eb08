"""Who took what and who befriends whom in the training data, indexed in both directions."""

from __future__ import annotations

import copy
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.data.readings import holds_dislikes
from graphrec.linalg.adjacency import friend_mean
from graphrec.query.hearing import TRUSTED, TRUSTING
from graphrec.query.sessions import pause_of
from graphrec.query.timeline import Timeline, timeline_of
from graphrec.types import Ints


class Ties:
    """Interactions and friendships of a Dataset by number. Histories and takers come sorted, int64.

    What somebody dislikes is in no history, and nobody who dislikes an item is among its takers.

    Attributes:
        matrix: who likes what, binary CSR float32 (U, I). known: who took what, liked or not, the same.
        heard: of directed ties, whom users hear, of ``query.hearing.DIRECTIONS``; by default those whom they trust.
        together: fewer people than these are never told of, neither how many they are nor what they took.
        elsewhere: others were learned from too, who are not here, so that nobody knows what nobody took.
        friend_mean: whom each user hears, CSR float32 (U, U), rows sum to 1 or 0. activity: items per user (U,).
        cold: users who like nothing that is known, bool (U,).
    """

    def __init__(self, data: Dataset, heard: str = TRUSTED, together: int = 1, elsewhere: bool = False) -> None:
        self.data, self.heard, self.together, self.elsewhere = data, heard, together, elsewhere
        # No leakage. These interactions are all that is shown of who took what: pass the training part.
        self.matrix = data.matrix()
        self.known = self.matrix if data.events.all_liked else data.seen()
        self._tastes: dict[str, sp.csr_matrix] = {}
        self._takers = self.matrix.T.tocsr()  # (I, U)
        self.friend_mean = _friends(data, heard)
        self.activity = np.diff(self.matrix.indptr)
        self.cold: npt.NDArray[np.bool_] = self.activity == 0
        self._timelines: dict[bool, Timeline] = {}

    def history(self, user_num: int) -> Ints:
        """Item numbers this user took."""
        return row(self.matrix, user_num)

    def seen(self, user_num: int) -> Ints:
        """Item numbers this user took, liked or not."""
        return row(self.known, user_num)

    def disliked(self, user_num: int) -> Ints:
        """Item numbers this user took and does not like."""
        return np.setdiff1d(self.seen(user_num), self.history(user_num), assume_unique=True)

    def taste(self, reading: str) -> sp.csr_matrix:
        """``Dataset.taste``, made once: CSR float32 (U, I)."""
        if reading not in self._tastes:
            likes = reading in ("alike", "liked") and not holds_dislikes(reading, False, self.data.events.exposure)
            self._tastes[reading] = self.matrix if likes else self.data.taste(reading)
        return self._tastes[reading]

    @cached_property
    def latest(self) -> int:
        """The second of the last event in the log; 0 where none has a time."""
        times = self.data.events.timestamps
        return 0 if times is None else int(times.max(initial=0))

    def timeline(self, liked: bool = False) -> Timeline:
        """The histories in order, made once; ``liked``: of pairs that are liked alone."""
        liked = liked and self.known is not self.matrix  # else they are the same
        if liked not in self._timelines:
            self._timelines[liked] = timeline_of(self.data.events, self.data.n_users, liked)
        return self._timelines[liked]

    @cached_property
    def pause(self) -> float:
        """The seconds between two events of one person from which another session begins; 0.0 where gaps tell none."""
        return pause_of(self.timeline())

    def takers(self, item_num: int) -> Ints:
        """User numbers who took this item."""
        return row(self._takers, item_num)

    @property
    def tell(self) -> bool:
        """Whether anything is told of others."""
        return self.together <= self.data.n_users

    @property
    def tell_none(self) -> bool:
        """Whether it is told that there is nobody who took something."""
        return self.tell and not self.elsewhere

    def enough(self, people: Ints) -> bool:
        """Whether so many people (n,) may be told of."""
        return len(people) >= self.together

    @cached_property
    def takers_of(self) -> Ints:
        """How many users took each item, int64 (I,)."""
        return np.diff(self._takers.indptr).astype(np.int64)

    @cached_property
    def taken(self) -> npt.NDArray[np.bool_]:
        """Items of which it is known who took them, bool (I,)."""
        out: npt.NDArray[np.bool_] = np.diff(self._takers.indptr) > 0
        return out

    def overlap(self, user_nums: Ints, item_nums: Ints) -> bool:
        """Whether any of these users took any of these items."""
        return bool(np.isin(self.matrix[user_nums].indices, item_nums).any())

    def hearing(self, heard: str) -> Ties:
        """The same where directed ties are heard otherwise."""
        out = copy.copy(self)
        out.heard, out.friend_mean = heard, _friends(self.data, heard)
        return out

    def dealt(self, seed: int = 0) -> Ties:
        """The same where everybody who hears anybody hears the friends of somebody else, drawn: what friends tell
        beyond what anybody's friends would."""
        out, rng = copy.copy(self), np.random.default_rng(seed)
        hearing = np.flatnonzero(np.diff(self.friend_mean.indptr))
        order = np.arange(self.data.n_users)
        circle = rng.permutation(hearing)  # nobody keeps their own, unless they are alone
        order[circle] = np.roll(circle, 1)
        out.friend_mean = self.friend_mean[order]
        return out

    def friends(self, user_num: int) -> dict[int, float]:
        """Friends' user numbers, each with its weight in the mean over friends; the weights sum to 1."""
        found = slice(*self.friend_mean.indptr[user_num : user_num + 2])
        pairs = zip(self.friend_mean.indices[found].tolist(), self.friend_mean.data[found].tolist(), strict=True)
        return dict(sorted(pairs))


def _friends(data: Dataset, heard: str) -> sp.csr_matrix:
    return friend_mean(data, against=data.directed and heard != TRUSTED, along=not data.directed or heard != TRUSTING)


def row(matrix: sp.csr_matrix, number: int) -> Ints:
    """The columns that one row of a CSR matrix holds, int64."""
    return matrix.indices[slice(*matrix.indptr[number : number + 2])].astype(np.int64)

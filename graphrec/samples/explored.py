"""Answers of a service that explores, generated, to people whose every click probability is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from graphrec.types import Ints

Doubles = npt.NDArray[np.float64]
KINDS = 300  # of people; each person is of one


@dataclass(frozen=True)
class Answers:
    """R places of answers: answer, user, place (from 1), item and logging rank (from 0) int64 (R,); clicks float64
    (R,); ``wanted`` int64 (R,), the item that the other policy would have put there."""

    answers: Ints
    users: Ints
    places: Ints
    items: Ints
    ranks: Ints
    clicks: Doubles
    wanted: Ints


@dataclass(frozen=True)
class World:
    """Kinds of people, and two policies that rank ``n_items`` items for each, the worse the more ``noise``.

    A click comes with probability e_p c(kind, item), where e falls with the place: the item-position model holds.
    """

    n_items: int = 30
    k: int = 5
    share: float = 0.2
    noise: float = 0.3
    seed: int = 0

    @cached_property
    def _made(self) -> tuple[Doubles, Ints, Ints]:
        random = np.random.default_rng(self.seed)
        taste, kind = random.normal(size=(self.n_items, 4)), random.normal(size=(KINDS, 4))
        liking = kind @ taste.T + random.normal(size=self.n_items)  # (G, I)
        clicks = 0.6 / (1 + np.exp(1 - 0.7 * liking))
        logged, other = (liking + self.noise * random.normal(size=liking.shape) for _ in range(2))
        return clicks, np.argsort(-logged, axis=1), np.argsort(-other, axis=1)[:, : self.k]

    @property
    def examined(self) -> Doubles:
        """How often each place is looked at, float64 (k,)."""
        return 1 / np.log2(np.arange(self.k) + 2)

    @property
    def truth(self) -> float:
        """Clicks on a list of the other policy, over all kinds of people."""
        clicks, _, wanted = self._made
        return float((np.take_along_axis(clicks, wanted, axis=1) * self.examined).sum(axis=1).mean())

    def answers(self, n_users: int, seed: int) -> Answers:
        """One to four answers to each of so many people."""
        clicks, order, wanted = self._made
        random = np.random.default_rng([self.seed, seed])
        user = np.repeat(np.arange(n_users), random.integers(1, 5, n_users))
        kind = random.integers(0, KINDS, n_users)[user]  # (N,)
        left = np.ones((len(user), self.n_items), bool)
        ranks = np.empty((len(user), self.k), np.int64)
        for place in range(self.k):
            drawn = (random.random(left.shape) * left).argmax(axis=1)
            ranks[:, place] = np.where(random.random(len(user)) < self.share, drawn, left.argmax(axis=1))
            left[np.arange(len(user)), ranks[:, place]] = False
        items = order[kind[:, None], ranks]  # (N, k)
        clicked = random.random(items.shape) < clicks[kind[:, None], items] * self.examined
        n = np.arange(len(user))
        return Answers(
            np.repeat(n, self.k),
            np.repeat(user, self.k),
            np.tile(np.arange(1, self.k + 1), len(user)),
            items.ravel(),
            ranks.ravel(),
            clicked.ravel().astype(np.float64),
            wanted[kind].ravel(),
        )

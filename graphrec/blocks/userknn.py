"""The `userknn` block: what the people took whose histories are most like one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.linalg.item_item import largest
from graphrec.profile.api import NO_WORDS, Doubles, Effects, FittedBlock, Words, with_rows
from graphrec.profile.sparse import read_back, resized, stored, unit_scale
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties, row
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats, Ints

BATCH = 1024  # queries that are compared with everybody at once
SETTINGS = ("name", "weight", "reading", "n", "shrink", "spread")


class UserKNNSettings(Section):
    """Cosine of users. Several values: the best on validation data is taken."""

    n: IntList = (10, 20, 50, 100, 200, 400, 800)  # people that are listened to
    shrink: FloatList = (0.0, 1.0, 10.0, 100.0, 1000.0)  # few items in common are no reason


@dataclass(frozen=True)
class PeopleBlock(FittedBlock):
    """An item's score is the sum of the likenesses of the people who took it.

        s_v = ⟨x, r_v⟩ / (‖x‖ ‖r_v‖ + shrink),   score(i) = Σ_{v ∈ N(x)} s_v r_vi / deviation
        x: the taste under ``reading``; r_v: row v of R; N: the n people with the largest |s_v|, never oneself

    Shapes: users CSR float32 (U, U), likenesses by row; items CSR float32 (I, U), Rᵀ. For the people found a score is a
    sum over the history, so it splits exactly. The deviation is that over the first ``spread`` items, 0 for all.
    """

    name: str
    users: sp.csr_matrix
    items: sp.csr_matrix
    n: int
    shrink: float = 0.0
    weight: float = 1.0
    reading: str = "alike"
    linear: bool = True
    prior: int = 0
    spread: int = 0
    words: Words = field(default=NO_WORDS)
    sparse: ClassVar[bool] = True

    @cached_property
    def rows(self) -> sp.csr_matrix:
        """R, CSR float32 (U, I)."""
        return sp.csr_matrix(self.items.T)

    @cached_property
    def lengths(self) -> Floats:
        """‖r_v‖, float32 (U,)."""
        return _lengths(self.rows)

    def encode(self, queries: Queries) -> sp.csr_matrix:
        """The likeness of the people found, over the deviation, CSR float32 (B, U)."""
        return self.users[queries.user_nums] if queries.asked is None else self.computed(queries)

    def computed(self, queries: Queries) -> sp.csr_matrix:
        """The same, made from the histories even where rows are stored, CSR float32 (B, U)."""
        starts = range(0, len(queries), BATCH)
        found = [self.alike(queries[start : start + BATCH]) for start in starts]
        parts = [sp.diags(self._scale(alike)) @ alike for alike in found]
        return sp.csr_matrix(sp.vstack(parts), dtype=np.float32) if parts else self.users[:0]

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> PeopleBlock:
        """Everybody is compared with those who were there when the block was fitted, as they were."""
        n_users, n_items = ties.data.n_users, ties.data.n_items
        items, users = resized(self.items, (n_items, n_users)), resized(self.users, (n_users, n_users))
        out = replace(self, users=users, items=items, spread=self.spread or self.items.shape[0])
        made = out.computed(Queries.of(ties, [query_of(ties, u) for u in touched.tolist()]))
        return replace(out, users=with_rows(users, touched, made))

    def among(self, users: Ints) -> PeopleBlock:
        """Who was like somebody who is gone has one fewer like them."""
        return replace(self, users=self.users[users][:, users], items=self.items[:, users])

    def _scale(self, alike: sp.csr_matrix) -> Floats:
        """1 / deviation of the scores by likenesses CSR (B, U), float32 (B,)."""
        return unit_scale(alike, self.rows[:, : self.spread] if self.spread else self.rows)

    def alike(self, queries: Queries) -> sp.csr_matrix:
        """s of the people found, CSR float32 (B, U)."""
        taste = queries.taste(self.reading)  # (B, I)
        shared = sp.coo_matrix(taste @ self.items)  # (B, U)
        values = shared.data / (_lengths(taste)[shared.row] * self.lengths[shared.col] + np.float32(self.shrink))
        values[shared.col == queries.user_nums[shared.row]] = 0
        out = sp.csr_matrix((values, (shared.row, shared.col)), shared.shape)
        out.eliminate_zeros()
        return largest(out, self.n)

    def scores(self, queries: Queries) -> Floats:
        """What the people alike took, weighted by their likeness, float32 (B, I)."""
        return np.asarray((self.encode(queries) @ self.rows).toarray(), dtype=np.float32)

    def score(self, queries: Queries, item_num: int) -> Doubles:
        item = self.items[item_num].astype(np.float64)
        return np.asarray((self.encode(queries).astype(np.float64) @ item.T).toarray()).ravel()

    def effects(self, query: Queries, item_num: int) -> Effects:
        """The parts of one score: what each item of the history adds to the likeness of the people found."""
        taste, alike = query.taste(self.reading), self.alike(query)
        people, items = row(alike, 0), row(taste, 0)
        scale = float(self._scale(alike)[0])
        bound = float(_lengths(taste)[0]) * self.lengths[people].astype(np.float64) + self.shrink  # (n,)
        took = self.items[item_num][:, people].toarray().ravel() / bound  # (n,)
        values = taste.data[slice(*taste.indptr[:2])].astype(np.float64)
        shares = scale * values * np.asarray(self.items[items][:, people] @ took).ravel()  # (J,)
        return Effects(items, shares, {}, float(self.score(query, item_num)[0]) - float(shares.sum()))

    @property
    def size(self) -> str:
        return f"{self.users.nnz:,} links"

    def reweighted(self, weight: float) -> PeopleBlock:
        return replace(self, weight=weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, shapes = stored(users=self.users, items=self.items)
        return found, {name: getattr(self, name) for name in SETTINGS} | {"shapes": shapes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> PeopleBlock:
        """The block that ``arrays`` describes."""
        sides = read_back(arrays, settings["shapes"])
        return cls(users=sides["users"], items=sides["items"], **{name: settings[name] for name in SETTINGS})


class UserKNN(Block[UserKNNSettings]):
    """The `userknn` block: user-user cosine with shrinkage (Resnick et al., CSCW 1994, on cosine)."""

    name = "userknn"
    words = Words("people who took what you took took it", "what people took who took what you took")
    Settings = UserKNNSettings
    Fitted = PeopleBlock

    def space(self, inputs: FitInputs) -> Space:
        settings = self.settings
        readings = held(inputs.train.events.readings, self.readings)
        return {"n": settings.n, "shrink": settings.shrink, "reading": readings}

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[PeopleBlock, Chosen]:
        """The likenesses of the validation users alone are compared."""

        def score(candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                block = self._bare(fold.inputs, candidate)
                return fold.validation.per_user_ndcg_of(lambda q: (block.alike(q) @ block.rows).toarray())

            return folds.value(per_user)

        space = self.space(folds.inputs)
        start = {"reading": space["reading"][0]}
        order = [(name,) for name in space] if trials is None else None
        chosen = search(space, score, start, order, folds.users, trials)
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> PeopleBlock:
        return self._bare(inputs, chosen).fitted(inputs.ties)

    def _bare(self, inputs: FitInputs, chosen: Chosen) -> PeopleBlock:
        """The block without the stored rows of users."""
        n, shrink, reading = chosen["n"], float(chosen["shrink"]), reading_of(chosen)
        rows = inputs.train.learning(reading)  # (U, I)
        items = sp.csr_matrix(rows.T)
        return PeopleBlock(self.name, items[:0], items, n=n, shrink=shrink, reading=reading)


def _lengths(rows: sp.csr_matrix) -> Floats:
    """The Euclidean length of each row, float32 (n,)."""
    return np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), np.float32)).ravel()

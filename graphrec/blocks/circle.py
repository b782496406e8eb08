"""The `circle` block: what one's friends took, for those to whom it tells what the others' histories do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks._beside import WEIGHTS, Beside
from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.gate import by_band, dealt, hearing_users
from graphrec.blocks.search import Chosen, search
from graphrec.data.popularity import DAY
from graphrec.linalg.adjacency import degrees, divisors
from graphrec.profile.api import NO_WORDS, Doubles, Effects, FittedBlock, Words
from graphrec.profile.attention import attended
from graphrec.profile.dense import empty_block
from graphrec.profile.sparse import read_back, stored, unit_scale
from graphrec.query.hearing import Hearing, as_hearing, band_of, weights_of
from graphrec.query.query import Queries
from graphrec.settings import FloatList, Section
from graphrec.types import Floats, Ints

SETTINGS = ("name", "weight", "reading", "bands", "attention")


class CircleSettings(Section):
    """What friends took. Several values: the best on validation data is taken."""

    beta: FloatList = (0.0, 0.25)  # exponent β of the items' degrees: what everybody takes tells less
    gamma: FloatList = (0.0, 0.5)  # exponent γ of the friends' degrees: 0.5 hears those who take much for less
    half_life: FloatList = (0.0, 90.0, 365.0)  # days; what friends took of late counts for more; 0: no decay
    attention: FloatList = (0.0, 2.0, 4.0)  # how sharply friends are told apart by how far they agree; 0: not at all


@dataclass(frozen=True)
class CircleBlock(FittedBlock):
    """An item's score is the sum over the friends who took it.

        score(i) = on(u) · Σ_f F_uf W_if / deviation,   W_if = d_i^-β d_f^-γ 2^(-age / half-life) r_fi

    F are friends weighed by ``profile.attention``, their mean where ``attention`` is 0; r_f their tastes, d degrees in
    R; on is 1 in the bands of activity (``query.hearing``) where ``bands`` is above 0. Shapes: users CSR float32
    (U, U), friends by row; items CSR float32 (I, U), W. A score
    splits exactly into friends.
    """

    name: str
    users: sp.csr_matrix
    items: sp.csr_matrix
    bands: Hearing = 1.0
    attention: float = 0.0
    weight: float = 1.0
    reading: str = "alike"
    linear: bool = True
    prior: int = 0
    words: Words = field(default=NO_WORDS)
    sparse: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", as_hearing(self.bands))

    def encode(self, queries: Queries) -> sp.csr_matrix:
        """The friends of each query, over the deviation, CSR float32 (B, U)."""
        return self.users[queries.user_nums] if queries.asked is None else self.computed(queries)

    def computed(self, queries: Queries) -> sp.csr_matrix:
        """The same, made anew even where rows are stored, CSR float32 (B, U)."""
        on = weights_of(self.bands, queries.activity) > 0
        heard = sp.csr_matrix(sp.diags(on.astype(np.float32)) @ queries.friends)
        heard.eliminate_zeros()
        heard = attended(heard, queries.liked, self.rows, self.attention)
        heard.eliminate_zeros()
        return sp.csr_matrix(sp.diags(unit_scale(heard, self.rows)) @ heard, dtype=np.float32)

    @property
    def rows(self) -> sp.csr_matrix:
        """Wᵀ, CSR float32 (U, I)."""
        return sp.csr_matrix(self.items.T)

    def scores(self, queries: Queries) -> Floats:
        return np.asarray((self.encode(queries) @ self.rows).toarray(), dtype=np.float32)

    def score(self, queries: Queries, item_num: int) -> Doubles:
        item = self.items[item_num].astype(np.float64)
        return np.asarray((self.encode(queries).astype(np.float64) @ item.T).toarray()).ravel()

    def effects(self, query: Queries, item_num: int) -> Effects:
        """The parts of one score: what each friend who took the item adds to it."""
        side = self.encode(query)
        took = np.asarray(self.items[item_num][:, side.indices].toarray(), np.float64).ravel()
        shares = side.data.astype(np.float64) * took  # (m,)
        item, none = np.array([item_num]), np.zeros(0, np.int64)
        pairs = zip(side.indices.tolist(), shares.tolist(), strict=True)
        friends = {f: (item, np.array([share])) if share else (none, np.zeros(0)) for f, share in pairs}
        return Effects(none, np.zeros(0), friends, float(self.score(query, item_num)[0]) - float(shares.sum()))

    def among(self, users: Ints) -> CircleBlock:
        return replace(self, users=self.users[users][:, users], items=self.items[:, users])

    @property
    def hears_friends(self) -> bool:
        return True

    @property
    def size(self) -> str:
        return f"{self.users.nnz:,} friends"

    def reweighted(self, weight: float) -> CircleBlock:
        return replace(self, weight=weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, shapes = stored(users=self.users, items=self.items)
        return found, {name: getattr(self, name) for name in SETTINGS} | {"shapes": shapes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> CircleBlock:
        sides = read_back(arrays, settings["shapes"])
        told = {name: settings[name] for name in SETTINGS if name in settings}
        return cls(users=sides["users"], items=sides["items"], **told)


class Circle(Block[CircleSettings]):
    """The `circle` block. It sits out where no friends are known, or where they tell nothing beside histories."""

    name = "circle"
    words = Words("friends of yours took it", "what your friends took")
    Settings = CircleSettings
    Fitted = CircleBlock
    refits = True

    def space(self, inputs: FitInputs) -> Space:
        """The exponents, the half-lives where there are times, and the readings."""
        settings, train = self.settings, inputs.train
        return {
            "beta": settings.beta,
            "gamma": settings.gamma,
            "half_life": settings.half_life if train.has_times else settings.half_life[:1],
            "attention": settings.attention,
            "reading": held(train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """W by what friends add to the history alone, and who hears them by ``gate``."""
        found = hearing_users(folds)
        if not found.any():
            return self._silent(folds.inputs, "no friends are known of validation users")
        judges = {id(fold.validation): Beside(fold) for fold in folds}
        strange = [dealt(fold) for fold in folds]
        judges |= {id(s.validation): judges[id(f.validation)] for s, f in zip(strange, folds, strict=True)}

        def per_user(chosen: Chosen, weight: float) -> Callable[[Fold], Floats]:
            def of(fold: Fold) -> Floats:
                circle, judge = self._made(fold.inputs, {**chosen, "bands": 1.0}), judges[id(fold.validation)]

                def scores(queries: Queries) -> Floats:
                    heard = np.asarray((circle.computed(queries) @ circle.rows).toarray(), np.float32)
                    return judge.scores(queries) + np.float32(weight) * heard

                return fold.validation.per_user_ndcg_of(scores)

            return of

        space = self.space(folds.inputs)
        start = {name: values[0] for name, values in space.items()}
        order = [(name,) for name in space] if trials is None else None
        chosen = search(space, lambda c: folds.value(per_user(c, WEIGHTS[1])), start, order, folds.users, trials)
        bands = band_of(folds.per_user(lambda f: f.validation.queries.activity.astype(np.float32)).astype(np.int64))
        none, *heard = (folds.per_user(per_user(chosen, w))[found] for w in (0.0, *WEIGHTS))
        control = [np.concatenate([per_user(chosen, w)(fold) for fold in strange])[found] for w in WEIGHTS]
        with_own, with_others = (dict(zip(WEIGHTS, ndcg, strict=True)) for ndcg in (heard, control))
        points = len(WEIGHTS) + sum(map(len, space.values()))
        weight = by_band(none, with_own, with_others, bands[found], points)
        if not weight:
            return self._silent(folds.inputs, "friends tell nothing that histories do not")
        chosen["bands"] = [float(w > 0) for w in weights_of(weight, np.array([0, 1, 2, 3, 6, 21]))]
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> CircleBlock:
        """Nothing but W is made."""
        block = self._made(inputs, chosen)
        return replace(block, users=block.computed(Queries.stored(inputs.ties)))

    def _made(self, inputs: FitInputs, chosen: Chosen) -> CircleBlock:
        """The block without rows of users."""
        ties, train = inputs.ties, inputs.train
        pairs, read = train.events.read(reading_of(chosen), learning=True)
        values = read.astype(np.float64)
        if chosen["half_life"] and pairs.timestamps is not None and len(pairs):
            values *= np.exp2(-(pairs.timestamps.max() - pairs.timestamps) / (DAY * chosen["half_life"]))
        shape = (train.n_users, train.n_items)
        taken = sp.csr_matrix((values.astype(np.float32), (pairs.user_nums, pairs.item_nums)), shape=shape)
        of_items, of_users = (divisors(degrees(ties.matrix, axis)) for axis in (0, 1))
        scaled = sp.diags(of_items ** -chosen["beta"]) @ taken.T @ sp.diags(of_users ** -chosen["gamma"])
        return CircleBlock(
            self.name,
            ties.friend_mean[:0],
            sp.csr_matrix(scaled, dtype=np.float32),
            chosen["bands"],
            attention=chosen.get("attention", 0.0),
            reading=reading_of(chosen),
        )

    def _silent(self, inputs: FitInputs, why: str) -> tuple[FittedBlock, Chosen]:
        return empty_block(self.name, *self._shape(inputs)), {"left_out": why}

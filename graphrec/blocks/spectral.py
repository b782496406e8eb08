"""Low-rank graph filter: the profile is read off the leading singular vectors of the normalised interaction matrix.

    R̃ = D_u^-α R D_i^-½ ≈ U S Vᵀ                 (randomised SVD)
    score(u, i) = x_u D_i^-β V S^{q/2} (D_i^β V_i S^{q/2})ᵀ   (x_u: the user's row of R)

α = β = ½, q = 0 is the ideal low-pass filter of GF-CF (Shen et al., CIKM 2021). q > 0 trusts strong factors more,
β < ½ discounts popular items less, and α < ½ lets long histories say more about what belongs together. The score is
linear in the user's history, so it splits exactly into its items. Friends enter as x_u + φ · the mean of their x, and a
user without history is then the mean of their friends; R is smoothed in the same way before it is decomposed, with ψ.
Both have to help, and φ is there for those alone whom it helps (``gate``). Entities of the knowledge graph enter as
further rows of R, with weight κ: an entity is one more user, who took the items it stands beside. R and x_u are the
same matrix but for what is disliked: see ``Dataset.learning`` and ``Dataset.taste``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from graphrec.blocks.api import NEARED, Block, FitInputs, Fold, Folds, Forgotten, Gone, Size, Space, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.data.dataset import Dataset
from graphrec.linalg.adjacency import degree_normalised, degrees, divisors, entity_rows, smoothed, with_entities
from graphrec.linalg.sums import ItemSums, filtered
from graphrec.linalg.svd import svd_of_gram, truncated_svd, work
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.sparse import kept
from graphrec.query.fading import Fading
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats

PILOT_RANK = 256  # α and κ are chosen at this rank: each value costs a decomposition
PILOT_ITERATIONS = 4
MOST_OF_SPECTRUM = 0.9  # that a filter without a response to the singular values takes
BEYOND = 1e-6  # part of the squared spectrum that may be missing from the whole of it
FOLLOWING, FOLLOWED = 2, 3e9  # steps of the decomposition in an update, and multiplications at most in one of them
SMALL = 5_000_000  # validation scores up to which rank and q are tried in all combinations


class SpectralSettings(Section):
    """Low-rank graph filter. Several values: the best on validation data is taken."""

    rank: IntList = (32, 64, 128, 256, 512, 1000)
    alpha: FloatList = (0.5, 0.4, 0.3)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.2, 0.3, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    power: FloatList = (0.0, 0.4, 0.8, 1.2)  # response S^q to the singular values
    friends: FloatList = (0.0, 0.1, 0.3, 1.0)  # weight φ of the friends' mean in x_u
    smoothing: FloatList = (0.0, 0.1, 0.3)  # weight ψ of the friends' mean in the rows of R that are learned from
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R
    fading: FloatList = (0.0, 0.3, 1.0)  # exponent of an event's place from the end of a history, in x_u
    iterations: int = Field(default=6, ge=1)  # of the SVD; the flat tail of a spectrum needs them
    memory_gb: float = Field(default=1.5, gt=0)  # bounds the rank


class Factors:
    """S float32 (r,) with S_1 = 1, V float32 (I, r), and what is needed to read profiles off them."""

    def __init__(
        self, inputs: FitInputs, rank: int, outer: Chosen, iterations: int, near: ProfileBlock | None = None
    ) -> None:
        self.reading, self.ties = reading_of(outer), inputs.ties
        told = inputs.train.learning(self.reading)  # (U, I)
        learned = smoothed(told, self.ties.friend_mean, outer.get("smoothing", 0.0))
        taken = degrees(learned)
        self._taken_as(taken)
        stacked = with_entities(learned, entity_rows(inputs.graph), outer.get("knowledge", 0.0))  # (U + N, I)
        normalised = degree_normalised(stacked, rows=outer["alpha"], columns=0.5)
        start = None
        if near is not None and near.history is not None:  # its V, but for new items
            start = np.zeros((len(taken), near.width), np.float32)
            start[: len(near.history)] = near.history
            start *= (self.degrees ** outer["beta"])[:, None]
        found = truncated_svd(normalised, rank, iterations, inputs.runtime.seed, start)
        self._factored(*found, float((normalised.data.astype(np.float64) ** 2).sum()), self.ties.matrix.shape[0])

    def _taken_as(self, taken: Floats) -> None:
        """How often each item was taken, float32 (I,)."""
        self.degrees = divisors(taken)  # (I,)
        self.present = (taken > 0).astype(np.float32)  # an item nobody took has no place in the filter

    def _factored(self, values: Floats, vectors: Floats, total: float, rows: int) -> None:
        """Singular values (r,) and vectors (I, r) of a matrix of so many rows, whose squares sum to ``total``."""
        self.vectors, self.values = vectors, values / max(float(values[0]), 1e-12)
        whole = float((values.astype(np.float64) ** 2).sum()) >= (1 - BEYOND) * total  # the rank of the matrix
        self._spectrum = min(rows, len(self.degrees), *([len(values)] if whole else []))

    def rank(self, chosen: Chosen) -> int:
        """The rank, cut where nothing else tells the frequencies apart (q = 0): at the rank of the matrix such a filter
        is the identity, and all that it says of an untaken item is noise of rounding."""
        most = MOST_OF_SPECTRUM * self._spectrum if not chosen["power"] else np.inf
        return max(1, int(min(chosen["rank"], most)))

    def items(self, chosen: Chosen) -> Floats:
        """Item side D_i^β V S^{q/2}, float32 (I, r)."""
        return self._side(chosen, chosen["beta"])

    def history(self, chosen: Chosen) -> Floats:
        """Fold-in table D_i^-β V S^{q/2}, float32 (I, r): a user is the sum of the rows of their items."""
        return self._side(chosen, -chosen["beta"])

    def _side(self, chosen: Chosen, exponent: float) -> Floats:
        """Both sides have half of the response: so items too are alike as the filter has them, at full rank too, where
        the rows of V are at right angles."""
        power = (self.degrees**exponent).astype(np.float32) * self.present
        response = (self.values[: self.rank(chosen)] ** (chosen["power"] / 2)).astype(np.float32)
        return np.asarray(self.vectors[:, : self.rank(chosen)] * power[:, None] * response, dtype=np.float32)

    def block(self, chosen: Chosen, before: ProfileBlock | None = None) -> ProfileBlock:
        """The block with these hyper-parameters; it costs no further decomposition. ``before``: see ``sparse.kept``."""
        items = self.items(chosen) if before is None else kept(self.items(chosen), before.items, self.ties)
        unread = ProfileBlock(
            name=Spectral.name,
            users=items[:0],
            items=items,
            history=self.history(chosen),
            linear=True,
            friend_weight=chosen["friends"],
            reading=self.reading,
            fading=Fading(chosen.get("fading", 0.0)),
        )
        return unread.fitted(self.ties)


class FactorsOfSums(Factors):
    """The same from sums over people: the right singular vectors of R̃ are the eigenvectors of R̃ᵀR̃."""

    def __init__(self, sums: ItemSums, inputs: FitInputs, rank: int, alpha: float) -> None:
        self.reading, self.ties = sums.reading, inputs.ties
        self._taken_as(np.maximum(sums.counts, 0.0).astype(np.float32))
        gram, rows = filtered(sums, alpha), max(round(sums.users), 1)
        self._factored(*svd_of_gram(gram, rank, rows), float(np.trace(gram)), rows)


class Spectral(Block[SpectralSettings]):
    """The `spectral` block. Reading of the strengths, rank, β, q, κ and φ are chosen on validation users."""

    name = "spectral"
    words = Words("people with a taste like yours took it", "the taste of people like you")
    Settings = SpectralSettings
    ordered = True
    summed = True

    def grows(self, size: Size) -> float:
        """Decompositions: of each α, and of each κ with rows of entities, at the rank and in the steps that such have,
        and two that are full, of the fold and of all data."""
        s, (users, items, pairs, entities) = self.settings, size
        told = len(s.knowledge) - 1 if entities else 0
        rows, rank = users + (entities if told else 0), max(s.rank)
        few = (work(one, items, pairs, min(PILOT_RANK, rank), PILOT_ITERATIONS) for one in (users, rows))
        tried = sum(n * each for n, each in zip((len(s.alpha), told), few, strict=True))
        return tried + 2 * work(rows, items, pairs, rank, s.iterations)

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[ProfileBlock, Chosen]:
        """α, the reading and the weight of entities by a small decomposition each; the rest by one full one."""
        settings, inputs = self.settings, folds.inputs
        ranks = feasible_ranks(inputs.train, settings.rank, settings.memory_gb)
        with_friends = inputs.train.social_edge_index.shape[1] > 0
        grid = {
            "rank": ranks,
            "beta": settings.beta,
            "power": settings.power,
            "friends": settings.friends if with_friends else settings.friends[:1],
            "fading": settings.fading if inputs.train.events.ordered else (0.0,),
        }
        middle = {name: values[len(values) // 2] for name, values in grid.items()}
        middle |= {name: grid[name][0] for name in ("friends", "fading")}

        def score(factors: Mapping[int, Factors], candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                found = factors[id(fold)]
                fading = Fading(candidate["fading"])
                taste = fold.validation.queries.taste(found.reading, candidate["friends"], fading)
                return fold.validation.per_user_ndcg(taste @ found.history(candidate), found.items(candidate))

            return folds.value(per_user)

        def factors(rank: int, outer: Chosen, iterations: int) -> dict[int, Factors]:
            return {id(fold): Factors(fold.inputs, rank, outer, iterations) for fold in folds}

        def pilot(candidate: Chosen) -> float:
            """The mean over the ranks that it holds: thin data has few factors, and how many changes with the rest, but
            the best of several looks better than it is."""
            most = min(PILOT_RANK, max(ranks))
            found = factors(most, candidate, PILOT_ITERATIONS)
            held = {*(rank for rank in ranks if rank < most), most}
            return float(np.mean([score(found, {**middle, "rank": rank}) for rank in held]))

        knowledge = settings.knowledge if entity_rows(inputs.graph).shape[0] else (0.0,)
        costly = {
            "reading": inputs.train.events.readings,
            "alpha": settings.alpha,
            "knowledge": knowledge,
            "smoothing": settings.smoothing if with_friends else (0.0,),
        }
        outer: Chosen = {name: values[0] for name, values in costly.items()}
        if any(len(values) > 1 for values in costly.values()):
            outer = search(costly, pilot, outer, [(name,) for name in costly], folds.users)
        full = factors(max(ranks), outer, settings.iterations)
        order: list[tuple[str, ...]] = [("power",), ("beta",), ("rank",), ("power",), ("friends",), ("fading",)]
        if folds.users * inputs.train.n_items <= SMALL:
            order = [("rank", "power"), ("friends",), ("fading",), ("beta",), ("rank", "power")]
        chosen = search(grid, lambda c: score(full, c), {**middle, "rank": max(ranks)}, order)
        first = full[id(folds[0])]
        return first.block(chosen), {**chosen, "rank": first.rank(chosen), **outer}

    def followed(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen) -> FittedBlock | None:
        """From the factors that it has, ``FOLLOWING`` steps on; up to a rank at which that costs ``FOLLOWED``."""
        held: Any = block
        size = float(inputs.ties.matrix.nnz + held.width * sum(inputs.ties.matrix.shape))
        if held.width * size > FOLLOWED:
            return None
        found = Factors(inputs, held.width, chosen, FOLLOWING, held).block({**chosen, "rank": held.width}, held)
        return replace(found, words=held.words)

    def forgotten(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen, gone: Gone) -> Forgotten | None:
        """In a hurry from the factors that it has, as an update."""
        found = self.followed(block, inputs, chosen) if gone.quick else None
        return None if found is None else Forgotten(found, NEARED)

    def space_of_sums(self, sums: ItemSums) -> Space:
        """Rank, q, β, and α of those that the sums were made with; the highest first, as usual for a filter."""
        most, s = max(1, min(len(sums.items), round(sums.users))), self.settings
        ranks = tuple(sorted({min(rank, most) for rank in s.rank}))
        return {"rank": ranks, "power": s.power, "beta": s.beta, "alpha": tuple(sums.grams)[::-1]}

    def from_sums(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """One eigendecomposition of R̃ᵀR̃; friends are not heard."""
        factors = FactorsOfSums(sums, inputs, chosen["rank"], chosen["alpha"])
        return factors.block({**chosen, "rank": factors.rank(chosen), "friends": 0.0})

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """One decomposition, of the chosen rank or the highest that the data and the memory admit."""
        rank = feasible_ranks(inputs.train, [chosen["rank"]], self.settings.memory_gb)[0]
        return Factors(inputs, rank, chosen, self.settings.iterations).block({**chosen, "rank": rank})


def feasible_ranks(train: Dataset, ranks: Sequence[int], memory_gb: float) -> list[int]:
    """The ranks that the data's size and the memory budget (GiB, for all profile arrays in float32) admit."""
    users, items = train.n_users, train.n_items
    bytes_per_rank = 4 * (users + 2 * items)
    most = min(int(memory_gb * 2**30 / bytes_per_rank), min(users, items))
    return sorted({max(1, min(rank, most)) for rank in ranks})

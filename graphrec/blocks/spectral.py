"""Low-rank graph filter: the profile is read off the leading singular vectors of the normalised interaction matrix.

    R̃ = D_u^-½ R D_i^-½ ≈ U S Vᵀ               (randomised SVD; Halko, Martinsson, Tropp 2011)
    score(u, i) = x_u D_i^-β V S^q (D_i^β V_i)ᵀ   (x_u: the user's row of R)

β = ½, q = 0 is the ideal low-pass filter of GF-CF (Shen et al., CIKM 2021); q > 0 trusts strong factors more,
and β < ½ discounts popular items less. The score is linear in the user's history, so it splits exactly into its items.
Friends enter as x_u + α · mean of their x, and a user without history is then the mean of their friends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose, scaled_block
from graphrec.data.dataset import Dataset
from graphrec.graph.adjacency import friend_mean, symmetric_normalised
from graphrec.types import Floats, ProfileBlock

OVERSAMPLES = 40
SMALL = 5_000_000  # validation scores up to which rank and q are tried in all combinations


class Factors:
    """S float32 (r,) and V float32 (I, r) of the normalised matrix, with what is needed to read profiles off them."""

    def __init__(self, train: Dataset, rank: int, iterations: int, seed: int) -> None:
        self.matrix = train.matrix()  # (U, I)
        self.friends = friend_mean(train)  # (U, U), rows sum to 1 or 0
        degrees = np.asarray(self.matrix.sum(axis=0)).ravel()
        self.degrees = np.maximum(degrees, 1.0)  # (I,)
        self.present = (degrees > 0).astype(np.float32)  # an item nobody took has no place in the filter
        _, self.values, right = randomized_svd(
            symmetric_normalised(self.matrix),
            n_components=rank,
            n_oversamples=OVERSAMPLES,
            n_iter=iterations,
            power_iteration_normalizer="LU",
            random_state=seed,
            flip_sign=False,
        )
        self.vectors = np.ascontiguousarray(right.T, dtype=np.float32)  # (I, r)

    def items(self, chosen: Chosen) -> Floats:
        """Item side D_i^β V, float32 (I, r)."""
        power = (self.degrees ** chosen["beta"]).astype(np.float32) * self.present
        return np.asarray(self.vectors[:, : chosen["rank"]] * power[:, None], dtype=np.float32)

    def history(self, chosen: Chosen) -> Floats:
        """Fold-in table D_i^-β V S^q, float32 (I, r): a user is the sum of the rows of their items."""
        power = (self.degrees ** -chosen["beta"]).astype(np.float32) * self.present
        response = (self.values[: chosen["rank"]] ** chosen["power"]).astype(np.float32)
        return np.asarray(self.vectors[:, : chosen["rank"]] * power[:, None] * response, dtype=np.float32)

    def taste(self, friend_weight: float, rows: npt.NDArray[np.int64] | slice = slice(None)) -> sp.csr_matrix:
        """x_u + α · mean of the friends' x, CSR float32 (B, I)."""
        own = self.matrix[rows]
        return own + friend_weight * (self.friends[rows] @ self.matrix) if friend_weight else own

    def block(self, chosen: Chosen) -> ProfileBlock:
        history = self.history(chosen)
        users = np.asarray(self.taste(chosen["friends"]) @ history, dtype=np.float32)  # (U, r)
        return scaled_block(
            ProfileBlock(
                name="spectral",
                users=users,
                items=self.items(chosen),
                history=history,
                linear=True,
                scale=np.ones(len(users), np.float32),
                friend_weight=chosen["friends"],
            )
        )


class Spectral:
    """The `spectral` block. Rank, β, q and the weight of friends are chosen on validation users."""

    name = "spectral"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        settings = inputs.config.spectral
        ranks = feasible_ranks(inputs.train, settings.rank, settings.memory_gb)
        factors = Factors(inputs.train, max(ranks), settings.iterations, inputs.config.seed)
        with_friends = inputs.train.social_edge_index.shape[1] > 0
        grid = {
            "rank": ranks,
            "beta": settings.beta,
            "power": settings.power,
            "friends": settings.friends if with_friends else settings.friends[:1],
        }

        def score(candidate: Chosen) -> float:
            taste = factors.taste(candidate["friends"], validation.user_nums)
            return validation.ndcg(taste @ factors.history(candidate), factors.items(candidate))

        start = {name: values[len(values) // 2] for name, values in grid.items()}
        start |= {"rank": max(ranks), "friends": grid["friends"][0]}
        order = [("power",), ("beta",), ("rank",), ("power",), ("friends",)]
        if len(validation.user_nums) * inputs.train.n_items <= SMALL:
            order = [("rank", "power"), ("friends",), ("beta",), ("rank", "power")]
        chosen = choose(grid, score, start, order)
        return factors.block(chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        rank = feasible_ranks(inputs.train, [chosen["rank"]], inputs.config.spectral.memory_gb)[0]
        factors = Factors(inputs.train, rank, inputs.config.spectral.iterations, inputs.config.seed)
        return factors.block({**chosen, "rank": rank})


def feasible_ranks(train: Dataset, ranks: Sequence[int], memory_gb: float) -> list[int]:
    """The ranks that the data's size and the memory budget (GiB, for all profile arrays in float32) admit."""
    users, items = train.n_users, train.n_items
    bytes_per_rank = 4 * (users + 2 * items)
    most = min(int(memory_gb * 2**30 / bytes_per_rank), min(users, items))
    return sorted({max(1, min(rank, most)) for rank in ranks})

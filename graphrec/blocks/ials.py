"""Implicit alternating least squares: the factors that explain every taken and every untaken pair, by `implicit`.

    min_{U, V}  Σ_ui c_ui (r_ui − ⟨u, v_i⟩)² + λ (‖U‖² + ‖V‖²),   c = α where taken, 1 elsewhere

Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM 2008; with many factors and α and λ
tuned it is still hard to beat (Rendle et al., Revisiting the performance of iALS on item recommendation benchmarks,
RecSys 2022). Entities of the knowledge graph enter as further rows of R, with weight κ, as in ``spectral``.

For the finished V, users solve their own equations exactly, so that a score is a sum over the history:

    u = Σ_{j taken} (α − (α − 1) ⟨u, v_j⟩) (VᵀV + λI)⁻¹ v_j

Strengths are confidences: a pair of strength s has c = α |s|, and what is disliked has r = 0 with that confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks.api import NEARED, Block, FitInputs, Forgotten, Gone, Size, Space, held, reading_of
from graphrec.blocks.search import Chosen
from graphrec.linalg.adjacency import entity_rows, with_entities
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.settings import FloatList, IntList, PositiveList, Section
from graphrec.types import Floats

NEARLY_NONE = 1e-9  # of damping, where confidences still differ
ROUNDS = 3  # of alternating, where users are forgotten
MANY = 100_000  # interactions from which more than one thread pays


class IALSSettings(Section):
    """Implicit alternating least squares. Several values: the best on validation data is taken."""

    alpha: PositiveList = (1.0, 3.0, 10.0, 40.0)  # weight of a taken pair; of an untaken one it is 1
    regularisation: FloatList = (1.0, 10.0, 100.0)
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R
    factors: IntList = (64, 256, 512)
    iterations: int = Field(default=8, ge=1)


class IALS(Block[IALSSettings]):
    """The `ials` block. Reading of the strengths, α, λ and κ are chosen at the fewest factors, then their number."""

    name = "ials"
    words = Words("it suits the taste that your history shows", "the taste that your history shows")
    Settings = IALSSettings
    alone: ClassVar[Mapping[str, Any]] = {
        "alpha": (1.0, 3.0, 10.0, 30.0),
        "regularisation": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
        "factors": (32, 64, 128, 256),
        "iterations": 15,
    }
    simplest = ("reading", "knowledge", "factors")

    def grows(self, size: Size) -> float:
        """d for each pair and d² / 2 for each row of both sides."""
        return size.pairs + max(self.settings.factors) / 2 * (size.users + size.items)

    def space(self, inputs: FitInputs) -> Space:
        """Readings, α, λ, the weight of entities, and factors up to half the smaller side of R."""
        settings = self.settings
        most = max(1, min(inputs.train.n_users, inputs.train.n_items) // 2)
        return {
            "reading": held(inputs.train.events.readings, self.readings),
            "alpha": settings.alpha,
            "regularisation": settings.regularisation,
            "knowledge": settings.knowledge if entity_rows(inputs.graph).shape[0] else settings.knowledge[:1],
            "factors": sorted({min(f, most) for f in settings.factors}),
        }

    def forgotten(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen, gone: Gone) -> Forgotten | None:
        """In a hurry ``ROUNDS`` of alternating from the items that it has; users are then solved for exactly."""
        held: Any = block
        if not gone.quick or held.history is None or held.width != chosen["factors"]:
            return None
        rest = replace(held, users=held.users[gone.others])
        near = rest._raw(Queries.stored(inputs.ties)), held.items
        return Forgotten(self._alternated(inputs, chosen, ROUNDS, near), NEARED)

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """V from alternating over all rows of R, then each user's solution for it; a new user gets theirs too."""
        return self._alternated(inputs, chosen, self.settings.iterations)

    def _alternated(
        self, inputs: FitInputs, chosen: Chosen, rounds: int, near: tuple[Floats, Floats] | None = None
    ) -> ProfileBlock:
        """The block after so many rounds, from factors of users and items (U, d) and (I, d) where they are given."""
        from implicit.als import AlternatingLeastSquares  # a second to import

        reading, alpha = reading_of(chosen), float(chosen["alpha"])
        stacked = with_entities(
            inputs.train.learning(reading), entity_rows(inputs.graph), chosen.get("knowledge", 0.0)
        )  # (U + N, I)
        with _libraries().limit(limits=1, user_api="blas"):  # implicit has threads of its own
            model = AlternatingLeastSquares(
                factors=chosen["factors"],
                regularization=chosen["regularisation"],
                alpha=alpha,
                iterations=rounds,
                random_state=inputs.runtime.seed,
                num_threads=1 if stacked.nnz < MANY else 0,
                use_gpu=False,
            )
            if near is not None:
                model.user_factors = np.zeros((stacked.shape[0], chosen["factors"]), np.float32)
                model.user_factors[: len(near[0])] = near[0]
                model.item_factors = near[1].copy()
            model.fit(sp.csr_matrix(stacked, dtype=np.float32), show_progress=False)
        items = np.asarray(model.item_factors)  # (I, d)
        gram = items.T @ items + chosen["regularisation"] * np.eye(items.shape[1], dtype=np.float32)  # (d, d)
        history: Floats = np.float32(alpha) * np.linalg.solve(gram, items.T).T  # (I, d)
        damping = 1 - 1 / alpha if alpha != 1 or reading in ("alike", "liked") else NEARLY_NONE
        block = ProfileBlock(
            self.name, items[:0], items, history=history, linear=True, damping=damping, reading=reading
        )
        with _libraries().limit(limits=1, user_api="blas"):  # small systems
            return block.fitted(inputs.ties)


@cache
def _libraries() -> Any:
    """The process's libraries of linear algebra, looked for once: it takes as long as a small fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

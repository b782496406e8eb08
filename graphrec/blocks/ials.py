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

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose, reading_of, scaled_block
from graphrec.linalg.adjacency import entity_rows, with_entities
from graphrec.profile.profiles import ProfileBlock
from graphrec.types import Floats

NEARLY_NONE = 1e-9  # of damping, where confidences still differ
MANY = 100_000  # interactions from which more than one thread pays


class IALS:
    """The `ials` block. Reading of the strengths, α, λ and κ are chosen at the fewest factors, then their number."""

    name = "ials"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        settings = inputs.config.ials
        most = max(1, min(inputs.train.n_users, inputs.train.n_items) // 2)
        grid = {
            "reading": inputs.train.events.readings,
            "alpha": settings.alpha,
            "regularisation": settings.regularisation,
            "knowledge": settings.knowledge if entity_rows(inputs.graph).shape[0] else settings.knowledge[:1],
            "factors": sorted({min(f, most) for f in settings.factors}),
        }
        start = {name: values[len(values) // 2] for name, values in grid.items()}
        start |= {name: grid[name][0] for name in ("knowledge", "factors", "reading")}
        best: list[tuple[float, Chosen, ProfileBlock]] = []  # the best so far

        def score(candidate: Chosen) -> float:
            block = self.fit(inputs, candidate)
            found = validation.ndcg(block.users[validation.user_nums], block.items)
            if not best or found > best[0][0]:
                best[:] = [(found, candidate, block)]
            return found

        chosen = choose(grid, score, start, [(name,) for name in grid], len(validation.user_nums))
        return best[0][2] if best and best[0][1] == chosen else self.fit(inputs, chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """V from alternating over all rows of R, then each user's solution for it; a new user gets theirs too."""
        reading, alpha = reading_of(chosen), float(chosen["alpha"])
        taste = inputs.train.taste(reading)  # (U, I)
        stacked = with_entities(
            inputs.train.learning(reading), entity_rows(inputs.graph), chosen["knowledge"]
        )  # (U + N, I)
        with threadpool_limits(1, "blas"):  # implicit has threads of its own
            model = AlternatingLeastSquares(
                factors=chosen["factors"],
                regularization=chosen["regularisation"],
                alpha=alpha,
                iterations=inputs.config.ials.iterations,
                random_state=inputs.config.seed,
                num_threads=1 if stacked.nnz < MANY else 0,
                use_gpu=False,
            )
            model.fit(sp.csr_matrix(stacked, dtype=np.float32), show_progress=False)
        items = np.asarray(model.item_factors)  # (I, d)
        gram = items.T @ items + chosen["regularisation"] * np.eye(items.shape[1], dtype=np.float32)  # (d, d)
        history: Floats = np.float32(alpha) * np.linalg.solve(gram, items.T).T  # (I, d)
        damping = 1 - 1 / alpha if alpha != 1 or reading in ("alike", "liked") else NEARLY_NONE
        ones, nobody = np.ones(taste.shape[0], np.float32), np.zeros((taste.shape[0], items.shape[1]), np.float32)
        block = ProfileBlock(
            self.name, nobody, items, history=history, linear=True, scale=ones, damping=damping, reading=reading
        )
        rows = zip(*(np.split(part, taste.indptr[1:-1]) for part in (taste.indices, taste.data)), strict=True)
        with threadpool_limits(1, "blas"):  # small systems
            users = np.stack([block.sum_over(taken.astype(np.int64), w) for taken, w in rows], dtype=np.float32)
        return scaled_block(replace(block, users=users))

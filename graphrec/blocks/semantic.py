"""Text as a block: from the text of a history to the text of what is taken next, by a ridge map.

    min_W ‖A W − B‖² + λ‖W − cI‖²     W = (AᵀA + λI)⁻¹ (AᵀB + λcI),   A = X_a T,   B = X_b T

T are the frozen text embeddings of the items after PCA; X_a and X_b, rows summing to 1, are random halves of every
history, so that nothing is learned from an item predicting itself. W is shrunk towards the identity, so λ = ∞ is the
plain centroid of the history. The score is linear in the history, a new item needs only a text, and a free-text query
takes the user's place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose, reading_of, scaled_block
from graphrec.graph.hetero import ITEM
from graphrec.profile.profiles import ProfileBlock
from graphrec.types import Floats

CENTROID = float("inf")
Matrix = npt.NDArray[np.float64]


class Semantic:
    """The `semantic` block. The ridge and the reading of the strengths are chosen on validation users."""

    name = "semantic"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        space = _TextSpace(inputs)

        def score(candidate: Chosen) -> float:
            history = space.history(float(candidate["ridge"]))
            taken = inputs.train.taste(candidate["reading"])[validation.user_nums]  # (B, I)
            return validation.ndcg(np.asarray(taken @ history, np.float32), space.items)

        ridges = (*inputs.config.semantic.ridge, CENTROID)
        readings = inputs.train.events.readings_of_likes
        start = {"ridge": CENTROID, "reading": readings[0]}
        grid = {"ridge": ridges, "reading": readings}
        chosen = choose(grid, score, start, [("ridge",), ("reading",)], len(validation.user_nums))
        chosen["ridge"] = "centroid" if chosen["ridge"] == CENTROID else chosen["ridge"]  # JSON has no infinity
        return space.block(chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        return _TextSpace(inputs).block(chosen)


class _TextSpace:
    """Items in a space of d text dimensions, and the maps into it."""

    def __init__(self, inputs: FitInputs) -> None:
        self.inputs = inputs
        text = inputs.graph[ITEM].x[:, : inputs.graph.text_width].numpy().astype(np.float64)  # (I, F)
        written = np.abs(text).sum(axis=1) > 0 if text.shape[1] else np.zeros(len(text), bool)
        self.empty = written.sum() < 2
        dim = min(inputs.config.semantic.dim, int(written.sum()), text.shape[1])
        if self.empty:
            self.items = np.zeros((len(text), 1), np.float32)
            self.text_map = np.zeros((text.shape[1] + 1, 1), np.float32)
            return
        mean = text[written].mean(axis=0)
        _, _, directions = np.linalg.svd(text[written] - mean, full_matrices=False)
        projection = directions[:dim].T  # (F, d)
        self.items = (((text - mean) @ projection) * written[:, None]).astype(np.float32)  # (I, d)
        self.text_map = np.vstack([projection, -mean @ projection]).astype(np.float32)  # (F + 1, d)
        self._normal_equations()

    def _normal_equations(self) -> None:
        """AᵀA and AᵀB, float64 (d, d), both halves predicting the other."""
        matrix, items = self.inputs.train.matrix(), self.items.astype(np.float64)
        side = np.random.default_rng(self.inputs.config.seed).integers(0, 2, matrix.nnz).astype(bool)
        halves = [_row_means(matrix, mask) @ items for mask in (side, ~side)]  # each (U, d)
        both = np.logical_and(*(np.abs(h).sum(axis=1) > 0 for h in halves))  # users with a text on either side
        a, b = (h[both] for h in halves)
        self.gram: Matrix = a.T @ a + b.T @ b
        self.cross: Matrix = a.T @ b + b.T @ a

    def history(self, ridge: float) -> Floats:
        """Fold-in table T W, float32 (I, d). ``ridge`` is λ in units of the mean eigenvalue of AᵀA."""
        unit = 0.0 if self.empty else float(np.trace(self.gram)) / len(self.gram)
        if unit == 0.0 or np.isinf(ridge):
            return self.items
        eye = np.eye(len(self.gram))
        centre = float(np.trace(self.cross) / np.trace(self.gram)) * eye
        weights = np.linalg.solve(self.gram + ridge * unit * eye, self.cross + ridge * unit * centre)  # (d, d)
        return np.asarray(self.items @ weights, dtype=np.float32)

    def block(self, chosen: Chosen) -> ProfileBlock:
        history = self.history(CENTROID if chosen["ridge"] == "centroid" else float(chosen["ridge"]))
        users = np.asarray(self.inputs.train.taste(reading_of(chosen)) @ history, dtype=np.float32)  # (U, d)
        return scaled_block(
            ProfileBlock(
                name=Semantic.name,
                users=users,
                items=self.items,
                history=history,
                linear=True,
                scale=np.ones(len(users), np.float32),
                text_map=self.text_map,
                reading=reading_of(chosen),
            )
        )


def _row_means(matrix: sp.csr_matrix, mask: npt.NDArray[np.bool_]) -> sp.csr_matrix:
    """The stored entries under a mask, each row brought to sum 1."""
    out = sp.csr_matrix((np.where(mask, matrix.data, 0.0), matrix.indices, matrix.indptr), shape=matrix.shape)
    sums = np.maximum(np.asarray(out.sum(axis=1)).ravel(), 1.0)
    return sp.csr_matrix(sp.diags(1.0 / sums) @ out)

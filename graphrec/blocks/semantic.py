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
from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.graph.names import ITEM
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, Section
from graphrec.types import Floats

CENTROID = float("inf")
Matrix = npt.NDArray[np.float64]


class SemanticSettings(Section):
    """Ridge map from the text of a history to the text of the next item."""

    ridge: FloatList = (0.1, 1.0, 10.0, 100.0)
    dim: int = Field(default=256, ge=1)


class Semantic(Block[SemanticSettings]):
    """The `semantic` block. The ridge and the reading of the strengths are chosen on validation users."""

    name = "semantic"
    words = Words(
        "its text reads like the text of what you took",
        "the likeness of texts to those of what you took",
        "its text reads like that of {title}",
    )
    Settings = SemanticSettings
    keeps = True  # it answers queries in words, and places items that nobody took
    uses_text = True

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[ProfileBlock, Chosen]:
        """Ridges are compared on the rows of the validation users alone."""
        spaces = {id(fold): _TextSpace(fold.inputs, self.settings.dim) for fold in folds}

        def score(candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                space, taken = spaces[id(fold)], fold.validation.queries.taste(candidate["reading"])  # (B, I)
                history = space.history(float(candidate["ridge"]))
                return fold.validation.per_user_ndcg(np.asarray(taken @ history, np.float32), space.items)

            return folds.value(per_user)

        ridges = (*self.settings.ridge, CENTROID)
        readings = folds.inputs.train.events.readings_of_likes
        start = {"ridge": CENTROID, "reading": readings[0]}
        grid = {"ridge": ridges, "reading": readings}
        chosen = search(grid, score, start, [("ridge",), ("reading",)], folds.users, trials)
        chosen["ridge"] = "centroid" if chosen["ridge"] == CENTROID else chosen["ridge"]  # JSON has no infinity
        return spaces[id(folds[0])].block(chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        return _TextSpace(inputs, self.settings.dim).block(chosen)


class _TextSpace:
    """Items in a space of d text dimensions, and the maps into it."""

    def __init__(self, inputs: FitInputs, dim: int) -> None:
        self.inputs = inputs
        assert inputs.graph is not None
        text = inputs.graph[ITEM].x[:, : inputs.graph.text_width].numpy().astype(np.float64)  # (I, F)
        written = np.abs(text).sum(axis=1) > 0 if text.shape[1] else np.zeros(len(text), bool)
        self.empty = written.sum() < 2
        dim = min(dim, int(written.sum()), text.shape[1])
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
        side = self.inputs.runtime.rng().integers(0, 2, matrix.nnz).astype(bool)
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
        unread = ProfileBlock(
            name=Semantic.name,
            users=history[:0],
            items=self.items,
            history=history,
            linear=True,
            text_map=self.text_map,
            reading=reading_of(chosen),
        )
        return unread.fitted(self.inputs.ties)


def _row_means(matrix: sp.csr_matrix, mask: npt.NDArray[np.bool_]) -> sp.csr_matrix:
    """The stored entries under a mask, each row brought to sum 1."""
    out = sp.csr_matrix((np.where(mask, matrix.data, 0.0), matrix.indices, matrix.indptr), shape=matrix.shape)
    sums = np.maximum(np.asarray(out.sum(axis=1)).ravel(), 1.0)
    return sp.csr_matrix(sp.diags(1.0 / sums) @ out)

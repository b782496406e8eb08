"""The `slit` block: a regression of what is taken next on all that was taken before."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks._flow import line_of
from graphrec.blocks.api import Block, FitInputs, Folds, Size, Space, held, reading_of
from graphrec.blocks.search import Chosen
from graphrec.blocks.transitions import UNORDERED, USELESS, order_tells
from graphrec.data.readings import Reading
from graphrec.linalg.following import Doubles, regressions
from graphrec.linalg.item_item import largest
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.fading import Fading
from graphrec.settings import CountList, FloatList, IntList, Section

PAIRS = 400_000_000  # that are summed, at most: a window is narrower on more events than that


class SlitSettings(Section):
    """A regression on the past. Several values: the best on validation data is taken."""

    decay: FloatList = (0.5,)  # exponent of how many events lie back: of a longer past than counts can read
    regularisation: FloatList = (0.1, 0.5, 2.0)  # of the mean of the diagonal
    window: IntList = (200,)  # events before one that it is regressed on
    n: CountList = (1000,)  # weights kept per item; 0: all
    pilot: bool = True  # look first whether the order tells anything
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class Slit(Block[SlitSettings]):
    """The `slit` block: session-aware linear item transitions (SLIT: Choi et al., WWW 2021), over whole histories.

        B = (XᵀX + λ I)^-1 XᵀY,   score(u, i) = Σ_j d_j^-decay B[j, i]      d_j: 1 for the last event of the history

    A row of X is what came before an event, decayed by how far back it lies, of Y the event (``linalg.following``).
    Counts of what follows what cannot tell that two items of a history say the same; a regression can, so that it reads
    a long past. It sits out where the order tells nothing, and above ``max_items`` items.
    """

    name = "slit"
    words = Words(
        "it comes after what you took over time",
        "what comes after what you took over time",
        "it comes some time after {title}",
        "you took {title}, and it comes some time after",
    )
    Settings = SlitSettings
    Fitted = NeighbourBlock
    ordered = True
    readings: tuple[Reading, ...] = ("alike", "liked")

    def why_not(self, inputs: FitInputs) -> str:
        """Data without an order tells nothing."""
        return super().why_not(inputs) or ("" if inputs.train.events.ordered else UNORDERED)

    def grows(self, size: Size) -> float:
        """The solution, I³, and the pairs within the window."""
        return float(size.items) ** 3 + 100.0 * size.pairs * max(self.settings.window)

    def holds(self, items: int) -> float:
        """Four matrices of float64."""
        return 32.0 * items**2

    def space(self, inputs: FitInputs) -> Space:
        """All settings."""
        s = self.settings
        told: Space = {name: getattr(s, name) for name in ("regularisation", "decay", "window", "n")}
        return {**told, "reading": held(inputs.train.events.readings, self.readings)}

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """As every block does, where the order tells anything, with sums made once for all values of λ."""
        if self.settings.pilot and not order_tells(folds):
            return empty_block(self.name, *self._shape(folds.inputs)), {"left_out": USELESS}
        self._known: tuple[Any, tuple[Doubles, Doubles]] | None = None
        try:
            return super().choose(folds, trials)
        finally:
            del self._known

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """The largest weights of each item, and users by their histories."""
        inner, cross = self._sums(inputs, chosen)
        gram = inner.copy()
        diagonal = np.diag_indices_from(gram)
        gram[diagonal] += max(chosen["regularisation"] * float(gram[diagonal].mean()), 1e-6)
        factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
        links = scipy.linalg.cho_solve(factor, cross, check_finite=False).T.astype(np.float32)  # (I, I) [after, before]
        items: Any = largest(links, chosen["n"]) if chosen["n"] else sp.csr_matrix(links)
        fading = Fading(chosen["decay"], 0.0, chosen["window"])
        made = NeighbourBlock(self.name, inputs.ties.matrix[:0], items, reading=reading_of(chosen), fading=fading)
        out: Any = made.fitted(inputs.ties)
        block: NeighbourBlock = out
        return block

    def _sums(self, inputs: FitInputs, chosen: Chosen) -> tuple[Doubles, Doubles]:
        """XᵀX and XᵀY, float64 (I, I), as they were made last where these are the same."""
        window = max(1, min(chosen["window"], PAIRS // max(len(inputs.train.events), 1)))
        key = (inputs.ties, chosen["decay"], window, reading_of(chosen))
        known = getattr(self, "_known", None)
        if known is not None and known[0][0] is key[0] and known[0][1:] == key[1:]:
            found: tuple[Doubles, Doubles] = known[1]
            return found
        line = line_of(inputs, chosen)
        histories = np.repeat(np.arange(len(line.counts)), line.counts)
        sums = regressions(histories, line.items, inputs.train.n_items, chosen["decay"], window)
        if hasattr(self, "_known"):
            self._known = key, sums
        return sums

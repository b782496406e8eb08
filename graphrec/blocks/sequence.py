"""A Transformer over ordered histories as a block: the user's side is its last state, the items' its output table.

    score(u, i) = ⟨h_u, E_i⟩ + b_i,    h_u = the causal network's state after the last event of u, asked now

Trained to name what follows each event (SASRec: Kang and McAuley, ICDM 2018), by a softmax over the whole catalogue,
which is worth more than pairs of one positive and one negative (Klenitskiy and Vasilev, RecSys 2023), or by gSASRec's
generalised binary cross-entropy over drawn negatives (Petrov and Macdonald, RecSys 2023).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Folds
from graphrec.blocks.search import Chosen
from graphrec.blocks.transitions import UNORDERED, USELESS, order_tells
from graphrec.data.readings import Reading
from graphrec.profile.api import Words
from graphrec.profile.dense import empty_block
from graphrec.profile.sequential import SequenceBlock
from graphrec.settings import Section, ShareList


class SequenceSettings(Section):
    """Causal Transformer. Several values of dropout: the best on validation data is taken."""

    dim: int = Field(default=64, ge=1)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=2, ge=1)
    length: int = Field(default=0, ge=0)  # events read; 0: as many as nine in ten histories have, at most 200
    dropout: ShareList = (0.2,)
    loss: Literal["softmax", "gbce"] = "softmax"
    gaps: bool = True  # read the times between events, where there are any
    batch_size: int = Field(default=32, ge=1)  # pieces of histories; fewer learn sooner, more suit a card
    learning_rate: float = Field(default=1e-3, gt=0)  # rises for a twentieth of the steps, then falls as half a cosine
    weight_decay: float = Field(default=1e-2, ge=0)
    minutes: float = Field(default=3.0, ge=0)  # about how long a training may take on one core, counted in operations;
    # 0: as many epochs as are set
    max_epochs: int = Field(default=100, ge=1)
    evaluations: int = Field(default=25, ge=1)  # at most this many evaluations in a run
    pilot: bool = True  # look first whether the order tells anything
    patience: int = Field(default=6, ge=1)  # evaluations without a better validation NDCG


class Sequence(Block[SequenceSettings]):
    """The `sequence` block. Dropout and epochs are chosen on the validation users of the first fold."""

    name = "sequence"
    words = Words("it is what the order of your history leads to", "the order of your history")
    Settings = SequenceSettings
    Fitted = SequenceBlock
    ordered = True
    resumes = True
    together = True
    readings: tuple[Reading, ...] = ("alike",)

    def why_not(self, inputs: FitInputs) -> str:
        """Data without an order tells nothing."""
        if why := super().why_not(inputs):
            return why
        if not inputs.train.events.ordered:
            return UNORDERED
        return "" if inputs.ties.matrix.nnz else "nothing is liked"

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[Any, Chosen]:
        """A network for each dropout, stopped where NDCG is best, where the order tells anything."""
        inputs = folds[0].inputs
        if self.settings.pilot and not order_tells(folds):
            return empty_block(self.name, *self._shape(inputs)), {"left_out": USELESS}
        found: tuple[Any, Chosen] = self._run().choose(inputs, self.settings, folds[0].validation)
        return found

    def learn(self, inputs: FitInputs, chosen: Chosen) -> Any:
        """Train for as many epochs as were chosen."""
        return self._run().learn(inputs, self.settings, chosen)

    @staticmethod
    def _run() -> Any:
        from graphrec.blocks import _sequence_run  # torch takes seconds to import

        return _sequence_run

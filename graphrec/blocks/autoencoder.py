"""A denoising autoencoder as a block: histories, with most of their items hidden, learn to name all of them.

A history is the mean of what its items send, and a score adds what makes an item likely for anybody:

    score(u, i) = ⟨1/n_u Σ_{j ∈ H_u} E_j, V_i⟩ + b_i

The loss is the multinomial likelihood of Mult-DAE (Liang et al., WWW 2018) over the whole catalogue; its hidden layer
is linear here (as in EDLAE: Steck, NeurIPS 2020), so a score splits exactly into history items, and an unseen history
needs no training. E and V start from singular vectors; entities of the knowledge graph are further histories.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Folds, held
from graphrec.blocks.search import Chosen, search
from graphrec.linalg.adjacency import entity_rows
from graphrec.linalg.sums import ItemSums
from graphrec.privacy.accountant import Sampled
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, Section, ShareList


class AutoencoderSettings(Section):
    """Linear denoising autoencoder. Several values: the best on validation data is taken."""

    dim: int = Field(default=256, ge=1)
    hidden: ShareList = (0.5, 0.8)  # part of a history that the rest of it has to name
    knowledge: FloatList = (0.0, 2.0)  # weight κ of entities as further histories
    learning_rate: float = Field(default=3e-3, gt=0)  # rises for a tenth of the steps, then falls
    batch_size: int = Field(default=256, ge=1)
    max_epochs: int = Field(default=60, ge=1)
    evaluations: int = Field(default=12, ge=1)  # at most this many evaluations in a run
    patience: int = Field(default=4, ge=1)  # evaluations without a better validation NDCG
    max_items: int = Field(default=20_000, ge=0)  # above, the block is left out: its softmax is dense


class Autoencoder(Block[AutoencoderSettings]):
    """The `autoencoder` block. Hidden share, weight of entities and epochs are chosen on validation users.

    A softmax over everything is dense, so it sits out above ``max_items`` items.
    """

    name = "autoencoder"
    words = Words("it belongs to histories like yours", "what belongs to histories like yours")
    Settings = AutoencoderSettings
    by_person = True

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[ProfileBlock, Chosen]:
        """Each candidate is trained once, up to the epoch that is best on the validation users of the first fold."""
        inputs, validation = folds[0].inputs, folds[0].validation
        settings = self.settings
        knowledge = settings.knowledge if entity_rows(inputs.graph).shape[0] else settings.knowledge[:1]
        # nothing is less likely than not at all
        readings = held(inputs.train.events.readings, ("alike", "liked", "graded", "weighted"))
        tried: dict[tuple[Any, ...], tuple[ProfileBlock, int, float]] = {}  # block, epochs, NDCG

        def score(candidate: Chosen) -> float:
            run = self._run(inputs, candidate)
            epochs, ndcg = run.train(settings.max_epochs, validation)
            tried[tuple(candidate.values())] = run.block(), epochs, ndcg
            return float(ndcg)

        grid = {"hidden": settings.hidden, "knowledge": knowledge, "reading": readings}
        chosen = {"hidden": settings.hidden[-1], "knowledge": knowledge[-1], "reading": readings[0]}
        score(chosen)
        order = [("knowledge",), ("hidden",), ("reading",)]
        chosen = search(grid, score, chosen, order, len(validation.queries), trials)
        block, epochs, ndcg = tried[tuple(chosen.values())]
        return block, {**chosen, "epochs": epochs, "validation_ndcg": round(ndcg, 6)}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Train for as many epochs as were chosen."""
        run = self._run(inputs, chosen)
        run.train(int(chosen["epochs"]), None)
        block: ProfileBlock = run.block()
        return block

    def learn_by_person(
        self, sums: ItemSums, rows: Any, steps: Sampled, people: float, draw: Any = None
    ) -> ProfileBlock:
        """A map between sides that are of released sums; see ``_denoising_private``."""
        from graphrec.blocks import _denoising_private

        return _denoising_private.learn(sums, rows, steps, people, draw)

    def _run(self, inputs: FitInputs, chosen: Chosen) -> Any:
        from graphrec.blocks._denoising import Run  # torch takes seconds to import

        return Run(inputs, self.settings, chosen)

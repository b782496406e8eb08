"""The heterogeneous GNN as a block: trained on interactions, stopped early on validation users.

Negatives are drawn as often as items are taken, so that the cosine learns what a user takes more than others do, and
need not learn what everybody takes. That is added back when the profiles are made:

    score(u, i) = cos(u, i) |i|^length + w τ log p(i)

p(i) the item's share of the interactions (where there are times, of the recent ones: of a half-life chosen on
validation users), τ the temperature of the loss, w = 1 in theory and chosen on validation users too (logit adjustment:
Menon et al., ICLR 2021; correction of the sampling bias: Yi et al., RecSys 2019).

Several members, the same network from other seeds, make one profile side by side (deep ensembles: Lakshminarayanan et
al., NeurIPS 2017): the cosine is then the mean of theirs, weighted by their lengths. Members that start at random
beside one that starts at a graph filter are the better network, but no better blend (Gowalla, validation NDCG@20 .1299
against .1281, and .1301 against .1306), since the filter is a block too.

The loss is taken over the whole catalogue, every item weighted as it would be drawn: one sum for each user, whatever
they took, which is what the sampled softmax of the papers estimates with 512 to 2,000 draws for each interaction.
Width, batch, negatives and epochs grow with the data (``_growth.py``); the learning rate falls to zero as half a
cosine, and sooner where the validation score no longer rises (``train/loop.py``). Epochs, scores and losses are kept in
what was chosen, as ``curve`` and ``losses``.

The configurations of papers. Of all: init random, learning_rate 1e-3, dim 64, and ``minutes = 0`` with ``max_epochs``
as one has time; ``batches = pairs`` and ``steps = 0`` with ``batch_size = 2048``. Where negatives are drawn uniformly
``popularity = 0`` and ``length = 1``: trained by cosines, asked by inner products, of which propagation makes those of
popular items longer.

| | settings |
| --- | --- |
| LightGCN, sampled softmax (TOIS 2024) | layers 3, loss softmax, negatives 1024, drawn uniform, temperature .1 |
| LightGCN with BSL (ICDE 2024) | layers 3, loss bsl, negatives 2048, drawn uniform, temperature .1 |
| SimGCL (SIGIR 2022) | layers 3, contrast .5, noise .1, views two; its pairwise loss is a softmax here |
| XSimGCL (TKDE 2024) | layers 3, contrast .2, noise .2, views layers; the same |
| SimpleX (CIKM 2021) | propagation history, gamma .5, loss ccl, negatives 2000, drawn uniform; no linear map |
| LightGCN++ (RecSys 2024) | propagation lightgcn++, layers 2, alpha .6, beta -.1, gamma .2 |
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Folds, Validation
from graphrec.blocks.search import Chosen
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, PositiveList, Section
from graphrec.train.rounds import Rounds


class GraphSettings(Section):
    """Heterogeneous GNN, trained with a loss of the softmax family."""

    dim: int = Field(default=0, ge=0)  # 0: grows with the data, as ``_growth.py`` says
    members: int = Field(default=1, ge=1)  # networks from other seeds, side by side in one profile
    layers: int = Field(default=2, ge=0)
    propagation: Literal["lightgcn", "lightgcn++", "history"] = "lightgcn"  # history: of users alone, a mean
    alpha: float = 0.6  # exponents of the degrees in LightGCN++, of the node that gathers …
    beta: float = -0.1  # … and of the one that sends
    gamma: float = Field(default=0.2, ge=0, le=1)  # weight of the node itself in LightGCN++, of the user in history
    init: Literal["auto", "random", "spectral"] = "auto"  # auto: spectral where there is nothing but interactions;
    # it is sooner there, but does not hear the other edges
    relations: bool = True  # GATv2 over knowledge-graph and social edges
    heads: int = Field(default=2, ge=1)
    sampled_edges: int = Field(default=20_000, ge=1)  # of those, in one training step
    loss: Literal["softmax", "bsl", "ccl"] = "softmax"
    temperature: PositiveList = (0.1, 0.2)  # of the loss; several values: the best on validation data is taken
    negatives: int = Field(default=0, ge=0)  # so many are drawn for a batch; 0: the whole catalogue, or 8,192
    drawn: Literal["popularity", "uniform"] = "popularity"  # negatives: as often as items are taken, or all alike;
    # the whole catalogue is weighted so
    popularity: FloatList = (0.0, 0.5, 1.0, 1.5, 2.0)  # weight of the items' log popularity beside the cosine
    length: FloatList = (0.0,)  # exponent of an item's length beside the cosine; 1: the inner product with a unit user
    half_life: FloatList = (0.0, 90.0, 365.0, 1095.0)  # of that popularity, in days; 0: no decay
    contrast: float = Field(default=0.0, ge=0)  # weight of the agreement of two noisy views (XSimGCL)
    noise: float = Field(default=0.1, ge=0)  # of these views
    views: Literal["two", "layers"] = "two"  # of two noisy propagations (SimGCL), or of one, its mean and first layer
    batches: Literal["users", "pairs"] = "users"  # a step takes some users and all that they took, or some of all
    # interactions as the papers do, which costs a sum over the negatives for almost each of them
    batch_size: int = Field(default=4096, ge=1)  # interactions of a step, at least …
    steps: int = Field(default=16, ge=0)  # … and more where an epoch would take more steps, each of which propagates
    # over the whole graph; 0: no limit
    learning_rate: float = Field(default=2e-2, gt=0)  # falls to zero as half a cosine, and sooner on a plateau
    weight_decay: float = Field(default=1e-6, ge=0)
    minutes: float = Field(
        default=2.0, ge=0
    )  # about how long one training may take on one core, counted in operations;
    # 0: as many epochs as are set
    max_epochs: int = Field(default=100, ge=1)
    max_steps: int = Field(default=0, ge=0)  # 0: no limit beside the minutes
    patience: int = Field(default=8, ge=1)  # evaluations without a better validation NDCG, before the rate falls
    precision: Literal["auto", "single", "half"] = "auto"  # of the loss's products; auto: half where that is quicker
    evaluations: int = Field(default=50, ge=1)  # at most this many evaluations in a run


class Graph(Block[GraphSettings]):
    """The `graph` block. Temperature, reading of the strengths, epochs, and the weight and half-life of popularity are
    chosen on validation users."""

    name = "graph"
    resumes = True
    in_rounds = True
    together = True
    words = Words(
        "the graph network places it close to you",
        "the graph network",
        "the graph network places it close to {title}",
    )
    Settings = GraphSettings
    uses_text = True
    searched = {  # noqa: RUF012 (read only)
        "dim": (64, 128, 256),
        "layers": (1, 2, 3),
        "init": ("spectral", "random"),
        "loss": ("softmax", "bsl"),
        "learning_rate": (3e-3, 1e-2, 3e-2),
        "contrast": (0.0, 0.05, 0.2),
    }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[ProfileBlock, Chosen]:
        """Networks of each temperature, then of each reading, stopped where NDCG is best on the validation users of the
        first fold."""
        inputs, validation = folds[0].inputs, folds[0].validation
        found: tuple[ProfileBlock, Chosen] = self._networks().choose(inputs, self.settings, validation)
        return found

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Train the networks for as many epochs as were chosen."""
        block: ProfileBlock = self._networks().learn(inputs, self.settings, chosen)
        return block

    def choose_in_rounds(
        self, sums: ItemSums, inputs: FitInputs, validation: Validation
    ) -> Rounds[tuple[ProfileBlock, Chosen]]:
        """As ``choose``, by the people of all parties, over nothing but who likes what."""
        from graphrec.blocks import _network_rounds

        return _network_rounds.choose(sums, inputs, self.settings, validation)

    def learn_in_rounds(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> Rounds[ProfileBlock]:
        """As ``learn``, with the item side of everybody."""
        from graphrec.blocks import _network_rounds

        return _network_rounds.learn(sums, inputs, self.settings, chosen)

    @staticmethod
    def _networks() -> Any:
        from graphrec.blocks import _networks  # torch takes seconds to import

        return _networks

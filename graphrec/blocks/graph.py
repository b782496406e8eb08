"""The heterogeneous GNN as a block: trained on interactions, stopped early on validation users.

Negatives are drawn as often as items are taken, so that the cosine learns what a user takes more than others do, and
need not learn what everybody takes. That is added back when the profiles are made:

    score(u, i) = cos(u, i) + w τ log p(i)

p(i) the item's share of the interactions (where there are times, of the recent ones: of a half-life chosen on
validation users), τ the temperature of the loss, w = 1 in theory and chosen on validation users too (logit adjustment:
Menon et al., ICLR 2021; correction of the sampling bias: Yi et al., RecSys 2019).

Several members, the same network from other seeds, make one profile side by side (deep ensembles: Lakshminarayanan et
al., NeurIPS 2017): the cosine is then the mean of theirs, weighted by their lengths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils import deterministic
from torch_geometric.data import HeteroData

from graphrec.blocks.base import Chosen, FitInputs, Validation, beside, margin, reading_of, scaled_block
from graphrec.blocks.popularity import decayed_counts
from graphrec.config_blocks import GraphConfig
from graphrec.data.events import Reading
from graphrec.graph.hetero import USER
from graphrec.graph.tensors import disliked, liked, tensors
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.svd import truncated_svd
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import Bipartite, light_gcn
from graphrec.nn.light_gcn_pp import light_gcn_pp
from graphrec.nn.losses import LOSSES, agreement, away
from graphrec.profile.profiles import ProfileBlock, empty_block
from graphrec.train.loop import Trained, train
from graphrec.types import Floats

STEPS_PER_EPOCH = 40  # larger data takes larger batches, not more steps: each step propagates over the whole graph
SVD_ITERATIONS = 4  # of the SVD that training starts from
_switches: Any = deterministic
Prior: TypeAlias = tuple[float, float]
PRIOR = (1.0, 0.0)  # weight w and half-life in days (0: none) of popularity while training
CONTRASTED = 1024  # users and items of a batch whose noisy views are compared


class Graph:
    """The `graph` block. Temperature, reading of the strengths, epochs, and the weight and half-life of popularity are
    chosen on validation users."""

    name = "graph"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        if not liked(inputs.graph)[0].shape[1]:
            return self.fit(inputs, found := {"left_out": "nothing is liked"}), found
        settings = inputs.config.graph
        lives = inputs.config.popularity.half_life if inputs.train.has_times else (0.0,)
        readings = inputs.train.events.readings_of_likes  # dislikes are no edges
        graphs = {reading: _on_device(inputs, reading) for reading in readings}
        best: tuple[_Networks, Chosen] | None = None
        tries: list[tuple[float, Reading]] = [(temperature, readings[0]) for temperature in settings.temperature]
        while tries:
            temperature, reading = tries.pop(0)
            run = _Run(inputs, graphs[reading], temperature, reading)
            epochs = run.max_epochs()
            trained = run.train(epochs, validation, max(1, math.ceil(epochs / settings.evaluations)), settings.patience)
            chosen: Chosen = {"temperature": temperature, "reading": reading, "epochs": trained.best_epoch}
            chosen |= _with_prior(networks := _Networks([run]), validation, lives)
            least = margin(len(validation.user_nums)) if reading != readings[0] else 1.0
            if best is None or chosen["validation_ndcg"] > least * best[1]["validation_ndcg"]:
                best = networks, chosen
            if not tries and reading == readings[0]:
                tries = [(best[1]["temperature"], other) for other in readings[1:]]
        assert best is not None
        networks, chosen = best
        if settings.members > 1:
            networks = _Networks([*networks.runs, *_members(inputs, networks.graph, chosen, first=1)])
            chosen |= _with_prior(networks, validation, lives)
        return networks.block((chosen["popularity"], chosen["half_life"])), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        if "left_out" in chosen or not liked(inputs.graph)[0].shape[1]:
            return empty_block(self.name, inputs.train.n_users, inputs.train.n_items)
        chosen = {"temperature": inputs.config.graph.temperature[0], **chosen}
        networks = _Networks([*_members(inputs, _on_device(inputs, reading_of(chosen)), chosen, first=0)])
        return networks.block((float(chosen.get("popularity", PRIOR[0])), float(chosen.get("half_life", PRIOR[1]))))


def _members(inputs: FitInputs, graph: GraphTensors, chosen: Chosen, first: int) -> Iterator[_Run]:
    """The members from ``first`` on, trained for as many epochs as were chosen."""
    for member in range(first, inputs.config.graph.members):
        run = _Run(inputs, graph, float(chosen["temperature"]), reading_of(chosen), member)
        run.train(int(chosen["epochs"]), None, 1, 1)
        yield run


def _with_prior(networks: _Networks, validation: Validation, lives: Iterable[float]) -> Chosen:
    """The best way of adding popularity; among equals what theory says."""
    found = networks.ndcg(validation, product(networks.settings.popularity, lives))
    prior = max(found, key=lambda p: (found[p], -abs(p[0] - 1)))
    return {"popularity": prior[0], "half_life": prior[1], "validation_ndcg": round(found[prior], 6)}


class _Run:
    """One network and its training; ``member`` of an ensemble sets its seed."""

    def __init__(
        self, inputs: FitInputs, graph: GraphTensors, temperature: float, reading: str, member: int = 0
    ) -> None:
        self.inputs, self.graph, self.temperature, self.reading = inputs, graph, temperature, reading
        self.settings = inputs.config.graph
        torch.manual_seed(inputs.config.seed + member)
        self.device = graph.text.device
        s = self.settings
        convolve = convolution(s)[1]
        self.model = HeteroGNN(self.graph, s.dim, convolve, s.heads, s.relations, s.sampled_edges).to(self.device)
        plain = self.model.attention is None and self.model.text is None  # nothing but interactions
        if s.init == "spectral" or (s.init == "auto" and plain):
            self._start_from_singular_vectors()
        self.optimiser = torch.optim.AdamW(  # decoupled: what gets no gradient does not drift
            self.model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True
        )
        self.edges = liked(inputs.graph)[0].to(self.device)  # (2, E)
        self.dislikes = disliked(inputs.graph).to(self.device) if reading == "signed" else self.edges[:, :0]  # (2, D)
        self.batch_size = max(s.batch_size, math.ceil(self.edges.shape[1] / STEPS_PER_EPOCH))
        self.random = torch.Generator().manual_seed(inputs.config.seed + member)

    def max_epochs(self) -> int:
        steps: int = math.ceil(self.edges.shape[1] / self.batch_size)
        return max(1, min(self.settings.max_epochs, self.settings.max_steps // steps))

    def train(self, epochs: int, validation: Validation | None, every: int, patience: int) -> Trained:
        def evaluate() -> float:
            assert validation is not None
            return _Networks([self]).ndcg(validation, [PRIOR])[PRIOR]

        with _deterministic(self.device):
            return train(
                self.model,
                self.epoch,
                max_epochs=epochs,
                evaluate=None if validation is None else evaluate,
                every=every,
                patience=patience,
                progress=self.inputs.progress,
                name="graph block",
            )

    def _start_from_singular_vectors(self) -> None:
        """Id embeddings of users and items := R̃V and V S, mean length 1, so that training starts at a graph filter."""
        matrix = degree_normalised(self.inputs.train.taste(self.reading if self.reading != "signed" else "weighted"))
        values, vectors = truncated_svd(matrix, self.settings.dim, SVD_ITERATIONS, self.inputs.config.seed)
        start = np.concatenate([matrix @ vectors, vectors * values])  # (U + I, r)
        start /= max(float(np.linalg.norm(start, axis=1).mean()), 1e-12)
        with torch.no_grad():
            self.model.embedding.weight[: len(start), : start.shape[1]] += torch.from_numpy(start).to(self.device)

    def epoch(self, number: int) -> float:
        """One pass over the interactions in random order; the mean loss."""
        order = torch.randperm(self.edges.shape[1], generator=self.random).to(self.device)
        batches = torch.split(order, self.batch_size)
        losses = []
        for step, batch in enumerate(batches):
            progress = (number - 1 + step / len(batches)) / self.max_epochs()
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * progress))
            loss = self.loss(self.edges[:, batch])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def loss(self, taken: Tensor) -> Tensor:
        """The loss of a batch of interactions (2, B) against negatives shared by all of it."""
        s = self.settings
        users, items = self.model(self.graph)
        among = self.edges.shape[1] if s.drawn == "popularity" else len(items)
        drawn = torch.randint(among, (s.negatives,), generator=self.random).to(self.device)  # (n,)
        negatives = items[self.edges[1, drawn] if s.drawn == "popularity" else drawn]  # (n, d)
        taking, positives, negatives = (normalize(x, dim=1) for x in (users[taken[0]], items[taken[1]], negatives))
        loss = LOSSES[s.loss](taking, positives, negatives, self.temperature)
        if n := self.dislikes.shape[1]:
            some = torch.randint(n, (min(n, s.negatives),), generator=self.random).to(self.device)
            whom, what = self.dislikes[:, some]
            apart = away(normalize(users[whom], dim=1), normalize(items[what], dim=1), self.temperature)
            loss = loss + n / self.edges.shape[1] * apart
        if s.contrast:
            first, second = self.model(self.graph, s.noise), self.model(self.graph, s.noise)
            for side in range(2):
                some = torch.unique(taken[side])[:CONTRASTED]
                one, other = (normalize(view[side][some], dim=1) for view in (first, second))
                loss = loss + s.contrast * agreement(one, other, self.temperature)
        return loss


class _Networks:
    """Trained members on one graph, and the profiles that they make together."""

    def __init__(self, runs: Sequence[_Run]) -> None:
        self.runs = runs
        self.inputs, self.settings, self.graph = runs[0].inputs, runs[0].settings, runs[0].graph
        self.temperature, self.n_edges = runs[0].temperature, runs[0].edges.shape[1]
        self.reading = "weighted" if runs[0].reading == "signed" else runs[0].reading  # of histories

    def ndcg(self, validation: Validation, priors: Iterable[Prior]) -> dict[Prior, float]:
        """NDCG on validation users with each way of adding popularity; the networks run once."""
        users, items = self.cosines()
        users = users[validation.user_nums]
        return {prior: validation.ndcg(*self.with_popularity(users, items, prior)) for prior in priors}

    @torch.no_grad()
    def cosines(self) -> tuple[Floats, Floats]:
        """Unit rows of all users (U, d) and items (I, d), d the width of all members together."""
        sides = zip(*(run.model(self.graph) for run in self.runs), strict=True)
        users, items = (normalize(torch.cat(side, dim=1), dim=1).cpu().numpy() for side in sides)
        return users, items

    def with_popularity(self, users: Floats, items: Floats, prior: Prior) -> tuple[Floats, Floats]:
        """One dimension more: 1 for users (B, d), w τ log p for items (I, d)."""
        popularity, half_life = prior
        counts = decayed_counts(self.inputs.train, half_life).astype(np.float64)  # (I,)
        counts = 1 + counts * (self.n_edges / max(counts.sum(), 1e-12))
        offset = (popularity * self.temperature * np.log(counts / counts.sum())).astype(np.float32)
        return beside(users, np.ones(len(users), np.float32)), beside(items, offset)

    def block(self, prior: Prior) -> ProfileBlock:
        """Users of whom nothing is known get a zero row; a new user is the sum of the messages of their items."""
        users, items = self.with_popularity(*self.cosines(), prior)
        known = self._known()
        if self.settings.propagation != "lightgcn":  # no sum over items: the lengths of all layers enter
            history = beside(items[:, :-1], np.ones(len(items), np.float32))
            return scaled_block(
                ProfileBlock(Graph.name, users * known, items, history=history, prior=1, reading=self.reading)
            )
        messages, factor = self._messages()
        scale = factor * known[:, 0]
        length = (1 / scale[scale > 0]).sum() / max(self.n_edges, 1)  # of a sum, per item: what 1 stands beside
        history = beside(messages, np.full(len(items), length, np.float32))
        return scaled_block(
            ProfileBlock(Graph.name, users * known, items, history=history, scale=scale, prior=1, reading=self.reading)
        )

    def _messages(self) -> tuple[Floats, Floats]:
        """Messages of all members side by side (I, d), and the users' factors (U,): lengths add up in squares."""
        messages, factors = zip(
            *(run.model.messages(self.graph, self.settings.layers) for run in self.runs), strict=True
        )
        if len(factors) == 1:
            return messages[0].cpu().numpy(), factors[0].cpu().numpy()
        factor = 1 / torch.stack(factors).pow(-2).sum(dim=0).sqrt()  # (U,); 0 stays 0
        return torch.cat(messages, dim=1).cpu().numpy(), factor.cpu().numpy()

    def _known(self) -> Floats:
        """1 for users with an edge of any kind, else 0, float32 (U, 1)."""
        known = np.zeros((self.graph.n_users, 1), np.float32)
        known[_touched(self.inputs.graph)] = 1.0
        return known


@contextmanager
def _deterministic(device: torch.device) -> Iterator[None]:
    """Sums over edges in a fixed order: with several threads torch adds in whatever order they arrive."""
    before, fills = torch.are_deterministic_algorithms_enabled(), _switches.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    _switches.fill_uninitialized_memory = False  # a tenth of the time, for memory that is never read
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        _switches.fill_uninitialized_memory = fills


def _touched(graph: HeteroData) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Users with at least one edge of any kind."""
    touched = [edges.edge_index[0] for (head, _, _), edges in graph.edge_items() if head == USER]
    return np.unique(torch.cat(touched).numpy())


def convolution(settings: GraphConfig) -> tuple[float, Callable[[Bipartite, Tensor, float], Tensor]]:
    """The power of the degrees in the adjacency, and the convolution over it."""
    s = settings
    if s.propagation == "lightgcn":
        return 0.5, lambda graph, x, noise: light_gcn(graph, x, s.layers, noise)
    gather = (s.alpha - s.beta) / 2
    return (s.alpha + s.beta) / 2, lambda graph, x, noise: light_gcn_pp(graph, x, s.layers, gather, s.gamma, noise)


def _on_device(inputs: FitInputs, reading: str) -> GraphTensors:
    """The graph once for all networks that learn from it, on the GPU where there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return tensors(inputs.graph, convolution(inputs.config.graph)[0], reading in ("weighted", "signed")).to(device)

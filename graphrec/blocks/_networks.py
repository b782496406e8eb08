"""Training of the `graph` block. Apart from it, so that who only asks a fitted model need not load torch."""

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
from torch_geometric.data import HeteroData

from graphrec.blocks.api import FitInputs, Validation, beside, reading_of
from graphrec.blocks.search import Chosen, margin
from graphrec.data.popularity import decayed_counts
from graphrec.data.readings import Reading
from graphrec.graph.names import USER
from graphrec.graph.tensors import disliked, liked, tensors
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.svd import truncated_svd
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import Bipartite, light_gcn
from graphrec.nn.light_gcn_pp import light_gcn_pp
from graphrec.nn.losses import LOSSES, agreement, away
from graphrec.profile.dense import ProfileBlock, empty_block
from graphrec.train.loop import Trained, deterministic, train
from graphrec.types import Floats

STEPS_PER_EPOCH = 40  # larger data takes larger batches, not more steps: each step propagates over the whole graph
SVD_ITERATIONS = 4  # of the SVD that training starts from
Prior: TypeAlias = tuple[float, float]
PRIOR = (1.0, 0.0)  # weight w and half-life in days (0: none) of popularity while training
CONTRASTED = 1024  # users and items of a batch whose noisy views are compared


def choose(inputs: FitInputs, settings: Any, validation: Validation) -> tuple[ProfileBlock, Chosen]:
    """The best network on validation users, and what was chosen."""
    if not liked(inputs.graph)[0].shape[1]:
        return _nothing(inputs), {"left_out": "nothing is liked"}
    lives = settings.half_life if inputs.train.has_times else (0.0,)
    readings = inputs.train.events.readings_of_likes  # dislikes are no edges
    graphs = {reading: _on_device(inputs, settings, reading) for reading in readings}
    best: tuple[_Networks, Chosen] | None = None
    tries: list[tuple[float, Reading]] = [(temperature, readings[0]) for temperature in settings.temperature]
    while tries:
        temperature, reading = tries.pop(0)
        run = _Run(inputs, settings, graphs[reading], temperature, reading)
        epochs = run.max_epochs()
        trained = run.train(epochs, validation, max(1, math.ceil(epochs / settings.evaluations)), settings.patience)
        chosen: Chosen = {"temperature": temperature, "reading": reading, "epochs": trained.best_epoch}
        chosen |= _with_prior(networks := _Networks([run]), validation, lives)
        least = margin(len(validation.queries)) if reading != readings[0] else 1.0
        if best is None or chosen["validation_ndcg"] > least * best[1]["validation_ndcg"]:
            best = networks, chosen
        if not tries and reading == readings[0]:
            tries = [(best[1]["temperature"], other) for other in readings[1:]]
    assert best is not None
    networks, chosen = best
    if settings.members > 1:
        networks = _Networks([*networks.runs, *_members(inputs, settings, networks.graph, chosen, first=1)])
        chosen |= _with_prior(networks, validation, lives)
    return networks.block((chosen["popularity"], chosen["half_life"])), chosen


def learn(inputs: FitInputs, settings: Any, chosen: Chosen) -> ProfileBlock:
    """The networks that were chosen, trained on all data; any temperature of the settings where none was."""
    if not liked(inputs.graph)[0].shape[1]:
        return _nothing(inputs)
    chosen = {"temperature": settings.temperature[0], **chosen}
    graph = _on_device(inputs, settings, reading_of(chosen))
    networks = _Networks([*_members(inputs, settings, graph, chosen, first=0)])
    return networks.block((float(chosen.get("popularity", PRIOR[0])), float(chosen.get("half_life", PRIOR[1]))))


def _nothing(inputs: FitInputs) -> ProfileBlock:
    return empty_block("graph", inputs.train.n_users, inputs.train.n_items)


def _members(inputs: FitInputs, settings: Any, graph: GraphTensors, chosen: Chosen, first: int) -> Iterator[_Run]:
    """The members from ``first`` on, trained for as many epochs as were chosen."""
    for member in range(first, settings.members):
        run = _Run(inputs, settings, graph, float(chosen["temperature"]), reading_of(chosen), member)
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
        self,
        inputs: FitInputs,
        settings: Any,
        graph: GraphTensors,
        temperature: float,
        reading: str,
        member: int = 0,
    ) -> None:
        self.inputs, self.graph, self.temperature, self.reading = inputs, graph, temperature, reading
        self.settings = s = settings
        self.device = graph.text.device
        self.state = inputs.runtime.generator(member).get_state()
        convolve = convolution(s)[1]
        with self._random():
            model = HeteroGNN(self.graph, s.dim, convolve, s.heads, s.relations, s.sampled_edges)
        self.model = model.to(self.device)
        plain = self.model.attention is None and self.model.text is None  # nothing but interactions
        if s.init == "spectral" or (s.init == "auto" and plain):
            self._start_from_singular_vectors()
        self.optimiser = torch.optim.AdamW(  # decoupled: what gets no gradient does not drift
            self.model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True
        )
        self.edges = liked(inputs.graph)[0].to(self.device)  # (2, E)
        self.dislikes = disliked(inputs.graph).to(self.device) if reading == "signed" else self.edges[:, :0]  # (2, D)
        self.batch_size = max(s.batch_size, math.ceil(self.edges.shape[1] / STEPS_PER_EPOCH))
        self.random = inputs.runtime.generator(member)

    def max_epochs(self) -> int:
        steps: int = math.ceil(self.edges.shape[1] / self.batch_size)
        return max(1, min(int(self.settings.max_epochs), int(self.settings.max_steps) // steps))

    def train(self, epochs: int, validation: Validation | None, every: int, patience: int) -> Trained:
        def evaluate() -> float:
            assert validation is not None
            return _Networks([self]).ndcg(validation, [PRIOR])[PRIOR]

        with deterministic(self.device), self._random():
            return train(
                self.model,
                self.epoch,
                max_epochs=epochs,
                evaluate=None if validation is None else evaluate,
                every=every,
                patience=patience,
                progress=self.inputs.runtime.progress,
                name="graph block",
            )

    @contextmanager
    def _random(self) -> Iterator[None]:
        """Draws that ask no generator (the network's own: first weights, edges, noise) come from this run's stream, and
        the global one stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.state)
            yield
            self.state = torch.get_rng_state()

    def _start_from_singular_vectors(self) -> None:
        """Id embeddings of users and items := R̃V and V S, mean length 1, so that training starts at a graph filter."""
        matrix = degree_normalised(self.inputs.ties.taste(self.reading if self.reading != "signed" else "weighted"))
        values, vectors = truncated_svd(matrix, self.settings.dim, SVD_ITERATIONS, self.inputs.runtime.seed)
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
        users = users[validation.queries.user_nums]
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
        """A user is the sum of the messages of their items and an own part, what training learned of them beside; users
        of whom nothing is known are zero."""
        ties = self.inputs.ties
        users, items = self.with_popularity(*self.cosines(), prior)  # unit rows and 1
        known = self._known()[:, 0]
        taste = ties.taste(self.reading)
        if split := self.settings.propagation == "lightgcn":
            messages, factor = self._messages()
            lengths = np.divide(known, factor, out=np.zeros_like(known), where=factor > 0)  # of the sums (U,)
            length = lengths.sum() / max(self.n_edges, 1)  # of a sum, per item: what 1 stands beside
            lengths = np.where(factor > 0, lengths, length * known)  # who took nothing counts as one item would
            history = beside(messages, np.full(len(items), length, np.float32))
        else:  # no sum over items: the lengths of all layers enter
            history = beside(items[:, :-1], np.ones(len(items), np.float32))
            lengths = known * np.maximum(np.asarray(taste.sum(axis=1), np.float32).ravel(), 1)
        own = users * lengths[:, None] - taste @ history
        block = ProfileBlock(
            "graph", items[:0], items, history=history, own=own, prior=1, reading=self.reading, split=split
        )
        return block.fitted(ties)

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


def _touched(graph: HeteroData) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Users with at least one edge of any kind."""
    touched = [edges.edge_index[0] for (head, _, _), edges in graph.edge_items() if head == USER]
    return np.unique(torch.cat(touched).numpy())


def convolution(settings: Any) -> tuple[float, Callable[[Bipartite, Tensor, float], Tensor]]:
    """The power of the degrees in the adjacency, and the convolution over it."""
    s = settings
    if s.propagation == "lightgcn":
        return 0.5, lambda graph, x, noise: light_gcn(graph, x, s.layers, noise)
    gather = (s.alpha - s.beta) / 2
    return (s.alpha + s.beta) / 2, lambda graph, x, noise: light_gcn_pp(graph, x, s.layers, gather, s.gamma, noise)


def _on_device(inputs: FitInputs, settings: Any, reading: str) -> GraphTensors:
    """The graph once for all networks that learn from it, on the device that is set."""
    made = tensors(inputs.graph, convolution(settings)[0], reading in ("weighted", "signed"))
    return made.to(inputs.runtime.torch_device())

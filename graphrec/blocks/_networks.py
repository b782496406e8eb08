"""Training of the `graph` block. Apart from it, so that who only asks a fitted model need not load torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import normalize
from torch_geometric.data import HeteroData

from graphrec.blocks import _warm
from graphrec.blocks._network_run import Run, on_device
from graphrec.blocks.api import FitInputs, Validation, beside, reading_of
from graphrec.blocks.search import Chosen, margin
from graphrec.data.readings import Reading
from graphrec.graph.names import USER
from graphrec.graph.tensors import liked
from graphrec.nn.hetero_gnn import GraphTensors
from graphrec.profile.dense import ProfileBlock, empty_block
from graphrec.types import Floats


class Prior(NamedTuple):
    """What stands beside the cosine: the weight and half-life of popularity, and the exponent of an item's length."""

    popularity: float
    half_life: float
    length: float


PILOT = 4  # a training that takes longer than LONG minutes is tried at one such part of its epochs first
LONG = 1.0


def choose(inputs: FitInputs, settings: Any, validation: Validation) -> tuple[ProfileBlock, Chosen]:
    """The best network on validation users, and what was chosen."""
    if not liked(inputs.graph)[0].shape[1]:
        return _nothing(inputs), {"left_out": "nothing is liked"}
    lives = settings.half_life if inputs.train.has_times else (0.0,)
    readings = inputs.train.events.readings_of_likes  # dislikes are no edges
    graphs = {reading: on_device(inputs, settings, reading) for reading in readings}
    best: tuple[_Networks, Chosen] | None = None
    tries: list[tuple[float, Reading]] = [(t, readings[0]) for t in _temperatures(inputs, settings, graphs, validation)]
    while tries:
        temperature, reading = tries.pop(0)
        run = Run(inputs, settings, graphs[reading], temperature, reading)
        chosen = _trained(run, run.sizes.epochs, validation)
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
    return networks.block(_chosen(chosen, settings)), chosen


def learn(inputs: FitInputs, settings: Any, chosen: Chosen) -> ProfileBlock:
    """The networks that were chosen, trained on all data; any temperature of the settings where none was."""
    if not liked(inputs.graph)[0].shape[1]:
        return _nothing(inputs)
    chosen = {"temperature": settings.temperature[0], **chosen}
    graph = on_device(inputs, settings, reading_of(chosen))
    networks = _Networks([*_members(inputs, settings, graph, chosen, first=0)])
    return networks.block(_chosen(chosen, settings))


def _temperatures(
    inputs: FitInputs, settings: Any, graphs: dict[Reading, GraphTensors], validation: Validation
) -> Sequence[float]:
    """The temperatures to train with: all, or, where that takes long, the one that is best after a shorter training."""
    reading = next(iter(graphs))
    tried = [Run(inputs, settings, graphs[reading], settings.temperature[0], reading)]
    if len(settings.temperature) == 1 or tried[0].sizes.minutes <= LONG:
        return tuple(settings.temperature)
    found = {}
    for temperature in settings.temperature:
        run = Run(inputs, settings, graphs[reading], temperature, reading)
        epochs = max(1, run.sizes.epochs // PILOT)
        _trained(run, epochs, validation)
        found[temperature] = _with_prior(_Networks([run]), validation, (0.0,))["validation_ndcg"]
    return (max(found, key=found.__getitem__),)


def _trained(run: Run, epochs: int, validation: Validation) -> Chosen:
    """Trains for at most so many epochs, in which the rate falls to zero; what was chosen, and the learning curve."""
    prior = _prior(run.settings)
    trained = run.train(epochs, validation, lambda: _Networks([run]).ndcg(validation, [prior])[prior], most=epochs)
    curve = [[epoch, round(score, 6)] for epoch, score in trained.history]
    return {
        "temperature": run.temperature,
        "reading": run.reading,
        "epochs": trained.best_epoch,
        "falls": list(trained.falls),
        "of": epochs,
        "dim": run.sizes.dim,
        "curve": curve,
        "losses": [[epoch, round(loss, 5)] for epoch, loss in trained.losses],
    }


def _prior(settings: Any) -> Prior:
    """What stands beside the cosine while training: the weight that theory says, or the nearest that is set."""
    return Prior(min(settings.popularity, key=lambda weight: abs(weight - 1)), 0.0, settings.length[0])


def _chosen(chosen: Chosen, settings: Any) -> Prior:
    prior = _prior(settings)
    return prior._replace(**{name: float(chosen[name]) for name in prior._fields if name in chosen})


def _nothing(inputs: FitInputs) -> ProfileBlock:
    return empty_block("graph", inputs.train.n_users, inputs.train.n_items)


def _members(inputs: FitInputs, settings: Any, graph: GraphTensors, chosen: Chosen, first: int) -> Iterator[Run]:
    """The members from ``first`` on, trained for as many epochs as were chosen."""
    for member in range(first, settings.members):
        run = Run(
            inputs, settings, graph, float(chosen["temperature"]), reading_of(chosen), member, chosen.get("dim", 0)
        )
        if run.warm:
            epochs = _warm.epochs(int(chosen["epochs"]))
            run.train(epochs, None, most=epochs)
        else:
            run.train(int(chosen["epochs"]), None, falls=chosen.get("falls", ()), most=chosen.get("of"))
        yield run


def _with_prior(networks: _Networks, validation: Validation, lives: Iterable[float]) -> Chosen:
    """The best that may stand beside the cosine; among equals what theory says."""
    s = networks.settings
    found = networks.ndcg(validation, [Prior(*each) for each in product(s.popularity, lives, s.length)])
    prior = max(found, key=lambda p: (found[p], -abs(p.popularity - 1)))
    return {**prior._asdict(), "validation_ndcg": round(found[prior], 6)}


class _Networks:
    """Trained members on one graph, and the profiles that they make together."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self.inputs, self.settings, self.graph = runs[0].inputs, runs[0].settings, runs[0].graph
        self.temperature, self.n_edges = runs[0].temperature, runs[0].edges.shape[1]
        self.reading = "weighted" if runs[0].reading == "signed" else runs[0].reading  # of histories

    def ndcg(self, validation: Validation, priors: Iterable[Prior]) -> dict[Prior, float]:
        """NDCG on validation users with each of these beside the cosine; the networks run once."""
        users, items, lengths = self.cosines()
        users = users[validation.queries.user_nums]
        return {prior: validation.ndcg(*self.scored(users, items, lengths, prior)) for prior in priors}

    @torch.no_grad()
    def cosines(self) -> tuple[Floats, Floats, Floats]:
        """Unit rows of all users (U, d) and items (I, d), d the width of all members together, and the items' lengths
        (I,), their mean 1."""
        sides = zip(*(run.model(self.graph) for run in self.runs), strict=True)
        users, items = (torch.cat(side, dim=1) for side in sides)
        lengths = items.norm(dim=1)
        lengths = lengths / lengths.mean().clamp(min=1e-12)
        users, items = normalize(users, dim=1), normalize(items, dim=1)
        return users.cpu().numpy(), items.cpu().numpy(), lengths.cpu().numpy()

    def scored(self, users: Floats, items: Floats, lengths: Floats, prior: Prior) -> tuple[Floats, Floats]:
        """Users (B, d) with a 1 beside, and items (I, d), |i|^length as long, with w τ log p beside."""
        shares = self.runs[0].log_shares(prior.half_life)  # (I,)
        offset = (prior.popularity * self.temperature * shares).astype(np.float32)
        items = items * (lengths**prior.length)[:, None] if prior.length else items
        return beside(users, np.ones(len(users), np.float32)), beside(items, offset)

    def block(self, prior: Prior) -> ProfileBlock:
        """A user is the sum of the messages of their items and an own part, what training learned of them beside; users
        of whom nothing is known are zero."""
        ties = self.inputs.ties
        users, items = self.scored(*self.cosines(), prior)  # rows and 1
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

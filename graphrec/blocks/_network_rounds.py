"""The `graph` block of several parties: each holds its own people's side, and all take the same steps on the items'.

    people's embeddings       stay with the party, and are trained there
    items' embeddings         are the same everywhere: the gradient of a step is the sum of the parties', each weighed
                              by the events of its batch, so that Adam does the same with it at every party
    messages                  what people send to items in each layer, R̃ᵀ T with degrees of everybody, and in the
                              gradient of that, R̃ᵀ G: sums over people, so over parties

So a step is that of one network over everybody's events, on a batch of some people of each party; K layers take
2 K + 1 sums of (I, d). Training starts at the singular vectors that the sums give to all (``linalg.sums``): V S for
items, R̃V for a party's own people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphrec.blocks._growth import Sizes, sizes
from graphrec.blocks._network_run import Run, log_shares
from graphrec.blocks._networks import Prior, _chosen, _Networks, _nothing, _prior
from graphrec.blocks.api import FitInputs, Validation
from graphrec.blocks.search import Chosen
from graphrec.errors import ConfigError
from graphrec.graph.names import ENTITY, INTERACTS, ITEM, USER
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.sums import HALF, ItemSums, filtered
from graphrec.linalg.svd import svd_of_gram
from graphrec.nn.hetero_gnn import GraphTensors
from graphrec.nn.light_gcn import Bipartite, bipartite
from graphrec.profile.dense import ProfileBlock
from graphrec.train.loop import deterministic
from graphrec.train.rounds import Rounds, told
from graphrec.types import Floats

MESSAGES, GRADIENTS = "messages to items", "gradients of items' profiles"
RETURNED, JUDGED = "gradients of messages to items", "Σ NDCG of the network and people"


class Shared(Bipartite):
    """The adjacency of a party's people, where items hear of others' people too: ``others`` float32 (I, d) for each
    layer, as they were when they were last told. Gradients go to the own people alone."""

    others: list[Tensor]

    def step(self, x: Tensor, total: Tensor, sent: Tensor, layer: int | None = None) -> None:
        super().step(x, total, sent)
        if layer is not None and layer < len(self.others):
            sent[self.users.shape[0] :] += self.others[layer]


class PartyRun(Run):
    """The network of one party and its training; ``sums``: of everybody, over the same items."""

    def __init__(
        self, sums: ItemSums, inputs: FitInputs, settings: Any, temperature: float, member: int = 0, dim: int = 0
    ) -> None:
        self.sums = sums
        graph = _tensors(inputs, sums)
        super().__init__(inputs, settings, graph, temperature, sums.reading, member, dim)
        self._same_start()
        self.profiles = self.model.embedding.weight  # of a step, (U + I, d)

    def _sizes(self) -> Sizes:
        """Those of everybody's data; a batch so that all parties take as many steps."""
        counts = self.sums.counts
        whole = sizes(max(round(self.sums.users), 1), len(counts), max(round(counts.sum()), 1), self.settings)
        self.steps = max(1, math.ceil(self.sums.users / whole.users))  # of an epoch
        return whole._replace(users=max(1, math.ceil(len(self.learners) / self.steps)))

    def log_shares(self, half_life: float) -> npt.NDArray[np.float64]:
        """Of everybody, without decay: sums know no times."""
        return log_shares(self.sums.counts)

    def _start_from_singular_vectors(self) -> None:
        """Is done in ``_same_start``, where it is asked for."""

    def _same_start(self) -> None:
        """What all parties start from, whoever their people are."""
        weight, n_users = self.model.embedding.weight, self.graph.n_users
        known = np.concatenate([np.diff(self.inputs.ties.matrix.indptr) > 0, self.sums.counts > 0])  # by anybody
        self.model.known = torch.from_numpy(known.astype(np.float32)).to(self.device)[:, None]
        with torch.no_grad():
            items = torch.randn(
                self.graph.n_items, self.sizes.dim, generator=self.inputs.runtime.generator(self.member)
            )
            weight[n_users:] = (0.02 * items).to(self.device)
            if self.settings.init != "random":
                values, vectors = _singular(self.sums, self.sizes.dim)
                own = degree_normalised(self.inputs.ties.taste(self.reading), columns=0.0)  # (U, I)
                divided = vectors * np.maximum(self.sums.counts, 1.0)[:, None] ** -0.5
                start = np.concatenate([own @ divided, vectors * values])
                start /= max(float(2 * (values**2).sum() / (self.sums.users + len(vectors))) ** 0.5, 1e-12)
                weight[:n_users] = 0.0
                weight[:, : start.shape[1]] += torch.from_numpy(start.astype(np.float32)).to(self.device)

    # --- rounds -------------------------------------------------------------------------------------------------------

    def rounds(self, epochs: int, of: int, validation: Validation | None) -> Rounds[tuple[int, list[list[float]]]]:
        """Epochs of ``of`` in which the rate falls to zero; with people to judge, up to the one that is best for all
        parties' people. The epoch, and the curve."""
        s, every = self.settings, max(1, math.ceil(of / self.settings.evaluations))
        best: tuple[float, int, tuple[Tensor, list[Tensor]]] | None = None
        stale, curve = 0, []
        for epoch in range(epochs + 1):
            if epoch:
                yield from self._pass(epoch - 1, of)
            if validation is None or (epoch % every and epoch != epochs):
                continue
            prior = _prior(s)
            yield from self._forwards()
            score = (yield from self.judged(validation, [prior]))[prior]
            curve.append([epoch, round(score, 6)])
            if best is None or score > best[0]:
                best, stale = (score, epoch, self._state()), 0
            elif (stale := stale + 1) >= s.patience:
                break
        if best is None:
            yield from self._forwards()
            return epochs, []
        self._restore(*best[2])
        return best[1], curve

    def _pass(self, before: int, of: int) -> Rounds[None]:
        """An epoch, after so many: as many steps at every party, each on its share of its people."""
        order = torch.randperm(len(self.learners), generator=self.random)
        batches = torch.split(order, self.sizes.users) if len(order) else ()
        for step in range(self.steps):
            progress = min(1.0, (before + step / self.steps) / of)
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * progress))
            yield from self._step(batches[step] if step < len(batches) else order[:0])

    def _step(self, batch: Tensor) -> Rounds[None]:
        n, layers = self.graph.n_users, self.settings.layers
        profiles = (yield from self._forwards()) / (layers + 1)
        grad, pairs = torch.zeros_like(profiles), self._pairs(batch)
        if pairs:
            self.profiles = profiles.requires_grad_()
            with deterministic(self.device), self._random():
                (grad,) = torch.autograd.grad(self.loss(batch), self.profiles)
        found = yield told(GRADIENTS, grad[n:].cpu().numpy() * pairs, [pairs])
        everybody = max(float(found[-1]), 1.0)
        grad = torch.cat([grad[:n] * (pairs / everybody), self._rows(found[:-1] / everybody)])
        total = yield from self._propagated_by_all(grad, RETURNED)
        weight = self.model.embedding.weight
        weight.grad = total / (layers + 1) * self.model.known
        self.optimiser.step()

    def _propagated(self) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
        """The profiles that all parties have made together."""
        n_users = self.graph.n_users
        return self.profiles[:n_users], self.profiles[n_users:], []

    def _forwards(self) -> Rounds[Tensor]:
        """Σ_k Ã^k x (U + I, d) as x is now, and what others' people send to items kept for whoever asks the network."""
        graph: Any = self.graph.adjacency
        graph.others = []
        x = self.model.before_convolution(self.graph).detach()
        total = yield from self._propagated_by_all(x, MESSAGES, graph.others)
        return total

    @torch.no_grad()
    def _propagated_by_all(self, x: Tensor, what: str, others: list[Tensor] | None = None) -> Rounds[Tensor]:
        """Σ_k Ã^k x (U + I, d) over everybody's events; ``others``: gets what others' people send, of each layer."""
        graph, n = self.graph.adjacency, self.graph.n_users
        total = x
        for _ in range(self.settings.layers):
            own = graph.items @ total[:n]  # (I, d)
            found = self._rows((yield told(what, own.cpu().numpy())))
            if others is not None:
                others.append(found - own)
            total = x + torch.cat([graph.users @ total[n:], found])
        return total

    def judged(self, validation: Validation, priors: list[Prior]) -> Rounds[dict[Prior, float]]:
        """Mean NDCG of all parties' people with each of these beside the cosine."""
        n = len(validation.queries)
        networks, sums = _Networks([self]), np.zeros(len(priors))
        if n:
            users, items, lengths = networks.cosines()
            users = users[validation.queries.user_nums]
            found = (validation.per_user_ndcg(*networks.scored(users, items, lengths, prior)) for prior in priors)
            sums = np.array([each.sum(dtype=np.float64) for each in found])
        total = yield told(JUDGED, sums, [n])
        return {prior: float(of / max(total[-1], 1.0)) for prior, of in zip(priors, total[:-1], strict=True)}

    def _rows(self, numbers: npt.NDArray[np.float64]) -> Tensor:
        rows = numbers.reshape(self.graph.n_items, -1).astype(np.float32)
        return torch.from_numpy(rows).to(self.device)

    def _state(self) -> tuple[Tensor, list[Tensor]]:
        graph: Any = self.graph.adjacency
        return self.model.embedding.weight.detach().clone(), list(graph.others)

    def _restore(self, weight: Tensor, others: list[Tensor]) -> None:
        graph: Any = self.graph.adjacency
        self.model.embedding.weight.detach().copy_(weight)
        graph.others = others


def choose(
    sums: ItemSums, inputs: FitInputs, settings: Any, validation: Validation
) -> Rounds[tuple[ProfileBlock, Chosen]]:
    """The network of the temperature, up to the epoch, that is best for all parties' people."""
    checked(settings)
    inputs = _plain(inputs)
    best: tuple[float, PartyRun, Chosen] | None = None
    for temperature in settings.temperature:
        run = PartyRun(sums, inputs, settings, temperature)
        of = run.sizes.epochs
        epochs, curve = yield from run.rounds(of, of, validation)
        found = yield from run.judged(
            validation, [Prior(*p) for p in product(settings.popularity, (0.0,), settings.length)]
        )
        prior = max(found, key=lambda p: (found[p], -abs(p.popularity - 1)))
        if best is None or found[prior] > best[0]:
            chosen = {"temperature": temperature, "epochs": epochs, "of": of, "dim": run.sizes.dim, "curve": curve}
            best = found[prior], run, chosen | prior._asdict() | {"validation_ndcg": round(found[prior], 6)}
    assert best is not None
    others = yield from _members(sums, inputs, settings, best[2], first=1)
    return _block([best[1], *others], best[2]), best[2]


def learn(sums: ItemSums, inputs: FitInputs, settings: Any, chosen: Chosen) -> Rounds[ProfileBlock]:
    """The networks that were chosen, trained on all that the parties have."""
    checked(settings)
    runs = yield from _members(sums, _plain(inputs), settings, chosen, first=0)
    return _block(runs, chosen)


def _members(sums: ItemSums, inputs: FitInputs, settings: Any, chosen: Chosen, first: int) -> Rounds[list[PartyRun]]:
    runs = []
    for member in range(first, settings.members):
        temperature = float(chosen.get("temperature", settings.temperature[0]))
        run = PartyRun(sums, inputs, settings, temperature, member, int(chosen.get("dim", 0)))
        of = int(chosen.get("of", run.sizes.epochs))
        yield from run.rounds(int(chosen.get("epochs", of)), of, None)
        runs.append(run)
    return runs


def checked(settings: Any) -> None:
    """Raises ConfigError for what rounds cannot do."""
    wrong: Mapping[str, bool] = {
        "propagation": settings.propagation != "lightgcn",
        "contrast": settings.contrast > 0,
        "batches": settings.batches != "users",
    }
    if found := [name for name, is_wrong in wrong.items() if is_wrong]:
        raise ConfigError(
            f"graph.{found[0]}: parties train LightGCN together, without views and on batches of users; leave it out"
        )


def _block(runs: list[PartyRun], chosen: Chosen) -> ProfileBlock:
    if not len(runs[0].learners):
        return _nothing(runs[0].inputs)
    return _Networks(runs).block(_chosen(chosen, runs[0].settings))


@lru_cache(maxsize=1)  # parties in one process have the same sums
def _singular(sums: ItemSums, dim: int) -> tuple[Floats, Floats]:
    """Singular values of R̃ = D_u^-½ R D_i^-½ of everybody, and its right singular vectors (I, r)."""
    return svd_of_gram(filtered(sums, HALF), dim, max(round(sums.users), 1))


def _plain(inputs: FitInputs) -> FitInputs:
    """The same with a graph of nothing but who likes what."""
    taken, graph = inputs.ties.matrix.tocoo(), HeteroData()
    for name, size in ((USER, inputs.train.n_users), (ITEM, inputs.train.n_items), (ENTITY, 0)):
        graph[name].x, graph[name].num_nodes = torch.zeros((size, 0)), size
    graph[INTERACTS].edge_index = torch.from_numpy(np.stack([taken.row, taken.col]).astype(np.int64))
    graph[INTERACTS].weight = torch.ones(taken.nnz)
    return FitInputs(inputs.ties, graph, inputs.runtime)


def _tensors(inputs: FitInputs, sums: ItemSums) -> GraphTensors:
    """The party's graph, with the degrees that items have among everybody."""
    assert inputs.graph is not None
    n_users, n_items = inputs.train.n_users, inputs.train.n_items
    taken = torch.from_numpy(sums.counts.astype(np.float32))
    edges = inputs.graph[INTERACTS].edge_index
    graph = bipartite(edges, n_users, n_items, taken=torch.where(taken > 0, taken.clamp(min=1.0), 1.0))
    adjacency = Shared(*graph.to(inputs.runtime.torch_device()))
    adjacency.others = []
    none = torch.zeros((n_users + n_items, 0))
    nothing = (torch.zeros((2, 0), dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 2))
    return GraphTensors(n_users, n_items, 0, 0, adjacency, none, *nothing)

"""One network of the `graph` block and its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from graphrec.blocks import _warm
from graphrec.blocks._growth import Sizes, sizes
from graphrec.blocks.api import FitInputs, Validation
from graphrec.data.popularity import decayed_counts
from graphrec.graph.tensors import disliked, liked, tensors
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.svd import truncated_svd
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import Bipartite, history_mean, light_gcn, light_gcn_layers
from graphrec.nn.light_gcn_pp import light_gcn_pp
from graphrec.nn.losses import LOSSES, Negatives, agreement, away
from graphrec.train.checkpoint import Checkpoint
from graphrec.train.loop import Trained, deterministic, train
from graphrec.train.together import Divided, means, mine, summed

SVD_ITERATIONS = 4  # of the SVD that training starts from
CONTRASTED = 1024  # users and items of a batch whose noisy views are compared
DISLIKES = 512  # pairs of a step that are kept apart
FALLS = 2  # times that the learning rate is lowered before training stops


class Run:
    """One network and its training; ``member`` of an ensemble sets its seed; ``dim``: the
    width that was chosen, 0: as the settings and the data have it."""

    def __init__(
        self,
        inputs: FitInputs,
        settings: Any,
        graph: GraphTensors,
        temperature: float,
        reading: str,
        member: int = 0,
        dim: int = 0,
    ) -> None:
        self.inputs, self.graph, self.temperature, self.reading = inputs, graph, temperature, reading
        self.settings, self.member, self.ranks = settings, member, inputs.runtime.ranks
        s, self.device = settings, graph.text.device
        edges = liked(inputs.graph)[0]
        if bool((edges[0, 1:] < edges[0, :-1]).any()):
            edges = edges[:, torch.argsort(edges[0], stable=True)]  # (2, E), by users
        self.learners, counts = torch.unique(edges[0], return_counts=True)  # (L,) who took something
        self.starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])  # (L + 1,)
        self.edges = edges.to(self.device)
        self.sizes = self._sizes()
        self.sizes = self.sizes._replace(dim=dim or self.sizes.dim)
        self.state = inputs.runtime.generator(member).get_state()
        convolve = convolution(s)[1]
        with self._random():
            model = HeteroGNN(self.graph, self.sizes.dim, convolve, s.heads, s.relations, s.sampled_edges)
        self.model = model.to(self.device)
        plain = self.model.attention is None and self.model.text is None  # nothing but interactions
        if s.init == "spectral" or (s.init == "auto" and plain):
            self._start_from_singular_vectors()
        self.warm = s.members == 1 and _warm.embeddings(self.model.embedding.weight, inputs, self.sizes.dim)
        self.optimiser = torch.optim.AdamW(  # decoupled: what gets no gradient does not drift
            self.model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True
        )
        self.dislikes = disliked(inputs.graph).to(self.device) if reading == "signed" else self.edges[:, :0]  # (2, D)
        self.random = inputs.runtime.generator(member)
        self.half = half(s.precision, self.device)
        shares = self.log_shares(0.0) if s.drawn == "popularity" else np.zeros(graph.n_items)
        self.offset = torch.from_numpy(shares.astype(np.float32)).to(self.device)  # (I,)

    def _sizes(self) -> Sizes:
        """What the settings say, and what the data asks for."""
        return sizes(len(self.learners), self.graph.n_items, self.edges.shape[1], self.settings)

    def log_shares(self, half_life: float) -> npt.NDArray[np.float64]:
        """log p (I,): of each item's share of the interactions, weighted by age; one more for each than there are."""
        counts = decayed_counts(self.inputs.train, half_life).astype(np.float64)  # (I,)
        return log_shares(counts * (self.edges.shape[1] / max(counts.sum(), 1e-12)))

    def train(
        self,
        epochs: int,
        validation: Validation | None,
        score: Callable[[], float] | None = None,
        falls: Sequence[int] = (),
        most: int | None = None,
    ) -> Trained:
        """Up to ``epochs`` epochs, stopped where ``score`` on the validation users is best; without any, all of them,
        the rate falling after ``falls``. ``most``: epochs until the rate is zero, by default those of the sizes."""
        self.most = most or self.sizes.epochs
        with deterministic(self.device), self._random():
            return train(
                self.model,
                self.epoch,
                max_epochs=epochs,
                evaluate=None if validation is None else score,
                every=max(1, math.ceil(self.most / self.settings.evaluations)),
                patience=self.settings.patience,
                falls=FALLS if validation is not None else list(falls),
                parts={"optimiser": self.optimiser, "random": self.random},
                kept=self._kept(epochs, validation, falls),
                ranks=self.ranks,
                progress=self.inputs.runtime.progress,
                name="graph block",
            )

    def _kept(self, epochs: int, validation: Validation | None, falls: Sequence[int]) -> Checkpoint | None:
        """The file of this run: another one for other data, settings, validation users, width, or a warm start."""
        users = b"" if validation is None else validation.queries.user_nums.tobytes()
        first = (self.warm, self.sizes.dim)
        what = (self.temperature, self.reading, self.member, epochs, self.most, list(falls), self.inputs.runtime.seed)
        told = [what, first, self.settings.model_dump(mode="json"), str(self.device)]
        return Checkpoint.of(self.inputs.runtime.work, "graph", self.inputs.train.digest().encode() + users, told)

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
        values, vectors = truncated_svd(matrix, self.sizes.dim, SVD_ITERATIONS, self.inputs.runtime.seed)
        start = np.concatenate([matrix @ vectors, vectors * values])  # (U + I, r)
        start /= max(float(np.linalg.norm(start, axis=1).mean()), 1e-12)
        with torch.no_grad():
            self.model.embedding.weight[: len(start), : start.shape[1]] += torch.from_numpy(start).to(self.device)

    def epoch(self, number: int, rate: float) -> float:
        """One pass over the users who took something, or over all pairs, in random order; the mean loss."""
        n, size = len(self.learners), self.sizes.users
        if self.settings.batches == "pairs":
            n, size = self.edges.shape[1], math.ceil(size / n * self.edges.shape[1])
        batches = torch.split(torch.randperm(n, generator=self.random), size)
        losses = []
        for step, batch in enumerate(batches):
            progress = min(1.0, (number - 1 + step / len(batches)) / self.most)
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.learning_rate * rate * (0.5 + 0.5 * math.cos(math.pi * progress))
            loss = self.loss(batch)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            losses.append(float(loss.detach()))
        return means(self.ranks, losses)

    def _taken(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of the users of a batch (B,), and what they took: pairs (2, E_B) of a place in it and an item."""
        if self.settings.batches == "pairs":
            heads, tails = self.edges[:, batch.to(self.device)]
            users, whose = torch.unique(heads, return_inverse=True)
            return users, torch.stack([whose, tails])
        lengths = self.starts[batch + 1] - self.starts[batch]
        whose = torch.repeat_interleave(torch.arange(len(batch)), lengths)  # (E_B,)
        first = lengths.cumsum(0) - lengths
        places = torch.arange(len(whose)) - first[whose] + self.starts[batch][whose]
        return self.learners[batch].to(self.device), torch.stack(
            [whose.to(self.device), self.edges[1, places.to(self.device)]]
        )

    def _pairs(self, batch: Tensor) -> int:
        """Of a batch."""
        if self.settings.batches == "pairs":
            return len(batch)
        return int((self.starts[batch + 1] - self.starts[batch]).sum())

    def loss(self, batch: Tensor) -> Tensor:
        """The loss of what a batch (B,) of those who took something took, or of a batch of pairs, against negatives
        shared by all of it; of several processes the share of this one, whose gradient is that of all."""
        s, each = self.settings, 1 if self.ranks is None else 1 / self.ranks.size
        whom, taken = self._taken(mine(self.ranks, batch))
        everybody, items, views = self._propagated()
        users, items = normalize(everybody[whom], dim=1), normalize(items, dim=1)
        negatives = self._negatives(items)
        if share := taken.shape[1] / self._pairs(batch):
            loss = share * LOSSES[s.loss](users, items, taken, negatives, self.temperature)
        else:  # fewer rows than processes
            loss = everybody.sum() * 0 + items.sum() * 0
        if n := self.dislikes.shape[1]:
            some = torch.randint(n, (min(n, DISLIKES),), generator=self.random).to(self.device)
            them, what = self.dislikes[:, some]
            apart = away(normalize(everybody[them], dim=1), items[what], self.temperature)
            loss = loss + each * n / self.edges.shape[1] * apart
        whom, taken = self._taken(batch) if s.contrast else (whom, taken)
        for side, nodes in enumerate((whom, torch.unique(taken[1])) if s.contrast else ()):
            one, other = (normalize(view[side][nodes[:CONTRASTED]], dim=1) for view in views)
            loss = loss + each * s.contrast * agreement(one, other, self.temperature)
        return loss

    def _propagated(self) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
        """Users (U, d) and items (I, d), and two views of them where these are compared: of two propagations with
        noise, or, of a single one with noise, the mean of the layers and the first of them."""
        s, n_users = self.settings, self.graph.n_users
        if s.contrast and s.views == "layers":
            x = self.model.before_convolution(self.graph)
            mean, first = light_gcn_layers(self.graph.adjacency, x, s.layers, s.noise)
            mean, first = summed(self.ranks, mean, first)
            views = [(view[:n_users], view[n_users:]) for view in (mean, first)]
            return *views[0], views
        views = [self.model(self.graph, s.noise) for _ in range(2)] if s.contrast else []
        found = summed(self.ranks, *(side for view in (*views, self.model(self.graph)) for side in view))
        views = list(zip(found[:-2:2], found[1:-2:2], strict=True))
        return found[-2], found[-1], views

    def _negatives(self, items: Tensor) -> Negatives:
        """All items (I, d), weighted as they would be drawn, or drawn ones."""
        if not (n := self.sizes.negatives):
            return Negatives(items, self.offset, self.half)
        popular = self.settings.drawn == "popularity"
        drawn = torch.randint(self.edges.shape[1] if popular else len(items), (n,), generator=self.random)
        drawn = drawn.to(self.device)
        return Negatives(items[self.edges[1, drawn] if popular else drawn], None, self.half)


def log_shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """log p (I,), from how often each item was taken, (I,), and once more."""
    out: npt.NDArray[np.float64] = np.log((1 + counts) / (1 + counts).sum())
    return out


def half(precision: str, device: torch.device) -> bool:
    """Whether the products of the loss are made in bfloat16: if that is set, or auto and the device is quick at it."""
    if precision != "auto":
        return precision == "half"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("amx_bf16"))


def convolution(settings: Any) -> tuple[float, Callable[[Bipartite, Tensor, float], Tensor]]:
    """The power of the degrees in the adjacency, and the convolution over it."""
    s = settings
    if s.propagation == "lightgcn":
        return 0.5, lambda graph, x, noise: light_gcn(graph, x, s.layers, noise)
    if s.propagation == "history":
        return 0.5, lambda graph, x, _: history_mean(graph, x, s.gamma)
    gather = (s.alpha - s.beta) / 2
    return (s.alpha + s.beta) / 2, lambda graph, x, noise: light_gcn_pp(graph, x, s.layers, gather, s.gamma, noise)


def on_device(inputs: FitInputs, settings: Any, reading: str) -> GraphTensors:
    """The graph once for all networks that learn from it, on the device that is set."""
    made = tensors(inputs.graph, convolution(settings)[0], reading in ("weighted", "signed"))
    made = made.to(inputs.runtime.torch_device())
    return replace(made, adjacency=Divided.among(inputs.runtime.ranks, made.adjacency))

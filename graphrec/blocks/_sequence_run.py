"""Training of the `sequence` block. Apart from it, so that who only asks a fitted model need not load torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from graphrec.blocks import _warm
from graphrec.blocks._growth import DRAWN, SPEED, WHOLE
from graphrec.blocks._network_run import half
from graphrec.blocks.api import FitInputs, Validation
from graphrec.blocks.search import Chosen
from graphrec.nn.causal import Causal
from graphrec.nn.losses import cross_entropy
from graphrec.profile.sequential import GAPS, SequenceBlock, Tokens, tokens_of
from graphrec.query.query import Queries
from graphrec.train.checkpoint import Checkpoint
from graphrec.train.loop import Trained, deterministic, train
from graphrec.train.together import add_gradients, means, mine
from graphrec.types import Floats, Ints

LONGEST = 200  # events read at most, where the settings leave it open: as many as nine in ten histories have
WARM_UP = 0.05  # of all steps, in which the learning rate rises
GBCE, CALIBRATION = 256, 0.75  # negatives of a step, and t: of gSASRec (Petrov and Macdonald, RecSys 2023)


class Windows(NamedTuple):
    """Pieces of histories that are learned from: tokens, and the item that follows each, int64 (W, T); -1 for none."""

    tokens: Tokens
    following: Ints


class _Stream:
    """A numpy generator as a part of a run that is kept."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def state_dict(self) -> Any:
        """Where the stream stands, as JSON can hold it."""
        return self.random.bit_generator.state

    def load_state_dict(self, state: Any) -> None:
        """Go on from there."""
        self.random.bit_generator.state = state


class Run:
    """One network and its training, with a dropout that was chosen."""

    def __init__(self, inputs: FitInputs, settings: Any, dropout: float) -> None:
        self.inputs, self.settings, self.device = inputs, settings, inputs.runtime.torch_device()
        self.dropout = dropout
        self.ranks = inputs.runtime.ranks
        ties, self.n_items = inputs.ties, inputs.train.n_items
        self.history = ties.timeline(True)
        counts = self.history.counts
        usual = int(np.quantile(counts[counts > 0], 0.9)) if counts.any() else 1
        self.length = settings.length or max(1, min(usual, LONGEST))
        self.timed = settings.gaps and inputs.train.has_times
        self.state = inputs.runtime.generator().get_state()
        self.random = inputs.runtime.generator(1)
        self.shuffled = inputs.runtime.rng(1)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.state)
            gaps = GAPS if self.timed else 0
            s = settings
            self.model = Causal(self.n_items, s.dim, s.layers, s.heads, self.length, dropout, gaps).to(self.device)
            self.state = torch.get_rng_state()
        if self.ranks is not None:  # what is dropped is drawn anew by each process, since its rows are others
            self.state = inputs.runtime.generator(1000 + self.ranks.rank).get_state()
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.half = half("auto", self.device)
        self.negatives = 0 if self.n_items <= WHOLE else DRAWN
        taken = np.asarray(ties.matrix.sum(axis=0), np.float32).ravel()
        self.counts = torch.from_numpy(taken + 1)  # (I,)
        self.epochs = self._epochs()

    def _epochs(self) -> int:
        """As many as the minutes that are set hold on one core, counted in multiply-adds."""
        s, events = self.settings, max(int(self.history.counts.sum()), 1)
        of_places = 12 * s.layers * s.dim**2 + 2 * s.layers * self.length * s.dim
        negatives = GBCE if s.loss == "gbce" else self.negatives or self.n_items
        minutes = 3 * events * (of_places + negatives * s.dim / (8 if self.half else 1)) / SPEED / 60
        return max(1, min(int(s.max_epochs), int(s.minutes / minutes) if s.minutes else int(s.max_epochs)))

    # --- training -----------------------------------------------------------------------------------------------------

    def train(self, epochs: int, validation: Validation | None, most: int = 0) -> Trained:
        """Up to ``epochs`` epochs, stopped where NDCG on the validation users is best; without any, all of them."""
        self.most = most or self.epochs
        told = None if validation is None else self.tokens(validation.queries)

        def score() -> float:
            assert validation is not None
            assert told is not None
            items = self.model.output().cpu().numpy()
            return validation.ndcg(self.states(told), items)

        with deterministic(self.device), torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.state)
            return train(
                self.model,
                self.epoch,
                max_epochs=epochs,
                evaluate=score if validation is not None else None,
                every=max(1, math.ceil(self.most / self.settings.evaluations)),
                patience=self.settings.patience,
                parts={"optimiser": self.optimiser, "random": self.random, "shuffled": _Stream(self.shuffled)},
                kept=self._kept(epochs, validation),
                ranks=self.ranks,
                progress=self.inputs.runtime.progress,
                name="sequence block",
            )

    def _kept(self, epochs: int, validation: Validation | None) -> Checkpoint | None:
        """The file of this run: another one for other data, settings, first weights or validation users."""
        users = b"" if validation is None else validation.queries.user_nums.tobytes()
        first = self.model.output().detach().cpu().numpy().tobytes()
        what = (self.dropout, self.length, epochs, self.most, self.inputs.runtime.seed)
        told = [what, self.settings.model_dump(mode="json"), str(self.device)]
        data = self.inputs.train.digest().encode() + users + first
        return Checkpoint.of(self.inputs.runtime.work, "sequence", data, told)

    def epoch(self, number: int) -> float:
        """One pass over all histories, cut into pieces at random; the mean loss."""
        batches, losses = list(self._batches()), []
        for step, piece in enumerate(batches):
            progress = (number - 1 + step / len(batches)) / self.most
            rising = min(1.0, progress / WARM_UP + 1e-2)
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.learning_rate * rising * (0.5 + 0.5 * math.cos(math.pi * min(progress, 1)))
            loss = self._share(piece)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            add_gradients(self.ranks, self.model.parameters())
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            losses.append(float(loss.detach()))
        return means(self.ranks, losses)

    def _batches(self) -> Iterator[Windows]:
        """Windows of at most ``length`` events, of like lengths together, in random order."""
        counts, ends, length = self.history.counts, self.history.ends, self.length
        starts = [
            np.arange(-int(self.shuffled.integers(length)) if n > length else 0, n - 1, length) for n in counts.tolist()
        ]
        whose = np.repeat(np.arange(len(counts)), [len(s) for s in starts])
        first = np.concatenate([np.zeros(0, np.int64), *starts])
        # A window reads events first … first + length - 1, and is asked for each that follows one of them.
        begin = np.maximum(first, 0)
        stop = np.minimum(first + length, counts[whose] - 1)
        sized = stop - begin
        order = np.argsort(sized + self.shuffled.random(len(sized)) * max(2, length // 8), kind="stable")
        size = self.settings.batch_size
        pieces = [order[at : at + size] for at in range(0, len(order), size)]
        for n in self.shuffled.permutation(len(pieces)):
            rows = pieces[n]
            yield self._window(ends[whose[rows]] + begin[rows], sized[rows], begin[rows] == 0)

    def _window(self, at: Ints, sized: Ints, whole: Ints) -> Windows:
        """Events ``at`` … of so many, read from the log, and what follows each."""
        read, times, now = self.history.pieces(at, sized), None, np.zeros(len(at), np.int64)
        if self.timed:
            assert self.history.times is not None
            times, now = read.times, self.history.times[at + sized]
        tokens = tokens_of(read.items, times, now, self.n_items)
        following = np.full(tokens.items.shape, -1, np.int64)
        following[:, :-1] = np.where(tokens.items[:, 1:] < self.n_items, tokens.items[:, 1:], -1)
        following[np.arange(len(at)), tokens.lengths - 1] = self.history.items[at + sized]
        following[~whole, 0] = -1  # what comes first in a piece is not what comes first
        return Windows(tokens, following)

    def _share(self, piece: Windows) -> Tensor:
        """The loss of a piece; of several processes the share of this one."""
        if self.ranks is None:
            return self.loss(piece)
        tokens = Tokens(*(None if part is None else mine(self.ranks, part) for part in piece.tokens))  # type: ignore[arg-type]
        own = Windows(tokens, mine(self.ranks, piece.following))
        share = (own.following >= 0).sum() / max((piece.following >= 0).sum(), 1)
        return float(share) * self.loss(own if share else piece)

    def loss(self, piece: Windows) -> Tensor:
        """The mean over all places of - log softmax of what follows, or of gBCE."""
        states = self._forward(piece.tokens)  # (W, T, d)
        following = torch.from_numpy(piece.following).to(self.device)
        asked = following >= 0
        items = self.model.output()  # (I, d + 1)
        states, wanted = states[asked], following[asked]  # (N, d), (N,)
        states = torch.cat([states, states.new_ones(len(states), 1)], dim=1)
        right = (states * items[wanted]).sum(dim=1)  # (N,)
        if self.settings.loss == "gbce":
            return self._gbce(states, items, right)
        each = torch.arange(len(right), device=self.device)
        if not self.negatives:
            return cross_entropy(states, right, each, items, half=self.half)
        drawn = torch.multinomial(self.counts, self.negatives, replacement=True, generator=self.random)
        offset = -(self.negatives * self.counts[drawn] / self.counts.sum()).log().to(self.device)
        return cross_entropy(states, right, each, items[drawn.to(self.device)], offset, among=True, half=self.half)

    def _gbce(self, states: Tensor, items: Tensor, right: Tensor) -> Tensor:
        drawn = torch.randint(self.n_items, (min(GBCE, self.n_items),), generator=self.random).to(self.device)
        share = len(drawn) / max(self.n_items - 1, 1)
        beta = share * (CALIBRATION * (1 - 1 / share) + 1 / share) if share < 1 else 1.0
        wrong = functional.softplus(states @ items[drawn].T).sum(dim=1)  # (N,)
        return (wrong - beta * functional.logsigmoid(right)).mean()

    # --- profiles -----------------------------------------------------------------------------------------------------

    def tokens(self, queries: Queries) -> Tokens:
        """What is read of queries."""
        told = queries.ordered(self.length, liked=True)
        return tokens_of(told.items, told.times if self.timed else None, queries.now, self.n_items)

    def states(self, tokens: Tokens, size: int = 256) -> Floats:
        """Last states and a column of ones, float32 (B, d + 1)."""
        out = np.ones((len(tokens.items), self.settings.dim + 1), np.float32)
        for start in range(0, len(out), size):
            rows = slice(start, start + size)
            some = Tokens(*(None if part is None else part[rows] for part in tokens))  # type: ignore[arg-type]
            states = self._forward(some)
            ends = torch.from_numpy(some.lengths - 1).to(self.device)
            out[rows, :-1] = states[torch.arange(len(ends), device=self.device), ends].cpu().numpy()
        return out

    def _forward(self, tokens: Tokens) -> Tensor:
        parts = (None if part is None else torch.from_numpy(part).to(self.device) for part in tokens)
        items, _, before, until = parts
        found: Tensor = self.model(items, before, until)
        return found

    def block(self) -> SequenceBlock:
        """The fitted block, with the rows of all users of the training data."""
        network = {
            name: value.detach().cpu().numpy().copy()
            for name, value in self.model.state_dict().items()
            if name != "bias"
        }
        with torch.no_grad():
            items = self.model.output().cpu().numpy()
        none = np.zeros((self.inputs.train.n_users, items.shape[1]), np.float32)
        made = SequenceBlock(
            "sequence", none, items, prior=1, network=network, heads=self.settings.heads, length=self.length
        )
        out: Any = made.fitted(self.inputs.ties)
        return out  # type: ignore[no-any-return]


def choose(inputs: FitInputs, settings: Any, validation: Validation) -> tuple[SequenceBlock, Chosen]:
    """The best dropout on validation users, and for how many epochs."""
    best: tuple[float, Run, Chosen] | None = None
    for dropout in settings.dropout:
        run = Run(inputs, settings, float(dropout))
        ended = run.train(run.epochs, validation)
        found = dict(ended.history)[ended.best_epoch]
        chosen = {"dropout": float(dropout), "epochs": ended.best_epoch, "of": run.epochs, "length": run.length}
        if best is None or found > best[0]:
            curve = [[epoch, round(score, 6)] for epoch, score in ended.history]
            best = found, run, {**chosen, "curve": curve, "validation_ndcg": round(found, 6)}
    assert best is not None
    return best[1].block(), best[2]


def learn(inputs: FitInputs, settings: Any, chosen: Chosen) -> SequenceBlock:
    """Train for as many epochs as were chosen."""
    run = Run(inputs, settings, float(chosen.get("dropout", settings.dropout[0])))
    epochs, most = int(chosen.get("epochs", run.epochs)), int(chosen.get("of", 0))
    if _warm.transformer(run.model, inputs):
        epochs = most = _warm.epochs(epochs)
    run.train(epochs, None, most)
    return run.block()

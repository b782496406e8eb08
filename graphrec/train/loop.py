"""One training loop for every learned block: epochs, early stopping on validation, the best state kept, and a file from
which a run that was killed goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn
from torch.utils import deterministic as _deterministic

from graphrec.ranks import Ranks
from graphrec.train.checkpoint import Checkpoint
from graphrec.train.together import loaded

_switches: Any = _deterministic
FALL = 0.3  # what the learning rate is multiplied by where the score no longer rises
WORSE = 0.01  # part of the best score below which a plateau is a decline, from which training goes back


@dataclass(frozen=True)
class Trained:
    """How a training run ended.

    Attributes:
        best_epoch: whose state was kept. falls: epochs ≤ ``best_epoch`` after which the learning rate fell.
        history: (epoch, score) of each evaluation; after a decline the epochs go back. losses: the mean loss of each
            epoch that was run.
    """

    best_epoch: int
    history: tuple[tuple[int, float], ...]
    falls: tuple[int, ...] = ()
    losses: tuple[tuple[int, float], ...] = ()


@dataclass
class _Progress:
    """Where a run stands, but for its tensors; JSON-ready."""

    epoch: int = 0
    best_epoch: int = 0
    best_score: float = float("-inf")
    stale: int = 0  # evaluations since the best, or since the rate fell
    falls: list[int] = field(default_factory=list)
    history: list[tuple[int, float]] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)
    over: bool = False

    @property
    def rate(self) -> float:
        """What the learning rate is multiplied by in the epoch that follows."""
        return float(FALL ** sum(fall <= self.epoch for fall in self.falls))


def train(
    model: nn.Module,
    epoch_step: Callable[[int], float] | Callable[[int, float], float],
    *,
    max_epochs: int,
    evaluate: Callable[[], float] | None = None,
    every: int = 1,
    patience: int = 8,
    falls: int | Sequence[int] | None = None,
    parts: Mapping[str, Any] | None = None,
    kept: Checkpoint | None = None,
    ranks: Ranks | None = None,
    progress: bool = False,
    name: str = "training",
) -> Trained:
    """Run ``epoch_step(epoch)`` up to ``max_epochs`` times, or ``epoch_step(epoch, rate)`` where ``falls`` are given.

    With ``evaluate``, a score (greater is better) is taken before the first and every ``every`` epochs; after
    ``patience`` scores without a better one training stops, and the model is put back to its best state. Without it,
    all epochs run.

    Args:
        falls: how often the learning rate is lowered before training stops: each time the score has not risen for
            ``patience`` evaluations, ``rate`` is multiplied by ``FALL``. On a plateau training goes on from where it
            is, since what comes after a plateau may be better; where the score has declined it goes back to the best
            state and its epoch first. Epochs in place of a number: the rate falls after these, as it did before.
        parts: what else the run consists of, with ``state_dict`` and ``load_state_dict`` (an optimiser) or
            ``get_state`` and ``set_state`` (a generator). torch's own stream of random numbers is always one.
        kept: the file that the run is kept in, and goes on from: to the last bit, on a CPU, as if it had not stopped.
        ranks: the processes that run the same training, each with all of its state. The first one keeps the file and
            has the word on scores.
    """
    now = _Progress(falls=[] if falls is None or isinstance(falls, int) else list(falls))
    most = falls if isinstance(falls, int) else 0
    best: dict[str, Tensor] = {}
    writes = ranks is None or ranks.first
    held = {"model": model, **(parts or {})}
    if (found := loaded(kept, ranks)) is not None:
        tensors, told = found
        now = _Progress(**told["progress"])
        now.history, now.losses = ([(int(e), float(s)) for e, s in rows] for rows in (now.history, now.losses))
        best = {key[len("best.") :]: value for key, value in tensors.items() if key.startswith("best.")}
        if not now.over:
            _restore(held, tensors, told["parts"])

    def evaluated() -> None:
        assert evaluate is not None
        model.eval()
        with torch.no_grad():
            score = evaluate() if ranks is None else ranks.number(evaluate())
        now.history.append((now.epoch, score))
        if score > now.best_score:
            now.best_score, now.best_epoch, now.stale = score, now.epoch, 0
            best.update({key: value.detach().clone() for key, value in model.state_dict().items()})
            return
        now.stale += 1
        if now.stale < patience:
            return
        now.over = len(now.falls) >= most
        if not now.over:
            if score < (1 - WORSE) * now.best_score:
                model.load_state_dict(best)
                now.epoch = now.best_epoch
            now.falls.append(now.epoch)
            now.stale = 0

    with Progress(console=Console(file=sys.stderr), disable=not progress, transient=True) as bar:
        task = bar.add_task(name, total=max_epochs, completed=now.epoch)
        if evaluate is not None and not now.history:
            evaluated()
        while now.epoch < max_epochs and not now.over:
            model.train()
            rate, now.epoch = now.rate, now.epoch + 1
            loss = epoch_step(now.epoch) if falls is None else epoch_step(now.epoch, rate)  # type: ignore[call-arg]
            now.losses.append((now.epoch, loss))
            if evaluate is not None and (now.epoch % every == 0 or now.epoch == max_epochs):
                evaluated()
            shown = f"{name}: loss {loss:.3f}, NDCG {max(now.best_score, 0.0):.4f}"
            bar.update(task, completed=now.epoch, description=shown)
            if kept is not None and writes and kept.due():
                kept.save(*_state(held, best, now))
    if best:
        model.load_state_dict(best)
    elif evaluate is None:
        now.best_epoch = now.epoch
        best = model.state_dict() if kept is not None and not now.over else best
    if kept is not None and not now.over:
        now.over = True
        if writes:
            kept.save({f"best.{key}": value for key, value in best.items()}, {"progress": asdict(now)})
    model.eval()
    told_falls = tuple(fall for fall in now.falls if fall < now.best_epoch)
    return Trained(now.best_epoch, tuple(now.history), told_falls, tuple(now.losses))


def _state(held: Mapping[str, Any], best: Mapping[str, Tensor], now: _Progress) -> tuple[dict[str, Tensor], Any]:
    """Tensors by name, and all else, of a run that goes on."""
    tensors = {f"best.{key}": value for key, value in best.items()}
    told = {}
    for name, part in {**held, "torch": torch.random}.items():
        if name == "torch":
            tensors["torch.random"] = torch.get_rng_state()
        elif hasattr(part, "get_state"):
            tensors[f"{name}.random"] = part.get_state()
        else:
            told[name] = _taken_apart(part.state_dict(), name, tensors)
    return tensors, {"progress": asdict(now), "parts": told}


def _restore(held: Mapping[str, Any], tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
    torch.set_rng_state(tensors["torch.random"])
    for name, part in held.items():
        if hasattr(part, "set_state"):
            part.set_state(tensors[f"{name}.random"])
        else:
            part.load_state_dict(_put_together(told[name], tensors))


def _taken_apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The value with its tensors put under their paths; dicts as lists of pairs, for JSON makes every key a word."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach()
        return {"tensor": path}
    if isinstance(value, Mapping):
        return {"pairs": [[key, _taken_apart(inner, f"{path}.{key}", tensors)] for key, inner in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_taken_apart(inner, f"{path}.{n}", tensors) for n, inner in enumerate(value)]
    return value


def _put_together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_put_together(inner, tensors) for inner in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _put_together(inner, tensors) for key, inner in value["pairs"]}
    return value


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Sums over edges in a fixed order: with several threads torch adds in whatever order they arrive."""
    before, fills = torch.are_deterministic_algorithms_enabled(), _switches.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    _switches.fill_uninitialized_memory = False  # a tenth of the time, for memory that is never read
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        _switches.fill_uninitialized_memory = fills

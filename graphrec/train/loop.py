"""One training loop for every learned block: epochs, early stopping on validation, the best state kept."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from torch import nn
from torch.utils import deterministic as _deterministic

_switches: Any = _deterministic


@dataclass(frozen=True)
class Trained:
    """How a training run ended: the epoch whose state was kept, and the validation score after each evaluation."""

    best_epoch: int
    history: tuple[tuple[int, float], ...]


def train(
    model: nn.Module,
    epoch_step: Callable[[int], float],
    *,
    max_epochs: int,
    evaluate: Callable[[], float] | None = None,
    every: int = 1,
    patience: int = 8,
    progress: bool = False,
    name: str = "training",
) -> Trained:
    """Run ``epoch_step(epoch)`` up to ``max_epochs`` times.

    With ``evaluate``, a score (greater is better) is taken before the first and every ``every`` epochs; after
    ``patience`` scores without a better one training stops, and the model is put back to its best state. Without it,
    all epochs run.
    """
    best_score, best_epoch, best_state = float("-inf"), max_epochs, None
    scores: list[tuple[int, float]] = []
    with Progress(console=Console(file=sys.stderr), disable=not progress, transient=True) as bar:
        task = bar.add_task(name, total=max_epochs)
        for epoch in range(max_epochs + 1):
            if epoch:
                model.train()
                loss = epoch_step(epoch)
                bar.update(task, advance=1, description=f"{name}: loss {loss:.3f}, NDCG {max(best_score, 0.0):.4f}")
            if evaluate is None or (epoch % every and epoch != max_epochs):
                continue
            model.eval()
            with torch.no_grad():
                scores.append((epoch, evaluate()))
            if scores[-1][1] > best_score:
                best_score, best_epoch = scores[-1][1], epoch
                best_state = copy.deepcopy(model.state_dict())
            elif sum(e > best_epoch for e, _ in scores) >= patience:
                break
    if best_state is not None:
        model.load_state_dict(best_state)
    model.eval()
    return Trained(best_epoch, tuple(scores))


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

"""The training loop stops early, and gives the best state back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from graphrec.train.checkpoint import Checkpoint
from graphrec.train.loop import FALL, Trained, train


class _Counter(nn.Module):
    """Its only parameter counts the epochs."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = nn.Parameter(torch.zeros(()))

    def step(self, epoch: int) -> float:
        with torch.no_grad():
            self.epoch.fill_(float(epoch))
        return 1.0 / epoch

    def counted(self) -> float:
        return float(self.epoch.detach())


def test_the_best_state_comes_back_and_patience_ends_the_run() -> None:
    model, seen = _Counter(), []

    def peak_at_six() -> float:
        seen.append(int(model.counted()))
        return -abs(model.counted() - 6)

    found = train(model, model.step, max_epochs=100, evaluate=peak_at_six, every=2, patience=3)
    assert found.best_epoch == 6
    assert model.counted() == 6.0
    assert seen == [0, 2, 4, 6, 8, 10, 12]
    assert found.history[3] == (6, 0.0)


def test_without_validation_all_epochs_run() -> None:
    model = _Counter()
    assert train(model, model.step, max_epochs=7).best_epoch == 7
    assert model.counted() == 7.0


def test_no_epoch_leaves_the_model_as_it_was() -> None:
    model = _Counter()
    train(model, model.step, max_epochs=0)
    assert model.counted() == 0.0


class _Slow(nn.Module):
    """Its parameter counts how far it came: epochs by their learning rates."""

    def __init__(self) -> None:
        super().__init__()
        self.way = nn.Parameter(torch.zeros(()))

    def step(self, epoch: int, rate: float) -> float:
        with torch.no_grad():
            self.way.add_(rate)
        return -float(self.way.detach())

    def score(self, of: Callable[[float], float]) -> Callable[[], float]:
        return lambda: of(float(self.way.detach()))


def test_a_planted_plateau_is_passed() -> None:
    """The score rises to 5, is flat to 15, and rises on: with the old patience alone training stops on the flat."""

    def flat(way: float) -> float:
        return min(way, 5) + max(0.0, way - 15)

    model = _Slow()
    found = train(model, model.step, max_epochs=60, evaluate=model.score(flat), patience=8, falls=[])
    assert found.best_epoch == 5
    model = _Slow()
    found = train(model, model.step, max_epochs=60, evaluate=model.score(flat), patience=8, falls=2)
    assert found.best_epoch == 60
    assert found.falls[0] == 13
    assert float(model.way.detach()) == pytest.approx(13 + 47 * FALL)


def test_after_a_decline_it_goes_back_and_looks_nearer() -> None:
    """A narrow peak at 6.5, which steps of 1 miss."""
    model = _Slow()
    found = train(
        model, model.step, max_epochs=50, evaluate=model.score(lambda x: -abs(x - 6.5) - 1), patience=3, falls=2
    )
    assert set(found.falls) == {6}
    assert float(model.way.detach()) == pytest.approx(6.5, abs=0.2)
    again = _Slow()
    train(again, again.step, max_epochs=found.best_epoch, falls=found.falls)  # as chosen, without validation
    assert float(again.way.detach()) == pytest.approx(float(model.way.detach()), abs=1e-6)


class _Killed(Exception):
    pass


def _noisy(work: Path, killed: int = 10**6, evaluated: bool = True) -> tuple[Trained, Tensor]:
    """A small regression by Adam with random batches and dropout, killed in some epoch."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(1)
    x, y = torch.randn(64, 5, generator=random), torch.randn(64, 1, generator=random)
    model = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.Linear(8, 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)

    def step(epoch: int, rate: float) -> float:
        for group in optimiser.param_groups:
            group["lr"] = 0.05 * rate
        batch = torch.randint(64, (16,), generator=random)
        loss = (model(x[batch]) - y[batch]).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if epoch == killed:
            raise _Killed
        return float(loss.detach())

    found = train(
        model,
        step,
        max_epochs=40,
        evaluate=(lambda: -float((model(x) - y).pow(2).mean())) if evaluated else None,
        every=2,
        patience=3,
        falls=2 if evaluated else [10],
        parts={"optimiser": optimiser, "random": random},
        kept=Checkpoint(work / "run.safetensors", seconds=0),
    )
    return found, torch.cat([p.detach().ravel() for p in model.parameters()])


@pytest.mark.parametrize("evaluated", [True, False])
def test_a_run_that_was_killed_ends_as_one_that_was_not(tmp_path: Path, evaluated: bool) -> None:
    whole, weights = _noisy(tmp_path / "whole", evaluated=evaluated)
    assert not evaluated or len(whole.falls) >= 1
    for killed in (1, 7, 8, 15):
        with pytest.raises(_Killed):
            _noisy(tmp_path / str(killed), killed, evaluated)
        found, resumed = _noisy(tmp_path / str(killed), evaluated=evaluated)
        assert found == whole
        assert torch.equal(resumed, weights)
    found, again = _noisy(tmp_path / "whole", killed=1, evaluated=evaluated)  # it is over: no epoch is run
    assert found == whole
    assert torch.equal(again, weights)


def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "run.safetensors").write_bytes(b"broken")
    assert torch.equal(_noisy(tmp_path)[1], _noisy(tmp_path / "other")[1])

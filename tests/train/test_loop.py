"""The training loop stops early, and gives the best state back."""

from __future__ import annotations

import torch
from torch import nn

from graphrec.train.loop import train


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

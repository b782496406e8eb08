"""A fit within a budget of memory, or refused by the name of the stage."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec.budget import within
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.experiment import compare_models
from graphrec.tuning import tune
from tests.worlds import two_tastes

linux = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA is Linux's")


def _held() -> float:
    with open("/proc/self/status", encoding="ascii") as told:
        return int(told.read().split("VmRSS:")[1].split()[0]) / 2**20


def _numpy(n: int) -> int:
    return len(np.empty(n, np.uint8))


def _torch(n: int) -> int:
    return len(torch.empty(n, dtype=torch.uint8))


def _fit(taken: Callable[[int], int], budget: float) -> None:
    with within(budget, nullcontext) as watch:
        with watch("spectral"):
            assert taken(2**28) == 2**28
        with watch("popularity"):
            taken(2**31)


@linux
@pytest.mark.parametrize("taken", [_numpy, _torch])
def test_a_stage_that_needs_more_is_refused_by_name(taken: Callable[[int], int]) -> None:
    with pytest.raises(ConfigError, match="GB do not hold popularity; raise it, leave that block out"):
        _fit(taken, _held() + 1)
    assert taken(2**31) == 2**31  # afterwards there is no limit


def test_no_budget_is_no_limit_and_other_errors_stay() -> None:
    with within(0.0, nullcontext) as watch, watch("ease"):
        pass
    with pytest.raises(RuntimeError, match="something else"), within(100_000.0, nullcontext):
        raise RuntimeError("something else")


@linux
def test_a_budget_that_is_spent_already_is_refused() -> None:
    with (
        pytest.raises(ConfigError, match="GB are taken before anything is learned"),
        within(0.01, nullcontext),
    ):
        pytest.fail("there is no room")


@linux
@pytest.mark.parametrize(
    "searching",
    [
        lambda data, config: tune(data, config, Path("not written")),
        lambda data, config: compare_models(data, ["popularity"], config),
    ],
)
def test_what_searches_keeps_to_the_budget_too(searching: Callable[[Dataset, Config], object]) -> None:
    config = Config.load(None, ["runtime.memory_gb=0.01", "features.enabled=false", "evaluate.trials=1"])
    with pytest.raises(ConfigError, match="GB are taken before anything is learned"):
        searching(two_tastes(), config)


@linux
def test_a_budget_beyond_what_can_be_addressed_is_none() -> None:
    with within(1e300, nullcontext):
        assert _numpy(2**20) == 2**20


def test_a_block_that_can_do_with_less_takes_a_part() -> None:
    config = Config.load(None, ["runtime.memory_gb=2", "spectral.memory_gb=1.5"])
    assert config.block("spectral").settings.memory_gb == 0.5
    assert Config().block("spectral").settings.memory_gb == Config().spectral.memory_gb

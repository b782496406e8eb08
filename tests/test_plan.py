"""What a fit will cost: pilots are followed to the whole along the work that each stage says it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphrec import plan
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import of_users
from graphrec.errors import EmptyDataError
from graphrec.plan import Measured, Size, planned, sample_like, sample_of
from tests import worlds
from tests.cli.support import document, printed, run

SETTINGS = Config.load(None, ["blocks=popularity,ease", "features.enabled=false"])


def _cost(size: Size) -> Measured:
    """Planted: seconds and memory as the work of each stage is, beside what they take for nothing."""
    found = Measured(size)
    found.seconds["ease"] = 1.0 + 1e-9 * size.items**3
    found.memory["ease"] = 500.0 + 1e-5 * size.items**2
    found.seconds["popularity"] = 2e-5 * SETTINGS.block("popularity").work(size.users, size.items, size.pairs, 0)
    found.memory["popularity"] = 500.0
    return found


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    pairs: list[int] = []

    def measured(data: Dataset, config: Config) -> tuple[Measured, float, int]:
        pairs.append(len(data.interactions))
        return _cost(Size.of(data)), 0.001, 20

    monkeypatch.setattr(plan, "measured", measured)
    return pairs


def test_planted_costs_are_followed_to_the_whole(planted: list[int]) -> None:
    size = Size(40_000, 5_000, 800_000)
    found = planned(size, sample_like(size), SETTINGS)
    assert len(planted) == 3
    assert planted[0] < planted[1] < planted[2] <= plan.PAIRS[-1]
    costs = {cost.stage: cost for cost in found.stages}
    true = _cost(size)
    assert costs["ease"].seconds == pytest.approx(true.seconds["ease"], rel=1e-3)
    assert costs["ease"].memory_gb == pytest.approx(true.memory["ease"] / 1024, rel=1e-3)
    assert costs["popularity"].memory_gb == pytest.approx(500 / 1024)
    assert found.memory_gb == costs["ease"].memory_gb
    assert found.between[0] < found.seconds < found.between[1]
    larger = planned(Size(40_000, 20_000, 800_000), sample_like(size), SETTINGS)  # which it sits out
    assert {cost.stage: cost.seconds for cost in larger.stages}["ease"] == 0


def test_a_sample_is_of_some_people_and_of_what_they_took() -> None:
    data = worlds.two_tastes(friends=True)
    part = sample_of(data)(0.3)
    assert 0 < part.n_users < data.n_users
    assert set(part.users.ids) < set(data.users.ids)
    kept = np.isin(np.array(data.users.ids)[data.events.user_nums], part.users.ids)
    assert len(part.events) == kept.sum()
    assert sample_of(data)(1.0) is data
    with pytest.raises(EmptyDataError, match="none of 0 users has an event"):
        of_users(data, np.zeros(data.n_users, bool))


def test_a_small_fit_is_measured_stage_by_stage() -> None:
    data = worlds.two_tastes()
    config = Config.load(None, ["blocks=popularity", "features.enabled=false"])
    found, disk, width = plan.measured(data, config)
    assert {"kg", "popularity", "weights", "index", plan.REST} <= set(found.seconds)
    assert min(found.memory.values()) > 50
    assert disk > 0
    assert width >= 1


def test_the_command_prints_stages_and_a_range(planted: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    shape = ("plan", "--users", 4000, "--items", 500, "--events", 80_000, "--set", "blocks=popularity,ease")
    assert "in all" in printed(capsys, *shape)
    told = document(capsys, *shape)
    assert told["seconds"]["least"] < told["seconds"]["about"] < told["seconds"]["most"]
    assert told["index"] == "exact"
    run("plan", expect=2)
    assert "nothing to plan for; name data, or add --users, --items, --events" in capsys.readouterr().err
    run("plan", Path("x.csv"), "--users", 3, expect=2)
    assert "says it itself; leave --users out" in capsys.readouterr().err

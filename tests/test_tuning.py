"""The search of settings: it starts from what is set, goes on where it was, and never reads the test part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphrec as gr
from graphrec.data.dataset import TEST, Dataset
from graphrec.data.events import Events
from graphrec.errors import ConfigError
from graphrec.tuning import JOURNAL, Trying, tune
from tests.cluster.test_engine import Shipped
from tests.worlds import two_tastes

CONFIG = gr.Config().with_(
    blocks="popularity,graph",
    split={"kind": "given"},
    graph={"dim": 8, "max_epochs": 4},
    features={"enabled": False},
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return two_tastes()


def test_it_begins_with_what_is_set_and_goes_on_where_it_was(data: Dataset, tmp_path: Path) -> None:
    first = tune(data, CONFIG, tmp_path, trials=1)
    assert (first.trials, first.ndcg) == (1, first.before)
    assert first.config == CONFIG
    more = tune(data, CONFIG, tmp_path, trials=4)
    assert more.trials == 4
    assert more.before == first.before
    assert more.ndcg >= first.ndcg
    assert gr.Config.load(tmp_path / "config.toml") == more.config
    assert json.loads((tmp_path / "tuned.json").read_text("utf-8"))["trials"] == 4
    size = (tmp_path / JOURNAL).stat().st_size
    again = tune(data, CONFIG, tmp_path, trials=4)
    assert (again.trials, again.config) == (4, more.config)
    assert (tmp_path / JOURNAL).stat().st_size - size < 500, "nothing was tried again"


def test_a_search_that_was_killed_tries_what_it_would_have_tried(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in its first trial, which is what is set, and in its last one."""
    tried: list[dict[str, Any]] = []

    def score(_: Trying, chosen: dict[str, Any]) -> tuple[float, dict[str, float]]:
        if len(tried) in dying:
            dying.remove(len(tried))
            raise KeyboardInterrupt
        tried.append(chosen)
        return float(-chosen["graph.dim"] - chosen["graph.layers"]), {"graph": 1.0}

    monkeypatch.setattr(Trying, "__call__", score)
    dying: set[int] = set()
    whole, points = tune(data, CONFIG, tmp_path / "whole", trials=4), tried.copy()
    tried.clear()
    dying |= {0, 3}
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune(data, CONFIG, tmp_path / "killed", trials=4)
    assert tune(data, CONFIG, tmp_path / "killed", trials=4) == whole
    assert tried == points


def test_several_workers_try_as_many_points_at_once(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Shipped()
    monkeypatch.setattr("graphrec.runtime.engine_of", lambda _: engine)
    found = tune(data, CONFIG.with_(runtime={"engine": "ray"}), tmp_path, trials=3)
    assert (found.trials, engine.batches) == (3, 3)
    assert found.config.runtime.engine == "local"
    assert found.ndcg >= found.before == tune(data, CONFIG, tmp_path / "here", trials=1).ndcg


def test_time_ends_the_search_but_not_before_one_trial(data: Dataset, tmp_path: Path) -> None:
    assert tune(data, CONFIG, tmp_path, trials=9, minutes=0).trials == 1


def test_the_test_part_plays_no_part(data: Dataset, tmp_path: Path) -> None:
    parts = data.parts
    assert parts is not None
    events = data.events
    moved = np.where(parts == TEST, (events.item_nums + 1) % data.n_items, events.item_nums)
    order = np.lexsort((moved, events.user_nums))
    other = replace(data, events=Events.of(events.user_nums, moved), parts=parts[order])
    found = [tune(d, CONFIG, tmp_path / str(n), trials=2) for n, d in enumerate((data, other))]
    assert found[0] == found[1]


def test_what_cannot_be_searched_is_said(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no block whose settings are searched; add graph"):
        tune(data, CONFIG.with_(blocks="popularity"), tmp_path)
    with pytest.raises(ConfigError, match="trials = 0"):
        tune(data, CONFIG, tmp_path, trials=0)

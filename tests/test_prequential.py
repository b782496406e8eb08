"""Test, then learn: nothing is heard before it was asked for, drift is seen, and a refit is called for by the rule."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import graphrec as gr
from graphrec.cli.app import app
from graphrec.data.dataset import Dataset, build
from graphrec.data.events import Events
from graphrec.errors import ConfigError, DataError
from graphrec.prequential import _judge, prequential, windows_of

DAY = 86_400
CONFIG = gr.Config().with_(
    blocks="popularity",
    features={"enabled": False},
    kg={"enabled": False},
    split={"test": 0.3},
    popularity={"half_life": [3.0]},
    evaluate={"k": "5"},
)

FIRST = 1_500_000_000  # the first day begins, seconds since 1970


def log(moved: int = 1 << 30, n_users: int = 40, days: int = 24, seed: int = 0) -> Dataset:
    """Each day half of the users take one of twenty items; from the day ``moved`` on of other ones."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for user in rng.permutation(n_users)[: n_users // 2]:
            item = int(rng.integers(20)) + 20 * (day >= moved) + 40 * (rng.random() < 0.1)
            rows.append((f"u{user}", f"i{item}", FIRST + day * DAY + int(rng.integers(DAY))))
    return build("log", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))


def mean(document: dict[str, Any], name: str) -> float:
    return float(document[name]["ndcg@5"])


def test_drift_is_followed_by_the_model_that_learns() -> None:
    still, moved = prequential(log(), CONFIG, "4"), prequential(log(moved=17), CONFIG, "4")
    assert mean(moved, "metrics") > 2 * mean(moved, "frozen")
    assert moved["p_value"] < 0.01
    assert mean(still, "metrics") < 1.5 * mean(still, "frozen"), "nothing moved"
    assert all(step["new_items"] > 0.5 for step in moved["steps"])
    assert moved["refit"]["due"]
    assert not still["refit"]["due"]
    assert len(moved["steps"]) == 4
    assert sum(row["events"] for row in moved["steps"]) == moved["cut"]["sizes"]["test"]


def test_nothing_is_known_before_it_is_asked_for() -> None:
    data = log()
    first = prequential(data, CONFIG, "2")
    times = data.events.timestamps
    assert times is not None
    late = times > first["steps"][0]["to"]
    events = data.events
    items = np.where(late, (events.item_nums + 1) % data.n_items, events.item_nums)
    frame = pd.DataFrame({"user_id": np.array(data.users.ids)[events.user_nums], "timestamp": times})
    other = prequential(build("log", frame.assign(item_id=np.array(data.items.ids)[items])), CONFIG, "2")
    for name in ("updated", "frozen", "popular"):
        assert other["steps"][0][name] == pytest.approx(first["steps"][0][name])
    assert other["steps"][1]["updated"] != first["steps"][1]["updated"]


def test_steps_are_in_order_and_ties_in_one() -> None:
    times = FIRST + np.sort(np.random.default_rng(0).integers(0, 40, 300)) * DAY // 4
    events = Events.of(np.arange(300), np.zeros(300, np.int64), times)
    for count in (0, 1, 7):
        masks = list(windows_of(events, count))
        assert (np.sum(masks, axis=0) == 1).all()
        ends = [(times[m].min(), times[m].max()) for m in masks]
        assert all(a[1] < b[0] for a, b in pairwise(ends))
    assert len(list(windows_of(events, 0))) == len(np.unique(times // DAY))


def rows(lead: list[float], new: float = 0.0) -> list[dict[str, Any]]:
    out = [{"users": 100, "events": 100, "new_items": new, "due": ""} for _ in lead]
    return [{**r, "updated": {"n": 0.1 * x}, "popular": {"n": 0.1}} for r, x in zip(out, lead, strict=True)]


def test_the_rule_that_calls_for_a_refit() -> None:
    def first(of: list[dict[str, Any]]) -> int | None:
        _judge(of, "n")
        return next((n for n, row in enumerate(of) if row["due"]), None)

    assert first(rows([3.0] * 8)) is None
    assert first(rows([3.0] * 3 + [2.8] * 5)) is None, "93 %"
    assert first(rows([3.0] * 4 + [2.0] * 4)) == 5, "the first window with less than nine tenths: 3, 2, 2 → 78 %"
    assert first(rows([3.0] * 8, new=0.3)) == 2


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(ConfigError, match="give a number"):
        prequential(log(), CONFIG, "week")
    with pytest.raises(ConfigError, match="through time"):
        prequential(log(), CONFIG.with_(split={"kind": "random"}), "3")
    with pytest.raises(DataError, match="source has none"):
        list(windows_of(Events.of(np.arange(3), np.arange(3)), 2))
    with pytest.raises(DataError, match="order of events alone"):
        list(windows_of(Events.of(np.arange(3), np.arange(3), timestamps=np.arange(3)), 2))


def test_the_command_line(tmp_path: Any) -> None:
    data = log()
    e = data.events
    frame = pd.DataFrame(
        {"user_id": np.array(data.users.ids)[e.user_nums], "item_id": np.array(data.items.ids)[e.item_nums]}
    )
    frame.assign(timestamp=e.timestamps).to_csv(tmp_path / "events.csv", index=False)
    settings = [f"--set={key}" for key in ("blocks=popularity", "features.enabled=false", "kg.enabled=false")]
    call = ["evaluate", str(tmp_path / "events.csv"), "--prequential", "--steps", "day", *settings]
    found = CliRunner().invoke(app, [*call, "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert document["split"] == "prequential"
    assert {"steps", "refit", "forgetting", "metrics", "frozen"} <= set(document)
    shown = CliRunner().invoke(app, call)
    assert "updated" in shown.stdout

"""A fitted model on what came later: ids are matched, known events dropped, and nothing later enters a query."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphrec.config import Config
from graphrec.data.dataset import TEST, Dataset, build
from graphrec.errors import EmptyDataError
from graphrec.evaluate.later import later
from graphrec.evaluate.ranking import Task
from graphrec.experiment import evaluate_model, measure_model
from graphrec.recommender import Recommender
from tests import worlds
from tests.cli.support import QUICK, document, printed, run

CONFIG = Config().with_(blocks=["popularity", "spectral"], features={"enabled": False}, spectral={"rank": [4, 8]})


def events(*rows: tuple[object, ...], columns: str = "user_id item_id value timestamp") -> Dataset:
    return build("log", pd.DataFrame(rows, columns=columns.split()))


KNOWN = events(
    ("ann", "a", 5, 100), ("ann", "b", 1, 110), ("bob", "b", 4, 120), ("bob", "c", 5, 130), ("cat", "a", 3, 900)
)  # fmt: skip
NEW = events(
    ("ann", "a", 5, 100),  # known
    ("ann", "a", 5, 950),  # taken again
    ("ann", "c", 5, 960),  # an answer
    ("bob", "d", 5, 970),  # an item that nobody knows
    ("bob", "a", 1, 200),  # disliked, and old
    ("eve", "a", 5, 980),  # a user whom nobody knows
    ("eve", "d", 5, 980),
    ("cat", "b", 4, 990),  # an answer
)


def test_what_becomes_of_every_event_by_hand() -> None:
    found = later(KNOWN, NEW)
    truth = {(KNOWN.users.ids[u], KNOWN.items.ids[i]) for u, i in zip(*found.truth.nonzero(), strict=True)}
    assert truth == {("ann", "a"), ("ann", "c"), ("cat", "b")}
    assert found.counts == {
        "events": 8, "unknown_users": 2, "unknown_items": 1, "known": 1, "new": 4, "earlier": 1,
        "pairs": 4, "not_liked": 1, "barred": 1, "answers": 2,
        "users": 4, "users_not_known": 1, "items": 4, "items_not_known": 1,
    }  # fmt: skip
    assert len(found.warnings()) == 6
    assert later(KNOWN, NEW, Task(seen="allow")).counts["answers"] == 3
    assert later(KNOWN, NEW, Task(seen="only")).counts["answers"] == 1
    assert later(KNOWN, NEW, Task(relevant="all")).counts["answers"] == 3


def test_without_times_a_known_pair_is_no_news() -> None:
    columns = "user_id item_id"
    new = events(("ann", "a"), ("ann", "c"), columns=columns)
    counts = later(KNOWN, new).counts
    assert (counts["known"], counts["new"], counts["answers"], counts["earlier"]) == (1, 1, 1, 0)
    other = later(events(("ann", "a"), ("bob", "c"), columns=columns), NEW).counts
    assert other["known"] == 2


@pytest.mark.parametrize(
    "same", [KNOWN, events(("eve", "a", 5, 1)), events(("ann", "z", 5, 1)), events(("ann", "a", 5, 999))]
)
def test_nothing_to_find_is_said(same: Dataset) -> None:
    with pytest.raises(
        EmptyDataError, match=r"nothing to find in \d events \(\d .*bring later events of the same users"
    ):
        later(KNOWN, same)


@pytest.fixture(scope="module")
def world() -> tuple[Recommender, Dataset]:
    data = worlds.two_tastes()
    return Recommender(CONFIG).fit(data), data


def test_the_test_part_of_a_source_is_what_came_later(world: tuple[Recommender, Dataset]) -> None:
    """A fit leaves the declared test part out, so measuring on the whole source finds the figures of ``evaluate``."""
    model, data = world
    assert data.parts is not None
    found, expected = measure_model(model.fitted, data, by=["popularity"]), evaluate_model(data, CONFIG)
    assert found["counts"]["known"] == len(model.fitted.data.events)
    assert found["counts"]["new"] == (data.parts == TEST).sum()
    assert found["users"] == expected["users"]
    assert found["metrics"] == pytest.approx(expected["metrics"], abs=1e-6)
    assert sum(row["exposure"] for row in found["by"]["items.popularity"]["groups"]) == pytest.approx(1)


def test_figures_are_those_of_what_is_recommended(world: tuple[Recommender, Dataset]) -> None:
    """No leakage: the lists are those that ``recommend`` gives without having seen anything of the new data."""
    model, data = world
    assert data.parts is not None
    test = data.subset(data.parts == TEST)
    found = measure_model(model.fitted, test, CONFIG.with_(evaluate={"k": [5]}))["metrics"]
    gained = []
    for user, item in zip(test.interactions.user_nums, test.interactions.item_nums, strict=True):
        items = model.recommend(data.users.ids[user], 5)["item_id"].tolist()
        wanted = data.items.ids[item]
        gained.append(1 / math.log2(items.index(wanted) + 2) if wanted in items else 0.0)
    assert found["ndcg@5"] == pytest.approx(np.mean(gained), abs=1e-6)
    assert 0 < found["ndcg@5"] < 1


def test_ids_are_matched_however_they_are_numbered(world: tuple[Recommender, Dataset]) -> None:
    model, data = world
    assert data.parts is not None
    test = data.subset(data.parts == TEST)
    rows = [
        (data.users.ids[u], data.items.ids[i])
        for u, i in zip(test.events.user_nums, test.events.item_nums, strict=True)
    ]
    others = [("aaa", "i001"), ("u001", "aaa")]  # both before all the others
    found = measure_model(model.fitted, events(*others, *rows[::-1], columns="user_id item_id"))
    expected = measure_model(model.fitted, test)
    assert found["metrics"] == pytest.approx(expected["metrics"], abs=1e-9)
    assert (found["counts"]["unknown_users"], found["counts"]["unknown_items"]) == (1, 1)


# --- on the command line ----------------------------------------------------------------------------------------------


def _csv(file: Path, turns: range) -> Path:
    rows = [
        (f"u{u}", f"i{(u % 2 + 2 * (u + n)) % 20}", 1_600_000_000 + 86_400 * (30 * n + u))
        for u in range(20)
        for n in turns
    ]
    pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]).to_csv(file, index=False)
    return file


def test_evaluate_a_model_on_new_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, model = _csv(tmp_path / "old.csv", range(5)), _csv(tmp_path / "new.csv", range(3, 7)), tmp_path / "model"
    run("fit", old, "--out", model, *QUICK)
    users = tmp_path / "users.csv"
    found = document(capsys, "evaluate", model, new, "-k", "3", "--per-user", users)
    assert (found["split"], found["users"], found["k"]) == ("later", 20, [3])
    assert (found["counts"]["events"], found["counts"]["known"], found["counts"]["answers"]) == (80, 40, 40)
    assert {"recall@3", "auc"} <= set(found["metrics"])
    assert any("40 events are known to the model" in text for text in found["warnings"])
    assert len(pd.read_csv(users)) == 20
    assert "measured on what came later" in " ".join(printed(capsys, "evaluate", model, new).split())
    assert set(document(capsys, "evaluate", model, new, "--explanations")["explanations"]) > {"pairs", "popular_paths"}
    for arguments, said in [
        ((model,), "NEWDATA"),
        ((model, new, "--split", "temporal"), "--split"),
        ((model, new, "--set", "seen=allow"), "--set"),
        ((model, new, "--recommendations", users), "--recommendations"),
        ((old, new), "is no model"),
        ((model, old), "nothing to find"),
        ((model, tmp_path / "absent.csv"), "absent.csv"),
    ]:
        capsys.readouterr()
        run("evaluate", *arguments, expect=2)
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith("graphrec: ")
        assert said in last

"""Lists of any system: measured as graphrec's own, with every row that does not count told."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from graphrec.config import Config
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import Split, split
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.evaluate import per_user
from graphrec.evaluate.lists import evaluate_lists, read_lists
from graphrec.evaluate.ranking import Report, Task
from graphrec.experiment import evaluate_model, measure_lists
from graphrec.recommender import Recommender
from graphrec.samples import generate
from tests.cli.support import document, printed, run
from tests.conftest import examples
from tests.reference import naive_metrics


def given(data: Dataset) -> Split:
    return split(data, Config().with_(split={"kind": "given"}).split)


HAND: list[tuple[str, str, int]] = [
    *[("ann", "a", TRAIN), ("ann", "b", VALID), ("ann", "c", TEST), ("ann", "d", TEST)],
    *[("bob", "c", TRAIN), ("bob", "d", VALID), ("bob", "a", TEST)],
    *[("cat", "d", TRAIN), ("cat", "e", VALID), ("cat", "b", TEST)],
    *[("dan", "e", TRAIN), ("dan", "a", TRAIN)],
]


@pytest.fixture(scope="module")
def hand() -> Split:
    return given(build("by hand", pd.DataFrame(HAND, columns=["user_id", "item_id", "part"])))


def lists(*rows: tuple[object, ...], columns: str = "user_id item_id rank") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def test_by_hand(hand: Split) -> None:
    table = lists(
        ("ann", "e", 1), ("ann", "a", 2), ("ann", "d", 3), ("ann", "d", 9), ("ann", "ghost", 4),  # e, d are ranked
        ("bob", "a", 5), ("bob", "a", 7), ("bob", "c", 1),  # a
        ("dan", "b", 1), ("eve", "a", 1), ("eve", "ghost", 1), ("ann", "c", None),
    )  # fmt: skip
    found = evaluate_lists(hand, table, [1, 2])
    assert hand.test.users.ids == ("ann", "bob", "cat", "dan")
    assert found.report.user_nums.tolist() == [0, 1, 2]
    per = found.report.per_user
    assert per["recall@2"].tolist() == [0.5, 1, 0]
    assert per["mrr@2"].tolist() == [0.5, 1, 0]
    assert per["hr@1"].tolist() == [0, 1, 0]
    assert "auc" not in found.report.metrics
    assert found.counts == {
        "rows": 12, "ranked": 4, "unknown_users": 2, "unknown_items": 1, "without_place": 1, "duplicates": 2,
        "barred": 2, "not_tested": 1, "without_list": 1, "short": 1,
    }  # fmt: skip
    assert sum(found.counts[name] for name in list(found.counts)[1:7]) == found.counts["rows"]
    said = " ".join(found.warnings())
    assert "2 rows of users that the data does not know" in said
    assert "1 users of the test part have no list" in said
    assert len(found.warnings()) == 8


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("user_id item_id score", [("ann", "e", 0.5), ("ann", "c", 0.9)]),
        ("user_id item_id score", [("ann", "c", 0.5), ("ann", "e", 0.5)]),  # a tie: in the order of the table
        ("user_id item_id rank", [("ann", "c", 2), ("ann", "e", 2)]),
        ("user_id item_id score rank", [("ann", "e", 0.9, 2), ("ann", "c", 0.1, 1)]),  # the rank counts
        ("user_id item_id score", [("ann", "e", "0,5"), ("ann", "c", "0,75")]),
        ("item_id rank user_id note", [("e", 1.5, "ann", "x"), (" c ", 0.5, "ann", "y")]),
    ],
)
def test_what_comes_first(hand: Split, columns: str, rows: list[tuple[Any, ...]]) -> None:
    report = evaluate_lists(hand, lists(*rows, columns=columns), [1]).report
    assert report.per_user["hr@1"].tolist() == [1, 0, 0]


def test_numbers_as_ids() -> None:
    events = [(u, i, part) for u in (7, 8) for i, part in ((1, TRAIN), (2, VALID), (3, TEST))]
    parts = given(
        build(
            "numbers",
            pd.DataFrame(events, columns=["user_id", "item_id", "part"]).astype({"user_id": str, "item_id": str}),
        )
    )
    for kind in ("int64", "float64", "str"):
        table = lists((7, 3, 1), (8, 3, 1)).astype({"user_id": kind, "item_id": kind})
        assert evaluate_lists(parts, table, [1]).report.metrics["hr@1"] == 1, kind


@pytest.mark.parametrize(
    ("seen", "recall", "barred"),
    [("exclude", 1.0, 2), ("allow", 0.5, 0), ("only", 1.0, 1)],  # c moves up; a is one of two; a alone is ranked
)
def test_what_is_seen_is_handled_as_for_a_model(seen: Any, recall: float, barred: int) -> None:
    events = [("u", "a", TRAIN), ("u", "b", VALID), ("u", "a", TEST), ("u", "c", TEST), ("v", "b", TRAIN)]
    data = build("again", pd.DataFrame(events, columns=["user_id", "item_id", "part"]))
    config = Config().with_(seen=seen, split={"kind": "given", "repeats": seen != "exclude"})
    if seen == "exclude":
        data = build(
            "new", pd.DataFrame([e for e in events if e != ("u", "a", TEST)], columns=["user_id", "item_id", "part"])
        )
    found = evaluate_lists(
        split(data, config.cut), lists(("u", "a", 1), ("u", "c", 2), ("u", "b", 3)), [1], Task.of(config)
    )
    assert found.report.metrics["recall@1"] == recall
    assert found.counts["barred"] == barred


@st.composite
def rankings(draw: st.DrawFn) -> dict[str, list[str]]:
    return {user: draw(st.permutations("abcde"))[: draw(st.integers(0, 5))] for user in ("ann", "bob", "cat", "dan")}


@drawn(rankings(), st.sets(st.integers(1, 6), min_size=1, max_size=3))
@examples(60)
def test_equal_to_a_naive_twin(hand: Split, ranked: dict[str, list[str]], ks: set[int]) -> None:
    rows = [(user, item, n) for user, items in ranked.items() for n, item in enumerate(items)]
    if not rows:
        return
    report = evaluate_lists(hand, lists(*rows), sorted(ks)).report
    for place, user in enumerate(("ann", "bob", "cat")):
        known = {i for u, i, part in HAND if u == user and part != TEST}
        relevant = {i for u, i, part in HAND if u == user and part == TEST}
        left = [item for item in ranked[user] if item not in known]
        for k in ks:
            for name, value in naive_metrics([ord(i) for i in left], {ord(i) for i in relevant}, k).items():
                if f"{name}@{k}" in report.per_user:
                    assert report.per_user[f"{name}@{k}"][place] == pytest.approx(value, abs=1e-6), (user, name, k)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (lists(("ann", "c"), columns="user_id item_id"), "no column rank or score"),
        (lists(("ann", "c", 1), columns="user item rank"), "no column user_id, item_id but user, item, rank"),
    ],
)
def test_a_column_is_missing(hand: Split, table: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        evaluate_lists(hand, table, [1])


def test_nothing_is_known(hand: Split) -> None:
    with pytest.raises(EmptyDataError, match="users such as 'ann'"):
        evaluate_lists(hand, lists(("Ann", "c", 1)), [1])


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_files(tmp_path: Path, ending: str) -> None:
    file, rows = tmp_path / f"lists{ending}", lists(("ann", "c", 1), ("bob", "d", 2))
    if ending == ".parquet":
        rows.to_parquet(file)
    elif ending == ".jsonl":
        rows.to_json(file, orient="records", lines=True)
    else:
        rows.to_csv(file, sep="\t" if ending == ".tsv" else ",", index=False)
    found = read_lists(file)
    assert list(found) == ["user_id", "item_id", "rank"]
    assert found.astype(str).to_numpy().tolist() == rows.astype(str).to_numpy().tolist()


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_lists(tmp_path / "absent.csv")
    (tmp_path / "bad.jsonl").write_text('{"user_id": "a", "item_id": "b", "rank": 1}\n{oops\n', "utf-8")
    with pytest.raises(DataError, match=r"1 lines cannot be read, the first: .*bad\.jsonl:2"):
        read_lists(tmp_path / "bad.jsonl")


# --- the lists of graphrec itself -------------------------------------------------------------------------------------

ONE = {"smoothing": [0.0], "knowledge": [0.0], "fading": [0.0]}
QUICK = {
    "blocks": ["popularity", "spectral", "ease"],
    "features": {"enabled": False},
    "kg": {"enabled": False},
    "spectral": {"rank": [16], "alpha": [0.4], "beta": [0.4], "power": [0.4], "friends": [0.1]} | ONE,
    "ease": {"regularisation": [100.0], "friends": [0.1]} | ONE,
}


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return generate(60, 40, 600)


@pytest.fixture(scope="module")
def orders() -> Dataset:
    """People who order again and again, most of them a few things."""
    draw = np.random.default_rng(3)
    rows = [
        (f"u{user:02d}", f"i{(user + item) % 25:02d}", 1_600_000_000 + 3_600 * turn)
        for user in range(60)
        for turn, item in enumerate(draw.geometric(0.15, 15).tolist())
    ]
    return build("orders", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))


@pytest.mark.parametrize("seen", ["exclude", "allow", "only"])
def test_what_recommend_gives_is_measured_as_the_model_is(
    sample: Dataset, orders: Dataset, seen: Any, tmp_path: Path
) -> None:
    config, data = Config().with_(**QUICK, seen=seen), sample if seen == "exclude" else orders
    by = ("activity", "popularity")
    document = evaluate_model(data, config, by=by)
    model = Recommender(config).fit_split(split(data, config.cut, config.seed))
    table = pd.concat([model.recommend(user_id, 20) for user_id in data.users.ids])
    for columns in (["user_id", "item_id", "rank"], ["user_id", "item_id", "score"]):
        table[columns].to_csv(tmp_path / "lists.csv", index=False)
        found = measure_lists(data, config, tmp_path / "lists.csv", by=by)
        assert found["by"] == document["by"]
        assert {key: found[key] for key in ("split", "cut", "users", "seen", "k")} == {
            key: document[key] for key in ("split", "cut", "users", "seen", "k")
        }
        assert found["rows"]["barred"] == found["rows"]["without_list"] == 0
        names = [f"{name}@{k}" for name, k in itertools.product(("recall", "ndcg", "hr", "mrr", "coverage"), (10, 20))]
        assert {n: found["metrics"][n] for n in names} == {n: document["metrics"][n] for n in names}
        assert 0 < found["metrics"]["ndcg@20"] < 1


# --- per user ---------------------------------------------------------------------------------------------------------


def read(file: Path) -> pd.DataFrame:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    if file.suffix == ".jsonl":
        return pd.DataFrame([json.loads(line) for line in file.read_text("utf-8").splitlines()])
    return pd.read_csv(file, dtype={"user_id": str})


def test_per_user_rows_have_the_means_of_the_document(sample: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    document = evaluate_model(sample, Config().with_(**QUICK), per_user=file)
    table = read(file)
    assert len(table) == document["users"] == table["user_id"].nunique()
    assert set(table["user_id"]) <= set(sample.users.ids)
    for name in table.columns[1:]:
        assert table[name].astype(np.float64).mean() == pytest.approx(document["metrics"][name], abs=1e-6)
    assert {"recall@10", "ndcg@20", "auc"} <= set(table)

    for file in (tmp_path / "users.parquet", tmp_path / "users.jsonl"):
        per_user.check(file)
        per_user.write(table, file)
        pd.testing.assert_frame_equal(read(file), table)


def test_per_user_rows_are_of_their_users() -> None:
    report = Report({}, {"hr@1": np.array([1, 0], np.float32)}, np.array([1, 3]))
    table = per_user.rows(report, ["ann", "bob", "cat", "dan"])
    assert dict(zip(table["user_id"], table["hr@1"], strict=True)) == {"bob": 1, "dan": 0}


@pytest.mark.parametrize("name", ["users.txt", "users", "absent/users.csv"])
def test_a_bad_place_is_refused_before_anything_is_fitted(sample: Dataset, name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"choose \.csv, \.parquet, \.jsonl|there is no folder"):
        evaluate_model(sample, Config(blocks=("nothing",)), per_user=tmp_path / name)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "events.csv"
    rows = [(f"u{u}", f"i{(u + n) % 9}", 1_600_000_000 + 86_400 * (9 * n + u)) for u in range(9) for n in range(6)]
    pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]).to_csv(data, index=False)
    table, users = tmp_path / "lists.csv", tmp_path / "users.csv"
    lists(*[(f"u{u}", f"i{i}", i) for u in range(8) for i in range(9)], ("nobody", "i1", 1)).to_csv(table, index=False)
    asked = ("evaluate", data, "--recommendations", table, "-k", "3", "--per-user", users)
    found = document(capsys, *asked)
    assert set(found["metrics"]) >= {"recall@3", "ndcg@3"}
    assert not any("@10" in name for name in found["metrics"])
    assert found["rows"]["unknown_users"] == 1
    assert any("1 rows of users that the data does not know" in text for text in found["warnings"])
    assert len(read(users)) == found["users"]
    assert "recall@3" in printed(capsys, *asked)
    assert "does not know" not in printed(capsys, *asked)
    run(*asked, "--explanations", expect=2)
    run("evaluate", data, "--recommendations", tmp_path / "absent.csv", expect=2)
    run("evaluate", data, "--recommendations", table, "-k", "none", expect=2)
    assert "evaluate.k" in capsys.readouterr().err


def test_k_below_one_is_refused(hand: Split) -> None:
    with pytest.raises(ConfigError):
        evaluate_lists(hand, lists(("ann", "c", 1)), [0])

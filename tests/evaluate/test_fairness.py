"""Measures over groups: planted unfairness is found, naive twins agree, and what is told apart is said."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy.spatial.distance import jensenshannon

from graphrec.cli.fairness import compared, tables
from graphrec.config import Config
from graphrec.data.attributes import Column
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.split import Split, split
from graphrec.errors import ConfigError
from graphrec.evaluate.compare import Fitted, compare
from graphrec.evaluate.fairness import alike, by_group, miscalibration, of_items, of_users, told_apart
from graphrec.evaluate.groups import FEWEST, MOST, OTHERS, UNKNOWN, Grouping, check, grouping
from graphrec.evaluate.ranking import EmbeddingScorer, Ranked, Report, Task, evaluate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from tests.conftest import examples
from tests.explain.world import random_world
from tests.worlds import two_tastes

K = 5


def told(of: str, key: str, kind: str, values: dict[int, str | list[str]], data: Dataset) -> Dataset:
    """The data with one attribute more."""
    number = "user_num" if of == "users" else "item_num"
    rows = [(n, key, v) for n, value in values.items() for v in ([value] if isinstance(value, str) else value)]
    table = pd.DataFrame(rows, columns=[number, "key", "value"])
    column = Column(key, kind)  # type: ignore[arg-type]
    if of == "users":
        return replace(data, user_attributes=table, user_columns=(column,))
    return replace(data, item_attributes=table, item_columns=(column,))


def world(users: int = 60, items: int = 12) -> Dataset:
    """Each user took the items from 0 on, the later users more; so item 0 is the most popular."""
    pairs = [(u, i) for u in range(users) for i in range(1 + u % 6)]
    events = Events.of(*(np.array(side, np.int64) for side in zip(*pairs, strict=True)))
    return replace(random_world(0, users, items), events=events, item_attributes=_none("item_num"), item_columns=())


def _none(number: str) -> pd.DataFrame:
    return pd.DataFrame({number: np.array([], np.int64), "key": [], "value": []})


def ranked(seed: int, task: Task | None = None, n: int = 7, size: int = 9, k: int = 4) -> Ranked:
    random = np.random.default_rng(seed)
    marks = random.random((n, size))
    taken, relevant = marks < 0.3, marks > 0.6
    lists = np.array([random.permutation(size)[:k] for _ in range(n)], np.int32)
    lists[0, -1] = -1
    return Ranked(lists, sp.csr_matrix(relevant.astype(np.int8)), sp.csr_matrix(taken.astype(np.int8)), task or Task())


def apart(member: npt.NDArray[np.generic], of: str = "items") -> Grouping:
    labels = tuple(f"g{n}" for n in range(member.shape[1]))
    return Grouping(of, "kind", labels, sp.csr_matrix(member.astype(np.float32)))  # type: ignore[arg-type]


@examples(40)
@given(st.integers(0, 10_000), st.sampled_from(["exclude", "allow", "only"]))
def test_items_as_the_naive_twin(seed: int, seen: str) -> None:
    found, random = ranked(seed, Task(seen=seen)), np.random.default_rng(seed + 1)  # type: ignore[arg-type]
    member = (random.random((9, 3)) < 0.5).astype(float)
    out = of_items(found, apart(member), 4)
    relevant, taken = found.relevant.toarray(), found.taken.toarray()
    for g, row in enumerate(out["groups"]):
        places = exposed = open_ = hits = wanted = 0.0
        for u in range(7):
            for rank, item in enumerate(found.lists[u]):
                if item >= 0 and member[item, g]:
                    places, exposed = places + 1, exposed + 1 / np.log2(rank + 2)
                    hits += relevant[u, item]
            for item in range(9):
                could = {"exclude": not taken[u, item], "allow": True, "only": bool(taken[u, item])}[seen]
                open_ += member[item, g] * could
                wanted += member[item, g] * relevant[u, item]
        assert row["items"] == member[:, g].sum()
        if open_:
            assert row["shown"] == pytest.approx(places / open_)
        assert row["found"] is None if not wanted else row["found"] == pytest.approx(hits / wanted)
    rates = np.array([row["found"] for row in out["groups"] if row["found"] is not None])
    if len(rates) and rates.any():
        assert out["reo"] == pytest.approx(rates.std() / rates.mean())


@examples(40)
@given(st.integers(0, 10_000))
def test_miscalibration_is_scipys_squared(seed: int) -> None:
    p, q = np.random.default_rng(seed).integers(0, 4, (2, 6, 3)).astype(float)
    for a, b, found in zip(p, q, miscalibration(p, q), strict=True):
        assert np.isnan(found) if not a.any() or not b.any() else found == pytest.approx(jensenshannon(a, b, 2) ** 2)


def test_planted_unfairness_is_found_and_none_where_there_is_none() -> None:
    """Half of the people get what they want; whatever else they are told apart by is no difference."""
    random = np.random.default_rng(3)
    good = np.arange(400) % 2 == 0
    values = np.where(good, random.normal(0.6, 0.1, 400), random.normal(0.3, 0.1, 400)).astype(np.float32)
    report = Report({}, {f"{what}@{k}": values for what in ("ndcg", "recall") for k in (K, 10)}, np.arange(400))
    fair, unfair = np.arange(400) // 2 % 2, (~good).astype(int)
    found = of_users(report, apart(np.eye(2)[unfair], "users"), np.arange(400), (K, 10))
    gap = found["gaps"][f"recall@{K}"]
    assert (gap["worst"], gap["best"]) == ("g1", "g0")
    assert gap["gap"] == pytest.approx(0.3, abs=0.03)
    assert gap["interval"][0] < gap["gap"] < gap["interval"][1]
    assert gap["p_value"] < 1e-9
    row = found["groups"][1]
    assert row["users"] == 200
    assert row["metrics"]["ndcg@10"] == pytest.approx(values[1::2].mean(), abs=1e-6)
    assert row["interval"]["ndcg@10"][0] < row["metrics"]["ndcg@10"] < row["interval"]["ndcg@10"][1]
    often = Report({}, {name: np.tile(v, 3) for name, v in report.per_user.items()}, np.arange(1200))
    again = of_users(often, apart(np.eye(2)[unfair], "users"), np.tile(np.arange(400), 3), (K, 10))
    for one, other in zip(found["groups"], again["groups"], strict=True):  # asked three times, nobody is three people
        assert one["users"] == other["users"]
        assert one["interval"]["ndcg@10"] == pytest.approx(other["interval"]["ndcg@10"])
    assert again["gaps"]["ndcg@10"]["p_value"] == pytest.approx(found["gaps"]["ndcg@10"]["p_value"])
    none = of_users(report, apart(np.eye(2)[fair], "users"), np.arange(400), (K, 10))
    assert none["gaps"]["ndcg@10"]["p_value"] > 0.01


def test_lists_of_what_is_popular_show_it() -> None:
    data = world()
    truth = sp.csr_matrix(np.tile(np.arange(12) >= 6, (60, 1)).astype(np.float32))
    scores = EmbeddingScorer(np.ones((60, 1), np.float32), np.arange(12, 0, -1, dtype=np.float32)[:, None])
    report = evaluate(scores, Queries.stored(Ties(data)), truth, (K,))
    by = by_group(report, [grouping("popularity", data), grouping("activity", data)], report.user_nums, (K,))
    rows = {row["group"]: row for row in by["items.popularity"]["groups"]}
    assert list(rows) == ["head", "middle", "tail"]
    assert rows["head"]["taken"] + rows["middle"]["taken"] + rows["tail"]["taken"] == pytest.approx(1)
    assert rows["tail"]["merit"] == 1  # all that was to be found
    assert by["items.popularity"]["exposure_gap"] == pytest.approx(1 - rows["tail"]["exposure"])
    active = by["users.activity"]["groups"]
    assert [row["group"] for row in active] == ["up to 2 items", "3 to 4 items", "5 items or more"]
    assert active[-1]["metrics"][f"recall@{K}"] > active[0]["metrics"][f"recall@{K}"]


def test_groups_of_people() -> None:
    values: dict[int, str | list[str]] = {n: "ab"[n % 2] for n in range(50)}
    values |= {50: "rare", 51: ["a", "b"]}
    data = told("users", "sort", "category", values, world())
    found = grouping("sort", data)
    assert found.labels == ("a", "b", OTHERS, UNKNOWN)
    assert [found.labels[g] for g in found.label_of(np.array([0, 1, 50, 51, 59]))] == [
        "a",
        "b",
        OTHERS,
        UNKNOWN,
        UNKNOWN,
    ]
    assert f"fewer than {FEWEST}" in found.put
    assert grouping("users.sort", data).labels == found.labels


def test_what_is_put_together_has_a_name_of_its_own() -> None:
    values: dict[int, str | list[str]] = {n: (OTHERS, UNKNOWN)[n % 2] for n in range(50)}
    values |= {50: "rare"}
    found = grouping("sort", told("users", "sort", "category", values, world()))
    assert found.labels == (UNKNOWN, OTHERS, f"({OTHERS})", f"({UNKNOWN})")
    assert f"({OTHERS})" in found.put


def test_what_one_person_got_is_no_gap() -> None:
    """Nor has it an interval: who is alone in a group is shown, and not compared."""
    people = np.arange(41)
    member = np.zeros((41, 3))
    member[:20, 0] = member[20:40, 1] = member[40, 2] = 1
    each = np.random.default_rng(0).random(41).astype(np.float32) * 0.1 + np.repeat([0.1, 0.2, 0.0], [20, 20, 1])
    report = Report({}, {f"{what}@{K}": each.astype(np.float32) for what in ("ndcg", "recall")}, people, None)
    found = of_users(report, apart(member, "users"), people, (K,))
    alone, gap = found["groups"][2], found["gaps"][f"ndcg@{K}"]
    assert (alone["users"], alone["interval"][f"ndcg@{K}"]) == (1, None)
    assert (gap["worst"], gap["best"]) == ("g0", "g1")
    assert gap["gap"] == pytest.approx(each[20:40].mean() - each[:20].mean(), abs=1e-6)
    assert gap["p_value"] < 0.001
    sheets = compared({"m": {"users.kind": {"of": "users", **found}}})
    printed = StringIO()
    Console(file=printed, width=120).print(*sheets)
    assert f"{found['groups'][0]['metrics'][f'ndcg@{K}']:.4f}" in printed.getvalue()
    values: dict[int, str | list[str]] = {n: "ab"[n % 2] for n in range(50)}
    values |= dict.fromkeys(range(50, 60), "rare")
    data = told("users", "sort", "category", values, world())
    few = np.array([*range(50), 59])
    _, lines = told_apart(["sort"], few, data)
    assert any("'others' (1): fewer than 10 people" in line for line in lines)


def test_groups_by_numbers_dates_and_lists() -> None:
    ages: dict[int, str | list[str]] = {n: str(20 + n) for n in range(60)}
    assert grouping("years", told("users", "years", "number", ages, world())).labels == (
        "up to 40",
        "above 40, up to 60",
        "above 60",
    )
    sizes: dict[int, str | list[str]] = {n: ("100", "9", "20")[n % 3] for n in range(60)}
    assert grouping("size", told("users", "size", "number", sizes, world())).labels == ("9", "20", "100")
    incomes: dict[int, str | list[str]] = {n: str(1_000_001 + n) for n in range(60)}
    assert grouping("pay", told("users", "pay", "number", incomes, world())).labels[0] == "up to 1000021"
    days: dict[int, str | list[str]] = {n: f"2024-01-{1 + n:02}" for n in range(30)}
    assert len(grouping("since", told("users", "since", "date", days, world())).labels) == 4  # and who did not tell
    kinds: dict[int, str | list[str]] = {n: [f"k{n}", "all"] for n in range(12)}
    found = grouping("kind", told("items", "kind", "list", kinds, world(items=12)))
    assert found.member[3].sum() == 2
    many: dict[int, str | list[str]] = {n: f"k{n}" for n in range(MOST + 4)}
    assert grouping("kind", told("items", "kind", "category", many, world(items=MOST + 4))).put


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["nothing"], "there is no such group; there are, of users: activity, sort; of items: popularity, sort"),
        (["sort"], "both people and items have it; say users.sort or items.sort"),
        (["activity", "activity"], "name each group once"),
        ([""], "there is no such group"),
    ],
)
def test_names_that_there_are_not(names: list[str], says: str) -> None:
    values: dict[int, str | list[str]] = {n: "ab"[n % 2] for n in range(12)}
    data = told("items", "sort", "category", values, told("users", "sort", "category", values, world()))
    with pytest.raises(ConfigError, match=says):
        check(names, data)


def test_what_tells_nobody_apart() -> None:
    same: dict[int, str | list[str]] = dict.fromkeys(range(60), "x")
    with pytest.raises(ConfigError, match=r"all people are in one group \(x\)"):
        grouping("sort", told("users", "sort", "category", same, world()))
    with pytest.raises(ConfigError, match="is of type text"):
        check(["sort"], told("users", "sort", "text", same, world()))
    alike = replace(world(), events=Events.of(np.arange(60), np.zeros(60, np.int64)))
    with pytest.raises(ConfigError, match="of everybody as much is known"):
        grouping("activity", alike)


def test_attributes_of_other_data_come_under_its_own_numbers() -> None:
    """What a later file tells of people is read, and those whom the model does not know are passed over."""
    known = world()
    ids = (*known.users.ids[10:50], "stranger")
    later = replace(known, users=type(known.users)(ids, "user"))
    values: dict[int, str | list[str]] = {later.users.number(id_): "xy"[n % 2] for n, id_ in enumerate(ids)}
    found = grouping("sort", known, told("users", "sort", "category", values, later))
    assert found.labels == ("x", "y", UNKNOWN)
    assert [found.labels[g] for g in found.label_of(np.array([10, 11, 49, 50]))] == ["x", "y", "y", UNKNOWN]


def test_tables_fit_eighty_columns() -> None:
    data, found = world(), ranked(3, size=12)
    report = Report({}, {f"{what}@{K}": np.ones(7, np.float32) for what in ("ndcg", "recall")}, np.arange(7), found)
    out = tables(by_group(report, [grouping("popularity", data), grouping("activity", data)], np.arange(7), (K,)))
    console = Console(width=80, file=StringIO())
    assert len(out) == 3
    assert all(console.measure(table).minimum <= 80 for table in out)


def test_models_are_compared_by_groups_as_each_is_measured() -> None:
    data = two_tastes()
    parts = split(
        told("users", "club", "category", {n: "ab"[n % 2] for n in range(data.n_users)}, data),
        SplitConfig(kind="random"),
    )

    def fit(blind: Split, config: Config) -> Fitted:
        users, items = blind.train.n_users, blind.train.n_items
        return Fitted(EmbeddingScorer(np.ones((users, 1), np.float32), -np.arange(items, dtype=np.float32)[:, None]))

    found = compare(parts, ["popularity", "graphrec"], Config(), fit, by=["popularity", "club", "activity"])
    own = found.rows[1].by
    assert set(own) == {"items.popularity", "users.club"}
    assert found.warnings == ("--by activity: of everybody as much is known, so nothing is told apart",)
    assert found.to_json()["rows"][1]["by"] == own
    sheets = compared({row.model: dict(row.by) for row in found.rows})
    assert len(sheets) == 2
    gap, printed = own["users.club"]["gaps"]["ndcg@20"], StringIO()
    Console(file=printed, width=120).print(*sheets)
    assert f"{gap['gap']:.4f}" in printed.getvalue()
    with pytest.raises(ConfigError, match="no such group"):
        compare(parts, ["popularity"], Config(), fit, by=["height"])


def test_a_group_that_is_served_nothing_is_surely_told_apart() -> None:
    served, nothing = np.random.default_rng(0).random(60), np.zeros(60)
    assert alike([served, nothing]) < 1e-9
    assert alike([served, served + 0.5, nothing[:2]]) < 1e-9  # two of no luck hide no gap between the others
    assert alike([nothing, nothing]) == alike([served, nothing[:1]]) == 1.0
    assert alike([nothing[:2], 1 + nothing[:2]]) > 0.05  # four people tell little

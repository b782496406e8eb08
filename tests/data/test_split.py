"""Splits: disjoint parts that cover, in order of time, and no held-out text in training."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data import cuts
from graphrec.data.carve import carves
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import Split, k_core, merge, resolve_kind, split
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.settings import SplitConfig
from tests import worlds
from tests.conftest import examples
from tests.reference import naive_k_core, naive_leave_last

KINDS = ("temporal", "leave-last", "random", "cold-user", "cold-item")


def shop(rows: list[tuple[int, int, int]], times: bool = True, parts: list[int] | None = None) -> Dataset:
    """A Dataset from (user, item, time) rows; the review of each pair holds a marker that names it."""
    events = pd.DataFrame(
        {
            "user_id": [f"u{u:03d}" for u, _, _ in rows],
            "item_id": [f"i{i:03d}" for _, i, _ in rows],
            "value": 1.0,
            "text": [f"marker-{u}-{i} nice" for u, i, _ in rows],
            **({"timestamp": [t for _, _, t in rows]} if times else {}),
            **({"part": parts} if parts is not None else {}),
        }
    )
    friends = pd.DataFrame({"user_id": ["u000", "u001"], "friend_id": ["u001", "u002"]})
    titles = pd.DataFrame({"item_id": events["item_id"].unique()}).assign(title=lambda d: "title " + d["item_id"])
    brands = titles.assign(key="brand", value=titles["item_id"])[["item_id", "key", "value"]]
    return build("shop", events, items=titles, friends=friends, item_attributes=brands)


def triples(data: Dataset) -> set[tuple[str, str, int]]:
    i = data.interactions
    times = np.zeros(len(i), np.int64) if i.timestamps is None else i.timestamps
    users, items = data.users.ids, data.items.ids
    return {(users[u], items[n], int(t)) for u, n, t in zip(i.user_nums, i.item_nums, times, strict=True)}


@st.composite
def rows(draw: st.DrawFn, min_size: int = 12) -> list[tuple[int, int, int]]:
    pairs = st.tuples(st.integers(0, 7), st.integers(0, 12))
    drawn = draw(st.lists(pairs, min_size=min_size, max_size=60, unique=True))
    return [(u, i, draw(st.integers(0, draw(st.sampled_from([5, 10**9]))))) for u, i in drawn]


def assert_sound(data: Dataset, cut: Split) -> None:
    parts = [cut.train, cut.valid, cut.test]
    pieces = [triples(p) for p in parts]
    assert sum(map(len, pieces)) == len(data.interactions)
    assert set().union(*pieces) == triples(data)
    for part, piece in zip(parts, pieces, strict=True):
        assert piece
        assert part.users is data.users
        assert part.items is data.items
        markers = {f"marker-{int(u[1:])}-{int(i[1:])} nice" for u, i, _ in piece}
        assert set(part.reviews["text"]) == markers  # nobody else's text, and no text lost
    fit = cut.fit_data
    assert triples(fit) == pieces[0] | pieces[1]
    assert set(fit.reviews["text"]) == set(cut.train.reviews["text"]) | set(cut.valid.reviews["text"])
    assert cut.cut["sizes"] == {"train": len(pieces[0]), "valid": len(pieces[1]), "test": len(pieces[2])}


@examples(40)
@given(
    rows(), st.sampled_from(["temporal", "leave-last", "random", "auto", "cold-user", "cold-item"]), st.integers(0, 99)
)
def test_parts_are_disjoint_and_cover(drawn: list[tuple[int, int, int]], kind: str, seed: int) -> None:
    data = shop(drawn)
    config = SplitConfig.model_validate({"kind": kind, "valid": 0.2, "test": 0.2})
    try:
        cut = split(data, config, seed)
    except DataError:  # only what cannot be cut is refused
        degrees = Counter(u for u, _, _ in drawn)
        assert (kind == "temporal" and len({t for _, _, t in drawn}) == 1) or max(degrees.values()) < 3
        return
    assert_sound(data, cut)


@examples(40)
@given(rows())
def test_temporal_parts_follow_each_other(drawn: list[tuple[int, int, int]]) -> None:
    data = shop(drawn)
    distinct = {t for _, _, t in drawn}
    if len(distinct) < 3:
        return
    cut = split(data, SplitConfig(kind="temporal", valid=0.2, test=0.2))
    train, valid, test = ({t for _, _, t in triples(part)} for part in (cut.train, cut.valid, cut.test))
    assert max(train) < min(valid) <= max(valid) < min(test)
    assert (cut.cut["valid_from"], cut.cut["test_from"]) == (min(valid), min(test))


def test_temporal_shares_are_met_where_no_ties_stand_in_the_way() -> None:
    data = shop([(n % 20, n // 20, 1000 + n) for n in range(200)])
    cut = split(data, SplitConfig(kind="auto", valid=0.1, test=0.2))
    assert cut.kind == "temporal"
    assert cut.cut["sizes"] == {"train": 140, "valid": 20, "test": 40}


def test_temporal_ties_stay_on_one_side() -> None:
    rows_ = [(n, 0, 0) for n in range(10)] + [(n, 1, 7) for n in range(9)] + [(n, 2, 8) for n in range(3)]
    cut = split(shop(rows_), SplitConfig(kind="temporal", valid=0.1, test=0.1))
    assert cut.cut["sizes"] == {"train": 10, "valid": 9, "test": 3}


def test_two_timestamps_leave_validation_to_the_users() -> None:
    data = shop([(n % 5, n, int(n >= 25)) for n in range(30)])
    cut = split(data, SplitConfig(kind="temporal", valid=0.2, test=0.2))
    assert_sound(data, cut)
    assert cut.cut["sizes"]["test"] == 5
    assert "valid_from" not in cut.cut


@examples(40)
@given(rows())
def test_leave_last_agrees_with_naive_twin(drawn: list[tuple[int, int, int]]) -> None:
    data = shop(drawn)
    train, valid, test = naive_leave_last(sorted(triples(data)))
    if not test:
        with pytest.raises(DataError, match="part empty"):
            split(data, SplitConfig(kind="leave-last"))
        return
    cut = split(data, SplitConfig(kind="leave-last"))
    assert (triples(cut.train), triples(cut.valid), triples(cut.test)) == (train, valid, test)


@examples(40)
@given(rows(), st.integers(1, 4))
def test_k_core_agrees_with_naive_twin(drawn: list[tuple[int, int, int]], k: int) -> None:
    data = shop(drawn)
    expected = naive_k_core(triples(data), k)
    if not expected:
        with pytest.raises(EmptyDataError, match="k_core"):
            k_core(data, k)
        return
    core = k_core(data, k)
    assert triples(core) == expected
    assert set(core.users.ids) == {u for u, _, _ in expected}
    assert set(core.items.ids) == {i for _, i, _ in expected}
    assert [core.title(n) for n in range(core.n_items)] == [f"title {i}" for i in core.items.ids]
    assert core.item_attributes["value"].tolist() == [core.items.ids[n] for n in core.item_attributes["item_num"]]
    assert len(core.reviews) == len(expected)
    friends = {(core.users.ids[a], core.users.ids[b]) for a, b in core.social_edge_index.T}
    known = set(core.users.ids)
    both = {("u000", "u001"), ("u001", "u002"), ("u001", "u000"), ("u002", "u001")}
    assert friends == {(a, b) for a, b in both if a in known and b in known}


def test_k_core_comes_before_the_split() -> None:
    data = shop([(u, i, u * 10 + i) for u in range(6) for i in range(6)] + [(7, 9, 1)])
    cut = split(data, SplitConfig(kind="random", valid=0.2, test=0.2, k_core=3))
    assert cut.train.n_users == 6
    assert cut.train.n_items == 6


def test_random_keeps_a_training_row_and_meets_the_shares() -> None:
    data = shop([(u, i, 0) for u in range(100) for i in range(13)], times=False)
    config = SplitConfig(kind="auto", valid=0.1, test=0.2)
    cut = split(data, config, seed=1)
    assert cut.kind == "random"
    assert_sound(data, cut)
    assert cut.cut["sizes"]["test"] == pytest.approx(260, abs=15)
    assert cut.cut["sizes"]["valid"] == pytest.approx(130, abs=15)
    assert len(set(cut.train.interactions.user_nums)) == 100
    assert triples(split(data, config, seed=1).test) == triples(cut.test)
    assert triples(split(data, config, seed=2).test) != triples(cut.test)


def test_given_parts_are_kept_and_validation_is_the_last_of_training() -> None:
    drawn = [(u, i, 100 * u + i) for u in range(4) for i in range(10)]
    parts = [TEST if i >= 8 else TRAIN for _, i, _ in drawn]
    data = shop(drawn, parts=parts)
    cut = split(data, SplitConfig(valid=0.25))
    assert cut.kind == "given"
    assert_sound(data, cut)
    assert triples(cut.test) == {t for t in triples(data) if t[1] >= "i008"}
    assert triples(cut.valid) == {t for t in triples(data) if "i006" <= t[1] < "i008"}
    timeless = split(shop(drawn, times=False, parts=parts), SplitConfig(valid=0.25))
    assert timeless.cut["sizes"] == {"train": 24, "valid": 8, "test": 8}
    with_valid = split(shop(drawn, parts=[min(i // 4, TEST) for _, i, _ in drawn]), SplitConfig())
    assert triples(with_valid.valid) == {t for t in triples(data) if "i004" <= t[1] < "i008"}
    assert with_valid.valid.parts is not None
    assert (with_valid.valid.parts == VALID).all()


def first_carve(data: Dataset, config: SplitConfig) -> tuple[Dataset, Dataset]:
    """The first fold of a production fit."""
    first = carves(data, resolve_kind(data, config), config, seed=42)[0]
    return first.train, first.valid


def test_production_carve_leaves_the_declared_test_part_out() -> None:
    drawn = [(u, i, 100 * u + i) for u in range(4) for i in range(10)]
    data = shop(drawn, parts=[TEST if i >= 8 else TRAIN for _, i, _ in drawn])
    train, valid = first_carve(data, SplitConfig(valid=0.25))
    for part in (train, valid):
        assert part.interactions.item_nums.max() < 8
        assert part.reviews["item_num"].max() < 8
    assert len(train.interactions) + len(valid.interactions) == 32


@pytest.mark.parametrize("kind", ["temporal", "leave-last", "random", "auto"])
def test_production_carve_covers_all_rows(kind: str) -> None:
    data = shop([(n % 10, n // 10, n) for n in range(100)])
    train, valid = first_carve(data, SplitConfig.model_validate({"kind": kind, "valid": 0.2}))
    assert not triples(train) & triples(valid)
    assert triples(train) | triples(valid) == triples(data)
    assert triples(merge(train, valid)) == triples(data)
    if kind in ("temporal", "auto"):
        assert {t for _, _, t in triples(valid)} == set(range(80, 100))
    if kind == "leave-last":
        assert {t for _, _, t in triples(valid)} == set(range(90, 100))


def test_merge_restores_the_whole() -> None:
    data = shop([(n % 7, n % 11, n) for n in range(60)])
    mask = np.arange(len(data.interactions)) % 3 == 0
    assert merge(data.subset(mask), data.subset(~mask)).fingerprint() == data.fingerprint()
    assert merge(data.subset(mask), data.subset(~mask)).reviews.equals(data.reviews)


@pytest.mark.parametrize(
    ("kind", "rows_", "times", "message"),
    [
        ("temporal", [(0, n, n) for n in range(9)], False, "needs timestamps"),
        ("leave-last", [(0, n, n) for n in range(9)], False, "needs timestamps"),
        ("temporal", [(n, n, 5) for n in range(9)], True, "one timestamp"),
        ("given", [(0, n, n) for n in range(9)], True, "no split of its own"),
        ("leave-last", [(n, n, n) for n in range(9)], True, "part empty"),
        ("random", [(n, n, n) for n in range(9)], True, "at least two events"),
    ],
)
def test_what_cannot_be_cut_is_refused(kind: str, rows_: list[tuple[int, int, int]], times: bool, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        split(shop(rows_, times), SplitConfig.model_validate({"kind": kind}))
    assert "\n" not in str(caught.value)


def test_shares_must_leave_training_rows() -> None:
    with pytest.raises(ConfigError, match="below 1"):
        split(shop([(0, n, n) for n in range(9)]), SplitConfig(valid=0.5, test=0.5))


def test_groups_are_made_of_training_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    data = worlds.two_tastes()
    assert data.parts is not None
    parts = np.where(data.parts == VALID, TRAIN, data.parts).astype(np.uint8)
    read: list[sp.csr_matrix] = []

    def groups(matrix: sp.csr_matrix, seed: int) -> npt.NDArray[np.int64]:
        read.append(matrix)
        return np.zeros(matrix.shape[1], np.int64)

    monkeypatch.setattr(cuts, "item_groups", groups)
    worlds.given(replace(data, parts=parts))
    test = data.subset(parts == TEST)
    assert read  # once for each fold
    for matrix in read:
        assert matrix.nnz == (parts == TRAIN).sum()
        assert not matrix.multiply(test.seen()).nnz

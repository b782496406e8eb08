"""Users who are forgotten: what is left is what it would be had they never been known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import graphrec as gr
from graphrec import forgetting
from graphrec.blocks import _flow, ease
from graphrec.data.dataset import Dataset, build
from graphrec.data.erased import without
from graphrec.data.kinds import Kind
from graphrec.errors import ConfigError, DataError, UnknownIdError
from graphrec.forgetting import Receipt, Way
from graphrec.linalg.item_item import ease_inverse, moved_inverse
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.samples import generate
from tests.conftest import examples
from tests.features.test_encoder import CountingEncoder
from tests.kg.planted import WordExtractor

CHOSEN: dict[str, dict[str, Any]] = {
    "popularity": {"half_life": 30.0, "reading": "liked"},
    "spectral": {"reading": "liked", "alpha": 0.4, "rank": 8, "beta": 0.4, "power": 0.4, "friends": 0.3,
                 "knowledge": 0.3, "smoothing": 0.1},
    "neighbours": {"reading": "weighted", "n": 10, "alpha": 0.5, "beta": 0.4, "friends": 0.3, "knowledge": 0.3,
                   "smoothing": 0.1},
    "ease": {"reading": "liked", "regularisation": 10.0, "n": 20, "friends": 0.1, "smoothing": 0.1},
    "itemknn": {"reading": "signed", "n": 10, "shrink": 1.0, "friends": 0.0, "knowledge": 0.0},
    "userknn": {"reading": "liked", "n": 5, "shrink": 1.0},
    "ials": {"reading": "liked", "alpha": 3.0, "regularisation": 10.0, "factors": 8, "knowledge": 0.3},
    "transitions": {"reading": "alike", "window": 31, "decay": 1.0, "pause": 0.0, "backward": 0.3, "source": 0.5,
                    "target": 0.2, "shape": 0.5, "power": 0.5, "half_life": 30.0, "last": 100, "n": 5000},
    "season": {"late": 30.0, "year": 1.0, "week": 1.0, "day": 0.0, "few": 3.0, "reading": "liked"},
    "circle": {"beta": 0.25, "gamma": 0.5, "half_life": 90.0, "attention": 2.0, "reading": "liked", "bands": 1.0},
    "kin": {"n": 20, "alpha": 0.5, "gamma": 1.0, "takers": 10.0, "reading": "liked", "bands": 1.0},
    "semantic": {"ridge": 1.0, "reading": "liked"},
}  # fmt: skip
BESIDE = {"graph": {"temperature": 0.1, "reading": "alike", "epochs": 2, "popularity": 0.5, "half_life": 0.0}}
CONFIG = gr.Config().with_(blocks=[*CHOSEN], season={"pilot": False}, kg={"min_mentions": 1})
WORDS = WordExtractor(dict.fromkeys(("sound", "price", "practice", "jazz", "weight", "case"), "aspect"))
CLOSE = 1e-5
EXACT = sorted({*CHOSEN} - {"spectral", "ials"})
HEARING = ("neighbours", "kin", "semantic")  # the knowledge graph, or texts


def fit(data: Dataset, content: bool = False, names: tuple[str, ...] = tuple(CHOSEN)) -> Model:
    """Every block heard, with choices that use all that is known; the norms of the data are those that it brings."""
    chosen: dict[str, Any] = {name: CHOSEN[name] for name in names}
    chosen["weights"] = dict.fromkeys(names, 1.0)
    if content:
        chosen["content"] = {"own": ["popularity"], "ridge": 1.0, "few": 3.0, "spread": 0.0}
    recommender = gr.Recommender(CONFIG.with_(blocks=[*names]), encoder=CountingEncoder(), extractor=WORDS)
    return recommender.fit(data, chosen).fitted


@pytest.fixture(scope="module")
def model() -> Model:
    return fit(generate(n_users=40, n_items=40, n_reviews=240))


def forgotten(model: Model, users: Iterable[str], way: Way = "refit") -> tuple[Model, Receipt]:
    return forgetting.forgotten(model, users, way, extractor=WORDS)


def never(model: Model, users: list[str], **how: Any) -> Model:
    """A model that never knew them: fitted on the others' data, with the same choices and norms."""
    data = without(model.data, model.data.users.numbers(users))
    return fit(data, **how)


def same(one: Model, other: Model, names: list[str]) -> None:
    for name in names:
        for side in ("users", "items"):
            found, expected = (dense(getattr(m.profiles[name], side)) for m in (one, other))
            np.testing.assert_allclose(found, expected, CLOSE, CLOSE, err_msg=f"{name}.{side}")


def dense(side: Any) -> Any:
    return side.toarray() if hasattr(side, "toarray") else np.asarray(side)


def some(model: Model, n: int = 3, first: int = 5) -> list[str]:
    return list(model.data.users.ids[first : first + 7 * n : 7])


def test_blocks_are_as_if_they_had_never_been_known(model: Model) -> None:
    users = some(model)
    found, receipt = forgotten(model, users)
    fresh = never(model, users)
    same(found, fresh, [*CHOSEN])
    assert found.graph == fresh.graph
    assert found.data == fresh.data
    assert receipt.exact
    assert set(model.data.users.ids) >= set(users), "the model that was given stays as it was"


def test_read_back_from_an_artifact_it_forgets_as_well(model: Model, tmp_path: Path) -> None:
    users = some(model)
    gr.Recommender.of(model).save(tmp_path / "m")
    read = replace(gr.load(tmp_path / "m").fitted, encoder=model.encoder)
    found, receipt = forgotten(read, users)
    same(found, never(model, users), EXACT)
    assert receipt.removed == forgotten(model, users)[1].removed


def test_an_id_alone_is_that_of_one_person(model: Model) -> None:
    (user,) = some(model, 1)
    found, receipt = forgetting.forgotten(model, user, "quick", extractor=WORDS)
    assert (receipt.users, receipt.unknown) == (1, 0)
    assert user not in found.data.users
    assert forgetting.ERASERS not in receipt.kept


def test_one_after_another_is_all_at_once_and_what_can_be_is_subtracted(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ease, "FEW", 0)  # in a world so small
    users, one, ways = some(model, 4), model, []
    for user in users:
        one, receipt = forgotten(one, [user])
        ways.append({taken.block: taken.way for taken in receipt.blocks})
    assert [found["ease"] for found in ways] == ["subtracted"] * 4, "a fit keeps its inverse"
    assert [found["transitions"] for found in ways] == ["anew", "subtracted", "subtracted", "subtracted"]
    same(one, never(model, users), [*CHOSEN])


@pytest.mark.parametrize("broken", ["moved_inverse", "counts"])
def test_a_subtraction_that_is_not_exact_is_seen(model: Model, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "FEW", 0)
    users = some(model, 2)
    first = forgotten(model, users[:1], "quick")[0]
    if broken == "moved_inverse":
        monkeypatch.setattr(ease, "moved_inverse", lambda inverse, gone, new: inverse)
    else:
        real = _flow.counts
        nothing = np.zeros(0, np.int64)
        monkeypatch.setattr(_flow, "counts", lambda i, c, of=None: real(i, c, of if of is None else nothing))
    second = forgotten(first, users[1:])[0]
    with pytest.raises(AssertionError, match="ease" if broken == "moved_inverse" else "transitions"):
        same(second, never(model, users), EXACT)


def test_sides_from_content_are_made_anew(model: Model) -> None:
    names = ("popularity", "neighbours", "ease", "semantic")
    mixed, users = fit(model.data, content=True, names=names), some(model)
    ways: tuple[Way, ...] = ("refit", "quick")
    for way in ways:
        found, _ = forgotten(mixed, users, way)
        fresh = never(mixed, users, content=True, names=names)
        same(found, fresh, [name for name in names if way == "refit" or name not in HEARING])


def test_quick_takes_out_of_the_graph_what_they_said(model: Model) -> None:
    users = some(model)
    found, receipt = forgotten(model, users, "quick")
    assert receipt.graph == "pruned"
    assert {taken.block for taken in receipt.blocks if not taken.exact} == {"spectral", "ials", "neighbours", "kin"}
    fresh = never(model, users)
    same(found, fresh, [name for name in EXACT if name not in HEARING])
    for name in ("spectral", "ials"):
        told, expected = (m.profiles[name].scores(Queries.stored(m.ties)).ravel() for m in (found, fresh))
        assert np.corrcoef(told, expected)[0, 1] > 0.9, name
    theirs = set(model.data.reviews["review_id"][model.data.reviews["user_num"].isin(numbers(model, users))])
    assert theirs
    assert not theirs & {*found.graph.texts, *found.graph.mentions["review_id"], *found.graph.provenance["review_id"]}
    np.testing.assert_allclose(found.graph.polarity, fresh.graph.polarity, atol=1e-6)
    assert replace(found.graph, polarity=fresh.graph.polarity) == fresh.graph, "nothing is settled from all reviews"
    assert receipt.removed["triples"] == len(model.graph) - len(found.graph)
    stays = {f"user:{user}" for user in users} & set(found.graph.entities["entity"])
    assert not stays


def numbers(model: Model, users: list[str]) -> Any:
    return model.data.users.numbers(users)


def test_networks_go_on_or_stay(model: Model) -> None:
    data = model.data
    both: dict[str, Any] = {**BESIDE, "popularity": CHOSEN["popularity"], "weights": {"graph": 1.0, "popularity": 1.0}}
    small = {"dim": 8, "init": "random", "relations": False}
    config = CONFIG.with_(blocks="popularity,graph", graph=small, features={"enabled": False})
    network = gr.Recommender(config).fit(data, both).fitted
    users = some(network)
    others = np.setdiff1d(np.arange(data.n_users), numbers(network, users))
    ways: dict[Way, str] = {"refit": "resumed", "quick": "kept", "anew": "anew"}
    for way, told in ways.items():
        found, receipt = forgotten(network, users, way)
        assert [t.way for t in receipt.blocks] == ["anew", told]
        assert receipt.exact == (way == "anew")
        assert found.profiles["graph"].shape == (data.n_users - 3, data.n_items)
        if way == "quick":
            kept = network.profiles["graph"].users[others]
            heard = network.ties.friend_mean[others][:, numbers(network, users)].sum(axis=1).A1 == 0
            np.testing.assert_allclose(found.profiles["graph"].users[heard], kept[heard], atol=1e-6)
        else:
            assert not np.allclose(found.profiles["graph"].items, network.profiles["graph"].items)


def test_the_receipt_says_what_was_removed_and_names_nobody(model: Model) -> None:
    users = some(model)
    found, receipt = forgotten(model, [*users, "nobody"])
    told = receipt.to_json()
    assert (told["users"], told["unknown"]) == (3, 1)
    assert told["removed"]["events"] == len(model.data.events) - len(found.data.events) > 0
    assert told["removed"]["reviews"] == len(model.data.reviews) - len(found.data.reviews) > 0
    assert told["removed"]["friendships"] > 0
    assert (told["earlier"], told["model_version"]) == (model.version, found.version)
    assert found.version != model.version
    assert found.counts["users"] == model.data.n_users - 3
    assert not any(user in json.dumps(told) for user in users)


def test_mistakes_are_told(model: Model) -> None:
    with pytest.raises(UnknownIdError, match="nothing to forget"):
        forgotten(model, ["nobody"])
    with pytest.raises(UnknownIdError, match="none of 2 user ids"):
        forgotten(model, ["nobody", "nor me"])
    with pytest.raises(DataError, match="nobody would be left"):
        forgotten(model, model.data.users.ids)
    with pytest.raises(ConfigError, match="no way 'slowly'"):
        forgotten(model, some(model), "slowly")  # type: ignore[arg-type]


TINY = ("popularity", "neighbours", "ease", "transitions", "circle", "userknn")
PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=12, max_size=40, unique=True)
GONE = st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True)


@examples(15)
@given(PAIRS, st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8), GONE)
def test_any_log_forgets_anybody(pairs: list[tuple[int, int]], friends: list[tuple[int, int]], gone: list[int]) -> None:
    rows = [(f"u{u}", f"i{i}", 5.0 - (u + i) % 3, 1_600_000_000 + 86_400 * n) for n, (u, i) in enumerate(pairs)]
    told = build(
        "any",
        pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp"]),
        kinds=[Kind("review", values="rating", scale=(1.0, 5.0))],
        friends=pd.DataFrame([(f"u{a}", f"u{b}") for a, b in friends], columns=["user_id", "friend_id"]),
    )
    users = [f"u{n}" for n in gone if f"u{n}" in told.users]
    if not users or len(users) == told.n_users:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ease, "FEW", 0)
        whole = one = fit(told, names=TINY)
        for user in users:
            one, _ = forgotten(one, [user], "quick")
        same(one, forgotten(whole, users)[0], [*TINY])
        same(one, never(whole, users, names=TINY), [*TINY])


def test_an_inverse_moves_with_its_rows() -> None:
    random = np.random.default_rng(0)
    rows = sp.csr_matrix((random.random((40, 12)) < 0.3).astype(np.float32))
    new = sp.csr_matrix(random.random((3, 12)).astype(np.float32))
    moved = moved_inverse(ease_inverse(rows, 2.0), rows[:5], new)
    expected = ease_inverse(sp.csr_matrix(sp.vstack([rows[5:], new])), 2.0)
    np.testing.assert_allclose(moved, expected, atol=1e-7)  # what is added is no count: products in float32

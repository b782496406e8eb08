"""The whole path on small worlds: fit, recommend, explain, save, load, and every kind of awkward input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.dataset import TEST, Dataset, build
from graphrec.data.kinds import Kind
from graphrec.data.split import split
from graphrec.errors import ConfigError, DataError, NotFittedError, UnknownIdError
from graphrec.explain.check import check
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.types import Floats
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import QUICK, WordExtractor, fitted, rated, shop


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted(shop())


def test_what_one_fit_chose_another_takes_over(model: Recommender) -> None:
    again = Recommender(QUICK, encoder=CountingEncoder(), extractor=WordExtractor())
    again.fit(shop(), model.fitted.chosen)
    np.testing.assert_array_equal(again.fitted.items, model.fitted.items)
    np.testing.assert_array_equal(again.fitted.users, model.fitted.users)
    assert again.fitted.chosen == model.fitted.chosen
    with pytest.raises(ConfigError, match="nothing is chosen for graph"):
        again.fit(shop(), {k: v for k, v in model.fitted.chosen.items() if k != "graph"})


def test_a_declared_test_part_is_not_learned_from_with_given_choices(model: Recommender) -> None:
    data = shop()
    parts = np.zeros(len(data.interactions), np.uint8)
    parts[::5] = TEST
    declared = replace(data, parts=parts)
    again = Recommender(QUICK, encoder=CountingEncoder(), extractor=WordExtractor()).fit(declared, model.fitted.chosen)
    assert len(again.fitted.data.interactions) == (parts != TEST).sum()


def test_recommendations_are_ranked_unseen_and_of_the_users_taste(model: Recommender) -> None:
    data = model.fitted.data
    found = model.recommend("u0", k=5)
    assert list(found.columns) == ["user_id", "item_id", "score", "rank", "title"]
    assert list(found["rank"]) == [1, 2, 3, 4, 5]
    assert found["score"].is_monotonic_decreasing
    taken = {
        data.items.ids[n] for n in data.interactions.item_nums[data.interactions.user_nums == data.users.number("u0")]
    }
    assert not taken & set(found["item_id"])
    assert all(int(i[1:]) % 2 == 0 for i in found["item_id"])
    assert found.attrs["degraded"] == []


def test_scores_are_sums_of_contributions_and_equal_everywhere(model: Recommender) -> None:
    found = model.recommend("u3", k=3)
    data = model.fitted.data
    row = model.scores(Queries.stored(model.fitted.ties, data.users.numbers(["u3"])))[0]
    for item_id, score in zip(found["item_id"], found["score"], strict=True):
        explanation = model.explain("u3", item_id)
        assert explanation.score == pytest.approx(score, abs=1e-4)
        assert sum(explanation.blocks.values()) == pytest.approx(score, abs=1e-4)
        assert row[data.items.number(item_id)] == pytest.approx(score, abs=1e-4)


def test_every_step_exists_and_every_quote_is_verbatim(model: Recommender) -> None:
    quotes = 0
    for user_id in model.fitted.data.users.ids[:10]:
        for item_id in model.recommend(user_id, 3)["item_id"]:
            explanation = model.explain(user_id, item_id)
            assert check(explanation, model.fitted.data, model.fitted.graph) == []
            quotes += sum(e.source is not None for e in explanation.evidence)
            json.dumps(explanation.to_json())
    assert quotes > 0


def test_similar_items_share_the_taste(model: Recommender) -> None:
    found = model.similar("i4", 4)
    assert "i4" not in set(found["item_id"])
    assert sum(int(i[1:]) % 2 == 0 for i in found["item_id"]) >= 3


def test_same_seed_same_bytes(model: Recommender) -> None:
    first, second = model, Recommender(QUICK, encoder=CountingEncoder(), extractor=WordExtractor()).fit(shop())
    assert first.fitted.profiles.user_matrix().tobytes() == second.fitted.profiles.user_matrix().tobytes()
    assert first.fitted.profiles.item_matrix().tobytes() == second.fitted.profiles.item_matrix().tobytes()


def test_held_out_reviews_reach_neither_extractor_nor_encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path))
    data = shop()
    parts = split(data, QUICK.split)
    secret = data.reviews.merge(parts.test.reviews[["review_id"]])["review_id"]
    reviews = data.reviews.copy()
    reviews.loc[reviews["review_id"].isin(secret), "text"] += " Xyzzy strings."
    marked = Dataset(**{**vars(data), "reviews": reviews})
    encoder, extractor = CountingEncoder(), WordExtractor()
    few = QUICK.with_(blocks=["popularity", "spectral", "semantic"])  # texts are read before any block learns
    Recommender(few, encoder=encoder, extractor=extractor).fit_split(split(marked, few.split))
    assert len(secret) > 0
    assert extractor.read
    assert not any("Xyzzy" in text for text in [*encoder.asked, *extractor.read])


# --- users --------------------------------------------------------------------------------------------------------


def test_an_unknown_user_gets_popular_items_and_is_told_why(model: Recommender) -> None:
    found = model.recommend("nobody", 5)
    assert [reason.split(":")[0] for reason in found.attrs["degraded"]] == ["unknown_user", "popularity"]
    expected = np.argsort(-model.fitted.popular, kind="stable")[:5]
    assert list(found["item_id"]) == [model.fitted.data.items.ids[n] for n in expected]


def test_a_new_user_with_a_history_is_folded_in(model: Recommender) -> None:
    found = model.recommend("newcomer", 5, history=["i1", "i3", "i5"])
    assert found.attrs["degraded"] == []
    assert all(int(i[1:]) % 2 == 1 for i in found["item_id"])
    assert not {"i1", "i3", "i5"} & set(found["item_id"])


def test_a_user_who_has_seen_everything_gets_an_empty_answer(model: Recommender) -> None:
    everything = list(model.fitted.data.items.ids)
    found = model.recommend("u0", 5, history=everything)
    assert len(found) == 0
    assert found.attrs["degraded"][0].startswith("fewer_items")
    assert len(model.recommend("u0", 5, history=everything, seen="allow")) == 5


def test_k_larger_than_the_catalogue(model: Recommender) -> None:
    found = model.recommend("u0", 1000)
    assert len(found) == 30 - 7
    assert found.attrs["degraded"][0].startswith("fewer_items")


def test_a_query_leads(model: Recommender) -> None:
    assert len(model.recommend("u0", 5, query="brand B1")) == 5
    without = Recommender(QUICK.with_(blocks=["popularity"])).fit(shop(reviews=False))
    with pytest.raises(ConfigError, match="semantic"):
        without.recommend("u0", query="anything")


def test_unknown_ids_and_bad_calls(model: Recommender) -> None:
    with pytest.raises(UnknownIdError, match="'absent'"):
        model.explain("u0", "absent")
    with pytest.raises(UnknownIdError):
        model.similar("absent")
    with pytest.raises(UnknownIdError):
        model.recommend("u0", history=["absent"])
    with pytest.raises(DataError):
        model.recommend("u0", 0)
    with pytest.raises(NotFittedError):
        Recommender().recommend("u0")
    with pytest.raises(ConfigError, match="spectrum"):
        Recommender(gr.Config().with_(blocks=["spectrum"]))


# --- data that lacks something ------------------------------------------------------------------------------------


def _fit(data: Dataset) -> Recommender:
    return Recommender(QUICK, encoder=CountingEncoder(), extractor=WordExtractor()).fit(data)


def _events(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user_id", "item_id"])


def test_no_text_no_times_no_friends_no_knowledge() -> None:
    pairs = [(f"u{u}", f"i{i}") for u in range(12) for i in range(10) if (u + i) % 3]
    model = _fit(build("bare", _events(pairs)))
    found = model.recommend("u0", 3)
    assert len(found) == 3
    assert check(model.explain("u0", str(found["item_id"].iat[0])), model.fitted.data, model.fitted.graph) == []


def test_a_catalogue_with_one_item_and_a_single_interaction() -> None:
    one = _fit(build("one item", _events([("a", "x"), ("b", "x"), ("c", "x")])))
    assert len(one.recommend("a", 5)) == 0
    assert list(one.recommend("new", 5)["item_id"]) == ["x"]
    assert len(one.similar("x", 3)) == 0
    single = _fit(build("single", _events([("a", "x")])))
    assert list(single.recommend("new")["item_id"]) == ["x"]


def test_without_a_dense_block_similar_items_are_the_linked_ones() -> None:
    pairs = [(f"u{u}", f"i{i}") for u in range(12) for i in range(u % 2, 10, 2)]
    model = Recommender(QUICK.with_(blocks=["neighbours"])).fit(build("sparse", _events(pairs)))
    found = model.similar("i0", 4)
    assert set(found["item_id"]) == {"i2", "i4", "i6", "i8"}
    assert (found["score"] > 0).all()


def test_similar_items_hear_every_block_by_its_weight() -> None:
    model = Recommender(QUICK.with_(blocks=["spectral", "neighbours"])).fit(shop(reviews=False))
    fitted = model.fitted
    noise = np.random.default_rng(0).normal(size=fitted.profiles["spectral"].items.shape).astype(np.float32)
    spectral = fitted.profiles["spectral"]
    assert isinstance(spectral, ProfileBlock)
    loud = replace(spectral, items=noise, weight=0.05)
    profiles = Profiles((loud, fitted.profiles["neighbours"].reweighted(1.0)))
    found = replace(fitted, profiles=profiles).similar("i4", 8)
    assert all(int(i[1:]) % 2 == 0 for i in found["item_id"])
    assert found["score"].between(0.1, 1).all()


def test_what_only_tells_how_popular_items_are_does_not_compare_them() -> None:
    model = Recommender(QUICK.with_(blocks=["popularity"])).fit(shop(reviews=False))
    found = model.similar("i4", 3)
    assert len(found) == 3
    [why] = found.attrs["degraded"]
    assert "nothing that was learned compares it" in why


def test_a_config_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="config is a dict; give "):
        Recommender({"ease": {"n": 3}})  # type: ignore[arg-type]


def test_it_is_shown_in_one_line(model: Recommender) -> None:
    for shown in (repr(model), repr(model.fitted), repr(Recommender(QUICK))):
        assert len(shown) < 400
        assert "\n" not in shown
    assert "40 users" in repr(model)
    assert "not fitted" in repr(Recommender(QUICK))


def test_a_second_fit_forgets_the_first() -> None:
    pairs = [(f"u{u}", f"i{i}") for u in range(12) for i in range(10) if (u + i) % 3]
    model = Recommender(QUICK.with_(blocks=["popularity", "spectral"])).fit(build("bare", _events(pairs)))
    item_id = str(model.recommend("u0", 1)["item_id"].iat[0])
    before = scores_of(model, 0)
    model.fit(build("others", _events([(f"u{u}", f"i{i}") for u in range(12) for i in range(10) if (u * i) % 4 != 1])))
    after = scores_of(model, 0)
    assert after.shape != before.shape or not np.allclose(after, before)
    number = model.fitted.data.items.number(item_id)
    assert model.explain("u0", item_id).score == pytest.approx(float(after[number]), abs=1e-4)


def scores_of(model: Recommender, user_num: int) -> Floats:
    out: Floats = model.scores(Queries.stored(model.fitted.ties, np.array([user_num])))[0]
    return out


def test_a_split_that_the_data_cannot_have_is_said() -> None:
    pairs = [(f"u{u}", f"i{i}") for u in range(12) for i in range(10)]
    with pytest.raises(DataError, match="timestamps"):
        Recommender(QUICK.with_(split={"kind": "leave-last"})).fit(build("timeless", _events(pairs)))


def test_k_core_applies_to_fit() -> None:
    pairs = [(f"u{u}", f"i{i}") for u in range(12) for i in range(10)] + [("once", "i0")]
    config = QUICK.with_(split={"k_core": 2}, blocks=["popularity"])
    assert "once" not in Recommender(config).fit(build("core", _events(pairs))).fitted.data.users


def test_where_nothing_is_liked_the_answer_is_what_is_popular_and_says_so() -> None:
    config = QUICK.with_(blocks=["spectral", "graph", "popularity"], features={"enabled": False})
    model = Recommender(config).fit(rated(1.0))
    assert model.fitted.chosen["graph"] == {"left_out": "nothing is liked"}
    found = model.recommend("u0", 3)
    assert len(found) == 3
    assert [note.split(":")[0] for note in found.attrs["degraded"]] == ["no_history", "popularity"]


def test_reasons_for_somebody_without_a_history_say_what_they_were_answered_with() -> None:
    rows = [(f"u{u}", f"i{(u % 2) + 2 * ((u + n) % 6)}", 5.0) for u in range(20) for n in range(4)]
    rows += [("hater", f"i{n}", 1.0) for n in range(3)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value"])
    cities = pd.DataFrame([(f"u{u}", "city", f"c{u % 2}") for u in range(20)] + [("new", "city", "c0")])
    data = build(
        "towns",
        events,
        kinds=[Kind("review", values="rating", scale=(1, 5))],
        user_attributes=cities.set_axis(["user_id", "key", "value"], axis=1),
    )
    model = Recommender(QUICK.with_(blocks=["spectral", "popularity"])).fit(data)
    new, hater = (model.explain(user, model.recommend(user, 1)["item_id"][0]).text for user in ("new", "hater"))
    assert new.startswith("Nothing is known yet of what you took, so what people of whom the same is known took comes")
    assert hater.startswith("Nothing is known yet that you took and liked, so what is popular with everyone comes")
    assert "Nothing is known yet that you took and liked." in model.why_not("hater", "i9").missing

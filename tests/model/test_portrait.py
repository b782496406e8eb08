"""Profiles of people for themselves: planted tastes, honest emptiness, nobody else named, nothing sensitive told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.attributes import Column
from graphrec.data.dataset import build
from graphrec.data.kinds import Kind
from graphrec.data.tables import review_id
from graphrec.errors import ConfigError, UnknownIdError
from graphrec.explain.pictures import draw_map, draw_profile
from graphrec.explain.said import said
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.recommender import Recommender
from graphrec.settings import KGConfig
from tests.model.shop import QUICK, WordExtractor, fitted, shop, town

CONFIG = QUICK.with_(blocks=["popularity", "spectral"], features={"enabled": False})


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted(shop(), CONFIG)


@pytest.fixture(scope="module")
def in_town() -> Recommender:
    return fitted(town(), CONFIG)


def test_the_taste_of_a_person_is_told_with_its_sources(model: Recommender) -> None:
    found = model.profile("u3")
    json.dumps(found, allow_nan=False)
    (brand,) = [i for i in found["interests"] if i["kind"] == "brand"]
    assert brand["label"] == "B1"
    assert (found["events"], brand["items"]) == (7, 7)
    assert brand["sure"] > 0.9
    assert found["other"]["unknown"] == pytest.approx(0)
    assert sum(i["share"] for i in found["interests"]) + found["other"]["interests"] == pytest.approx(1, abs=1e-4)
    data = model.fitted.data
    mine = {data.items.ids[n] for n in model.fitted.ties.history(data.users.number("u3"))}
    assert {example["item_id"] for i in found["interests"] for example in i["from"]} <= mine
    assert found["behaviour"]["first"] == "2020-09-16"
    assert found["degraded"] == []


def test_the_last_session_is_told_with_its_items(model: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model.profile("u3")["sessions"] == {}, "so few gaps tell no pause"
    monkeypatch.setitem(model.fitted.ties.__dict__, "pause", 1e6)
    found, whole = model.profile("u3")["sessions"], model.profile("u3")["behaviour"]
    items = [example["date"] for example in found["last"]["items"]]
    assert items == sorted(items, reverse=True)
    assert items[0] == whole["last"]
    assert found["last"]["events"] == len(items)
    assert found["last"]["from"][:10] == items[-1]


def test_what_somebody_wrote_is_quoted() -> None:
    rows = [
        (u, f"i{i}", f"The {word} is {how}. I bought it in spring.")
        for u, i, word, how in (
            *(("a", n, "tone", "great") for n in range(3)),
            ("a", 3, "tone", "awful"),
            ("a", 4, "neck", "terrible"),
            *(("b", n, "case", "good") for n in range(5)),
        )
    ]
    data = build("written", pd.DataFrame(rows, columns=["user_id", "item_id", "text"]))
    graph = knowledge_graph(data, KGConfig(min_mentions=1), extractor=WordExtractor())
    found = {s["label"]: s for s in said(graph, "a")}
    assert {label: s["sign"] for label, s in found.items()} == {"tone": 1, "neck": -1}
    assert found["tone"]["from"][0]["quote"] == "The tone is great."
    assert found["neck"]["from"] == [{"review_id": review_id("a", "i4"), "quote": "The neck is terrible."}]
    assert 0.5 < found["tone"]["sure"] < 0.8, "three of four"
    assert said(graph, "nobody") == []


def test_dislikes_are_those_of_the_person(in_town: Recommender) -> None:
    found = in_town.profile("hater")
    assert found["interests"] == []
    assert {d["label"] for d in found["dislikes"] if d["kind"] == "item"} == {f"Thing {n} [red]" for n in range(3)}
    assert in_town.profile("u4")["dislikes"] == []


def test_who_rates_and_dislikes_has_likes_too() -> None:
    """What they rated well is told where nothing that they took has a label in common."""
    rows = [(f"u{u}", f"i{i}", 1.0 if i == 3 else 5.0, 0) for u in range(6) for i in range(4)]
    orders = [("u0", "i1", np.nan, 1), *[("u0", "i4", np.nan, 1)] * 2]  # without a rating, and one of them twice
    events = pd.DataFrame([*rows, *orders], columns=["user_id", "item_id", "value", "kind"])
    data = build("rated", events, kinds=[Kind("review", values="rating", scale=(1, 5)), Kind("order")])
    found = fitted(data, QUICK.with_(blocks=["ease"])).profile("u0")
    assert [d["label"] for d in found["dislikes"]] == ["i3"]
    told = [(d["label"], d["by"]) for d in found["likes"]]
    assert sorted(told[:3]) == [(f"i{i}", "rating") for i in range(3)]
    assert told[3:] == [("i4", "taken")]


def test_nobody_is_known_and_says_so(model: Recommender, in_town: Recommender) -> None:
    for found, code in ((model.profile("whoever"), "unknown_user"), (in_town.profile("bare"), "no_history")):
        assert (found["events"], found["interests"], found["likes"], found["dislikes"]) == (0, [], [], [])
        assert (found["behaviour"], found["over_time"], found["neighbours"]) == ({}, [], [])
        assert found["degraded"][0].startswith(code)
    with pytest.raises(UnknownIdError):
        model.profile(history=["no such item"])


def test_a_basket_has_a_profile(model: Recommender) -> None:
    found = model.profile(history=["i1", "i3", "i5"])
    assert found["user_id"] is None
    assert found["interests"][0]["from"]
    assert "B1" in [i["label"] for i in found["interests"]]
    assert found["behaviour"] == {}, "a basket is taken now, which tells nothing"


def test_others_are_named_only_where_they_may_be(model: Recommender, in_town: Recommender) -> None:
    found = model.profile("u3")
    assert found["friends"]["count"] == 2
    marks = [who["user_id"] for who in (*found["friends"]["closest"], *found["neighbours"])]
    assert all(mark.startswith(("friend-", "somebody-")) for mark in marks)
    named = replace(model.fitted, config=model.config.with_(explain={"names": "all"})).profile("u3")
    assert {who["user_id"] for who in named["friends"]["closest"]} == {"u1", "u5"}
    assert all(int(who["user_id"][1:]) % 2 for who in named["neighbours"]), "of the same taste"


def test_of_strangers_no_more_is_told_than_holds_for_five(model: Recommender) -> None:
    """Else a basket tells whether the one who took all but one of its items took that one too."""
    data, ties = model.fitted.data, model.fitted.ties
    for user in ("u0", "u3"):
        own = ties.history(data.users.number(user))
        shared = sorted((np.isin(ties.history(n), own).sum() for n in range(data.n_users)), reverse=True)[1:]
        found = model.profile(user)["neighbours"]
        assert found
        assert all(who["in_common"] <= shared[4] for who in found)
        assert len({who["likeness"] for who in found}) == 1, "that of the fifth"
    few = replace(model.fitted, config=model.config.with_(explain={"together": data.n_users}))
    assert few.profile("u3")["neighbours"] == []
    each = replace(model.fitted, config=model.config.with_(explain={"together": 1})).profile("u3")["neighbours"]
    assert len({who["likeness"] for who in each}) > 1


def test_sensitive_attributes_are_told_only_where_the_settings_name_them(in_town: Recommender) -> None:
    fitted_model = in_town.fitted
    told = pd.DataFrame({"user_num": [0, 0], "key": ["gender", "city"], "value": ["F", "c0"]})
    columns = (Column("gender", "category", True, "sensitive: read for measuring only"), Column("city", "category"))
    user = fitted_model.data.users.ids[0]
    data = replace(fitted_model.data, user_attributes=told, user_columns=columns)
    assert replace(fitted_model, data=data).profile(user)["known"] == {"city": ["c0"]}
    allowed = replace(fitted_model, data=data, config=in_town.config.with_(kg={"sensitive": ["gender"]}))
    assert allowed.profile(user)["known"] == {"gender": ["F"], "city": ["c0"]}
    unknown = replace(data, user_columns=())
    assert replace(fitted_model, data=unknown).profile(user)["known"] == {}


def test_a_saved_model_tells_the_same(model: Recommender, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    assert gr.load(tmp_path / "m").profile("u3") == model.profile("u3")


def test_the_map_keeps_tastes_apart(model: Recommender, tmp_path: Path) -> None:
    found = model.map()
    json.dumps(found, allow_nan=False)
    assert (found["of"]["items"], len(found["users"])) == (len(found["items"]), 40)
    points = np.array([[i["x"], i["y"]] for i in found["items"]])
    taste = np.array([int(i["item_id"][1:]) % 2 for i in found["items"]])
    far = ((points[:, None] - points[None]) ** 2).sum(axis=2) + np.diag(np.full(len(points), np.inf))
    assert (taste[far.argmin(axis=1)] == taste).mean() > 0.9
    assert len(model.map(5)["items"]) == 5
    draw_map(found, tmp_path / "map.svg")
    assert "Comedy" not in (tmp_path / "map.svg").read_text()
    assert "users" in (tmp_path / "map.svg").read_text()


@pytest.mark.parametrize("user", ["u3", "whoever"])
def test_pictures(model: Recommender, user: str, tmp_path: Path) -> None:
    draw_profile(model.profile(user), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert ("B1" if user == "u3" else "nothing is known yet") in text
    draw_profile(model.profile(user), tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_bytes() == (tmp_path / "a.svg").read_bytes()
    with pytest.raises(ConfigError, match=r"\.svg or \.png"):
        draw_profile(model.profile(user), tmp_path / "a.txt")

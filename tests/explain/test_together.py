"""Few people are not told of: how many they are, that they took two things, and what somebody like them took."""

from __future__ import annotations

import pandas as pd
import pytest

import kg.graph
from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.explain.explainer import Explainer
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from tests.explain.world import counted, stored


def shop(others: int) -> Dataset:
    """Me, who took x, so many others who took x and y, and of the others' city six who took z."""
    rows = [("me", "x"), *[(f"o{n}", item) for n in range(others) for item in ("x", "y")]]
    rows += [(f"z{n}", "z") for n in range(6)]
    cities = [*[(f"o{n}", "Graz") for n in range(others)], *[(f"z{n}", "Linz") for n in range(6)]]
    told = pd.DataFrame(cities, columns=["user_id", "value"]).assign(key="city")
    return build("shop", pd.DataFrame(rows, columns=["user_id", "item_id"]), user_attributes=told)


@pytest.mark.parametrize(("others", "told"), [(4, False), (5, True)])
def test_that_people_took_both_is_told_of_five_and_more(others: int, told: bool) -> None:
    data = shop(others)
    ties = Ties(data, together=5)
    explainer = Explainer(counted(data, {"x": 1.0}), ties, kg.graph.empty())
    why = explainer.explain(stored(ties, "me"), "me", data.items.number("y"))
    others_named = {step.head for evidence in why.evidence for step in evidence.path} - {"user:me"}
    assert bool(others_named) is told
    assert ("people who took" in why.text) is told
    assert why.shares["item:x"] == pytest.approx(why.score)  # what it comes from is told all the same
    assert [(e.kind, e.path[0].tail) for e in why.evidence] == [("history", "item:x")]
    assert why.evidence[0].share == pytest.approx(why.score)
    assert '"x"' in why.text


@pytest.mark.parametrize(("others", "least", "told"), [(4, 5, False), (5, 5, True), (4, 1, True)])
def test_counts_and_people_of_whom_the_same_is_known(others: int, least: int, told: bool) -> None:
    """By default five; the setting is ``explain.together``."""
    assert Config().explain.together == 5
    own = ["blocks=popularity", "features.enabled=false", "kg.enabled=false", f"explain.together={least}"]
    model = Recommender(Config.load(None, own)).fit(shop(others))
    text = model.explain("nobody", "y").text
    assert (f"{others} people took this" in text) is told
    assert ("some people took this" in text) is not told
    like_them = {"attributes": {"city": "Graz"}}
    found = model.recommend("nobody", 3, context=like_them)
    assert any(why.startswith("attributes") for why in found.attrs["degraded"]) is told

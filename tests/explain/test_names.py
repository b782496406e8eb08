"""Nobody is named in public but oneself and whom the settings allow; what is said stays, and can still be checked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError
from graphrec.explain import Explainer
from graphrec.explain.check import check
from graphrec.explain.names import Names, public, public_contrast
from graphrec.query.ties import Ties
from graphrec.settings import ExplainConfig
from graphrec.types import Evidence, Explanation, Vocabulary
from kg.graph import empty
from tests.conftest import examples
from tests.explain.test_paths import WORTH, explain
from tests.explain.test_shares import random_profiles
from tests.explain.world import (
    SAYS,
    TITLES,
    TOOK,
    counted,
    explained,
    knowledge,
    random_graph,
    random_world,
    said,
    stored,
    world,
)

OWN = Names()


def nodes(evidence: Evidence) -> list[str]:
    return [f"{s.head} {s.relation} {s.tail}" for s in evidence.path]


def of_kind(explanation: Explanation, kind: str) -> Evidence:
    return next(e for e in explanation.evidence if e.kind == kind)


def test_strangers_friends_and_reviews_have_marks() -> None:
    out = public(explain("ann", "capo"), OWN)
    assert nodes(of_kind(out, "history")) == [
        "user:ann interacted item:tuner",
        "user:somebody-1 interacted item:tuner",
        "user:somebody-1 interacted item:capo",
    ]
    assert [s.head_label for s in of_kind(out, "history").path] == ["you", "somebody", "somebody"]
    assert nodes(of_kind(out, "friend")) == [
        "user:ann friend user:friend-1",
        "user:friend-1 interacted item:capo",
    ]
    assert [s.head_label for s in of_kind(out, "friend").path] == ["you", "a friend of yours"]
    source = of_kind(out, "knowledge").source
    assert source is not None
    assert source.review_id == "review-1"
    assert source.quote == "Works wonders even in drop-D tuning &amp; it holds on to the neck!"
    assert {key for key in out.shares if key.startswith("user:")} == {"user:friend-1"}
    assert sum(out.shares.values()) == pytest.approx(out.score)


def test_ones_own_review_keeps_its_id() -> None:
    sources = [e.source for e in public(explain("bob", "capo"), OWN).evidence if e.source]
    assert {source.review_id for source in sources} == {said("bob", "capo")}


def test_the_same_person_keeps_the_mark() -> None:
    """cid took the strings, the tuner and the cable, and the pick; dee too, who is a friend."""
    paths = [nodes(e) for e in public(explain("ann", "pick"), OWN).evidence]
    assert [p[1].split()[0] for p in paths] == ["user:somebody-1"] * 3 + ["user:friend-1"]


def test_a_friend_on_a_path_of_strangers_is_a_stranger() -> None:
    """ann and bob are friends and took the strings: whose capo it is on the first path, no reader learns."""
    data = replace(world(), social_edge_index=np.array([[0, 1], [1, 0]]))
    out = public(explain("ann", "capo", data=data, graph=empty()), OWN)
    assert nodes(out.evidence[0])[1] == "user:somebody-1 interacted item:strings"
    assert nodes(of_kind(out, "friend"))[0] == "user:ann friend user:friend-1"


@pytest.mark.parametrize(
    ("user", "item", "kwargs", "text"),
    [
        ("ann", "capo", {"graph": empty()}, ". A friend of yours took it."),
        (
            "dee",
            "cable",
            {"graph": empty(), "profiles": counted(world(), {"strings": 2.0}, 0.5)},
            "Recommended mostly because a friend of yours took it (100 % of the score).",
        ),
        ("eve", "capo", {}, "Nothing is known yet of what you took, but a friend of yours took this."),
    ],
)
def test_words(user: str, item: str, kwargs: dict[str, object], text: str) -> None:
    assert public(explain(user, item, **kwargs), OWN).text.endswith(text)  # type: ignore[arg-type]


def test_a_second_friend_is_another() -> None:
    """cid and dee took the pick and are ann's friends; what they took makes the score."""
    data = world()
    cid, dee = data.users.numbers(["cid", "dee"]).tolist()
    data = replace(data, social_edge_index=np.array([[0, 0, cid, dee], [cid, dee, 0, 0]]))
    out = explain("ann", "pick", data=data, profiles=counted(data, {"pick": 5.0}, 1.0), graph=empty())
    assert 'because your friend "cid" took it' in out.text
    assert out.text.endswith('Your friend "dee" took it.')
    text = public(out, OWN).text
    assert "because a friend of yours took it" in text
    assert text.endswith(". Another friend of yours took it.")


def test_who_agreed_is_named_to_friends_only() -> None:
    both = Names("own", frozenset({"dee", "cid"}))
    out = public(explain("ann", "capo", graph=empty()), both)
    assert nodes(of_kind(out, "friend"))[0] == "user:ann friend user:dee"
    assert out.text.endswith('Your friend "dee" took it.')
    assert "user:dee" in out.shares
    assert "cid" not in json.dumps(out.to_json())


def test_friends_and_all() -> None:
    out = explain("ann", "capo", graph=empty())
    assert public(out, Names("all")) is out
    friends = public(out, Names("friends"))
    assert friends.text == out.text
    assert friends.shares == out.shares
    assert nodes(of_kind(friends, "history"))[1].startswith("user:somebody-")


def test_contrast() -> None:
    data = world()
    explainer = Explainer(counted(data, WORTH, 0.5), Ties(data), knowledge())
    capo, lamp = data.items.numbers(["capo", "lamp"]).tolist()
    out = explainer.contrast(stored(explainer.ties, "ann"), "ann", (capo, lamp))
    assert "user:dee" in out.shares
    hidden = public_contrast(out, OWN)
    assert [key for key in hidden.shares if key.startswith("user:")] == ["user:friend-1"]
    assert sum(hidden.shares.values()) == pytest.approx(hidden.difference)
    assert public_contrast(out, Names("own", frozenset({"dee"}))).shares == out.shares
    assert public_contrast(out, Names("all")) is out


def agreeing(values: dict[str, str]) -> Dataset:
    rows = [(u, i, 1.0, SAYS.get((u, i), "")) for u, items in TOOK.items() for i in items]
    people = pd.DataFrame({"user_id": list(values), "key": "shares_name", "value": list(values.values())})
    return build(
        "world",
        pd.DataFrame(rows, columns=["user_id", "item_id", "value", "text"]),
        items=pd.DataFrame({"item_id": list(TITLES), "title": list(TITLES.values())}),
        user_attributes=people,
    )


def test_the_settings_say_who_agreed() -> None:
    data = agreeing({"ann": "yes", "bob": "no", "cid": "True", "dee": "1", "flo": "perhaps"})
    assert Names.of(ExplainConfig(), data) == Names("own")
    config = Config().with_(explain={"agreed": "shares_name", "names": "friends"}).explain
    assert Names.of(config, data) == Names("friends", frozenset({"ann", "cid", "dee"}))
    with pytest.raises(ConfigError, match="no attribute 'share_name'; they have shares_name"):
        Names.of(ExplainConfig(agreed="share_name"), data)
    with pytest.raises(ConfigError, match="they have none"):
        Names.of(ExplainConfig(agreed="share_name"), world())


def strange(data: Dataset) -> Dataset:
    """The same with ids of users that are in nothing else."""
    return replace(data, users=Vocabulary((f"zq-{n}-qz" for n in range(data.n_users)), "user"))


@examples(40)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_nobody_else_is_named_in_any_world(seed: int, user: int) -> None:
    data = strange(random_world(seed))
    graph = random_graph(seed, data)
    explainer = Explainer(random_profiles(seed, data), Ties(data), graph)
    query, reader = stored(explainer.ties, user), data.users.ids[user]
    others = [id_ for n, id_ in enumerate(data.users.ids) if n != user]
    for item in range(data.n_items):
        internal = explained(explainer, user, item)
        out = public(internal, OWN)
        everything = json.dumps(out.to_json()) + repr(out)
        assert not any(id_ in everything for id_ in others)
        assert check(out, data, graph) == []
        assert [(e.kind, e.share, len(e.path)) for e in out.evidence] == [
            (e.kind, e.share, len(e.path)) for e in internal.evidence
        ]
        assert sum(out.shares.values()) == pytest.approx(sum(internal.shares.values()))
        other = (item + 1) % data.n_items
        contrast = public_contrast(explainer.contrast(query, reader, (item, other)), OWN)
        assert not any(id_ in repr(contrast) for id_ in others)

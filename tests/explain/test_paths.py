"""Evidence: real paths, the planted ones where they are planted, and quotes that hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, UnknownIdError
from graphrec.explain import Explainer
from graphrec.explain.check import check
from graphrec.explain.links import Links
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from graphrec.types import Explanation, Source
from kg.graph import KnowledgeGraph, empty
from tests.conftest import examples
from tests.explain.test_quotes import whole
from tests.explain.test_shares import random_profiles
from tests.explain.world import (
    Fact,
    counted,
    explained,
    graph_of,
    judged,
    knowledge,
    random_graph,
    random_world,
    said,
    stored,
    world,
)
from tests.reference import naive_connections

WORTH = {"strings": 3.0, "tuner": 2.0, "cable": 1.0, "pick": 0.5}


def explain(
    user: str,
    item: str,
    *,
    data: Dataset | None = None,
    graph: KnowledgeGraph | None = None,
    profiles: Profiles | None = None,
    limit: int = 5,
) -> Explanation:
    """The explanation of one pair of the small world, checked."""
    data, graph = data or world(), graph if graph is not None else knowledge()
    out = explained(Explainer(profiles or counted(data, WORTH, 0.5), Ties(data), graph), user, item, limit)
    assert check(out, data, graph) == []
    return out


def nodes(explanation: Explanation) -> dict[str, list[str]]:
    """Kind and first stop → (head, relation, tail) of the remaining steps, written out."""
    return {
        f"{e.kind} {e.path[0].tail}": [f"{s.head} {s.relation} {s.tail}" for s in e.path[1:]]
        for e in explanation.evidence
    }


def test_planted_evidence() -> None:
    """Every kind at once; the shared praise is told, the shared complaint gives way to who took both, and so does the
    brand, for which those who took both do not care."""
    out = explain("ann", "capo")
    assert nodes(out) == {
        "knowledge item:strings": [
            "item:strings has_aspect aspect:drop-d-tuning",
            "item:capo has_aspect aspect:drop-d-tuning",
        ],
        "history item:tuner": ["user:cid interacted item:tuner", "user:cid interacted item:capo"],
        "history item:cable": ["user:cid interacted item:cable", "user:cid interacted item:capo"],
        "friend user:dee": ["user:dee interacted item:capo"],
        "mention aspect:drop-d-tuning": ["item:capo has_aspect aspect:drop-d-tuning"],
    }
    assert [e.share for e in out.evidence] == pytest.approx([3.0, 2.0, 1.0, 0.25, 0.0])
    assert out.score == pytest.approx(6.25)
    assert sum(out.shares.values()) == pytest.approx(out.score)


def test_the_quote_is_of_the_item_and_agrees() -> None:
    """Two reviews of the capo name the tuning; the praising one is quoted, verbatim, entities and all."""
    source = explain("ann", "capo").evidence[0].source
    assert source is not None
    assert source.review_id == said("bob", "capo")
    assert source.quote == "Works wonders even in drop-D tuning &amp; it holds on to the neck!"


def test_no_quote_is_of_another_item() -> None:
    """Nobody praises the tuning in a review of the capo: what is written of the strings is not quoted."""
    graph = knowledge()
    kept = (graph.provenance["review_id"] != said("bob", "capo")) & (
        graph.provenance["review_id"] != said("dee", "capo")
    )
    out = explain("ann", "capo", graph=replace(graph, provenance=graph.provenance[kept]))
    assert not any(e.source for e in out.evidence)


def test_what_somebody_praises_who_took_both() -> None:
    """The pick and the capo share nothing, but dee took both and praises the capo's spring."""
    facts = judged("dee", "capo", "aspect:spring", "spring", 0.9, "r1") + judged(
        "bob", "capo", "aspect:spring", "spring", 0.9, "r2"
    )
    texts = {"r1": "The spring is strong and quiet.", "r2": "I like the spring."}
    data = world()
    ann = data.interactions.user_nums == data.users.number("ann")
    data = data.subset(~ann | (data.interactions.item_nums == data.items.number("cable")))
    graph = graph_of([*facts, Fact("item:pick", "has_colour", "colour:red")], texts)
    out = explain("cid", "capo", data=data, graph=graph, profiles=counted(data, {"pick": 1.0}), limit=1)
    assert nodes(out) == {
        "history item:pick": [
            "user:dee interacted item:pick",
            "user:dee likes aspect:spring",
            "item:capo has_aspect aspect:spring",
        ]
    }
    assert out.evidence[0].source == Source("r1", "The spring is strong and quiet.")
    assert out.text.endswith('They praise its "spring": "The spring is strong and quiet."')


def test_what_both_are_praised_for_is_told_before_what_a_stranger_praises() -> None:
    """The tuner adds most and cid, who took it and the capo, praises the spring; the strings are praised for it."""
    spring = ("aspect:spring", "spring", 0.9)
    facts = [*judged("cid", "capo", *spring, "r1"), *judged("dee", "capo", *spring, "r2")]
    facts += judged("bob", "strings", *spring, "r3")
    texts = {"r1": "The spring is strong and quiet.", "r2": "I like the spring.", "r3": "The spring is great."}
    worth = counted(world(), {"tuner": 3.0, "strings": 2.0})
    out = explain("ann", "capo", graph=graph_of(facts, texts), profiles=worth)
    assert 'Like "Slinky & Co", which you took, it is praised for "spring"' in out.text
    facts = facts[:6]
    facts.append(Fact("item:strings", "has_aspect", "aspect:spring", "r3", "spring", 0.0))
    texts["r3"] = "It has a spring."
    out = explain("ann", "capo", graph=graph_of(facts, texts), profiles=counted(world(), {"strings": 2.0}))
    assert 'It shares "spring" with "Slinky & Co". A reviewer praises its "spring": "The spring' in out.text


def test_a_third_item_is_told_last_and_never_beside_another_thing() -> None:
    shared = [("has_colour", "colour:red"), ("also_buy", "item:lamp"), ("also_buy", "item:pick")]
    facts = [Fact(f"item:{item}", *what) for item in ("capo", "tuner") for what in shared]
    profiles = counted(world(), {"tuner": 4.0})
    assert explain("ann", "capo", graph=graph_of(facts, {}), profiles=profiles).text.endswith(
        'It shares the colour "red" with "Snark "SN1"".'
    )
    alone = graph_of([f for f in facts if f.relation == "also_buy"], {})
    assert "along with it, as with" in explain("ann", "capo", graph=alone, profiles=profiles).text


def test_a_value_is_told_without_its_name_twice() -> None:
    facts = [Fact(f"item:{item}", "has_price", "price:below-13") for item in ("capo", "tuner")]
    graph = graph_of(facts, {}, {"price:below-13": "price below 13"})
    text = explain("ann", "capo", graph=graph, profiles=counted(world(), {"tuner": 4.0})).text
    assert text.endswith('It shares the price "below 13" with "Snark "SN1"".')


def test_what_both_are_hated_for_is_not_told() -> None:
    """The tuner's padding is criticised, and the capo's: it is no common ground, and neither complaint is quoted."""
    out = explain("bob", "tuner")
    assert not any("padding" in step.tail for e in out.evidence for step in e.path)
    assert "padding" not in out.text


def test_what_the_reader_criticised_is_not_told_as_common() -> None:
    """Others praise the tuning of strings and capo; ann, who took the strings, does not."""
    tuning = "aspect:drop-d-tuning"
    facts = [
        *judged("ann", "strings", tuning, "drop-D tuning", -0.8),
        *judged("bob", "capo", tuning, "drop-D tuning", 0.9),
        Fact("item:strings", "has_aspect", tuning, said("cid", "tuner"), "padding", 0.9),
        Fact("user:cid", "likes", tuning, said("cid", "tuner"), "padding", 0.9),
        Fact("item:strings", "has_aspect", tuning, said("dee", "capo"), "drop-D tuning", 0.9),
        Fact("user:dee", "likes", tuning, said("dee", "capo"), "drop-D tuning", 0.9),
        Fact("user:dee", "likes", tuning, said("bob", "capo"), "drop-D tuning", 0.9),
    ]
    out = explain("ann", "capo", graph=graph_of(facts, knowledge().texts))
    assert "knowledge item:strings" not in nodes(out)


def test_the_other_who_took_both_took_least() -> None:
    """bob (2 items) and cid (5) took strings and capo."""
    out = explain("ann", "capo", graph=empty())
    assert nodes(out)["history item:strings"] == ["user:bob interacted item:strings", "user:bob interacted item:capo"]


def test_rare_entities_are_preferred() -> None:
    """Both items share a common aspect, praised by many, and a rare one, named once."""
    facts = [Fact(f"item:{i}", "has_aspect", "aspect:sound") for i in world().items.ids for _ in range(3)]
    facts += [Fact(f"item:{i}", "has_aspect", "aspect:spring") for i in ("strings", "capo")]
    out = explain("ann", "capo", graph=graph_of(facts, {}))
    assert out.evidence[0].path[1].tail == "aspect:spring"


def test_an_item_already_taken() -> None:
    out = explain("ann", "strings", profiles=counted(world(), WORTH))
    assert nodes(out)["history item:strings"] == []


def test_items_that_lower_the_score_are_no_reason() -> None:
    out = explain("ann", "capo", profiles=counted(world(), {"strings": 3.0, "tuner": -2.0}), graph=empty())
    assert "history item:tuner" not in nodes(out)
    assert len(explain("ann", "capo", profiles=counted(world(), dict.fromkeys(WORTH, -1.0))).evidence) > 0


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_limit(limit: int) -> None:
    assert len(explain("ann", "capo", limit=limit).evidence) == limit


def test_room_is_made_for_a_quote() -> None:
    """What ann praised herself adds nothing to the score; it is shown all the same, since only it can be quoted."""
    profiles = counted(world(), {"strings": 0.1, "tuner": 2.0, "cable": 1.0})
    out = explain("ann", "capo", profiles=profiles, limit=2)
    assert [e.kind for e in out.evidence] == ["history", "mention"]
    assert out.evidence[1].source is not None


def test_without_history() -> None:
    """eve has a friend only; flo has a history that leads nowhere."""
    out = explain("eve", "capo")
    assert list(nodes(out)) == ["friend user:dee"]
    alone = replace(world(), social_edge_index=np.zeros((2, 0), np.int64))
    assert explain("eve", "capo", data=alone).evidence == ()
    assert explain("flo", "capo").evidence == ()


def test_item_outside_the_graph() -> None:
    assert nodes(explain("ann", "pick")) == {
        "history item:strings": ["user:cid interacted item:strings", "user:cid interacted item:pick"],
        "history item:tuner": ["user:cid interacted item:tuner", "user:cid interacted item:pick"],
        "history item:cable": ["user:cid interacted item:cable", "user:cid interacted item:pick"],
        "friend user:dee": ["user:dee interacted item:pick"],
    }


def test_held_out_interactions_are_no_evidence() -> None:
    """dee's capo is held out: neither her taking it nor her words about it are shown."""
    full = world()
    dee, capo = full.users.number("dee"), full.items.number("capo")
    train = full.subset(~((full.interactions.user_nums == dee) & (full.interactions.item_nums == capo)))
    out = explain("ann", "capo", data=train, graph=empty())
    assert not any(step.head == "user:dee" for e in out.evidence for step in e.path)


def test_impossible_requests() -> None:
    data = world()
    ties = Ties(data)
    for user in (-1, data.n_users):
        with pytest.raises(UnknownIdError, match=f"user number {user}"):
            stored(ties, user)
    with pytest.raises(UnknownIdError, match="item number 99"):
        explained(Explainer(counted(data, WORTH), ties, knowledge()), "ann", 99)
    with pytest.raises(DataError, match="explain with the training data"):
        Explainer(counted(random_world(0), {}), ties, empty())


@examples(40)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_random_worlds(seed: int, user: int) -> None:
    """Whatever the world: every path holds, shares are exact and sorted, quotes are whole sentences on the item."""
    data = random_world(seed)
    graph = random_graph(seed, data)
    explainer = Explainer(random_profiles(seed, data), Ties(data), graph)
    for item in range(data.n_items):
        out = explained(explainer, user, item, 3)
        assert check(out, data, graph) == []
        kinds = [(e.kind, e.path[0].tail) for e in out.evidence]
        taken = [tail for kind, tail in kinds if kind in ("history", "knowledge")]
        assert len(set(taken)) == len(taken)
        assert [e.share for e in out.evidence] == sorted((e.share for e in out.evidence), reverse=True)
        for (kind, tail), evidence in zip(kinds, out.evidence, strict=True):
            assert evidence.share == (0.0 if kind == "mention" else out.shares[tail])
            if evidence.source:
                assert whole(evidence.source.quote, graph.texts[evidence.source.review_id])
                assert evidence.path[-1].head == f"item:{data.items.ids[item]}"


@examples(40)
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_connections_agree_with_networkx(seed: int, item: int) -> None:
    data = random_world(seed)
    graph = random_graph(seed, data)
    others = np.delete(np.arange(data.n_items), item)
    bridges = Links(graph, data).between(others, item)
    naive = naive_connections(graph, f"item:{data.items.ids[item]}")
    for other in others.tolist():
        ways = bridges.of(other)
        found = {"" if bridges.near[b] == bridges.far[b] else graph.entities["entity"][bridges.node[b]] for b in ways}
        assert found == naive.get(f"item:{data.items.ids[other]}", set())
        assert [bridges.quality[b] for b in ways] == sorted((bridges.quality[b] for b in ways), reverse=True)

"""Lifts: equal to a naive count, and of the training part alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset, build
from graphrec.explain import Explainer
from graphrec.explain.check import check
from graphrec.explain.lift import Lift, Lifts
from graphrec.query.ties import Ties
from kg.graph import KnowledgeGraph
from tests.conftest import examples
from tests.explain.world import Fact, counted, explained, graph_of, judged, random_graph, random_world, said


def naive(graph: KnowledgeGraph, data: Dataset, node: str, pair: tuple[int, int]) -> tuple[int, int, float]:
    """k, n and the share in general, by loops over people and what they took."""
    taken = [set(data.interactions.item_nums[data.interactions.user_nums == u].tolist()) for u in range(data.n_users)]
    reviewed = set(graph.provenance["triple"][graph.provenance["source"] == "review"].tolist())
    other = set(graph.provenance["triple"][graph.provenance["source"] != "review"].tolist())
    linked, wrote = set(), set()
    for row, (head, _, tail) in enumerate(graph.named()):
        for one, two in ((head, tail), (tail, head)):
            if two == node and one != node and one.removeprefix("item:") in data.items and row in other:
                linked.add(data.items.number(one.removeprefix("item:")))
        if tail == node and head.removeprefix("user:") in data.users and row in reviewed | other:
            wrote.add(data.users.number(head.removeprefix("user:")))
    both = [u for u, items in enumerate(taken) if set(pair) <= items]
    if linked:
        rest = [i for u in both for i in taken[u] - set(pair)]
        everything = [i for items in taken for i in items - set(pair)]
        share = sum(i in linked for i in everything) / max(1, len(everything))
        return sum(i in linked for i in rest), len(rest), share
    return len(wrote & set(both)), len(both), len(wrote) / max(1, sum(map(bool, taken)))


@examples(40)
@given(st.integers(0, 10_000))
def test_agrees_with_a_naive_count(seed: int) -> None:
    """Of every entity that both items of a pair are linked to."""
    data = random_world(seed)
    graph = random_graph(seed, data)
    ties, names = Ties(data), list(graph.entity_num)
    lifts = Lifts(graph, ties)
    i, j = np.random.default_rng(seed).choice(data.n_items, 2, replace=False).tolist()
    both = np.intersect1d(ties.takers(i), ties.takers(j))
    nodes = [n for n, name in enumerate(names) if not name.startswith(("item:", "user:"))]
    for node, lift in zip(nodes, lifts.of(nodes, both, (i, j)), strict=True):
        linked = lifts.linked(node)
        if linked is not None and not {i, j} <= set(lifts._linked[node].indices.tolist()):
            continue  # the two have it in common, else nobody asks
        k, n, share = naive(graph, data, names[node], (i, j))
        assert (lift.k, lift.n) == (k, n), names[node]
        assert lift.share == pytest.approx(share)
        assert lift.plain is None if not (n and share) else lift.plain == pytest.approx(k / n / share)


def planted() -> Dataset:
    """Ten people who take a, b and what is blue, and forty who take a or b and what is red."""
    rows = [(f"u{u}", item) for u in range(10) for item in ("a", "b", f"blue{u % 4}")]
    rows += [(f"u{u}", item) for u in range(10, 50) for item in ("ab"[u % 2], f"red{u % 9}")]
    return build("planted", pd.DataFrame(rows, columns=["user_id", "item_id"]).assign(value=1.0))


def colours(data: Dataset) -> KnowledgeGraph:
    facts = [Fact(f"item:{i}", "has_colour", "colour:blue" if i[:2] == "bl" else "colour:red") for i in data.items.ids]
    facts = [f for f in facts if f.head not in ("item:a", "item:b")]
    both = [Fact(f"item:{i}", "has_colour", f"colour:{c}") for i in "ab" for c in ("blue", "red")]
    return graph_of([*facts, *both], {})


def test_planted_lift() -> None:
    """Of what those who took both took beside them, all is blue; of what everybody took, a fifth."""
    data = planted()
    graph, ties = colours(data), Ties(data)
    pair = data.items.number("a"), data.items.number("b")
    both = np.intersect1d(ties.takers(pair[0]), ties.takers(pair[1]))
    nodes = [graph.entity_num["colour:blue"], graph.entity_num["colour:red"]]
    blue, red = Lifts(graph, ties).of(nodes, both, pair)
    assert (blue.k, blue.n, blue.plain) == (10, 10, 5.0)
    assert red.plain == 0.0
    assert blue.shrunken > 3 > 1 > red.shrunken > 0


def test_held_out_interactions_are_not_counted() -> None:
    """Everything blue is held out: with nothing of it in training there is no lift."""
    full = planted()
    blue = np.array([full.items.ids[i].startswith("blue") for i in full.interactions.item_nums])
    train = full.subset(~blue)
    graph, pair = colours(full), (full.items.number("a"), full.items.number("b"))
    ties = Ties(train)
    both = np.intersect1d(ties.takers(pair[0]), ties.takers(pair[1]))
    (lift,) = Lifts(graph, ties).of([graph.entity_num["colour:blue"]], both, pair)
    assert (lift.k, lift.plain) == (0, None)


def shown(graph: KnowledgeGraph) -> list[str]:
    """What a and b have in common, for somebody who took a."""
    data = planted()
    out = explained(Explainer(counted(data, {"a": 3.0}), Ties(data), graph), "u10", "b")
    return [step.tail for evidence in out.evidence for step in evidence.path[2:] if evidence.kind == "knowledge"]


def test_what_those_who_took_both_care_for_is_told() -> None:
    """a and b are blue and red, and those who took both took what is blue beside them; all items are painted."""
    paint = [Fact(f"item:{i}", "made_with", "paint:oil") for i in planted().items.ids]
    both = colours(planted()).named()
    assert shown(graph_of([*(Fact(*triple) for triple in both), *paint], {})) == ["colour:blue"]
    red = [Fact(*triple) for triple in both if triple[2] == "colour:red"]
    assert shown(graph_of([*red, *paint], {})) == []  # nothing broad instead: that people took both


def test_what_few_have_is_told_where_nothing_tells_more() -> None:
    """Once, and rather than what many have."""
    paint = [Fact(f"item:{i}", "made_with", "paint:oil") for i in planted().items.ids]
    assert shown(graph_of([*paint, *(Fact(f"item:{i}", "made_by", "brand:acme") for i in "ab")], {})) == ["brand:acme"]


def test_what_the_first_item_shares_is_told_before_what_tells_more_of_another() -> None:
    """a, which adds most, has its maker in common with b, which says no more than that; c has a colour, which those who
    took both look for."""
    rows = [(f"u{u}", item) for u in range(10) for item in "ab"] + [(f"v{u}", i) for u in range(10) for i in "bcd"]
    rows += [(f"w{u}", f"e{u}") for u in range(20)] + [("me", "a"), ("me", "c")]
    data = build("planted", pd.DataFrame(rows, columns=["user_id", "item_id"]).assign(value=1.0))
    facts = [Fact(f"item:{i}", "made_by", "brand:acme") for i in "ab"]
    facts += [Fact(f"item:e{n}", "made_by", "brand:other") for n in range(20)]
    graph = graph_of([*facts, *(Fact(f"item:{i}", "has_colour", "colour:blue") for i in "bcd")], {})
    for shares, told in (({"a": 3.0, "c": 1.0}, "acme"), ({"a": 1.0, "c": 3.0}, "blue")):
        out = explained(Explainer(counted(data, shares), Ties(data), graph), "me", "b")
        assert out.evidence[0].path[-1].tail_label == told
        assert f'"{told}"' in out.text


def test_what_fewer_have_tells_more_than_a_little_more_of_what_many_have() -> None:
    """Those who took a and b took a little more of what is blue; the maker made nothing else."""
    rows = [(f"u{u}", item) for u in range(10) for item in ("a", "b", f"blue{u % 4}")]
    rows += [(f"u{u}", item) for u in range(10, 50) for item in ("ab"[u % 2], f"red{u % 9}")]
    rows += [(f"v{u}", "red1") for u in range(3)]
    data = build("planted", pd.DataFrame(rows, columns=["user_id", "item_id"]).assign(value=1.0))
    blue = [Fact(f"item:{i}", "has_colour", "colour:blue") for i in ("a", "b", "blue3", "red1")]
    facts = [*blue, *(Fact(f"item:{i}", "made_by", "brand:other") for i in data.items.ids if i not in "ab")]
    graph = graph_of([*facts, *(Fact(f"item:{i}", "made_by", "brand:acme") for i in "ab")], {})
    out = explained(Explainer(counted(data, {"a": 3.0}), Ties(data), graph), "u10", "b")
    assert out.evidence[0].path[-1].tail == "brand:acme"
    lifts = Lifts(graph, Ties(data))
    pair = data.items.number("a"), data.items.number("b")
    both = np.intersect1d(Ties(data).takers(pair[0]), Ties(data).takers(pair[1]))
    few, many = (x.shrunken for x in lifts.of([graph.entity_num[e] for e in ("brand:acme", "colour:blue")], both, pair))
    assert few < many


def test_where_nothing_is_shared_a_reviewer_is_quoted() -> None:
    """b's reviewer took nothing else; a has no reviews."""
    text = "The tone is great."
    facts = [*judged("u11", "b", "aspect:tone", "tone", 0.9), *judged("u13", "b", "aspect:tone", "tone", 0.9)]
    graph = graph_of(facts, {said("u11", "b"): text, said("u13", "b"): "such a tone"})
    data = planted()
    out = explained(Explainer(counted(data, {"a": 3.0}), Ties(data), graph), "u10", "b")
    evidence = out.evidence[0]
    assert evidence.source is not None
    assert evidence.source.quote == text
    assert [step.tail for step in evidence.path] == ["item:a", "item:a", "item:b", "aspect:tone", "aspect:tone"]
    assert check(out, data, graph) == []
    assert out.text.endswith(f'A reviewer praises its "tone": "{text}"')


def test_what_reviewers_praise_is_told_where_no_sentence_can_be_quoted() -> None:
    facts = [*judged("u11", "b", "aspect:tone", "tone", 0.9), *judged("u13", "b", "aspect:tone", "tone", 0.9)]
    graph = graph_of(facts, {said("u11", "b"): "great tone", said("u13", "b"): "such a tone"})
    data = planted()
    out = explained(Explainer(counted(data, {"a": 3.0}), Ties(data), graph), "u10", "b")
    assert out.evidence[0].source is None
    assert [step.tail for step in out.evidence[0].path][-2:] == ["aspect:tone", "aspect:tone"]
    assert check(out, data, graph) == []
    assert out.text.endswith('Reviewers praise its "tone".')
    one = graph_of(facts[:3], {said("u11", "b"): "great tone"})
    text = explained(Explainer(counted(data, {"a": 3.0}), Ties(data), one), "u10", "b").text
    assert "tone" not in text  # one reviewer's words without their sentence may have been misread


def test_few_counts_tell_little() -> None:
    """One person of one is hardly more than nothing known, ten of ten are much more."""
    assert Lift(0, 0, 0.001).shrunken == 1.0
    assert Lift(1, 1, 0.001).shrunken < 2 < 10 < Lift(10, 10, 0.001).shrunken < Lift(10, 10, 0.001).plain  # type: ignore[operator]

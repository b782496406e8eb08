"""The sentences: golden ones, and what they must never claim."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.panel import Panel

from graphrec.blocks.popularity import Popularity
from graphrec.data.tables import review_id
from graphrec.explain import Explainer
from graphrec.explain.phrases import plain
from graphrec.explain.render import render
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from graphrec.types import Evidence, Explanation, Source
from kg.graph import empty
from tests.conftest import examples
from tests.explain.test_paths import WORTH, explain
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
    world,
)


def popularity(strength: float) -> ProfileBlock:
    data = world()
    items = np.full((data.n_items, 1), strength, np.float32)
    return ProfileBlock("popularity", np.ones((data.n_users, 1), np.float32), items, words=Popularity.words)


QUOTE = 'a reviewer of it writes: "Works wonders even in drop-D tuning & it holds on to the neck!"'


def test_common_ground() -> None:
    text = explain("ann", "capo", profiles=counted(world(), {"strings": 4.0, "tuner": 1.0})).text
    assert text == (
        'Recommended mostly because you took "Slinky & Co" (80 % of the score). '
        f'You praised "drop-D tuning", and a reviewer of this item praises it; {QUOTE}'
    )


def test_both_are_praised() -> None:
    """cid wrote nothing of the tuning."""
    text = explain("cid", "capo", profiles=counted(world(), {"strings": 4.0, "tuner": 2.0})).text
    assert text.endswith(f'Like "Slinky & Co" it is praised for "drop-D tuning"; {QUOTE}')


def test_two_things_in_common_and_what_is_praised() -> None:
    """Another thing that both share, of another kind and in other words, and after it a reviewer's praise; each is on
    the path that is checked."""
    shared = [("made_by", "brand:acme"), ("has_series", "series:acme-red"), ("has_colour", "colour:red")]
    facts = [Fact(f"item:{item}", *what) for item in ("capo", "tuner") for what in shared]
    facts += [Fact(f"item:{other}", *shared[1]) for other in ("cable", "pick")]  # tells less
    found = explain("ann", "capo", graph=graph_of(facts, {}), profiles=counted(world(), {"tuner": 4.0}))
    assert found.text.endswith('It shares the colour "red" and the brand "acme" with "Snark "SN1"".')
    ends = [node for step in found.evidence[0].path for node in (step.head, step.tail)]
    assert {"brand:acme", "colour:red"} <= set(ends)
    said_ = "The tone of it is great, and the tone lasts."
    facts += [*judged("bob", "capo", "aspect:tone", "tone", 0.9), *judged("dee", "lamp", "aspect:tone", "tone", 0.9)]
    texts = {review_id("bob", "capo"): said_, review_id("dee", "lamp"): "A tone."}
    found = explain("ann", "capo", graph=graph_of(facts, texts), profiles=counted(world(), {"tuner": 4.0}))
    assert found.text.endswith(f'. A reviewer praises its "tone": "{said_}"')
    assert 'It shares the colour "red"' in found.text


def test_taken_together() -> None:
    text = explain("ann", "capo", profiles=counted(world(), {"strings": 1.0, "tuner": 4.0})).text
    assert text == (
        'Recommended mostly because somebody else who took "Snark "SN1"" also took it (80 % of the score). '
        f'You praised "drop-D tuning", and a reviewer of this item praises it; {QUOTE}'
    )


def test_many_causes() -> None:
    text = explain("ann", "capo", graph=empty()).text
    assert text == (
        'Recommended mostly because of what you took (96 % of the score), above all "Slinky & Co", '
        'which people took along with it (48 % of the score). Your friend "dee" took it.'
    )


def test_a_block_that_does_not_split() -> None:
    profiles = Profiles((*counted(world(), {"strings": 1.0}).blocks, popularity(3.0)))
    assert explain("ann", "capo", profiles=profiles, graph=empty(), limit=1).text == (
        "Recommended mostly because of its popularity: 3 people took it (75 % of the score), "
        'and also because people who took "Slinky & Co" also took it (25 % of the score).'
    )


def test_percentages_do_not_pass_a_hundred_together() -> None:
    """The strings add 3 and popularity 4 to a score of 5: 60 % and 80 %, since the tuner takes 2 away."""
    profiles = Profiles((*counted(world(), {"strings": 3.0, "tuner": -2.0}).blocks, popularity(4.0)))
    assert explain("ann", "capo", profiles=profiles, graph=empty(), limit=1).text == (
        "Recommended mostly because of its popularity: 3 people took it (80 % of the score), "
        'and also because people who took "Slinky & Co" also took it.'
    )


def test_an_example_that_is_not_the_most() -> None:
    """The cable adds most, but nobody else took both, so it is not on a path."""
    data = world()
    data = data.subset(data.interactions.user_nums != data.users.number("cid"))
    profiles = counted(data, {"strings": 4.0, "cable": 5.0})
    assert explain("ann", "capo", data=data, profiles=profiles, graph=empty()).text == (
        'Recommended mostly because of what you took (100 % of the score), for example "Slinky & Co", '
        'which somebody else took along with it (44 % of the score). Your friend "dee" took it.'
    )


def test_friends_without_a_path() -> None:
    """dee's friend ann did not take the lamp, but what ann took makes the score."""
    text = explain("dee", "lamp", profiles=counted(world(), {"strings": 2.0}, 0.5), graph=empty()).text
    assert text == "Recommended mostly because of what your friends took (100 % of the score)."


def test_a_friend() -> None:
    text = explain("dee", "cable", profiles=counted(world(), {"strings": 2.0}, 0.5), graph=empty()).text
    assert text == 'Recommended mostly because your friend "ann" took it (100 % of the score).'


def test_without_history() -> None:
    assert explain("eve", "capo").text == 'Nothing is known yet of what you took, but your friend "dee" took this.'
    alone = replace(world(), social_edge_index=np.zeros((2, 0), np.int64))
    profiles = Profiles((popularity(1.0),))
    known = "Nothing is known yet of what you took"
    assert explain("eve", "capo", data=alone, profiles=profiles).text == (
        f"{known}, so what is popular with everyone comes first: 3 people took this."
    )
    nobody = alone.subset(alone.interactions.item_nums != alone.items.number("lamp"))
    assert explain("eve", "lamp", data=nobody).text == f"{known}, and nobody has taken this either."


def test_a_score_below_zero_has_no_percentages_but_a_cause() -> None:
    """The best of what is left is recommended even so; what speaks for it is told, and that more speaks against it."""
    profiles = counted(world(), {"tuner": 1.0, "cable": -5.0})
    text = explain("ann", "capo", profiles=profiles).text
    assert text.startswith(
        'Not above zero in score because somebody else who took "Snark "SN1"" also took it, though more'
    )
    assert "%" not in text
    ties = Ties(world())
    first = explained(Explainer(profiles, ties, knowledge()), "ann", "capo", place=1).text
    assert first.startswith("The best of what you have not taken because")
    nothing = Explainer(counted(ties.data, {"cable": -5.0}), ties, knowledge())
    text = explained(nothing, "ann", "capo", place=3).text
    assert text.startswith("At place 3 of what you have not taken; nothing speaks for it yet.")


@pytest.mark.parametrize(
    ("mine", "theirs", "text"),
    [
        (0.8, 0.9, 'You praised "hinge", and reviewers of this item praise it'),
        (-0.8, 0.9, 'You criticised "hinge", but reviewers of this item praise it'),
        (0.8, -0.9, ""),
        (-0.8, -0.9, ""),
    ],
)
def test_what_the_user_wrote(mine: float, theirs: float, text: str) -> None:
    texts = {"r1": "What a hinge!", "r2": "A hinge of sorts.", "r3": "The hinge, oh well."}
    facts = judged("ann", "lamp", "aspect:hinge", "hinge", mine, "r1")
    facts += judged("bob", "capo", "aspect:hinge", "hinge", theirs, "r2")
    facts += judged("cid", "capo", "aspect:hinge", "hinge", theirs, "r3")
    said = explain("ann", "capo", graph=graph_of(facts, texts), profiles=counted(world(), {})).text
    assert text in said if text else "hinge" not in said


@pytest.mark.parametrize(
    ("near", "far", "text"),
    [
        ("made_by", "made_by", 'It is made by "hinge", like "Slinky & Co"'),
        ("has_colour", "has_colour", 'It shares the colour "hinge" with "Slinky & Co"'),
        ("starred_by_actor", "starred_by_actor", 'It shares the actor "hinge" with "Slinky & Co"'),
        ("sequel_of", "sequel_of", 'It shares "hinge" (sequel of) with "Slinky & Co"'),
        ("used_for", "used_for", 'Like "Slinky & Co" it is used for "hinge"'),
        ("compared_with", "compared_with", 'Reviews compare both it and "Slinky & Co" with "hinge"'),
        ("also_buy", "also_buy", 'People buy "hinge" along with it, as with "Slinky & Co"'),
        ("also_view", "also_view", 'People look at "hinge" along with it, as with "Slinky & Co"'),
        ("made_by", "sold_by", 'Both it and "Slinky & Co" are linked to "hinge"'),
    ],
)
def test_relations(near: str, far: str, text: str) -> None:
    others = [Fact(f"item:{i}", "stands_on", "x:shelf") for i in world().items.ids]
    graph = graph_of([Fact("item:strings", near, "x:hinge"), Fact("item:capo", far, "x:hinge"), *others], {})
    assert explain("ann", "capo", graph=graph, profiles=counted(world(), WORTH)).text.endswith(f". {text}.")


def test_that_reviews_name_the_same_is_not_told() -> None:
    graph = graph_of([Fact("item:strings", "mentions_x", "x:hinge"), Fact("item:capo", "mentions_x", "x:hinge")], {})
    assert "hinge" not in explain("ann", "capo", graph=graph, profiles=counted(world(), WORTH)).text


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        ("stands_beside", 'It is linked to "Slinky & Co" (stands beside).'),
        ("also_bought", 'People buy it along with "Slinky & Co".'),
        ("also_view", 'People look at it along with "Slinky & Co".'),
        ("compared_with", 'Reviews compare it with "Slinky & Co".'),
    ],
)
def test_direct_link(relation: str, text: str) -> None:
    graph = graph_of([Fact("item:strings", relation, "item:capo")], {})
    out = explain("ann", "capo", graph=graph)
    assert out.text.endswith(text)
    assert [s.head for s in out.evidence[0].path] == ["user:ann", "item:strings"]


def test_whose_words() -> None:
    """The reader's own review of the item is said to be theirs."""
    text = explain("bob", "capo").text
    assert 'You praised "drop-D tuning" when you reviewed it; you wrote: "Works wonders' in text


@examples(30)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_percentages_are_true(seed: int, user: int) -> None:
    """Whatever the world: percentages lie in (0, 100], and only positive scores have any."""
    data = random_world(seed)
    explainer = Explainer(random_profiles(seed, data), Ties(data), random_graph(seed, data))
    for item in range(data.n_items):
        out = explained(explainer, user, item)
        percents = [int(p) for p in re.findall(r"(\d+) %", out.text)]
        assert all(0 < p <= 100 for p in percents)
        assert out.score > 0 or not percents
        assert re.fullmatch(r"[A-Z][^\n]*[.!?]\"?", out.text)


@examples(30)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_every_named_thing_is_in_the_evidence(seed: int, user: int) -> None:
    """Take away the labels on the paths, the quotes and the blocks' names, and nothing stands in quotation marks."""
    data = random_world(seed)
    explainer = Explainer(random_profiles(seed, data), Ties(data), random_graph(seed, data))
    for item in range(data.n_items):
        out = explained(explainer, user, item)
        steps = [step for evidence in out.evidence for step in evidence.path]
        known = {label for step in steps for label in (step.head_label, step.tail_label)} - {"you"}
        known |= {evidence.source.quote for evidence in out.evidence if evidence.source} | set(out.blocks)
        rest = out.text
        for name in sorted(map(plain, known), key=len, reverse=True):
            rest = rest.replace(f'"{name}"', "")
        assert '"' not in rest


def test_mentions_in_one_review_are_one_reviewer() -> None:
    texts = {"r1": "What a hinge!", "r2": "A hinge, yes, a good hinge."}
    facts = judged("ann", "lamp", "aspect:hinge", "hinge", 0.8, "r1")
    facts += judged("bob", "capo", "aspect:hinge", "hinge", 0.8, "r2") * 2
    text = explain("ann", "capo", graph=graph_of(facts, texts), profiles=counted(world(), {})).text
    assert 'You praised "hinge", and a reviewer of this item praises it' in text


def test_no_reviewer_is_made_up() -> None:
    """The item's aspect is from its description: nobody is said to have praised it."""
    facts = judged("ann", "lamp", "aspect:hinge", "hinge", 0.8, "r1")
    facts += [Fact("item:capo", "has_aspect", "aspect:hinge")]
    text = explain("ann", "capo", graph=graph_of(facts, {"r1": "What a hinge!"}), profiles=counted(world(), {})).text
    assert 'You praised "hinge", and this is linked to it' in text


def shown(panel: Panel) -> str:
    out = StringIO()
    Console(width=100, file=out).print(panel)
    return out.getvalue()


def test_render() -> None:
    out = explain("ann", "capo", profiles=Profiles((*counted(world(), WORTH).blocks, popularity(-2.0))))
    text = shown(render(out))
    for part in ("Spring Capo for ann", "popularity", "-2.000", "you –interacted→ Slinky & Co", "tuning & it holds"):
        assert part in text
    assert "█" in text


def test_render_takes_text_as_text() -> None:
    """Markup and escape sequences in titles and reviews reach no terminal."""
    nasty = "[bold]\x1b[31mred[/bold]\x07"
    step = replace(explain("ann", "capo").evidence[0].path[0], tail_label=nasty)
    evidence = Evidence(1.0, "history", (step,), Source("r", nasty))
    text = shown(render(Explanation("ann", "capo", 1.0, {nasty: 1.0}, (evidence,), nasty, title=nasty)))
    assert text.count("[bold][31mred[/bold]") == 5
    assert "\x1b" not in text
    assert "\x07" not in text

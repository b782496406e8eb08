"""The first sentence names what carries the score: of several blocks the one reason that adds most."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks.kin import Kin
from graphrec.blocks.registry import registered
from graphrec.blocks.semantic import Semantic
from graphrec.blocks.spectral import Spectral
from graphrec.explain import Explainer
from graphrec.explain.render import render, render_gap
from graphrec.explain.say import foreign, speaking
from graphrec.explain.shares import Shares, shares
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from kg.graph import empty
from tests.conftest import examples
from tests.explain.test_paths import WORTH, explain
from tests.explain.test_shares import random_profiles
from tests.explain.test_words import popularity, shown
from tests.explain.world import counted, explained, random_graph, random_world, stored, world

BLOCKS = {"semantic": Semantic.words, "kin": Kin.words, "spectral": Spectral.words}


def of(**worth: dict[str, float]) -> Profiles:
    """Blocks by name, each with what the history items add in it."""
    blocks = (replace(counted(world(), w).blocks[0], name=name, words=BLOCKS[name]) for name, w in worth.items())  # type: ignore[type-var]
    return Profiles(tuple(blocks))


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        (
            of(spectral={"strings": 1.0}, semantic={"strings": 0.2, "tuner": 4.0}),
            'mostly because its text reads like that of "Snark "SN1"" (77 % of the score).',
        ),
        (
            of(spectral={"strings": 1.0}, semantic={"strings": 1.2, "tuner": 1.3, "cable": 1.1}),
            "mostly because its text reads like the text of what you took (78 % of the score), "
            'above all "Snark "SN1"" (28 % of the score).',
        ),
        (
            of(spectral={"strings": 3.0}, semantic={"strings": 2.0}),
            'mostly because people who took "Slinky & Co" also took it (60 % of the score).',
        ),
        (of(kin={"strings": 3.0}, semantic={"cable": 1.0}), 'mostly because it has much in common with "Slinky & Co"'),
    ],
)
def test_the_reason_is_what_carries_the_score(profiles: Profiles, said: str) -> None:
    out = explain("ann", "capo", profiles=profiles, graph=empty())
    assert said in out.text
    assert sum(out.shares.values()) == pytest.approx(out.score)
    assert sum(out.blocks.values()) == pytest.approx(out.score)


def test_beside_a_block_that_does_not_split_it_is_named_by_what_it_adds() -> None:
    profiles = Profiles((*of(semantic={"strings": 1.0}).blocks, popularity(3.0)))
    text = explain("ann", "capo", profiles=profiles, graph=empty(), limit=1).text
    assert 'and also because its text reads like that of "Slinky & Co" (25 % of the score).' in text


def test_nobody_is_called_one_of_them_where_nobody_was_named() -> None:
    """The text scores, so the sentence before spoke of no people."""
    together = explain("ann", "capo", profiles=of(spectral={"strings": 4.0}))
    alike = explain("ann", "capo", profiles=of(semantic={"strings": 4.0}))
    assert "One of them" not in alike.text
    assert together.evidence == alike.evidence


@examples(40)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_parts_are_the_whole_history(seed: int, user: int) -> None:
    data = random_world(seed)
    ties, profiles = Ties(data), random_profiles(seed, data)
    for item in range(data.n_items):
        parts: Shares = shares(profiles, stored(ties, user), item)
        for own, share in parts.history.items():
            assert sum(p for (j, _), p in parts.parts.items() if j == own) == pytest.approx(share, abs=1e-9)


def test_what_adds_nothing_is_no_evidence() -> None:
    out = explain("ann", "capo", profiles=counted(world(), {"strings": 4.0, "tuner": 1e-5}), graph=empty())
    assert [e.path[0].tail for e in out.evidence if e.kind == "history"] == ["item:strings"]
    panel = shown(render(replace(out, blocks={**out.blocks, "kin": 0.0, "ease": 0.0})))
    assert "nothing from kin, ease" in panel
    assert "+0.000" not in panel


# --- in other languages -----------------------------------------------------------------------------------------------

ENGLISH = re.compile(
    r"\b(score|gap|difference|evidence|history|friend|knowledge|mention|interacted|likes|dislikes|mentions|has_aspect|"
    r"made_by|for|you|somebody|nothing|popularity|semantic|spectral|is|the|took)\b"
)


@pytest.mark.parametrize("language", ["de", "zh"])
def test_a_panel_is_in_one_language(language: str) -> None:
    data = random_world(3)
    blocks = random_profiles(3, data).blocks
    named = replace(blocks[1], name="semantic")  # type: ignore[type-var]
    profiles = Profiles((*blocks, named))
    explainer = Explainer(profiles, Ties(data), random_graph(3, data))
    with speaking(language):
        for user in range(data.n_users):
            for item in range(data.n_items):
                panel = shown(render(explained(explainer, user, item)))
                assert not ENGLISH.search(panel), panel
        gap = explainer.contrast(stored(explainer.ties, 0), "u0", (1, 2))
        assert not ENGLISH.search(shown(render_gap(gap)))


@pytest.mark.parametrize("language", ["de", "zh"])
def test_each_block_is_said_in_each_language(language: str) -> None:
    with speaking(language):
        for block in registered().values():
            said = [block.words.because, block.words.cause, block.words.like]
            assert all(foreign(words) for words in said if words), block.name


def test_german_says_mostly_once_and_sets_commas_before_clauses() -> None:
    with speaking("de"):
        text = explain("ann", "capo", graph=empty(), profiles=counted(world(), WORTH)).text
    assert text.startswith(
        "Hauptsächlich empfohlen, weil es zu dem passt, was du genommen hast (100 % der Wertung), vor "
    )
    assert text.lower().count("vor allem") == 1

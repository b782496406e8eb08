"""Why not: the place, the gap and what is missing are true. Contrast: the parts of a difference sum to it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks.popularity import Popularity
from graphrec.blocks.spectral import Spectral
from graphrec.data.dataset import Dataset
from graphrec.errors import DataError
from graphrec.explain import Explainer
from graphrec.explain.contrast import Contrast
from graphrec.explain.render import render_gap
from graphrec.explain.why_not import WhyNot
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from kg.graph import KnowledgeGraph, empty
from tests.conftest import examples
from tests.explain.test_shares import random_profiles
from tests.explain.test_words import shown
from tests.explain.world import counted, knowledge, random_graph, random_world, stored, undivided, world

DATA = world()
TIES = Ties(DATA)


def spoken(worth: dict[tuple[str, str], float], data: Dataset = DATA) -> ProfileBlock:
    """A linear block in which history item j adds worth[j, i] to the score of item i."""
    history = np.eye(data.n_items)
    items = np.array([[worth.get((j, i), 0.0) for j in data.items.ids] for i in data.items.ids])
    return undivided(data, history, items)


def popularity(worth: dict[str, float]) -> ProfileBlock:
    items = np.array([[worth.get(i, 0.0)] for i in DATA.items.ids], np.float32)
    return ProfileBlock("popularity", np.ones((DATA.n_users, 1), np.float32), items, words=Popularity.words)


def why_not(user: str, item: str, *blocks: ProfileBlock, k: int = 1, graph: KnowledgeGraph | None = None) -> WhyNot:
    profiles, query = Profiles(blocks), stored(TIES, user)
    scores = profiles.user_matrix()[query.user_nums[0]] @ profiles.item_matrix().T
    explainer = Explainer(profiles, TIES, knowledge() if graph is None else graph)
    return explainer.why_not(query, user, DATA.items.number(item), k, scores)


def contrast(user: str, item: str, other: str, *blocks: ProfileBlock) -> Contrast:
    explainer = Explainer(Profiles(blocks), TIES, knowledge())
    return explainer.contrast(stored(TIES, user), user, (DATA.items.number(item), DATA.items.number(other)))


def test_what_put_it_down_and_what_is_missing() -> None:
    """ann's strings speak for the capo, her tuner against the lamp, which only flo took."""
    block = spoken({("strings", "capo"): 3.0, ("tuner", "lamp"): -0.5, ("strings", "pick"): 1.0})
    out = why_not("ann", "lamp", block, popularity({"lamp": 0.2, "capo": 0.4}))
    assert (out.rank, out.of, out.needed_by, out.taken) == (3, 3, "capo", False)
    assert (out.score, out.needed) == pytest.approx((-0.3, 3.4))
    assert out.blocks == pytest.approx({"linear1": 3.5, "popularity": 0.2})
    assert out.text == (
        '"Lamp" is at place 3 of 3 for you: its score is -0.30, and place 1 takes 3.40. '
        "Most of the gap comes from the block linear1 (95 %). "
        "Nobody who took something of what you took also took it. "
        "None of what you took is linked to it by anything in the knowledge graph. None of your friends took it. "
        '"Snark "SN1"", which you took, speaks most against it.'
    )
    assert "gap" in shown_gap(out)


def shown_gap(answer: WhyNot | Contrast) -> str:
    return shown(render_gap(answer))


def test_two_blocks_are_named_where_both_matter() -> None:
    block = replace(spoken({("strings", "capo"): 1.0}), name="spectral", words=Spectral.words)
    text = why_not("ann", "pick", block, popularity({"capo": 1.0}), graph=empty()).text
    assert (
        "The largest part of the gap comes from the taste of people like you (50 %), then from popularity (50 %)."
        in text
    )


def test_taken_and_recommended() -> None:
    block = spoken({("strings", "capo"): 3.0})
    assert why_not("ann", "strings", block).text.startswith('You already took "Slinky & Co", and')
    assert why_not("ann", "strings", block).taken
    assert why_not("ann", "capo", block).text == '"Spring Capo" is recommended to you, at place 1 of 3.'


def test_without_history() -> None:
    out = why_not("eve", "lamp", popularity({"capo": 3.0, "pick": 2.0, "lamp": 1.0}), k=2)
    assert (out.rank, out.needed_by) == (3, "pick")
    assert out.missing == ("Nothing is known yet of what you took.", "None of your friends took it.")
    with pytest.raises(DataError, match="k = 0"):
        why_not("eve", "lamp", popularity({}), k=0)


def test_scores_that_are_not_of_the_blocks_are_not_split() -> None:
    explainer = Explainer(counted(DATA, {"strings": 1.0}), TIES, knowledge())
    popular = np.arange(DATA.n_items, dtype=np.float32)
    out = explainer.why_not(stored(TIES, "flo"), "flo", 0, 1, popular)
    assert out.blocks == {}
    assert out.needed - out.score == pytest.approx(5.0)


def test_a_contrast_by_block_and_item() -> None:
    block = replace(
        spoken({("strings", "capo"): 3.0, ("strings", "pick"): 1.0, ("cable", "pick"): 0.5}),
        name="spectral",
        words=Spectral.words,
    )
    out = contrast("ann", "pick", "capo", block, popularity({"capo": 0.5}))
    assert out.difference == pytest.approx(-2.0)
    assert out.blocks == pytest.approx({"spectral": -1.5, "popularity": -0.5})
    assert out.shares == pytest.approx(
        {"item:cable": 0.5, "item:strings": -2.0, "item:tuner": 0.0, "user:dee": 0.0, "block:popularity": -0.5}
    )
    assert out.text == (
        '"Spring Capo" scores 2.00 higher for you than "pick" (3.50 against 1.50). '
        "Most of the difference comes from the taste of people like you (75 %). "
        'Of what you took, "Slinky & Co" speaks most for "Spring Capo". '
        '"Red Cable", which you took, speaks rather for "pick".'
    )
    assert "-0.500" in shown_gap(out)


def test_no_difference() -> None:
    out = contrast("ann", "pick", "capo", spoken({}))
    assert out.text == '"pick" and "Spring Capo" score the same for you (0.00).'
    with pytest.raises(DataError, match="itself"):
        contrast("ann", "pick", "pick", spoken({}))


@examples(40)
@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(1, 5))
def test_random_worlds(seed: int, user: int, k: int) -> None:
    """Ranks agree with a sort, gaps and differences with their parts, percentages lie in (0, 100]."""
    data = random_world(seed)
    profiles = random_profiles(seed, data)
    explainer = Explainer(profiles, Ties(data), random_graph(seed, data))
    query, user_id = stored(explainer.ties, user), data.users.ids[user]
    scores = profiles.user_matrix()[user] @ profiles.item_matrix().T
    taken = set(data.interactions.item_nums[data.interactions.user_nums == user].tolist())
    unseen = sorted(set(range(data.n_items)) - taken, key=lambda i: (-scores[i], i))
    for item in range(data.n_items):
        out = explainer.why_not(query, user_id, item, k, scores)
        assert out.taken == (item in taken)
        if item not in taken:
            assert out.rank == unseen.index(item) + 1
            assert out.needed_by == data.items.ids[unseen[min(k, len(unseen)) - 1]]
        assert sum(out.blocks.values()) == pytest.approx(out.needed - out.score, abs=1e-4)
        against = explainer.contrast(query, user_id, (item, (item + 1) % data.n_items))
        assert sum(against.blocks.values()) == pytest.approx(against.difference, abs=1e-4)
        assert sum(against.shares.values()) == pytest.approx(against.difference, abs=1e-4)
        for text in (out.text, against.text):
            assert all(0 < int(p) <= 100 for p in re.findall(r"(\d+) %", text))
            assert re.fullmatch(r"[A-Z\"][^\n]*\.", text)

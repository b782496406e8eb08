"""Explanations in other languages: catalogues are whole, and no English is left in a Chinese sentence."""

from __future__ import annotations

import importlib.util
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.explain import Explainer
from graphrec.explain.phrases import people, percent, quoted, unnamed, your_friend
from graphrec.explain.say import LANGUAGES, LOCALES, decimal, foreign, number, say, speaking
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from kg.graph import empty
from tests.conftest import examples
from tests.explain.test_paths import explain
from tests.explain.test_shares import random_profiles
from tests.explain.test_words import popularity
from tests.explain.world import counted, explained, random_graph, random_world, world

SCRIPT = Path(__file__).parents[2] / "scripts" / "catalogues"
OTHERS = LANGUAGES[1:]


@pytest.fixture(scope="module")
def catalogues() -> Any:
    """The script that keeps the catalogues."""
    pytest.importorskip("babel", reason="babel is in the extra dev")
    loader = SourceFileLoader("catalogues", str(SCRIPT))
    spec = importlib.util.spec_from_loader("catalogues", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_there_is_a_catalogue_for_each_language(catalogues: Any) -> None:
    assert catalogues.languages() == sorted(OTHERS)


@pytest.fixture(scope="module")
def source(catalogues: Any) -> Any:
    """Every message of the code."""
    return catalogues.messages()


@pytest.mark.parametrize("language", OTHERS)
def test_catalogues_hold_every_message_and_no_other(catalogues: Any, source: Any, language: str) -> None:
    catalogue = catalogues.read(language)
    assert {(m.id, m.context) for m in catalogue if m.id} == {(m.id, m.context) for m in source if m.id}
    assert catalogues.missing(catalogue) == []


@pytest.mark.parametrize("language", OTHERS)
def test_places_agree_and_plurals_are_whole(catalogues: Any, language: str) -> None:
    catalogue = catalogues.read(language)
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert len(strings) == (catalogue.num_plurals if message.pluralizable else 1)
        for string in strings:
            assert places(string) == places(ids[-1]), message.id


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_is_written(catalogues: Any, language: str) -> None:
    compiled = LOCALES / language / "LC_MESSAGES" / "graphrec.mo"
    assert compiled.read_bytes() == catalogues.compiled(catalogues.read(language))


def test_numbers_and_counts() -> None:
    assert [people(1), people(2), number(12345), decimal(0.5)] == ["one person", "2 people", "12,345", "0.50"]
    with speaking("de"):
        assert [people(1), people(2000), decimal(0.5)] == ["eine Person", "2.000 Leute", "0,50"]
        assert percent(0.25, 0.5) == " (50 % der Wertung)"
    with speaking("zh"):
        assert [people(1), people(2000), percent(0.25, 0.5)] == ["1个人", "2,000个人", "（占得分的50%）"]
    assert people(1) == "one person"


def test_what_a_plug_in_says_stays_english() -> None:
    assert foreign("it is what the stars say") == "it is what the stars say"
    with speaking("de"):
        assert foreign("it is what the stars say") == ""
        assert say("{clause}", clause="it is what the stars say").endswith("it is what the stars say")
    with speaking("xx"):
        assert say("you wrote") == "you wrote"


def test_a_sentence_in_each_language() -> None:
    profiles = Profiles((*counted(world(), {"strings": 1.0}).blocks, popularity(3.0)))
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            said[language] = explain("ann", "capo", profiles=profiles, graph=empty(), limit=1).text
    assert said["en"].startswith("Recommended mostly because of its popularity: 3 people took it (75 % of the score), ")
    assert said["de"] == (
        "Hauptsächlich empfohlen, weil es beliebt ist (genommen: 3 Leute) (75 % der Wertung), und auch, weil Leute, "
        "die „Slinky & Co“ genommen haben, auch das genommen haben (25 % der Wertung)."
    )
    assert said["zh"] == (
        "推荐的主要原因：它很受欢迎：3个人选了它（占得分的75%），"
        "另外还因为选过“Slinky & Co”的人也选了它（占得分的25%）。"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_friends_are_unnamed_in_any_language(language: str) -> None:
    with speaking(language):
        text = f"{your_friend('dee')} … {your_friend('bob')} … {your_friend('dee')}"
        hidden = unnamed(text, {"dee", "bob"})
        assert "dee" not in hidden
        assert "bob" not in hidden
        assert unnamed(text, {"bob"}).count(quoted("dee")) == 2


@examples(40)
@given(seed=st.integers(0, 10_000), user=st.integers(0, 6))
def test_no_english_is_left_in_chinese(seed: int, user: int) -> None:
    data = random_world(seed)
    explainer = Explainer(random_profiles(seed, data), Ties(data), random_graph(seed, data))
    with speaking("zh"):
        for item in range(data.n_items):
            text = explained(explainer, user, item).text
            bare = re.sub(r"“[^”]*”|（[^）]*）|共同的\w+?：", "", text)  # names of the data's own relations stay
            assert not re.search(r"[A-Za-z]{2,}", bare), text
            assert text.endswith(("。", "”"))

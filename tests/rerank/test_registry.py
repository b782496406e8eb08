"""Re-rankers by name: written and read again, of this package and of others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import ConfigError
from graphrec.rerank import Reranker, parse, resolve
from graphrec.rerank.boosts import Boost, Pin
from graphrec.rerank.caps import Cap
from graphrec.rerank.diversity import Diversity
from tests.rerank.shop import candidates, shown

numbers = st.floats(0, 1)
OF_ALL_KINDS = st.one_of(
    st.builds(Diversity, numbers),
    st.builds(Cap, st.sampled_from(["brand", "a:b", "x=y"]), st.integers(1, 9)),
    st.builds(Boost, st.sampled_from(["price < 10", 'title == "a:b=c"']), st.floats(-9, 9)),
    st.builds(Boost, st.just("organic"), factor=st.floats(0.1, 9)),
    st.builds(Pin, st.sampled_from([("a",), ("b", "a")])),
)


@given(OF_ALL_KINDS)
def test_what_is_written_is_read_again(reranker: Reranker) -> None:
    assert parse(str(reranker)) == reranker
    assert isinstance(reranker, Reranker)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("diversity", "'diversity' is no re-ranker; write name=argument"),
        ("divresity=1", "there is no re-ranker 'divresity'; did you mean diversity?"),
        ("diversity=2", "diversity: found '2'; a number from 0 to 1 is wanted"),
        ("diversity=nan", "diversity: found 'nan'"),
        ("diversity=", "diversity: found ''"),
        ("cap=brand", "cap: found 'brand'; an attribute and how many of a value are wanted: cap=brand:2"),
        ("cap=brand:0", "at least 1 is wanted"),
        ("cap=:2", "an attribute and how many"),
        ("boost=0.5", "boost: found '0.5'; a filter and a number are wanted"),
        ("boost=price < 10:much", "boost: found 'much'; a number is wanted"),
        ("boost=price <:0.5", "filter, character"),
        ("boost=organic:*0", "found a factor of 0"),
        ("boost=organic:*-1", "a number of at least 0 is wanted"),
        ("pin=", "different item ids are wanted"),
        ("pin=a,a", "different item ids are wanted"),
        ("", "'' is no re-ranker"),
    ],
)
def test_what_is_no_reranker_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


PLUGIN = """
from dataclasses import dataclass, replace

@dataclass(frozen=True)
class Reverse:
    @classmethod
    def read(cls, argument):
        return cls()
    def __str__(self):
        return "reverse="
    def beyond(self, k):
        return 0
    def rerank(self, candidates, k):
        return candidates.take(range(len(candidates))[::-1][:k], self, k)

class Half:
    def read(self): ...
"""


def test_one_of_another_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outside.py").write_text(PLUGIN)
    (tmp_path / "outside-1.0.dist-info").mkdir()
    (tmp_path / "outside-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    points = "reverse = outside:Reverse\nhalf = outside:Half\ncap = outside:Reverse\nbroken = absent:Thing\n"
    (tmp_path / "outside-1.0.dist-info" / "entry_points.txt").write_text(f"[graphrec.rerankers]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)
    found = parse("reverse=").rerank(candidates([3, 2, 1]), 3)
    assert shown(found) == [2, 1, 0]
    assert "outside" in sys.modules
    with pytest.raises(ConfigError, match=r"outside:Half is no re-ranker: it is a class .* beyond, rerank lacks"):
        resolve("half")
    with pytest.raises(ConfigError, match="several re-rankers 'cap': graphrec, outside:Reverse; remove"):
        resolve("cap")
    with pytest.raises(ConfigError, match="'broken' of absent:Thing cannot be imported: No module named 'absent'"):
        resolve("broken")
    with pytest.raises(ConfigError, match="did you mean reverse"):
        resolve("revrse")
    monkeypatch.delitem(sys.modules, "outside")

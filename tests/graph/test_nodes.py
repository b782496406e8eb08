"""Attributes as nodes: alike things share one, and nothing else does."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.attributes import SENSITIVE, Column
from graphrec.graph.nodes import BINS, FARTHEST, labels, nodes, number_features

NUMBER = Column("price", "number")


def _table(*rows: tuple[int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_num", "key", "value"])


def test_categories_and_lists_stay_as_they_are() -> None:
    table = _table((0, "brand", "Kiri"), (0, "tag", "a"), (0, "tag", "b"), (1, "brand", "15"))
    assert nodes(table, [Column("brand", "category"), Column("tag", "list")]).equals(table)
    assert nodes(table, ()).equals(table)


def test_each_type_has_its_nodes_and_what_says_nothing_has_none() -> None:
    table = _table(
        (0, "about", "a long text"),
        (0, "age", "44"),
        (0, "lat", "4.5"),
        (0, "cover", "a.jpg"),
        (0, "is_organic", "yes"),
        (1, "is_organic", "no"),
        (0, "released", "2001-03-04"),
        (1, "released", "2011-03-04"),
        (1, "sku", "A1"),
    )
    columns = [
        Column("about", "text"),
        Column("age", "number", sensitive=True, why_not=SENSITIVE),
        Column("lat", "point"),
        Column("cover", "image"),
        Column("is_organic", "boolean"),
        Column("released", "date"),
        Column("sku", "category", why_not="identifies: each value occurs once"),
    ]
    assert nodes(table, columns).to_numpy().tolist() == [
        [0, "is_organic", "is organic"],
        [0, "released", "released 2001"],
        [1, "released", "released 2011"],
    ]


def test_dates_of_two_years_are_months() -> None:
    column = Column("signup_date", "date")
    found = labels(pd.Series(["2024-06-03", "2024-06-30", "2025-11-02", "?"]), column)
    assert found.isna().tolist() == [False] * 3 + [True]
    assert found.dropna().tolist() == ["signup date 2024-06", "signup date 2024-06", "signup date 2025-11"]
    years = Column("year", "date")
    assert labels(pd.Series(["1999", "2000"]), years).tolist() == ["year 1999", "year 2000"]


def test_bins_in_words() -> None:
    random = np.random.default_rng(0)
    prices = pd.Series([f"{x:.2f}" for x in random.lognormal(3, 1, 400)])
    found = labels(prices, NUMBER).value_counts()
    assert set(found.index) == {
        "price below 8.4", "price 8.4 to 15", "price 15 to 25", "price 25 to 45", "price from 45"
    }  # fmt: skip
    assert found.min() > 60
    stock = labels(pd.Series(["0"] * 9 + ["3", "2", "8", "7", "5", "6"]), Column("stock", "number"))
    assert set(stock) == {"stock below 5", "stock from 5"}
    assert set(labels(pd.Series(["3", "4", "5", "3", "x"]), Column("doors", "number")).dropna()) == {
        "doors 3", "doors 4", "doors 5"
    }  # fmt: skip
    assert labels(pd.Series(["7", "7.0"]), NUMBER).isna().all()  # what all have says nothing


@given(st.lists(st.integers(-(10**9), 10**9).map(lambda n: n / 1000), min_size=1, max_size=60))
def test_a_label_tells_where_the_number_is(values: list[float]) -> None:
    found = labels(pd.Series([repr(v) for v in values]), NUMBER)
    assert found.nunique() <= BINS
    assert found.isna().all() if len(set(values)) < 2 else found.notna().all() and found.nunique() > 1
    for value, label in zip(values, found, strict=True):
        if pd.isna(label):
            continue
        shown = [float(n.replace(",", "")) for n in re.findall(r"-?[\d,]+(?:\.\d+)?(?:e[+-]?\d+)?", label)]
        if " to " in label:
            assert shown[0] <= value < shown[1]
        elif "below" in label:
            assert value < shown[0]
        else:
            assert value >= shown[0] if "from" in label else value == shown[0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
def test_any_numbers_have_labels(values: list[float]) -> None:
    found = labels(pd.Series([repr(v) for v in values], dtype=object), NUMBER)
    assert found.nunique() <= BINS


def test_number_features_are_standardised_with_the_median_for_what_is_missing() -> None:
    table = _table((0, "price", "1"), (1, "price", "3"), (2, "price", "1,000.00"), (0, "n", "5"), (0, "brand", "7"))
    columns = [
        Column("brand", "category"),
        Column("n", "number", why_not="constant: every value is '5'"),
        NUMBER,
    ]
    found = number_features(table, columns, 12)
    assert found.shape == (12, 1)
    assert found.dtype == np.float32
    assert found[3, 0] == found[1, 0]  # the median
    assert found[2, 0] == FARTHEST
    assert number_features(table, [], 12).shape == (12, 0)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_number_features_are_finite(values: list[float]) -> None:
    table = pd.DataFrame({"item_num": range(len(values)), "key": "price", "value": [repr(v) for v in values]})
    found = number_features(table, [NUMBER], len(values) + 1)
    assert np.isfinite(found).all()
    assert (np.abs(found) <= FARTHEST).all()

"""What a column is, found out from its values; what says nothing or too much is named as such."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.attributes import SENSITIVE, AttributeType, Column, columns_of, infer, long_table, parts
from graphrec.data.dataset import build
from graphrec.data.values import dates, numbers
from graphrec.door.values import BLANKS

SENTENCE = "A long description of number {} that says a good deal about the thing it is of."
TYPED: list[tuple[AttributeType, str, Sequence[Any] | pd.DatetimeIndex]] = [
    ("category", "material", ["steel", "wood", "steel", ""]),
    ("category", "category_id", ["3", "17", "3", "4"]),
    ("list", "genres", ["Action|Drama", "Drama", "Comedy|Action"]),
    ("list", "tags", ["red; blue", "blue; green", "red"]),
    ("list", "tags", [["red", "blue"], ["red"], None]),
    ("list", "tags", [np.array(["red"]), np.array(["red", "blue"])]),
    ("list", "tags", ['["red", "blue"]', '["blue"]', "[]"]),
    ("number", "price", ["12.5", "3", "nan", "1e3"]),
    ("number", "price", ["12,50", "1.003,75", "3"]),
    ("number", "price", ["$1,200.50", "$3", "$4.20"]),
    ("number", "stock", [3, 15, None]),
    ("number", "weight", [0.5, float("nan"), 1.5]),
    ("date", "added", ["2019-01-02", "2020-03-04T05:06:07Z", ""]),
    ("date", "added", ["31.12.2019", "01.02.2020"]),
    ("date", "added", ["12/31/2019", "1/2/2020"]),
    ("date", "added", ["2. März 2019", "31. Mai 2020", "1. Juni 2020"]),
    ("date", "added", ["Mar 2019", "April 2020"]),
    ("category", "version", ["1.2.19", "2.3.20", "1.2.19"]),
    ("number", "price", ["12,50 €", "3,00 €", "1.003,75 €"]),
    ("date", "release_date", ["20191231", "20200102"]),
    ("date", "year", ["1999", "2003", "1999"]),
    ("date", "signupAt", ["1561939200", "1571939200"]),
    ("date", "added", pd.DatetimeIndex(["2019-01-02", pd.NaT])),
    ("boolean", "organic", ["true", "false", "", "true"]),
    ("boolean", "organic", ["ja", "nein"]),
    ("boolean", "organic", ["0", "1", "1"]),
    ("boolean", "organic", [True, False]),
    ("text", "description", [SENTENCE.format(n) for n in range(5)]),
    ("text", "about", ["这是一个关于非常好的产品的长描述它说明了产品的许多优点和缺点以及如何使用它们", "另一个" * 20]),
    ("point", "place", ["48.137,11.575", "52.52, 13.405"]),
    ("point", "latitude", ["48.137", "52.52"]),
    ("point", "geo_lng", ["11.575", "-113.405"]),
    ("image", "cover", ["https://x.example/a.jpg", "b/c.PNG", "d.webp?size=3"]),
]


def _values(given_: Sequence[Any] | pd.DatetimeIndex) -> pd.Series[Any]:
    plain = given_ if isinstance(given_, pd.DatetimeIndex) else list(given_)
    return pd.Series(plain, dtype=object if any(isinstance(v, (str, list, np.ndarray)) for v in plain) else None)


@pytest.mark.parametrize(("kind", "name", "values"), TYPED)
def test_the_type_is_found_out(kind: AttributeType, name: str, values: Sequence[Any]) -> None:
    assert infer(name, _values(values)).type == kind


@pytest.mark.parametrize(
    ("name", "values", "why_not"),
    [
        ("sku", [f"A-{n}" for n in range(20)], "identifies: each value occurs once"),
        ("row", [str(n) for n in range(100, 140)], "identifies: each value occurs once"),
        ("ean", [str(4006381333931 + 7 * n) for n in range(20)], "identifies: each value occurs once"),
        ("label", [f"A{n // 2 if n < 2 else n}" for n in range(60)], "identifies: nearly every value occurs once"),
        ("page", [f"https://x.example/{n // 2}" for n in range(6)], "identifies: links"),
        ("currency", ["EUR"] * 5, "constant: every value is 'EUR'"),
        ("notes", ["", "nan", None, "NULL"], "empty: no value is known"),
        ("cover", ["a.jpg", "b.jpg"], "a picture: none are read"),
        ("place", ["48.137,11.575", "52.52,13.405"], "a place: of items alone, and with both numbers, is one used"),
    ],
)
def test_what_is_not_used_says_why(name: str, values: list[str | None], why_not: str) -> None:
    assert infer(name, pd.Series(values, dtype=object)).why_not == why_not


def test_a_place_of_an_item_is_used() -> None:
    whole, half = pd.Series(["48.137,11.575", "52.52,13.405"]), pd.Series(["48.137", "52.52"])
    assert infer("place", whole, of="items").why_not == ""
    assert "both numbers" in infer("lat", half, of="items").why_not


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", [str(n + 0.5) for n in range(40)]),  # each once, but prices
        ("pages", ["120", "340", "85", "411", "96", "238", "77", "501", "333", "64", "190"]),
        ("description", [SENTENCE.format(n) for n in range(40)]),
        ("brand", ["Kiri", "Monterra"]),  # too few to say that each occurs once
        ("organic", ["true", "", "true"]),  # what is not said is not so
    ],
)
def test_what_tells_something_is_used(name: str, values: list[str]) -> None:
    assert infer(name, pd.Series(values, dtype=object)).why_not == ""


def test_a_declared_type_is_not_questioned() -> None:
    assert infer("row", pd.Series([str(n) for n in range(40)]), "number") == Column("row", "number")
    assert infer("size", pd.Series(["1", "2", "2"]), "category") == Column("size", "category")


PERSONAL = """
    gender Sex sexe género Geschlecht age age_band ageGroup Altersgruppe âge edad birthDate dob Geburtsdatum
    date_naissance fecha_nacimiento religion Konfession ethnicity etnia country_of_origin Herkunft nationality
    Nationalität race health_status disability Behinderung sexual_orientation politics party Parteizugehörigkeit
    union_member Gewerkschaft 性别 年龄 出生日期 宗教信仰 民族 国籍 健康状况 政治面貌
"""
ANYBODYS = """
    language page usage image packages engagement city occupation trace favourite_genre signup_date message
    average_basket shoe_size newsletter 城市 职业 注册时间
"""


def test_sensitive_names() -> None:
    values = pd.Series(["p", "q", "p", "r"])
    assert [name for name in PERSONAL.split() if not infer(name, values).sensitive] == []
    assert [name for name in ANYBODYS.split() if infer(name, values).sensitive] == []
    assert infer("age_band", values).why_not == SENSITIVE
    assert infer("age_band", values, allow=["age_band"]) == Column("age_band", "category", sensitive=True)
    assert not infer("country_of_origin", values, of="items").sensitive  # coffee has one too


@pytest.mark.parametrize(
    ("values", "sensitive"),
    [
        (["m", "f", "d", ""], True),
        (["m", "w", "m"], True),
        (["male", "unknown", "male"], True),
        (["男", "女"], True),
        (["catholic", "muslim", "none"], True),
        (["s", "m", "l"], False),
        (["m", "m"], False),
        (["classic", "modern", "catholic"], False),
    ],
)
def test_gender_and_religion_are_seen_in_the_values(values: list[str], sensitive: bool) -> None:
    assert infer("x1", pd.Series(values)).sensitive is sensitive


def test_numbers_with_any_decimal_sign() -> None:
    german = numbers(pd.Series(["1.234,50", "12,5", "3.000", "€ 5,00", "7", "x", ""], dtype=object))
    np.testing.assert_array_equal(german, [1234.5, 12.5, 3000, 5, 7, math.nan, math.nan])
    english = numbers(pd.Series(["1,234", "12.5", "$3,000.10", "-4", "5 EUR", "1,2,3"], dtype=object))
    np.testing.assert_array_equal(english, [1234, 12.5, 3000.1, -4, 5, math.nan])


def test_numbers_are_dates_only_where_the_name_says_so() -> None:
    assert dates(pd.Series(["1999", "20190102"]), "pages").isna().all()
    assert dates(pd.Series(["1999", "20190102", "1561939200"]), "year").dt.year.tolist() == [1999, 2019, 2019]


def test_a_long_table_has_a_row_for_each_value() -> None:
    column = Column("tags", "list")
    found = long_table(["a", "b", "c"], pd.Series(["x|y", "", "y|nan"]), column)
    assert found.to_dict("list") == {"item_id": ["a", "a", "c"], "key": ["tags"] * 3, "value": ["x", "y", "y"]}
    numbers_ = long_table([1, 2], pd.Series([3.0, math.nan]), Column("stock", "number"), "user_id")
    assert numbers_.to_dict("list") == {"user_id": [1], "key": ["stock"], "value": ["3"]}
    assert parts("['a', 'b']") == parts("a;b;a") == ["a", "b"]


def test_a_dataset_knows_its_columns() -> None:
    events = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["i", "j"]})
    of_items = [("i", "tag", "x"), ("i", "tag", "y"), ("j", "tag", "x"), ("i", "price", "3"), ("j", "price", "4.5")]
    of_users = [("u", "gender", "m"), ("v", "gender", "f"), ("u", "city", "Rome"), ("v", "city", "Bari")]
    data = build(
        "w",
        events,
        item_attributes=pd.DataFrame(of_items, columns=["item_id", "key", "value"]),
        user_attributes=pd.DataFrame(of_users, columns=["user_id", "key", "value"]),
        item_columns=[Column("price", "category")],
    )
    assert data.item_columns == (Column("price", "category"), Column("tag", "list"))
    assert data.user_columns == (Column("city", "category"), Column("gender", "category", True, SENSITIVE))


def test_a_list_of_people_is_sensitive_too() -> None:
    table = pd.DataFrame({"user_num": [0, 0, 1], "key": "religion", "value": ["a", "b", "a"]})
    assert columns_of(table, 2, of="users") == (Column("religion", "list", True, SENSITIVE),)


# --- properties -------------------------------------------------------------------------------------------------------

ANYTHING = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.lists(st.text(max_size=4), max_size=3),
)


@given(st.text(max_size=12), st.lists(ANYTHING, max_size=12))
def test_any_column_has_a_type(name: str, values: list[Any]) -> None:
    column = infer(name, pd.Series(values, dtype=object))
    assert column.name == name
    table = long_table(range(len(values)), pd.Series(values, dtype=object), column)
    assert set(table["value"].map(type)) <= {str}
    assert not table["value"].str.strip().str.casefold().isin(BLANKS).any()
    assert column.why_not.startswith("empty") == table.empty or column.why_not == SENSITIVE


@given(st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 100), min_size=1, max_size=20), st.booleans())
def test_numbers_come_back_in_either_spelling(values: list[float], german: bool) -> None:
    english = [f"{v:,.2f}" for v in values]
    written = [t.translate(str.maketrans(",.", ".,")) for t in english] if german else english
    np.testing.assert_allclose(numbers(pd.Series(written, dtype=object)), values)
    assert infer("price", pd.Series(written)).type in ("number", "boolean")


@given(st.lists(st.dates(), min_size=1, max_size=20), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"]))
def test_dates_come_back(values: list[Any], form: str) -> None:
    possible = [v for v in values if v.year > 1700 and v.year < 2250]
    written = pd.Series([v.strftime(form) for v in possible], dtype=object)
    assert [t.date() for t in dates(written)] == possible
    assert not possible or infer("when", written).type == "date"


@given(st.lists(st.sampled_from(["", "nan", "NULL", "None", "N/A", " "]), max_size=8))
def test_missing_is_missing(values: list[str]) -> None:
    assert infer("x", pd.Series(values, dtype=object)).why_not == "empty: no value is known"

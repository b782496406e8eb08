"""Filters against a twin that looks at one item at a time, and what becomes of texts that are none."""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.rerank import AttributeTable, Filter
from tests.conftest import examples
from tests.rerank.shop import TYPES, Item, dataset

Tree: TypeAlias = tuple[Any, ...]

WORDS = ["Tea", "Mugs", "green tea", "Straße", "", "it's", 'a "b"', "i01"]
PRICES = [-1.5, 0, 5, 10, 10.5, 2000]
TIMES = ["2019-03-01 00:00:00", "2019-03-31 23:59:59", "2019-12-31 10:30:00", "2020-01-01 00:00:00"]
ASKED = ["2019", "2019-03", "2019-03-01", "2019-12-31 10:30", "2020-01-01 00:00:00", "2018-12"]
ORDERS = {"==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.sampled_from(PRICES),
    "date": st.sampled_from(TIMES),
    "boolean": st.booleans(),
    "words": st.sampled_from([w for w in WORDS if w]),
}
ITEMS: st.SearchStrategy[list[Item]] = st.lists(
    st.fixed_dictionaries(
        {
            **{k: st.lists(VALUES.get(t, VALUES["words"]), max_size=2, unique=True) for k, t in TYPES.items()},
            "title": st.lists(VALUES["words"], max_size=1),
        }
    ),
    min_size=1,
    max_size=6,
)


def of_type(key: str) -> str:
    return "text" if key == "title" else "category" if key == "item_id" else TYPES[key]


def constants(key: str) -> st.SearchStrategy[Any]:
    found = {"number": VALUES["number"], "date": st.sampled_from(ASKED), "boolean": st.booleans()}
    return found.get(of_type(key), st.sampled_from(WORDS))


KEYS = [*TYPES, "title", "item_id"]
ORDERED = [key for key in TYPES if TYPES[key] in ("number", "date")]
LEAVES: st.SearchStrategy[Tree] = st.one_of(
    st.sampled_from(KEYS).flatmap(
        lambda key: st.one_of(
            st.tuples(st.just("cmp"), st.just(key), st.sampled_from(["==", "!="]), constants(key)),
            st.tuples(st.just("in"), st.just(key), st.booleans(), st.lists(constants(key), max_size=3)),
            st.tuples(st.just("inside"), st.just(key), st.booleans(), constants(key)),
            st.tuples(st.just("none"), st.just(key), st.booleans()),
        )
    ),
    st.sampled_from(ORDERED).flatmap(
        lambda key: st.one_of(
            st.tuples(st.just("cmp"), st.just(key), st.sampled_from(list(ORDERS)), constants(key)),
            st.tuples(st.just("turned"), st.just(key), st.sampled_from(list(TURNED)), constants(key)),
            st.tuples(st.just("chain"), st.just(key), constants(key), constants(key)),
        )
    ),
    st.just(("bare", "organic")),
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), inner, inner)),
    max_leaves=5,
)


def write(tree: Tree) -> str:
    match tree:
        case ("not", inner):
            return f"not ({write(inner)})"
        case ("and" | "or" as op, left, right):
            return f"({write(left)}) {op}\n({write(right)})"
    key = tree[1] if tree[1].isidentifier() else f'attribute("{tree[1]}")'
    match tree:
        case ("cmp", _, op, value):
            return f"{key} {op} {value!r}"
        case ("turned", _, op, value):
            return f"{value!r} {op} {key}"
        case ("chain", _, low, high):
            return f"{low!r} <= {key} < {high!r}"
        case ("in", _, denied, values):
            return f"{key} {'not ' * denied}in {values!r}"
        case ("inside", _, denied, value):
            return f"{value!r} {'not ' * denied}in {key}"
        case ("none", _, denied):
            return f"{key} is {'not ' * denied}None"
    return str(key)


def fits(key: str, op: str, own: Any, value: Any) -> bool:
    """One value of an item against one constant. Of dates the part that the constant says."""
    return bool(ORDERS[op](own[: len(value)] if of_type(key) == "date" else own, value))


def naive(tree: Tree, item: Item) -> bool:
    match tree:
        case ("not", inner):
            return not naive(inner, item)
        case ("and", left, right):
            return naive(left, item) and naive(right, item)
        case ("or", left, right):
            return naive(left, item) or naive(right, item)
    key = tree[1]
    values = item[key]
    match tree:
        case ("cmp", _, "!=", value):
            return bool(values) and not any(fits(key, "==", own, value) for own in values)
        case ("cmp", _, op, value):
            return any(fits(key, op, own, value) for own in values)
        case ("turned", _, op, value):
            return naive(("cmp", key, TURNED[op], value), item)
        case ("chain", _, low, high):
            return naive(("cmp", key, ">=", low), item) and naive(("cmp", key, "<", high), item)
        case ("in", _, denied, wanted):
            found = any(fits(key, "==", own, value) for own in values for value in wanted)
            return len(values) > 0 and found != denied
        case ("inside", _, denied, value) if of_type(key) == "text":
            return bool(values) and any(value.casefold() in own.casefold() for own in values) != denied
        case ("inside", _, denied, value):
            return naive(("in", key, denied, [value]), item)
        case ("none", _, denied):
            return bool((len(values) > 0) == denied)
    return bool(any(values))


@examples(150)
@given(items=ITEMS, trees=st.lists(TREES, min_size=1, max_size=4))
def test_agrees_with_looking_at_each_item(items: list[Item], trees: list[Tree]) -> None:
    table = AttributeTable(dataset(items))
    for tree in trees:
        found = Filter.parse(write(tree), table)
        expected = [naive(tree, {**item, "item_id": [f"i{n:02}"]}) for n, item in enumerate(items)]
        assert found.mask.dtype == np.bool_
        assert found.mask.tolist() == expected, write(tree)


SHOP: list[Item] = [
    {"price": [40], "category": ["Mugs", "Gifts"], "brand": ["Acme"], "title": ["Blue Mug"], "released": [TIMES[0]]},
    {"price": [60], "category": ["Tea"], "brand": ["Bodum"], "title": ["Green tea"], "organic": [True]},
    {"price": [9.5], "category": ["Tea"], "title": ["GREEN cup"], "organic": [False], "note": ["for the morning"]},
    {"Preis in €": ["12,50"], "released": [TIMES[3]]},
]
TABLE = AttributeTable(dataset(SHOP))


@pytest.fixture(scope="module")
def shop() -> Dataset:
    return dataset(SHOP)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ('price < 50 and category in ("Mugs", "Tea") and not (brand == "Acme")', [2]),
        ('brand != "Acme"', [1]),
        ('not brand == "Acme"', [1, 2, 3]),
        ("brand is None", [2, 3]),
        ('"Tea" in category', [1, 2]),
        ('"Tea" not in category', [0]),
        ('"green" in title', [1, 2]),
        ('title in ("Green tea",)', [1]),
        ("10 <= price < 50", [0]),
        ("-1 < price <= 9.5", [2]),
        ("organic", [1]),
        ("not organic", [0, 2, 3]),
        ("organic == False", [2]),
        ("organic is not True", [2]),
        ('released <= "2019"', [0]),
        ("released >= 2020", [3]),
        ('attribute("Preis in €") == 12.5', [3]),
        ('item_id in ("i00", "i03", "nobody")', [0, 3]),
        ("  price\n  > 10\n", [0, 1]),
        ("price < 1e999", [0, 1, 2]),
        ("price < " + "9" * 400, [0, 1, 2]),
        ("True", [0, 1, 2, 3]),
    ],
)
def test_what_a_filter_means(shop: Dataset, text: str, passes: list[int]) -> None:
    assert np.flatnonzero(Filter.parse(text, shop).mask).tolist() == passes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("brand == Kiri", "filter, character 10: 'Kiri' is no value; write a text in quotes: == \"Kiri\""),
        ("organic == true", "filter, character 12: 'true' is no value; write True"),
        ("pirce < 50", "filter, character 1: 'pirce' is no attribute of the items; did you mean price?"),
        ('  "é" in title and pirce < 5', "filter, character 20: 'pirce' is no attribute"),
        (
            "price > 1 and\nbrnad is None",
            "filter, character 15: 'brnad' is no attribute of the items; did you mean brand?",
        ),
        ("prise < 5", "did you mean price?"),
        ('attribute("Preis in") < 5', "did you mean attribute('Preis in €')?"),
        ('price < "50"', "character 9: 'price' is a number and is compared with a number, such as 50, found '\"50\"'"),
        ("price < True", "'price' is a number and is compared with a number"),
        (
            "brand == 5",
            "character 10: 'brand' is a category and is compared with a text in quotes, such as \"tea\", found '5'",
        ),
        ('brand < "B"', "character 1: 'brand' is a category, which has no <; it is compared with ==, !=, in, not in"),
        ("price == None", "whether it is missing is asked with is None"),
        ("price", "'price' is a number, which is neither true nor false; compare it with something"),
        (
            'released > "soon"',
            "'released' is a date and is compared with a date, such as \"2019-03-01\", found '\"soon\"'",
        ),
        ('released > "2019-13"', "is compared with a date"),
        ("organic == 1", "'organic' is a boolean and is compared with True or False, found '1'"),
        ("price < price", "character 9: found 'price': an attribute is compared with values, not with another"),
        ("1 < 2", "neither side of < is an attribute; attributes are Preis in €, brand"),
        ('category in "Tea"', 'after in, values in brackets are wanted, such as ("a", "b"); write category == …'),
        ("price is 5", "after is, None is wanted, found '5'; write == to compare"),
        ("price = 5", "filter, character 7: invalid syntax (found '= 5'); write == to compare"),
        ("price < 5 AND organic", "filter, character 11: invalid syntax (found 'AND organic'); write and"),
        ("(price < 5", "'(' was never closed"),
        ("price < 5 # cheap\n and organic", "character 11: # begins a comment, and what follows would be lost"),
        ("price + 1 < 5", "neither side of < is an attribute"),
        (
            "__import__('os').system('true')",
            "character 1: found \"__import__('os').system('true')\"; a filter is made of",
        ),
        ("price.real < 5", "neither side of <"),
        ("organic if price < 5 else organic", "found 'organic if price < 5 else organic'"),
        ("[x for x in price]", "found '[x for x in price]'"),
        ("", "the filter is empty"),
        ("(" * 5000 + "organic" + ")" * 5000, "filter"),
        ("not " * 20000 + "organic", "nested too deeply"),
        ("price < " + "9" * 5000, "filter"),
        ("price < 5\x00", "filter"),
        ("x" * 200_000, "the filter has 200,000 characters, more than 100,000"),
    ],
)
def test_what_is_no_filter_is_said_in_one_line(shop: Dataset, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Filter.parse(text, shop)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


WRITTEN = (
    "price brand category title organic nothing and or not in is None True < <= == != ( ) [ ] , . = + - 5 1e9 1j 2019",
    '\' " \\ "Tea" "2019" b"x" f"{price}" lambda : ; # @ attribute( attribute("price") ("a",) {"a"} {**a} *a … é \x00',
)
TOKENS = st.sampled_from(["\n", "\t", *" ".join(WRITTEN).split()])


@pytest.mark.filterwarnings("ignore:invalid")
@examples(400)
@given(st.one_of(st.text(max_size=40), st.lists(TOKENS, max_size=12).map(" ".join), TREES.map(write)))
@example("\ud800")
@example('title == "\\ud800"')
@example('"\\ud800" in title')
@example("\u2028pirce\u2028")
@example('"\\d" in title')
def test_any_text_is_a_filter_or_one_line(text: str) -> None:
    try:
        mask, says = Filter.parse(text, TABLE).mask, "one line"
    except ConfigError as error:
        mask, says = np.zeros(len(SHOP), np.bool_), str(error)
    assert mask.shape == (len(SHOP),)
    assert len(says.splitlines()) == 1


def test_a_mask_is_made_once_and_is_read_only() -> None:
    table = AttributeTable(dataset(SHOP))
    one, other = Filter.parse("price < 50", table), Filter.parse("price < 50", table)
    assert one.mask is other.mask
    assert one == other
    with pytest.raises(ValueError, match="read-only"):
        one.mask[0] = True
    for n in range(100):
        Filter.parse(f"price < {n}", table)
    assert len(table._masks) <= 16


def test_values_that_are_not_of_the_type_are_missing() -> None:
    table = AttributeTable(dataset([{"price": ["on request"]}, {"price": [5]}, {"organic": ["perhaps"]}]))
    assert Filter.parse("price is None", table).mask.tolist() == [True, False, True]
    assert Filter.parse("organic is None", table).mask.all()


def test_a_name_is_found_however_its_letters_are_composed() -> None:
    data = dataset([{"brand": ["Acme"]}, {}])
    data.item_attributes["key"] = "gro\u0308ße"
    assert Filter.parse('größe == "Acme"', data).mask.tolist() == [True, False]

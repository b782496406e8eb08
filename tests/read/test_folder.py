"""A Dataset written as a folder is read as the same Dataset."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.errors import DataError
from graphrec.types import frozen
from kg.types import ExternalTriples
from tests.read.support import item_attributes, user_attributes

BLANK = {"na", "nan", "null", "none", "nat"}
IDS = st.from_regex(r"[A-Za-zäß漢]{1,3}[0-9]{0,3}", fullmatch=True).filter(lambda i: i.lower() not in BLANK)
WORDS = st.sampled_from(
    ["warm sound", 'a "quoted" word', "line\nend", "comma, and ; and |", "=1+1", "très bon", "漢字"]
)
KINDS = (
    Kind("order", 1.0, "count"),
    Kind("review", 1.0, "rating", (1.0, 5.0), 2.0),
    Kind("remove from cart", -0.5),
    Kind("view", 0.25, "dwell", (12.5, 125.0)),
)


def _differs(old: list[float], value: float) -> bool:
    return len(old) != 1 or value != old[0]


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Small Datasets with anything that a Dataset may hold."""
    users, items = (draw(st.lists(IDS, min_size=1, max_size=5, unique=True)) for _ in range(2))
    timed, split, placed = (draw(st.booleans()) for _ in range(3))
    rows: list[dict[str, Any]] = []
    kinds = [*draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=1, max_size=8))]
    for kind in sorted((*kinds, *kinds)):
        value = {
            "count": st.integers(1, 9),
            "dwell": st.integers(1, 9),
            "rating": st.integers(1, 5),
            "none": st.just(np.nan),
        }[KINDS[kind].values]
        row: dict[str, Any] = {"user_id": draw(st.sampled_from(users)), "item_id": draw(st.sampled_from(items))}
        of_kind = [r["value"] for r in rows if r["kind"] == kind]
        value = value.filter(partial(_differs, of_kind))  # one and the same value says nothing
        row |= {"kind": kind, "value": draw(value), "text": draw(st.just("") | WORDS)}
        row["summary"] = draw(st.just("") | WORDS) if row["text"] else ""
        row |= {"timestamp": draw(st.integers(0, 2_000_000_000))} if timed else {}
        row |= {"part": draw(st.integers(0, 2))} if split else {}
        row |= {"latitude": draw(st.integers(-90, 90)) / 4, "longitude": draw(st.integers(0, 90)) / 4} if placed else {}
        rows.append(row)
    titled = draw(st.booleans())
    friends = draw(st.lists(st.tuples(st.sampled_from(users), st.sampled_from(users)), max_size=4))
    triples = draw(st.lists(st.tuples(IDS, IDS, IDS), max_size=3, unique=True))
    return build(
        "drawn",
        pd.DataFrame(rows),
        kinds=KINDS,
        items=pd.DataFrame({"item_id": items, "title": [f"Tea {i}" if titled else "" for i in items]}),
        users=pd.DataFrame({"user_id": users}),
        friends=pd.DataFrame(friends, columns=pd.Index(["user_id", "friend_id"])),
        directed=draw(st.booleans()),
        external=ExternalTriples(tuple(triples), {items[0]: triples[0][0]} if triples else {}),
    )


@given(datasets())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again(data: Dataset) -> None:
    with tempfile.TemporaryDirectory() as made:
        data.to_folder(Path(made) / "again")
        again = Dataset.load(Path(made) / "again")
        assert again == data
        assert len(again.quarantine) == again.quarantine.merged == 0


ATTRIBUTES = [
    ("x", "brand", "Kiri"), ("y", "brand", "Nord"), ("z", "brand", "Kiri"), ("w", "brand", "Nord"),
    ("x", "tags", "old"), ("x", "tags", "red, or not"), ("y", "tags", "old"), ("z", "tags", "new"),
    ("x", "title", "Sir"), ("y", "title", "Dame"), ("z", "title", "Sir"), ("w", "title", "Dame"),
]  # fmt: skip


def shop(**more: Any) -> Dataset:
    events = pd.DataFrame(
        {"user_id": list("aabbcc"), "item_id": list("xyyzzw"), "value": [5.0, 1, 4, 3, 2, 5], "timestamp": range(6)}
    )
    table = pd.DataFrame(ATTRIBUTES, columns=pd.Index(["item_id", "key", "value"]))
    people = pd.DataFrame({"user_id": list("abcd"), "key": "city", "value": ["Ulm", "Bonn", "Ulm", "Bonn"]})
    items = pd.DataFrame({"item_id": list("wxyz"), "title": ["W", "X", "Y", ""], "text": ["", "A text.", "", ""]})
    pair = pd.DataFrame({"user_id": ["a"], "friend_id": ["b"]})
    tables = {"friends": pair, "items": items, "item_attributes": table, "user_attributes": people}
    return build("shop", events, **{**tables, **more})


def test_attributes_titles_and_texts(tmp_path: Path) -> None:
    shop().to_folder(tmp_path / "a")
    once = Dataset.load(tmp_path / "a")
    for name in ("users", "items"):
        assert getattr(once, name) == getattr(shop(), name)
    assert item_attributes(once) == item_attributes(shop())
    assert user_attributes(once) == user_attributes(shop())
    assert once.item_text.tolist() == shop().item_text.tolist()
    once.to_folder(tmp_path / "b")
    assert Dataset.load(tmp_path / "b") == once


def test_only_a_new_folder_is_written(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"mine: already there and not empty; name a new folder"):
        shop().to_folder(tmp_path / "mine")
    with pytest.raises(DataError, match=r"thesis\.txt: already there"):
        shop().to_folder(tmp_path / "mine" / "thesis.txt")
    shop().to_folder(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep" / "data.toml").is_file()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["deep"]


def test_equal_is_what_holds_the_same() -> None:
    data = shop()
    assert data == shop()
    assert hash(data) == hash(shop())
    assert data == replace(data, name="another name")
    assert data != "shop"
    titles = data.item_titles.copy()
    titles[0] = "V"
    fewer = data.item_attributes.iloc[1:].reset_index(drop=True)
    changes: list[dict[str, Any]] = [
        {"item_titles": titles},
        {"item_attributes": fewer},
        {"social_edge_index": frozen([[0], [1]], np.int64)},
        {"external": ExternalTriples((("a", "b", "c"),))},
        {"events": replace(data.events, values=data.events.values + 1)},
        {"events": replace(data.events, timestamps=None)},
        {"events": replace(data.events, kind_table=(Kind("view", 0.2),))},
        {"parts": np.zeros(len(data.events), np.uint8)},
        {"directed": True},
    ]
    for change in changes:
        assert data != replace(data, **change), change
    assert data != data.subset(np.arange(len(data.events)) > 0)

"""Amazon reviews, in three generations of field names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from tests.read.support import balanced, events, everything, friends, item_attributes, jsonl, titles, write


def review14(user: str, item: str, **more: Any) -> dict[str, Any]:
    row = {"reviewerID": user, "asin": item, "reviewerName": "Zed Unique", "helpful": [0, 0], "reviewText": "Loud."}
    return row | {"overall": 4.0, "summary": "Good", "unixReviewTime": 1393545600, "reviewTime": "02 28, 2014"} | more


def review23(user: str, item: str, **more: Any) -> dict[str, Any]:
    row = {"rating": 5.0, "title": "Fine", "text": "Soft &amp; warm.", "images": [{"small_image_url": "zed.jpg"}]}
    return row | {"asin": item + "v", "parent_asin": item, "user_id": user, "timestamp": 1588687728923} | more


def test_fields_of_2014(tmp_path: Path) -> None:
    rows = [
        review14("u1", "i1"),
        review14("u2", "i1", overall=1.0, reviewText='He said "no" &amp; left ', summary=None),
    ]
    data = Dataset.load(write(tmp_path, {"reviews_X_5.json": jsonl(rows)}) / "reviews_X_5.json")
    assert data.name == "reviews_X_5"
    assert events(data) == [("u1", "i1", 4.0, 1393545600), ("u2", "i1", 1.0, 1393545600)]
    assert data.reviews["text"].tolist() == ["Loud.", 'He said "no" &amp; left ']  # verbatim
    assert data.reviews["summary"].tolist() == ["Good", ""]
    assert titles(data) == {"i1": ""}
    assert balanced(data)


def test_fields_of_2018_gzipped_with_metadata_and_friends(tmp_path: Path) -> None:
    rows = [review14("u1", "i1", verified=True, vote="3", style={"Format:": " Print"}), review14("u2", "i2")]
    meta: list[dict[str, Any]] = [
        {
            "asin": "i1",
            "title": '<span class="a-size-medium a-color-secondary"',
            "brand": "by Harrow &amp; Finch",
            "category": ["Music", "Arts &amp; Crafts"],
            "description": ["A <b>fine</b> thing", "&lt;i&gt;really&lt;/i&gt;"],
            "also_buy": ["i2", "gone", "i1"],
            "also_view": ["i2"],
            "price": "$1,014.50",
            "details": {"Publisher:": "Finch Press", "ASIN: ": "i1"},
        },
        {"asin": "i1", "title": "Strings &amp; Things", "price": ".a-box-inner{color:red}"},
        {"asin": "i2", "title": "Second", "category": ["Music", "function() { var a }"]},
        {"asin": "gone", "title": "Not in the catalogue", "also_buy": ["i1"]},
    ]
    write(
        tmp_path,
        {"A_5.json.gz": gzip.compress(jsonl(rows).encode()), "friends.csv": "user_id,friend_id\nu2,u1\nu1,x\n"},
    )
    write(tmp_path, {"meta_A.json.gz": gzip.compress(jsonl(meta).encode())})
    data = Dataset.load(tmp_path)
    assert events(data) == [("u1", "i1", 4.0, 1393545600), ("u2", "i2", 4.0, 1393545600)]
    assert titles(data) == {"i1": "Strings & Things", "i2": "Second"}
    assert data.item_text.tolist() == ["A fine thing really", ""]
    assert item_attributes(data) == {
        ("i1", "brand", "Harrow & Finch"),
        ("i1", "category", "Music"),
        ("i1", "category", "Arts & Crafts"),
        ("i1", "price", "1014.50"),
        ("i1", "publisher", "Finch Press"),
        ("i2", "category", "Music"),
    }
    assert data.external.triples == (("item:i1", "also_buy", "item:i2"), ("item:i1", "also_view", "item:i2"))
    assert data.external.item_entities == {"i1": "item:i1", "i2": "item:i2"}
    assert [w for w in data.report.warnings if "2 triples also_buy and also_view come from all purchases" in w]
    assert friends(data) == {("u1", "u2")}
    assert balanced(data)


def test_fields_of_2023(tmp_path: Path) -> None:
    rows = [review23("u1", "p1"), {k: v for k, v in review23("u2", "p2").items() if k != "parent_asin"}]
    meta: list[dict[str, Any]] = [
        {"parent_asin": "p1", "title": "Cap", "store": "Hats", "features": ["warm"], "categories": ["A"], "price": 9.5}
    ]
    data = Dataset.load(write(tmp_path, {"Hats.jsonl": jsonl(rows), "meta_Hats.jsonl": jsonl(meta)}))
    assert events(data) == [("u1", "p1", 5.0, 1588687728), ("u2", "p2v", 5.0, 1588687728)]
    assert data.reviews["text"].tolist() == ["Soft &amp; warm."] * 2
    assert data.reviews["summary"].tolist() == ["Fine", "Fine"]
    assert data.item_text.tolist() == ["warm", ""]
    assert item_attributes(data) == {("p1", "store", "Hats"), ("p1", "category", "A"), ("p1", "price", "9.5")}
    assert not [w for w in data.report.warnings if "also_buy" in w]  # nothing of the kind is there


def test_metadata_of_2014_is_python_literals(tmp_path: Path) -> None:
    known = "{'asin': 'i1', 'title': 'It\\'s', 'categories': [['A', 'B']], 'related': {'also_bought': ['i2']}}"
    rows = [review14("u1", "i1"), review14("u1", "i2")]
    data = Dataset.load(write(tmp_path, {"r.json": jsonl(rows), "meta_r.json": known + "\n{'asin'\n{}\n"}))
    assert titles(data) == {"i1": "It's", "i2": ""}
    assert item_attributes(data) == {("i1", "category", "A"), ("i1", "category", "B")}
    assert data.external.triples == (("item:i1", "also_buy", "item:i2"),)
    assert [(Path(b.file).name, b.line, b.reason) for b in data.quarantine] == [
        ("meta_r.json", 2, "not valid JSON"),
        ("meta_r.json", 3, "metadata without asin"),
    ]
    assert balanced(data)


def test_repeated_reviews_are_all_kept(tmp_path: Path) -> None:
    rows = [
        review14("u1", "i1", unixReviewTime=200, overall=5.0, reviewText="late"),
        review14("u1", "i1", unixReviewTime=100, overall=1.0, reviewText="early"),
    ]
    data = Dataset.load(write(tmp_path, {"r.json": jsonl(rows)}))
    assert events(data) == [("u1", "i1", 1.0, 100), ("u1", "i1", 5.0, 200)]  # every event is kept
    assert data.reviews["text"].tolist() == ["early", "late"]
    assert data.quarantine.merged == 0


def test_no_personal_field_is_stored_anywhere(tmp_path: Path) -> None:
    personal = {"reviewerName": "Zed Unique", "name": "Zed Unique", "user_name": "Zed Unique", "image": ["Zed Unique"]}
    good = review14("u1", "i1", **personal)
    rows = [
        json.dumps(good),
        json.dumps(good)[:-9],  # breaks off behind the name
        json.dumps({"reviewerName": "Zed Unique"})[:-1],  # the name would stand right at the beginning
        json.dumps([personal]),
        json.dumps(review14("u2", "i1", **personal, overall=9)),
        json.dumps(review14("u2", "i1", **personal, reviewText={"by": "Zed Unique"})),
        json.dumps(personal),
    ]
    data = Dataset.load(write(tmp_path, {"r.json": "\n".join(rows)}))
    assert len(data.quarantine) == 6
    assert "Zed" not in everything(data)


def test_a_folder_with_two_review_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": jsonl([review14("u1", "i1")]), "b.json": jsonl([review14("u1", "i2")])})
    with pytest.raises(FormatError, match=r"2 files hold interactions .* a\.json and b\.json; point at one"):
        Dataset.load(tmp_path)
    write(tmp_path, {"data.toml": 'file = "b.json"\n'})
    assert events(Dataset.load(tmp_path)) == [("u1", "i2", 4.0, 1393545600)]

"""RecBole's atomic files."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from tests.read.support import balanced, events, friends, item_attributes, titles, user_attributes, write

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t881250949\n7\t5\t4.5\t881250950\n"


def test_all_atomic_files(tmp_path: Path) -> None:
    files = {
        "m.inter": INTER,
        "m.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tdescription:token_seq\n"
        "2\tToy Story\t1995\tAnimation Comedy\tToys come alive\n5\tGoldenEye\t1995\t\t\n9\tUnseen\t1\tX\t\n",
        "m.user": "user_id:token\tage:token\tuser_name:token\tzip_code:token\n1\t24\tZed\t85711\n",
        "m.kg": "head_id:token\trelation_id:token\ttail_id:token\nm.1\tfilm.actor\tm.9\nm.1\tfilm.actor\t\n",
        "m.link": "item_id:token\tentity_id:token\n2\tm.1\n9\tm.2\n",
        "m.net": "source_id:token\ttarget_id:token\n7\t1\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert data.name == "m"
    assert events(data) == [("1", "2", 3.0, 881250949), ("7", "5", 4.5, 881250950)]
    assert titles(data) == {"2": "Toy Story", "5": "GoldenEye", "9": "Unseen"}
    assert data.item_text.tolist() == ["Toys come alive", "", ""]
    assert item_attributes(data) == {
        ("2", "release_year", "1995"),
        ("2", "class", "Animation"),
        ("2", "class", "Comedy"),
        ("5", "release_year", "1995"),
        ("9", "release_year", "1"),
        ("9", "class", "X"),
    }
    assert user_attributes(data) == {("1", "age", "24")}  # neither name nor zip code
    assert data.external.triples == (("m.1", "film.actor", "m.9"),)
    assert data.external.item_entities == {"2": "m.1", "9": "m.2"}
    assert friends(data) == {("1", "7")}
    assert [(b.line, b.reason) for b in data.quarantine] == [(3, "tail is missing")]
    assert balanced(data)


def test_interactions_alone_without_rating_and_time(tmp_path: Path) -> None:
    path = write(tmp_path, {"m.inter": "user_id:token\titem_id:token\na\tx\na\ty\n"}) / "m.inter"
    data = Dataset.load(path)
    assert events(data) == [("a", "x", 1.0), ("a", "y", 1.0)]
    assert not data.has_times


def test_other_field_names_need_a_data_toml(tmp_path: Path) -> None:
    write(tmp_path, {"m.inter": "user_id:token\tthing:token\tweight:float\na\tx\t7\n"})
    with pytest.raises(FormatError, match=r"m\.inter:1: needs user_id and item_id; found user_id, thing, weight"):
        Dataset.load(tmp_path)
    write(tmp_path, {"data.toml": '[columns]\nitem_id = "thing"\n'})
    assert events(Dataset.load(tmp_path)) == [("a", "x", 7.0)]

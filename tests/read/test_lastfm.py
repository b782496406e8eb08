"""The HetRec Last.fm folder, with and without its published split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError
from tests.read.support import balanced, events, friends, item_attributes, titles, write

FILES: dict[str, str | bytes] = {
    "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n2\t52\t11690\n3\t51\t7\n",
    "artists.dat": "id\tname\turl\tpictureURL\n51\tDuran Duran\thttp://x\thttp://y\n52\tSigur Rós\t\t\n",
    "tags.dat": "tagID\ttagValue\n1\tmetal\n2\trock fran\xe7ais\n".encode("latin-1"),
    "user_taggedartists.dat": "userID\tartistID\ttagID\tday\tmonth\tyear\n"
    "2\t51\t2\t1\t4\t2009\n3\t51\t2\t1\t4\t2009\n2\t51\t1\t1\t4\t2009\n2\t51\t1\t2\t4\t2009\n",
    "user_friends.dat": "userID\tfriendID\n2\t3\n3\t2\n2\t99\n",
}
SPLIT: dict[str, str | bytes] = {
    "split/train.txt": "0 0\n1 1 7\n",
    "split/test.txt": "0 1\n",
    "split/user_map.txt": "2 0\n3 1\n",
    "split/item_map.txt": "51 0\n52 1\n",
    "split/llm_response_item.json": json.dumps({"1": "Post-rock of Iceland."}),
    "split/llm_response_user.json": json.dumps({"0": "Likes the eighties."}),
}


def test_play_counts(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, FILES))
    assert events(data) == [("2", "51", 13883.0), ("2", "52", 11690.0), ("3", "51", 7.0)]
    assert titles(data) == {"51": "Duran Duran", "52": "Sigur Rós"}
    assert item_attributes(data) == {("51", "tag", "rock français")}  # one user twice is one user
    assert friends(data) == {("2", "3"), ("2", "99")}  # 99 is known from friends only
    assert data.user_attributes.empty  # tags are never tied to who gave them


def test_published_split(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, FILES | SPLIT))
    assert events(data) == [("2", "51", 13883.0, 0), ("2", "52", 11690.0, 2), ("3", "52", 1.0, 0)]
    assert data.item_text.tolist() == ["", "Post-rock of Iceland."]
    assert data.user_text.tolist() == ["Likes the eighties.", ""]
    assert titles(data) == {"51": "Duran Duran", "52": "Sigur Rós"}
    assert friends(data) == {("2", "3")}
    assert [(b.line, b.reason, b.found) for b in data.quarantine] == [(2, "item_id has no entry in item_map.txt", "7")]
    assert balanced(data)


def test_a_split_without_its_map_is_refused(tmp_path: Path) -> None:
    write(tmp_path, FILES | {n: c for n, c in SPLIT.items() if "item_map" not in n})
    with pytest.raises(DataError, match=r"item_map\.txt is missing"):
        Dataset.load(tmp_path)

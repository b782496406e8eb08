"""MovieLens folders of three generations."""

from __future__ import annotations

from pathlib import Path

from graphrec.data.dataset import Dataset
from tests.read.support import events, everything, item_attributes, titles, user_attributes, write


def test_100k(tmp_path: Path) -> None:
    flags = "0|0|0|1|1|1" + "|0" * 13
    files: dict[str, str | bytes] = {
        "u.data": "196\t242\t3\t881250949\n186\t302\t6\t891717742\n",
        "u.item": f"242|Caf\xe9 (1997)|24-Jan-1997||http://us.imdb.com/x|{flags}\n".encode("latin-1"),
        "u.user": "196|49|M|writer|55105\n",
        "u1.base": "196\t242\t3\t881250949\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [("196", "242", 3.0, 881250949)]
    assert [(b.line, b.reason) for b in data.quarantine] == [(2, "rating out of range (1 to 5)")]
    assert titles(data) == {"242": "Café (1997)"}
    assert item_attributes(data) == {("242", "genre", g) for g in ("Animation", "Children's", "Comedy")}
    assert user_attributes(data) == {("196", "age", "49"), ("196", "gender", "M"), ("196", "occupation", "writer")}
    assert "55105" not in everything(data)  # no zip codes


def test_1m(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n",
        "movies.dat": "1193::Léon: The Professional (1994)::Crime|Drama\n".encode("latin-1"),
        "users.dat": "1::F::1::10::48067\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [("1", "1193", 5.0, 978300760), ("1", "661", 3.0, 978302109)]
    assert titles(data) == {"1193": "Léon: The Professional (1994)", "661": ""}
    assert item_attributes(data) == {("1193", "genre", "Crime"), ("1193", "genre", "Drama")}
    assert user_attributes(data) == {("1", "gender", "F"), ("1", "age", "1"), ("1", "occupation", "10")}


def test_latest(tmp_path: Path) -> None:
    files = {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,0.5,964981247\n",
        "movies.csv": 'movieId,title,genres\n1,"President, The (1995)",Comedy|Romance\n3,X,(no genres listed)\n',
        "tags.csv": "userId,movieId,tag,timestamp\n1,1,funny,1445714994\n",
        "links.csv": "movieId,imdbId,tmdbId\n1,0114709,862\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [("1", "1", 4.0, 964982703), ("1", "3", 0.5, 964981247)]
    assert titles(data) == {"1": "President, The (1995)", "3": "X"}
    assert item_attributes(data) == {("1", "genre", "Comedy"), ("1", "genre", "Romance")}
    assert events(Dataset.load(tmp_path / "ratings.csv")) == events(data)

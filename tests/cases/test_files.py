"""Files as people have them: encodings, quotes, files without header, ids and markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from tests.cases.support import PAIRS, QUICK, Cli, delimited, role, set_aside, when
from tests.read.support import titles, write

GRID = [(user, item) for user in range(6) for item in range(4)]
TIMED = [(user, item, 4, 1_500_000_000 + 9 * user + item) for user, item in GRID]
RATED = ("user_id", "item_id", "rating", "timestamp")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("export.txt.csv", delimited(RATED, TIMED, "\t").encode("utf-16")),
        ("big_endian.csv", b"\xfe\xff" + delimited(RATED, TIMED, "\t").encode("utf-16-be")),
        ("sep_line.csv", b"sep=;\n" + delimited(RATED, TIMED, ";").encode()),
        ("old_mac.csv", delimited(RATED, TIMED).replace("\n", "\r").encode()),
        ("marked.csv", delimited(RATED, TIMED).encode("utf-8-sig")),
    ],
)
def test_what_spreadsheets_write(name: str, content: bytes, tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path, {name: content}) / name
    found = cli.inspect(path)
    assert found["rows"]["used"] == found["rows"]["read"] == 24
    assert [role(found, column) for column in RATED] == list(RATED)
    data = Dataset.load(path)
    assert (data.users.ids, data.items.ids) == (tuple("012345"), tuple("0123"))
    cli.fit(path)


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("latin-1", ["très bon", "déjà cassé", "à ne pas acheter, hélas"]),
        ("cp1252", ["für 20 € ganz schön", "größer als gedacht", "„nie wieder“"]),
        ("cp1251", ["очень хорошо", "не работает, жаль", "быстрая доставка"]),
        ("gbk", ["质量很好", "物流很快,包装也不错", "电池不太耐用,有点失望"]),
    ],
)
def test_encodings_before_unicode(encoding: str, texts: list[str], tmp_path: Path, cli: Cli) -> None:
    rows = [(user, item, texts[(user + item) % 3]) for user, item in GRID]
    path = write(tmp_path, {"reviews.csv": delimited(("user_id", "item_id", "review"), rows).encode(encoding)})
    found = cli.inspect(path)
    assert found["rows"]["used"] == 24
    assert "not UTF-8" in found["files"][0]["form"]
    assert set(Dataset.load(path).reviews["text"]) == set(texts)


def test_one_short_text_is_enough_to_tell_latin_1_or_gbk(tmp_path: Path, cli: Cli) -> None:
    for encoding, text in (("latin-1", "très bon"), ("gbk", "质量很好")):
        table = delimited(("user_id", "item_id", "review"), [(*pair, text) for pair in GRID])
        path = write(tmp_path, {f"{encoding}.csv": table.encode(encoding)}) / f"{encoding}.csv"
        cli("fit", path, "--out", tmp_path / encoding, "--set", "blocks=popularity", "--set", "features.enabled=false")
        assert set(Dataset.load(path).reviews["text"]) == {text}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("ratings_Beauty.csv", "A100,0205616461,5.0,1369699200\nA101,0558925278,3.0,1355443200\n"),
        ("u.tsv", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"),
        ("u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"),
    ],
)
def test_no_header(name: str, lines: str, tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path, {name: lines}) / name
    found = cli.inspect(path)
    assert [c["role"] for c in found["columns"]] == ["user_id", "item_id", "rating", "timestamp"]
    assert found["rows"]["used"] == 2
    data = Dataset.load(path)
    first = [line.split("," if "," in line else "\t") for line in lines.splitlines()]
    assert set(data.users.ids) == {row[0] for row in first}
    assert set(data.items.ids) == {row[1] for row in first}


def test_triplets_are_ratings_not_lists_of_items(tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path, {"ratings.txt": "1 104 3\n1 118 1\n2 104 5\n2 127 4\n3 118 5\n3 104 4\n"}) / "ratings.txt"
    found = cli.inspect(path)
    assert [c["role"] for c in found["columns"]] == ["user_id", "item_id", "rating"]
    assert found["rows"]["used"] == 6
    data = Dataset.load(path)
    assert (data.users.ids, data.items.ids) == (("1", "2", "3"), ("104", "118", "127"))


def test_a_lone_quote_swallows_nothing(tmp_path: Path, cli: Cli) -> None:
    texts = {3: '"As described, a nice gift', 8: 'It fits my tablet of 7"'}
    lines = [
        f"u{n % 4}\ti{n}\t{n % 5 + 1}\t{texts.get(n, f'plain review {n}')}\t{1_500_000_000 + n}" for n in range(12)
    ]
    path = (
        write(tmp_path, {"r.tsv": "user_id\titem_id\trating\treview\ttimestamp\n" + "\n".join(lines) + "\n"}) / "r.tsv"
    )
    rows = cli.inspect(path)["rows"]
    assert (rows["read"], rows["used"], rows["merged"]) == (12, 12, 0)
    data = Dataset.load(path)
    assert set(data.reviews["text"]) == {texts.get(n, f"plain review {n}") for n in range(12)}


def test_line_ends_in_quotes_are_text_however_many_rows(tmp_path: Path) -> None:
    """One quoted line end among many rows: read whole, and the rows after it too."""
    texts = ['several, "great" ones'] * 20_000
    texts[5] = "first line\nsecond line"
    rows = [(f"u{n % 997}", f"i{n % 499}", 1 + n % 5, 1_500_000_000 + n, text) for n, text in enumerate(texts)]
    path = write(tmp_path, {"r.csv": delimited((*RATED, "review"), rows)}) / "r.csv"
    data = Dataset.load(path)
    assert data.quarantine.rows_read == 20_000
    assert len(data.quarantine) == 0
    assert set(data.reviews["text"]) == set(texts)


def test_2_point_0_is_2_where_all_are_whole(tmp_path: Path, cli: Cli) -> None:
    rows = [*((u, f"{i}.0", 4, 1_500_000_000 + 5_000 * u + i) for u, i in PAIRS), (3, "", 4, 1_500_000_000)]
    items = delimited(("item_id", "title"), [(i, f"Title {i}") for i in range(6)])
    write(tmp_path / "shop", {"events.csv": delimited(RATED, rows), "items.csv": items})
    found = cli.inspect(tmp_path / "shop")
    assert (found["rows"]["used"], set_aside(found), found["unmatched"]) == (32, 1, [])
    model = cli.fit(tmp_path / "shop")
    answer = cli.json("recommend", model, "--user", "2")["items"]
    assert {row["item_id"]: row["title"] for row in answer} == {"1": "Title 1", "4": "Title 4"}
    assert cli.json("similar", model, "--item", "2")["items"][0]["title"].startswith("Title ")


def test_ids_that_are_no_numbers_all_through_stay_as_they_are(tmp_path: Path) -> None:
    rows = [("1.0", "x"), ("1.5", "x"), ("007", "y"), (" 8 ", "y")]
    path = write(tmp_path, {"e.csv": delimited(("user_id", "item_id"), rows)}) / "e.csv"
    assert set(Dataset.load(path).users.ids) == {"1.0", "1.5", "007", "8"}


def test_null_is_no_item_and_nan_is_nobody(tmp_path: Path, cli: Cli) -> None:
    rows: list[tuple[object, ...]] = [(u, i, 4, 1_500_000_000 + 86_400 * i) for u, i in PAIRS]
    blanks = [("nan", 1), ("NaN", 3), ("None", 2), (3, "NULL"), (5, "null"), (7, "")]
    rows += [(user, item, 4, 1_500_090_000) for user, item in blanks]
    path = write(tmp_path, {"events.csv": delimited(RATED, rows)}) / "events.csv"
    cli("fit", path, "--out", tmp_path / "m", *("--set", "blocks=popularity"), expect=2)
    assert "missing" in cli.err
    assert "--allow-bad" in cli.err
    report = cli.inspect(path, "--allow-bad", "0.5")
    assert (set_aside(report), report["rows"]["used"]) == (6, 32)
    cli("fit", path, "--out", tmp_path / "m", "--allow-bad", "0.5", *QUICK)
    assert "NULL" in cli("similar", tmp_path / "m", "--item", "NULL", expect=2).err
    assert "unknown_user" in str(cli.json("recommend", tmp_path / "m", "--user", "nan")["degraded"])


def test_square_brackets_are_no_markup(tmp_path: Path, cli: Cli) -> None:
    names = ["Greatest Hits [import]", "Closer [/b] Now", "Plain", "Live [dvd]", "Abbey Road [Explicit]"]
    taken = {0: "124", 1: "0134", 2: "023", 3: "124", 4: "0134", 5: "023"}
    pairs = [(f"u{u}", f"i{i}", 5) for u, items in taken.items() for i in items]
    shop = write(
        tmp_path / "shop",
        {
            "inter.csv": delimited(RATED[:3], pairs),
            "items.csv": delimited(("item_id", "title"), [(f"i{n}", name) for n, name in enumerate(names)]),
        },
    )
    assert titles(Dataset.load(shop)) == {f"i{n}": name for n, name in enumerate(names)}
    model = cli.fit(shop)
    shown = "".join(cli("recommend", model, "--user", f"u{n}", "-k", 5).out for n in range(3))
    for name in names[:2] + names[3:]:
        assert name in shown
    forum = (
        write(tmp_path, {"forum.csv": delimited(RATED[:3], [*pairs, ("u1", "i9", "see [/url] above")])}) / "forum.csv"
    )
    assert set_aside(cli.inspect(forum)) == 1
    cli.fit(forum)
    assert "see [/url] above" in cli.err


def test_every_column_of_a_table_is_in_the_report(tmp_path: Path, cli: Cli) -> None:
    header = ("user_id", "item_id", "rating", "timestamp", "Mood", "note to self", "note to self 2", "")
    rows = [(u, i, 3, when(u, i).isoformat(), "ok", "", "x", "1") for u, i in PAIRS]
    found = cli.inspect(write(tmp_path, {"e.csv": delimited(header, rows)}))
    assert len(found["columns"]) == len(header)
    assert {c["column"] for c in found["columns"]} >= set(header[:-1])

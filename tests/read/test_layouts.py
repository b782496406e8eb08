"""Known public layouts, in small: each is read as what it is, and every file and column is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from tests.read.support import events, friends, item_attributes, jsonl, titles, user_attributes, write

DAY = 1_572_685_558


def load(folder: Path, files: dict[str, str | bytes], name: str = "") -> Dataset:
    """The Dataset of these files, of which every file and column must be in the report."""
    data = Dataset.load(write(folder, files) / name)
    report = data.report
    assert {f.path for f in report.files} >= ({name} if name else set(files))
    for file in files if not name else [name]:
        used = next(f for f in report.files if f.path == file)
        assert used.used_as or used.why_not
    for column in report.columns:
        assert column.role or column.why_not, column
    rows = report.rows()
    assert rows["read"] == len(data.events) + rows["merged"] + rows["set_aside"]
    return data


def roles(data: Dataset, file: str) -> dict[str, str]:
    return {c.column: c.role for c in data.report.columns if c.file == file}


def kinds(data: Dataset) -> dict[str, float]:
    return {k.name: k.weight for k in data.events.kind_table}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("u.tsv", f"196\t242\t3\t{DAY}\n186\t302\t4\t{DAY}\n", ("196", "242", 3.0, DAY)),
        ("ratings.txt", "1 104 3\n1 118 1\n2 104 5\n2 127 4\n", ("1", "104", 3.0)),
        (
            "ratings_Beauty.csv",
            f"A100,0205616461,5.0,{DAY}\nA101,B00LLPT4HI,4.0,{DAY}\n",
            ("A100", "0205616461", 5.0, DAY),
        ),
        ("Beauty.csv", f"0205616461,A100,5.0,{DAY}\nB00LLPT4HI,A101,4.0,{DAY}\n", ("A100", "0205616461", 5.0, DAY)),
        ("ciao.txt", f"1 104 3 {DAY}\n1 118 1 {DAY}\n2 104 5 {DAY}\n", ("1", "104", 3.0, DAY)),
    ],
)
def test_ratings_without_a_header(tmp_path: Path, name: str, content: str, expected: tuple[object, ...]) -> None:
    data = load(tmp_path, {name: content}, name)
    assert expected in events(data)
    assert data.events.kind_table[0].values == "rating"


def test_lists_of_items_are_no_triplets(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, {"train.txt": "0 1 2 3\n1 4 5\n2 1 2 3\n"}) / "train.txt")
    assert data.report.format == "lightgcn"
    assert len(data.events) == 8


def test_where_both_readings_fit_both_are_said(tmp_path: Path) -> None:
    write(tmp_path, {"log.txt": "1 104 3\n2 118 1\n3 104 5\n"})
    with pytest.raises(
        FormatError, match=r"two readings are equally good.*names = \[.user_id.*format = .lightgcn"
    ) as e:
        Dataset.load(tmp_path / "log.txt")
    lines = str(e.value).partition(": events = ")[2].rpartition(" or format")[0]
    write(tmp_path, {"data.toml": f"events = {lines}\n"})
    assert events(Dataset.load(tmp_path)) == [("1", "104", 3.0), ("2", "118", 1.0), ("3", "104", 5.0)]
    write(tmp_path, {"data.toml": 'format = "lightgcn"\n'})
    assert len(Dataset.load(tmp_path / "log.txt").events) == 6


def test_amazon_us(tmp_path: Path) -> None:
    header = "marketplace customer_id review_id product_id product_parent product_title product_category star_rating "
    header += "helpful_votes total_votes vine verified_purchase review_headline review_body review_date"
    rows = [
        f"US\t10{n}\tR{n}\tB{n % 2}\t1\tCard {n % 2}\tGift\t{1 + n}\t{n}\t{n}\tN\tY\t"
        f"Head {n}\tWell done {n}\t2015-08-0{n + 1}"
        for n in range(4)
    ]
    data = load(tmp_path, {"us.tsv": "\t".join(header.split()) + "\n" + "\n".join(rows) + "\n"}, "us.tsv")
    found = roles(data, "us.tsv")
    assert {found[c] for c in ("star_rating", "product_title", "review_headline", "review_body", "review_date")} == {
        "rating",
        "title",
        "summary",
        "text",
        "timestamp",
    }
    assert titles(data) == {"B0": "Card 0", "B1": "Card 1"}
    assert data.report.days() == {"from": "2015-08-01", "to": "2015-08-04"}


def test_amazon_2023_csv(tmp_path: Path) -> None:
    rows = f"user_id,parent_asin,rating,timestamp,history\nAG1,B01,5.0,{DAY}000,\nAG1,B02,2.0,{DAY + 9}000,B01\n"
    data = load(tmp_path, {"Beauty.csv": rows}, "Beauty.csv")
    assert events(data) == [("AG1", "B01", 5.0, DAY), ("AG1", "B02", 2.0, DAY + 9)]


def test_yelp(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "review.json": jsonl(
            {"review_id": f"r{n}", "user_id": f"u{n % 3}", "business_id": f"b{n % 2}", "stars": 1.0 + n, "useful": n,
             "text": f"It was good {n}", "date": f"2018-07-0{n + 1} 22:09:11"} for n in range(5)
        ),
        "tip.json": jsonl(
            {"user_id": "u1", "business_id": f"b{n}", "text": "Try the cake there", "date": "2012-05-18 02:17:21",
             "compliment_count": 0} for n in range(2)
        ),
        "business.json": jsonl(
            {"business_id": f"b{n}", "name": f"Cafe {n}", "city": "Tampa", "latitude": 27.9 + n, "longitude": -82.4,
             "categories": "Cafe, Cake", "attributes": {"WiFi": "free"}} for n in range(2)
        ),
        "user.json": jsonl(
            {"user_id": f"u{n}", "name": "Zed Unique", "yelping_since": "2010-01-01 10:00:00", "friends": "u0, u2"}
            for n in range(3)
        ),
    }  # fmt: skip
    data = load(tmp_path, files)
    assert kinds(data) == {"review": 1.0, "tip": 1.0}
    assert titles(data) == {"b0": "Cafe 0", "b1": "Cafe 1"}
    assert friends(data) == {("u0", "u1"), ("u0", "u2"), ("u1", "u2")}
    assert roles(data, "business.json")["latitude"] == "latitude"
    assert next(c for c in data.report.columns if c.column == "name" and c.file == "user.json").why_not == "personal"
    assert not any(c.values == "count" for c in data.events.kind_table)


def test_goodreads(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "goodreads_interactions.json": jsonl(
            {"user_id": f"u{n % 3}", "book_id": f"{n % 4}", "review_id": f"r{n}", "is_read": n % 2 == 0,
             "rating": (0, 0, 0, 4, 5)[n % 5], "date_added": "Sun Jul 30 07:44:10 -0700 2017"} for n in range(10)
        ),
        "goodreads_books.json": jsonl(
            {"book_id": f"{n}", "title": f"Book {n}", "description": "A tale of two towns.", "num_pages": "210",
             "similar_books": ["1", "2"], "image_url": "http://x/y.jpg"} for n in range(4)
        ),
    }  # fmt: skip
    data = load(tmp_path, files)
    assert titles(data)["3"] == "Book 3"
    assert int(np.isfinite(data.events.values).sum()) == 4  # a rating of 0 is none
    assert any('0 are read as "not rated"' in w for w in data.report.warnings)


def test_book_crossing(tmp_path: Path) -> None:
    ratings = [0, 0, 0, 0, 8, 10]
    files: dict[str, str | bytes] = {
        "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n'
        + "".join(f'"{276725 + n % 3}";"034545104X{n % 2}";"{r}"\n' for n, r in enumerate(ratings)),
        "BX-Books.csv": '"ISBN";"Book-Title";"Book-Author";"Image-URL-S"\n'
        '"034545104X0";"Flüchtig";"M. J. Rose";"http://x"\n"034545104X1";"Rites";"Ann Beattie";"http://y"\n'.encode("latin-1"),
        "BX-Users.csv": '"User-ID";"Location";"Age"\n'
        + "".join(f'"{276725 + n}";"tyler, usa";"2{n}"\n' for n in range(3)),
    }  # fmt: skip
    data = load(tmp_path, files)
    assert titles(data) == {"034545104X0": "Flüchtig", "034545104X1": "Rites"}
    assert sorted(v for v in data.events.values.tolist() if v == v) == [8.0, 10.0]
    assert {key for _, key, _ in user_attributes(data)} == {"Location", "Age"}


def test_rees46(tmp_path: Path) -> None:
    words = ("view", "cart", "purchase", "remove_from_cart")
    rows = "".join(
        f"2019-10-0{n % 8 + 1} 00:00:0{n % 9} UTC,{words[n % 4]},{n % 3},{n % 3}{n % 3},"
        f"b{n % 3},{n % 3}.5,{n % 4},s{n}\n"
        for n in range(24)
    )
    data = load(
        tmp_path,
        {"oct.csv": "event_time,event_type,product_id,category_id,brand,price,user_id,user_session\n" + rows},
        "oct.csv",
    )
    assert kinds(data) == {"view": 0.25, "cart": 0.5, "purchase": 1.0, "remove_from_cart": -0.5}
    assert ("1", "brand", "b1") in item_attributes(data)
    assert roles(data, "oct.csv")["price"] == "item attribute"


def test_retailrocket(tmp_path: Path) -> None:
    rows = "".join(f"14332{n:08d},{n % 3},{('view', 'addtocart', 'transaction')[n % 3]},{n % 2},\n" for n in range(9))
    files: dict[str, str | bytes] = {
        "events.csv": "timestamp,visitorid,event,itemid,transactionid\n"
        + rows.replace("transaction,0,", "transaction,0,7"),
        "item_properties.csv": "timestamp,itemid,property,value\n"
        + "".join(f"14334{n:08d},{n % 2},{('categoryid', '888')[n // 2 % 2]},{n}\n" for n in range(8)),
        "category_tree.csv": "categoryid,parentid\n1016,213\n809,169\n",
    }
    data = load(tmp_path, files)
    assert kinds(data) == {"view": 0.25, "addtocart": 0.5, "transaction": 1.0}
    assert item_attributes(data) == {
        ("0", "categoryid", "4"),
        ("1", "categoryid", "5"),
        ("0", "888", "6"),
        ("1", "888", "7"),
    }
    tree = next(f for f in data.report.files if f.path == "category_tree.csv")
    assert "no column of users or items" in tree.why_not


def test_mind(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "behaviors.tsv": "1\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN3-1 N4-0\n"
        "2\tU1\t11/12/2019 6:11:30 PM\tN1 N2\tN4-1 N1-0\n",
        "news.tsv": "".join(f"N{n}\tsports\tgolf\tTitle {n}\tAll about {n}\thttps://x\t[]\t[]\n" for n in (1, 2, 3, 4)),
    }
    data = load(tmp_path, files)
    names = [k.name for k in data.events.kind_table]
    clicked = [(e[1], names[k]) for e, k in zip(events(data), data.events.kinds, strict=True)]
    assert sorted(clicked) == [
        *(("N1", "click"), ("N1", "shown"), ("N2", "click"), ("N3", "click"), ("N4", "click"), ("N4", "shown")),
    ]
    assert kinds(data) == {"click": 1.0, "shown": 0.0}
    assert titles(data)["N4"] == "Title 4"
    assert data.report.days() == {"from": "2019-11-11", "to": "2019-11-12"}


def test_h_and_m(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n"
        + "".join(f"2018-09-2{n},00f{n % 3},066351000{n % 2},0.0{n + 1},{n % 2 + 1}\n" for n in range(6)),
        "articles.csv": "article_id,product_code,prod_name,product_type_name,detail_desc\n"
        "0663510000,108775,Strap top,Vest,Jersey top with narrow straps.\n"
        "0663510001,108775,Shirt,Shirt,Shirt in cotton.\n",
        "customers.csv": "customer_id,FN,Active,club_member_status,age,postal_code\n"
        + "".join(f"00f{n},1.0,,ACTIVE,4{n},52043e\n" for n in range(3)),
    }
    data = load(tmp_path, files)
    assert kinds(data) == {"transaction": 1.0}
    assert titles(data) == {"0663510000": "Strap top", "0663510001": "Shirt"}
    assert next(c.why_not for c in data.report.columns if c.column == "postal_code") == "personal"


def test_steam(tmp_path: Path) -> None:
    rows = [
        f'{151603712 + n % 2},"Game {n // 2}, the second",{k},{h},0'
        for n in range(4)
        for k, h in (("purchase", "1.0"), ("play", f"{n}.5"))
    ]
    data = load(tmp_path, {"steam-200k.csv": "\n".join(rows) + "\n"}, "steam-200k.csv")
    assert kinds(data) == {"purchase": 1.0, "play": 1.0}
    assert set(data.items.ids) == {"Game 0, the second", "Game 1, the second"}


def test_lastfm_360k(tmp_path: Path) -> None:
    name = "usersha1-artmbid-artname-plays.tsv"
    rows = "".join(f"{n % 2:040x}\t{n:08d}-0000-0000-0000-000000000000\tArtist {n}\t{100 * n + 7}\n" for n in range(4))
    data = load(tmp_path, {name: rows}, name)
    assert data.events.kind_table[0].values == "count"
    assert sorted(titles(data).values()) == [f"Artist {n}" for n in range(4)]


def test_gorse(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "feedback.csv": "FeedbackType,UserId,ItemId,Timestamp\n"
        + "".join(
            f"{('like', 'read', 'dislike')[n % 3]},u{n % 2},i{n % 4},2024-01-0{n + 1}T00:00:00Z\n" for n in range(6)
        ),
        "items.jsonl": jsonl(
            {"ItemId": f"i{n}", "IsHidden": False, "Labels": ["a", "b"], "Comment": ""} for n in range(4)
        ),
        "users.csv": 'UserId,Labels\nu0,"[""tea""]"\nu1,"[""tea"", ""ink""]"\n',
    }
    data = load(tmp_path, files)
    assert kinds(data) == {"like": 1.0, "read": 1.0, "dislike": -1.0}
    assert ("i0", "Labels", "b") in item_attributes(data)

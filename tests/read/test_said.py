"""What the report says of values that are not what they seem."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError
from tests.read.support import item_attributes, titles, write

EVENTS = "user_id,item_id\n" + "".join(f"u{n % 5},i{n % 7}\n" for n in range(20))


def warnings(folder: Path) -> str:
    return "\n".join(Dataset.load(folder).report.all_warnings())


@pytest.mark.parametrize(("user", "said"), [("ann{}@example.org", True), ("@ann{}", False), ("ann{}", False)])
def test_addresses_as_ids_of_users_are_a_warning(tmp_path: Path, user: str, said: bool) -> None:
    rows = "".join(f"{user.format(n % 5)},i{n % 7}\n" for n in range(20))
    found = warnings(write(tmp_path, {"e.csv": "user_id,item_id\n" + rows}))
    assert ("e-mail addresses, which are personal data" in found) is said


def test_rows_of_one_id_that_differ_are_counted_and_the_last_counts(tmp_path: Path) -> None:
    items = "item_id,title,colour\ni1,Old,red\ni2,Two,blue\ni1,New,green\ni2,Two,blue\ni3,Three,red\n"
    data = Dataset.load(write(tmp_path, {"e.csv": EVENTS, "items.csv": items}))
    assert "items.csv: 1 id has several rows that differ; the last row of an id counts" in data.report.warnings
    assert titles(data)["i1"] == "New"
    assert ("i1", "colour", "green") in item_attributes(data)


def test_names_in_data_toml_that_are_not_there_are_answered_with_the_nearest(tmp_path: Path) -> None:
    spec = 'ignore = ["notse.txt"]\nsensitive = ["Incme"]\nallow_sensitive = ["gendr", "city"]\n'
    users = "user_id,Income,gender,city\nu0,1,f,Bonn\nu1,2,m,Köln\nu2,3,f,Bonn\n"
    found = warnings(
        write(tmp_path, {"e.csv": EVENTS, "users.csv": users, "notes.txt": "hello", "data.toml": spec})
    ).splitlines()
    assert [w for w in found if w.startswith("data.toml")] == [
        "data.toml: [ignore] names 'notse.txt', which is not there; did you mean notes.txt?",
        "data.toml: sensitive names 'Incme', which is not there; did you mean Income?",
        "data.toml: allow_sensitive names 'gendr', which is not there; did you mean gender?",
    ]


@pytest.mark.parametrize(
    ("column", "setting", "message"),
    [
        ("rating", "disliked_to = 2", ""),
        ("rating", "disliked_to = 9", "disliked_to = 9 is no rating below the highest of 1 to 5: all are dislikes"),
        ("rating", "disliked_to = 0", "none is a dislike"),
        ("plays", "scale = [1, 5]", "data.toml says scale, but there are no ratings (its column 'plays' holds counts)"),
        ("remarks", "disliked_to = 2", "data.toml says disliked_to, but there are no ratings (none)"),
    ],
)
def test_settings_for_ratings_that_say_nothing(tmp_path: Path, column: str, setting: str, message: str) -> None:
    rows = "".join(f"u{n % 5},i{n % 7},{n % 5 + 1}\n" for n in range(20))
    spec = f'[[events]]\nfile = "e.csv"\n{setting}\n'
    found = warnings(write(tmp_path, {"e.csv": f"user_id,item_id,{column}\n{rows}", "data.toml": spec}))
    assert message in found
    assert ("disliked_to" in found or "scale" in found) is bool(message)


def test_one_bad_price_among_numbers(tmp_path: Path) -> None:
    items = "item_id,price\n" + "".join(f"i{n},{'abc' if n == 3 else n % 6 + 0.99}\n" for n in range(40))
    data = Dataset.load(write(tmp_path, {"e.csv": EVENTS, "items.csv": items}))
    assert [(c.name, c.type) for c in data.item_columns] == [("price", "number")]
    said = "items.csv: 1 of 40 values of 'price' is no number and counts as missing (found 'abc')"
    assert said in data.report.warnings


@pytest.mark.parametrize(("day", "time"), [("2024-05-{:02d}", "13:45"), ("{:02d}.05.2024", "13:45:00")])
def test_date_and_time_in_two_columns(tmp_path: Path, day: str, time: str) -> None:
    rows = "".join(f"u{n % 5},i{n % 7},{day.format(n + 1)},{time}\n" for n in range(20))
    write(tmp_path, {"e.csv": "user_id,item_id,date,time\n" + rows})
    data = Dataset.load(tmp_path)
    assert data.events.timestamps is not None
    assert set((data.events.timestamps % 86_400).tolist()) == {13 * 3600 + 45 * 60}
    write(tmp_path, {"data.toml": data.report.data_toml})
    assert Dataset.load(tmp_path).fingerprint() == data.fingerprint()
    spec = f"""[[events]]\nfile = "e.csv"\ndate_format = "{day.replace("{:02d}", "%d").replace("2024", "%Y")}"\n"""
    write(tmp_path, {"data.toml": spec.replace("05", "%m")})
    assert "the time of day in 'time' is left out" in warnings(tmp_path)


def test_a_count_that_is_none_is_named_as_a_count(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 5},i{n % 7},{n or 'many'}\n" for n in range(20))
    write(tmp_path, {"e.csv": "user_id,item_id,plays\n" + rows})
    assert Dataset.load(tmp_path, allow_bad=1).report.to_json()["set_aside_by_reason"] == {"count is not a number": 1}
    with pytest.raises(DataError, match=r'count is not a number; .*\[columns\] count = "…"'):
        Dataset.load(tmp_path, allow_bad=0)

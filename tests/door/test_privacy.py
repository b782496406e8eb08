"""What is masked, what is left alone, and that nothing of it reaches a Dataset."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.door.hidden import as_seen
from graphrec.door.privacy import find, mask, mask_all
from tests.conftest import shared_data
from tests.read.support import everything, jsonl, write

MAIL = ["ann.lee@example.org", "a+b_c%d-1@mail.example.co.uk", "Ann@bücher.example", "ann (at) example (dot) com",
        "ann[at]example.com", "ann&#64;example.com", "ann＠example.com"]  # fmt: skip
PHONE = ["212-555-0123", "(212) 555-0123", "1-800-555-0199", "+1 212 555 0123", "212.555.0123", "212 555 0123",
         "+442079460958", "+44 20 7946 0958", "+49 (0)30 901820-12", "020 7946 0958", "07700 900123",
         "(0161) 496 0000", "212-555-0123 x42"]  # fmt: skip
CUED = ["call me at 5550123", "Phone: 555-0123", "tel. 030 9018 2000", "call 5552671234", "fax # 06 12 34 56 78"]
CARD = ["4111 1111 1111 1111", "4111-1111-1111-1111", "5500005555555559", "378282246310005", "3782 822463 10005",
        "30569309025904", "6011000990139424", "3530111333300000", "2223003122003222", "4222222222222"]  # fmt: skip
PLAIN = [
    "ISBN 0-306-40615-2, 0306406152 and 978-0-306-40615-7 (9780306406157)",
    "asin B0002E1G5C or 1384719342",
    "SM57-LC, RP-360, model 535Q, part 22-10-046, DS-1X 9V 200mA, 8675309",
    "$1,299.00 or 1299.99, 4.5/5 stars, 100% of 250 000 000",
    "in 2004-2005-2006-2007 and 2012 2013 2014 2015, on 12/25/2013, 2014-01-02, 25.12.2013",
    "call 2014-01-02; phone 2013 2014",
    "strings 10-13-17-26-36-46, .010 .013 .017 .026, 010 013 017 026 036 046 gauges",
    "memory of 256 512 1024, 220 240 1000 volts, 20 20000 Hz",
    "unixtime 1393545600 and 1393545600000, 4006381333931 is an EAN, 036000291452 a UPC",
    "look at amazon dot com, @handle, 2@1.50 each, a @ b, p@ss, see www.example.com/a-b-555",
    "1234567890123456, 4111111111111112, 0000000000000000, 212-555-01234, x212-555-0123",
    "192.168.100.100, v1.2.3.4, 555-0123 pieces, a 4-3-3-4 formation, +1.41421356237, 1+2345",
]


@pytest.mark.parametrize("text", MAIL)
def test_e_mail_addresses(text: str) -> None:
    assert mask(f"Write to {text}, please.") == "Write to [e-mail], please."


@pytest.mark.parametrize("text", PHONE)
def test_phone_numbers(text: str) -> None:
    assert mask(f"Ask {text}, or so.") == "Ask [phone], or so."


@pytest.mark.parametrize("text", CUED)
def test_numbers_after_a_word_for_a_phone(text: str) -> None:
    assert mask(f"Ha, {text}.").endswith("[phone].")
    assert mask(f"Ha, {text}.")[:7] == f"Ha, {text}"[:7]


@pytest.mark.parametrize("text", CARD)
def test_card_numbers(text: str) -> None:
    assert mask(f"Paid with {text} 12/25.") == "Paid with [card] 12/25."


@pytest.mark.parametrize("text", PLAIN)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("Ann Lee", "I am Ann Lee, and ann lee too. - Ann", "I am [name], and ann lee too. - [name]"),
        ('A. Lee "annie"', "Good. Thanks, Annie :)", "Good. Thanks, [name] :)"),
        ("Taylor S.", "I'm Taylor. I am Taylor and play a Taylor.", "I'm [name]. I am [name] and play a Taylor."),
        ("ffsalsa", "Buy it.Regards,ffsalsa", "Buy it.Regards,[name]"),
        ("Joe Bouler", "An Epiphone Joe Pass Emperor. By Joe Bouler", "An Epiphone Joe Pass Emperor. By [name]"),
        ("Bass Player", "I am a bass player and love the bass", "I am a bass player and love the bass"),
        ("The Count", "Keep The Count.", "Keep The Count."),
        ("Amazon Customer", "From Amazon. - Amazon Customer", "From Amazon. - Amazon Customer"),
        ("Customer", "good, customer", "good, customer"),
        ("(", "a ( b", "a ( b"),
        ("X", "Model X", "Model X"),
        ("Al*x [b", "nice. Al*x [b", "nice. [name]"),
    ],
)
def test_names_of_reviewers(name: str, text: str, masked: str) -> None:
    assert mask(text, name) == masked


pieces = st.lists(
    st.sampled_from([*MAIL, *PHONE, *CARD, *PLAIN, "call", "tel", "+", "(", ")", "-", ".", " ", "\n", "x", "[phone]"])
    | st.text(max_size=5)
    | st.text("0123456789 -().+@[]a", max_size=20),
    max_size=8,
)  # fmt: skip


@given(pieces, st.sampled_from(["", " "]))
def test_masked_text_holds_nothing_and_other_text_is_unchanged(parts: list[str], glue: str) -> None:
    text = glue.join(parts)
    masked = mask(text)
    assert list(find(masked)) == []
    assert mask(masked) == masked
    if not list(find(as_seen(text))):
        assert masked == as_seen(text)
    counts = Counter[str]()
    assert mask_all([text, "plain"], counts) == [masked, "plain"]
    assert (counts.total() > 0) == (masked != text)


@given(st.text(min_size=1, max_size=12), st.text(max_size=40))
def test_any_name_and_text(name: str, text: str) -> None:
    masked = mask(f"{text} {name}", name)
    assert mask("Nothing here of it", name).replace("[name]", "") in "Nothing here of it"
    assert len(masked) <= len(text) + len(name) + 1 + 8 * 40


@pytest.mark.parametrize(
    "unit", ["a.", "a@", "1 ", "1-", "+1 ", "(1", "tel ", "call me ", "1@1.", "[at] ", "4111-", "@"]
)
def test_long_lines_are_no_trouble(unit: str) -> None:
    """A pattern that tries again from every place would take minutes here."""
    assert isinstance(mask(unit * (300_000 // len(unit)), "Ann Lee"), str)


def test_nothing_of_it_reaches_a_dataset(tmp_path: Path) -> None:
    secret = "Zed Unique wrote to zed@example.org, 212-555-0123, 4111 1111 1111 1111."
    row = {"reviewerID": "u", "asin": "i", "reviewerName": "Zed Unique", "reviewText": secret, "summary": secret}
    meta = {"asin": "i", "title": f"A {secret}", "description": [secret], "brand": "zed@example.org"}
    write(tmp_path, {"r.json": jsonl([row | {"overall": 5.0, "unixReviewTime": 1}]), "meta_r.json": json.dumps(meta)})
    data = Dataset.load(tmp_path)
    assert data.reviews["text"].tolist() == ["[name] wrote to [e-mail], [phone], [card]."]
    assert not any(piece in everything(data) for piece in ("zed@", "555", "4111"))
    assert data.quarantine.masked == {"e-mail": 5, "phone": 4, "card": 4, "name": 2}
    assert "masked in texts: 4 × card, 5 × e-mail, 2 × name, 4 × phone" in data.quarantine.summary()


def test_names_in_a_table_and_bad_rows(tmp_path: Path) -> None:
    table = "user_id,item_id,rating,User Name,review\nu,i,5,Ann Lee,So says Ann Lee\nv,i,zed@example.org,,x\n"
    table += "".join(f"w{n},i,3,,\n" for n in range(30))
    data = Dataset.load(write(tmp_path, {"t.csv": table}) / "t.csv")
    assert data.reviews["text"].tolist() == ["So says [name]"]
    assert "Ann" not in everything(data)
    assert "zed@" not in everything(data)


def test_real_reviews_lose_next_to_nothing() -> None:
    """56 places in 10,261 reviews and their summaries, each of them read: they are what they are taken for."""
    data = Dataset.load(shared_data("musical_instruments"))
    assert data.quarantine.masked == {"e-mail": 10, "name": 46}

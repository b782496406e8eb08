"""What the report says of languages."""

from __future__ import annotations

from graphrec.door.languages import tell
from graphrec.door.report import Report
from tests.kg.test_languages import ENGLISH, SENTENCES


def test_reviews_that_nothing_reads_are_counted_by_what_would_read_them() -> None:
    report = Report()
    tell(report, [*ENGLISH, SENTENCES["th"], SENTENCES["th"], SENTENCES["el"]])
    assert report.languages == {"en": 0.5, "th": 1 / 3, "el": 1 / 6}
    said = [w for w in report.warnings if "names or aspects" in w]
    assert len(said) == 1
    assert said[0].startswith("3 of 6 reviews are Thai and Greek, and no names or aspects are found in them: nothing ")


def test_one_text_is_one() -> None:
    tell(report := Report(), [SENTENCES["th"]])
    assert report.warnings[0].startswith("1 of 1 reviews is Thai, ")


def test_the_english_encoder_is_doubted_where_texts_are_not_english() -> None:
    tell(report := Report(), [], [*ENGLISH, SENTENCES["fr"], "", "ok"])
    assert report.languages == {"en": 0.75, "fr": 0.25}
    assert all("encoder was made for English" in w for w in report.warnings)
    assert all(w.startswith("25% of the texts are French, and") for w in report.warnings)
    tell(report := Report(), [], [SENTENCES["fr"]])
    assert all(w.startswith("texts are French, and") for w in report.warnings)


def test_an_english_catalogue_needs_no_word() -> None:
    tell(report := Report(), ENGLISH * 10, ENGLISH)
    assert (report.languages, report.warnings) == ({"en": 1.0}, [])
    tell(report := Report(), [])
    assert (report.languages, report.warnings) == ({}, [])

"""A person's CSV of corrections: what counts, and what is set aside with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError
from graphrec.knowledge.overrides import read_overrides
from kg.link.choices import Override


def test_good_and_bad_rows(tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text(
        "\ufeffform,entity,type,confidence\n"
        "Strat,product:strat,,1\n"
        "SRV,Stevie Ray Vaughan,person,1\n"
        "alot,,,\n"
        ",brand:x,,\n"
        "Tele,Telecaster,,\n"
        "Ann,user:ann,,\n"
        "Bob,Bob,Not A Type,\n"
        "Strat,brand:fender,,\n"
        "Strat,product:strat,,\n",
        "utf-8",
    )
    bad = Quarantine()
    assert read_overrides(file, bad) == {
        "Strat": Override("product:strat", "product"),
        "SRV": Override("person:stevie-ray-vaughan", "person", "Stevie Ray Vaughan"),
        "alot": Override(""),
    }
    assert [(row.line, row.reason) for row in bad] == [
        (5, "override without a form"),
        (6, "name of an entity without a type"),
        (7, "type that entities of text cannot have"),
        (8, "type that entities of text cannot have"),
        (9, "form given twice with different entities"),
    ]
    assert (bad.rows_read, len(bad)) == (9, 5)
    assert bad.rows[0].file == str(file)


@pytest.mark.parametrize("content", [b"", b"form;entity\n", b"\xff\xfe\x00"])
def test_what_is_no_such_file_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "links.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"links\.csv"):
        read_overrides(file, Quarantine())
    with pytest.raises(DataError, match=r"cannot be read.*kg\.overrides"):
        read_overrides(tmp_path / "none.csv", Quarantine())

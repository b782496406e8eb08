"""A person's corrections of entity linking: a CSV of form, entity and perhaps type."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError
from kg.link.choices import Override
from kg.names import slug

_TYPE = re.compile(r"[a-z][a-z0-9_]*")
_ID = re.compile(r"([a-z][a-z0-9_]*):\S+")


def read_overrides(path: str | Path, quarantine: Quarantine) -> dict[str, Override]:
    """Form → what it means. Further columns, such as those of ``graphrec kg links``, are passed over.

    ``entity`` is an id ("brand:fender"), or a name, which needs a ``type`` ("Fender", "brand"); empty, it drops the
    form. A row that says neither, or contradicts an earlier one, goes to the quarantine. Raises DataError where the
    file cannot be read or has no columns form and entity.
    """
    out: dict[str, Override] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"form", "entity"} <= set(rows.fieldnames or ()):
                raise DataError(
                    f"{path}:1: expected the columns form,entity[,type], found {','.join(rows.fieldnames or ())!r}; "
                    "write the header"
                )
            for line, row in _lines(rows):
                form, entity, type_ = (" ".join((row.get(c) or "").split()) for c in ("form", "entity", "type"))
                quarantine.rows_read += 1
                found = _override(form, entity, type_)
                if isinstance(found, Override) and out.setdefault(form, found) != found:
                    found = "form given twice with different entities"
                if isinstance(found, str):
                    quarantine.rows_read -= 1  # add counts it
                    quarantine.add(path, line, found, form or entity)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a CSV in UTF-8 ({error}); correct kg.overrides") from None
    return out


def _lines(rows: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str | None]]]:
    for row in rows:
        yield rows.line_num, row


def _override(form: str, entity: str, type_: str) -> Override | str:
    """What a row says, or what is wrong with it."""
    if not slug(form):
        return "override without a form"
    if not entity:
        return Override("")
    if type_ and (not _TYPE.fullmatch(type_) or type_ in {"user", "item"}):
        return "type that entities of text cannot have"
    if match := _ID.fullmatch(entity):
        if match[1] in {"user", "item"}:
            return "type that entities of text cannot have"
        return Override(entity, type_ or match[1])
    if not type_:
        return "name of an entity without a type"
    return Override(f"{type_}:{slug(entity)}", type_, entity) if slug(entity) else "name without a letter or digit"

"""Amazon's product metadata: titles, descriptions, attributes, and which products are bought or viewed together.

Test leakage, of the source's own making: what is bought or viewed together was counted from all purchases, those that a
split holds out as well. The report says so, and ``data.split`` leaves it out of whatever is measured.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from graphrec.door.check import MAX_TEXT
from graphrec.door.report import Report
from kg.types import ExternalTriples

MAX_VALUE = 100  # characters; longer attribute values are sentences or remains of a web page
_PAGE = re.compile(r"<[a-z!/]|getTime\(|function *\(", re.IGNORECASE)  # remains of a web page where a name should be
_TAG = re.compile(r"<[^<>]{1,200}>")
_PRICE = re.compile(r"\$?(\d[\d,]*(?:\.\d+)?)$")
_DETAILS = frozenset(
    ("publisher", "manufacturer", "format", "language", "author", "artist", "label", "material", "color", "genre")
)
_TOGETHER = {"also_buy": "also_buy", "also_bought": "also_buy", "also_view": "also_view", "also_viewed": "also_view"}


PRODUCT_FIELDS = {  # field → its role
    **dict.fromkeys(("asin", "parent_asin"), "item_id"),
    "title": "title",
    **dict.fromkeys(("description", "features", "feature"), "text"),
    **dict.fromkeys(
        ("brand", "store", "category", "categories", "main_cat", "main_category", "price", "details"), "attribute"
    ),
    **dict.fromkeys((*_TOGETHER, "related"), "triples"),
}


PRODUCT_TYPES = {
    **dict.fromkeys(("brand", "store"), "category"),
    **dict.fromkeys(("category", "categories", "main_cat", "main_category", "details"), "list"),
    "price": "number",
    **dict.fromkeys(("title", "description", "features", "feature"), "text"),
}


class Metadata:
    """Collects what is known about the items of a catalogue (None: of all); other products are passed over."""

    def __init__(self, catalogue: set[str] | None) -> None:
        self.catalogue = catalogue
        self.passed_over = 0  # products that are not of the catalogue
        self._items: dict[str, tuple[str, str]] = {}
        self._attributes: dict[tuple[str, str, str], None] = {}  # a set that keeps its order
        self._triples: dict[tuple[str, str, str], None] = {}

    def add(self, row: dict[str, Any]) -> bool:
        """Take one metadata object; False where it names no product. Of repeated ones, what is known first stays."""
        item = row.get("parent_asin") or row.get("asin")
        if not isinstance(item, str) or not item.strip():
            return False
        if not self._knows(item):
            self.passed_over += 1
        else:
            title, text = self._items.get(item, ("", ""))
            self._items[item] = (title or _name(row.get("title"), 1000), text or _prose(row))
            self._attributes.update({(item, key, value): None for key, value in _attributes(row)})
            self._triples.update(
                {(f"item:{item}", relation, f"item:{other}"): None for relation, other in self._together(item, row)}
            )
        return True

    def _knows(self, item: str) -> bool:
        return self.catalogue is None or item in self.catalogue

    def _together(self, item: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
        related = row.get("related")
        for source in (row, related if isinstance(related, dict) else {}):
            for field, relation in _TOGETHER.items():
                for other in _strings(source.get(field)):
                    if other != item and self._knows(other):
                        yield relation, other

    def items(self) -> pd.DataFrame:
        """item_id, title, text; "" where unknown."""
        rows = [(item, title, text) for item, (title, text) in self._items.items()]
        return pd.DataFrame(rows, columns=pd.Index(["item_id", "title", "text"]))

    def attributes(self) -> pd.DataFrame:
        """item_id, key, value."""
        return pd.DataFrame(list(self._attributes), columns=pd.Index(["item_id", "key", "value"]))

    def external(self, report: Report) -> ExternalTriples:
        """also_buy and also_view between items of the catalogue; the entity of an item is ``item:<item_id>``."""
        if self._triples:
            report.warn(
                f"{len(self._triples):,} triples also_buy and also_view come from all purchases, held-out ones too:"
                " fit uses them, measuring leaves them out unless split.behaviour is set"
            )
        linked = {entity for head, _, tail in self._triples for entity in (head, tail)}
        return ExternalTriples(tuple(self._triples), {e.removeprefix("item:"): e for e in sorted(linked)})


def _attributes(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("brand", "store"):
        if name := _name(row.get(field)).removeprefix("by "):
            yield field, name
    for field in ("category", "categories", "main_cat", "main_category"):
        for value in _strings(row.get(field)):
            if name := _name(value):
                yield "category", name
    price = row.get("price")
    if found := _PRICE.match(str(price) if isinstance(price, (int, float)) else _name(price)):
        yield "price", found[1].replace(",", "")
    details = row.get("details")
    for key, value in details.items() if isinstance(details, dict) else ():
        if (key := key.strip(" :").lower()) in _DETAILS and (name := _name(value)):
            yield key, name


def _strings(value: object) -> Iterator[str]:
    """The strings in a value: itself, or those of a list of strings or of lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _clean(value: str) -> str:
    """HTML entities as characters, runs of white space as one space, nothing that UTF-8 cannot hold."""
    return " ".join(html.unescape(value).encode("utf-8", "replace").decode("utf-8").split())


def _name(value: object, longest: int = MAX_VALUE) -> str:
    """A title or attribute value, "" where it is no name but the remains of a web page."""
    text = _clean(value) if isinstance(value, str) else ""
    return "" if len(text) > longest or _PAGE.search(text) else text


def _prose(row: dict[str, Any]) -> str:
    """Description and features as plain text."""
    parts: Iterable[str] = (p for field in ("description", "features", "feature") for p in _strings(row.get(field)))
    return " ".join(filter(None, (_clean(_TAG.sub(" ", html.unescape(p))) for p in parts)))[:MAX_TEXT]

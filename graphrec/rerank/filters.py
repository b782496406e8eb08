"""Filters: which items may be recommended, said in their attributes.

::

    price < 50 and category in ("Mugs", "Tea") and not (brand == "Acme")
    10 <= price < 50 or "green" in title
    released >= "2019-03" and organic and brand is not None
    attribute("Preis in €") < 20 and "Tea" in category

- A name is an attribute, or ``title`` or ``item_id``. One that is no single word is written ``attribute("…")``.
- Numbers: ``== != < <= > >= in``. Dates the same, against ``"2019"``, ``"2019-03"``, ``"2019-03-01"``,
  ``"2019-03-01 12:30"`` (UTC), each the whole of that time: ``<= "2019"`` reaches to its end; a year may be a number.
- Categories and lists: ``== != in``; ``"Tea" in category`` where an item has several. Booleans: by their name alone.
- Texts and titles: ``== != in``, and ``"green" in title``, anywhere in it and whatever the case.
- Where an item has several values, one that fits will do; ``!=`` and ``not in`` say that none fits.
- **A missing value fails every comparison**, ``!=`` and ``not in`` too: ``brand != "Acme"`` leaves out what has no
  brand, ``not (brand == "Acme")`` keeps it. ``is None`` and ``is not None`` ask for it.

The text is parsed, never run: only the nodes named here mean something, all others are refused.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.rerank.attributes import Attribute, AttributeTable, Mask
from graphrec.rerank.constants import WANTED, constant, of_kind

LONGEST = 100_000  # characters of a filter
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
_OTHERWISE = {"AND": "and", "OR": "or", "NOT": "not", "&&": "and", "||": "or", "<>": "!=", "=": "== to compare"}
_MADE_OF = "a filter is made of comparisons such as price < 50, joined by and, or, not"


@dataclass(frozen=True)
class Filter:
    """A filter over one catalogue. ``mask``: bool (I,), read-only, which items pass."""

    text: str
    mask: Mask = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, data: Dataset | AttributeTable) -> Filter:
        """Read a filter.

        ``data`` is best an ``AttributeTable`` that is kept: it indexes an attribute once. Raises ConfigError, in one
        line with the place, for what is no filter, for unknown attributes and for comparisons that a type has not.
        """
        table = data if isinstance(data, AttributeTable) else AttributeTable(data)
        return cls(text, table.remembered(text, lambda: _Reader(text, table).mask()))

    def __str__(self) -> str:
        return self.text


def tree(text: str) -> ast.expr:
    """The syntax tree of a filter, of which nothing is known but that Python can read it. Raises ConfigError."""
    flat = re.sub(r"[\r\n\t\f]", " ", text)
    body = flat.lstrip(" ")
    if not body:
        raise ConfigError(f"the filter is empty; {_MADE_OF}")
    if len(text) > LONGEST:
        raise ConfigError(f"the filter has {len(text):,} characters, more than {LONGEST:,}; name items with include")
    try:
        found = ast.parse(body, mode="eval").body
    except SyntaxError as error:
        place = len(flat) - len(body) + max(1, error.offset or 1)
        near = text[place - 1 : place + 19]
        remedy = next((f"write {right}" for wrong, right in _OTHERWISE.items() if near.startswith(wrong)), _MADE_OF)
        raise _fault(place, f"{error.msg} (found {near!r}); {remedy}") from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ConfigError(f"the filter cannot be read: it is nested too deeply or holds no text; {_MADE_OF}") from None
    return found


def _fault(place: int, says: str) -> ConfigError:
    return ConfigError(f"filter, character {place}: {' '.join(says.split())}")


class _Reader:
    """One filter on its way to a mask."""

    def __init__(self, text: str, table: AttributeTable) -> None:
        self._text, self._table = text, table
        self._tree = tree(text)
        self._blanks = len(text) - len(re.sub(r"^[\r\n\t\f ]+", "", text))
        self._bytes = text[self._blanks :].encode()

    def mask(self) -> Mask:
        end = self._character(self._tree.end_col_offset or 0)
        if "#" in self._text[end:]:
            raise _fault(end + 1 + self._text[end:].index("#"), "# begins a comment, and what follows would be lost")
        try:
            return self._holds(self._tree)
        except RecursionError:
            raise ConfigError(f"the filter is nested too deeply; {_MADE_OF}") from None

    # --- what may stand in a filter -----------------------------------------------------------------------------------

    def _holds(self, node: ast.expr) -> Mask:
        """Where an expression is true, bool (I,)."""
        match node:
            case ast.BoolOp(op=op, values=values):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                out = self._holds(values[0]).copy()
                for value in values[1:]:
                    join(out, self._holds(value), out=out)
                return out
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._holds(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                out = np.ones(self._table.size, np.bool_)
                for one, sign, other in zip([left, *rights], ops, rights, strict=False):
                    out &= self._compared(one, _SIGNS[type(sign)], other)
                return out
            case ast.Constant(value=bool(value)):
                return np.full(self._table.size, value)
        attribute = self._attribute(node)
        if attribute is None:
            raise self._fault(node, f"found {self._segment(node)}; {_MADE_OF}")
        if attribute.kind != "boolean":
            raise self._fault(node, f"{_called(attribute)}, which is neither true nor false; compare it with something")
        return attribute.where(attribute.values)

    def _compared(self, left: ast.expr, sign: str, right: ast.expr) -> Mask:
        attribute = self._attribute(left)
        if attribute is not None and isinstance(right, ast.Name) and right.id not in self._table.types:
            word = right.id.capitalize()
            value = word if word in ("True", "False", "None") else f'a text in quotes: {sign} "{right.id}"'
            raise self._fault(right, f"{right.id!r} is no value; write {value}")
        other = self._attribute(right)
        if attribute is not None and other is not None:
            raise self._fault(
                right, f"found {self._segment(right)}: an attribute is compared with values, not with another"
            )
        if attribute is not None:
            return self._told(attribute, left, sign, right)
        if other is None:
            raise self._fault(left, f"neither side of {sign} is an attribute; {self._names()}")
        if sign in _TURNED:
            return self._told(other, right, _TURNED[sign], left)
        if sign in ("in", "not in"):
            return self._inside(other, sign, left)
        raise self._fault(left, f"found {self._segment(left)} {sign}; write the attribute first")

    def _told(self, attribute: Attribute, at: ast.expr, sign: str, node: ast.expr) -> Mask:
        """Where an attribute, at the left of a sign, compares so with the values at its right."""
        if sign in ("is", "is not"):
            return self._is(attribute, sign, node)
        if sign in ("in", "not in"):
            if not isinstance(node, ast.Tuple | ast.List | ast.Set):
                like = f"write {attribute.name} == … for one value" if isinstance(node, ast.Constant) else _MADE_OF
                raise self._fault(node, f'after in, values in brackets are wanted, such as ("a", "b"); {like}')
            return _none_of(attribute, sign, self._equal(attribute, node.elts))
        if sign in ("==", "!="):
            return _none_of(attribute, sign, self._equal(attribute, [node]))
        if attribute.kind not in ("number", "date"):
            raise self._fault(at, f"{_called(attribute)}, which has no {sign}; it is compared with ==, !=, in, not in")
        return attribute.where(self._rows(attribute, sign, node))

    def _is(self, attribute: Attribute, sign: str, node: ast.expr) -> Mask:
        match node:
            case ast.Constant(value=None):
                return ~attribute.known if sign == "is" else attribute.known.copy()
            case ast.Constant(value=bool()) if attribute.kind == "boolean":
                return _none_of(attribute, sign, self._equal(attribute, [node]))
        raise self._fault(node, f"after {sign}, None is wanted, found {self._segment(node)}; write == to compare")

    def _inside(self, attribute: Attribute, sign: str, node: ast.expr) -> Mask:
        """``"x" in attribute``."""
        if attribute.kind != "text":
            return _none_of(attribute, sign, self._equal(attribute, [node]))
        sought = str(self._value(attribute, node)).casefold()
        hits = np.fromiter((sought in name for name in attribute.folded), np.bool_, len(attribute.folded))
        return _none_of(attribute, sign, hits[attribute.codes])

    # --- values -------------------------------------------------------------------------------------------------------

    def _equal(self, attribute: Attribute, nodes: Sequence[ast.expr]) -> Mask:
        """Which values (n,) are equal to any of these."""
        out = np.zeros(len(attribute.values), np.bool_)
        if attribute.kind in ("text", "values"):
            places = attribute.names.get_indexer(
                pd.Index([self._value(attribute, node) for node in nodes], dtype=object)
            )
            hits = np.zeros(len(attribute.names), np.bool_)
            hits[places[places >= 0]] = True
            return hits[attribute.codes]
        for node in nodes:
            out |= self._rows(attribute, "==", node)
        return out

    def _rows(self, attribute: Attribute, sign: str, node: ast.expr) -> Mask:
        """Which values (n,) compare so with one number, date or truth."""
        value, values = self._value(attribute, node), attribute.values
        out: Mask
        if attribute.kind != "date":
            out = _ORDER[sign](values, value)
            return out
        first, end = value
        if sign == "==":
            return np.asarray((first <= values) & (values < end))
        early = sign in ("<", ">=")
        out = values < first if early else values < end
        return out if sign in ("<", "<=") else ~out

    def _value(self, attribute: Attribute, node: ast.expr) -> Any:
        """A constant of the attribute's type: float, (first, end) in microseconds, bool or str."""
        found = constant(node)
        value = of_kind(attribute.kind, found)
        if value is not None:
            return value
        says = f"{_called(attribute)} and is compared with {WANTED[attribute.kind]}, found {self._segment(node)}"
        if isinstance(node, ast.Constant) and node.value is None:
            says += "; whether it is missing is asked with is None"
        raise self._fault(node, says)

    def _attribute(self, node: ast.expr) -> Attribute | None:
        match node:
            case ast.Name(id=name):
                pass
            case ast.Call(func=ast.Name(id="attribute"), args=[ast.Constant(value=str(name))], keywords=[]):
                pass
            case _:
                return None
        try:
            return self._table[name]
        except ConfigError as error:
            raise self._fault(node, str(error)) from None

    # --- errors -------------------------------------------------------------------------------------------------------

    def _fault(self, node: ast.expr, says: str) -> ConfigError:
        return _fault(self._character(node.col_offset) + 1, says)

    def _character(self, offset: int) -> int:
        """The place in the text of a byte that the tree names."""
        return self._blanks + len(self._bytes[:offset].decode(errors="ignore"))

    def _segment(self, node: ast.expr) -> str:
        found = self._text[self._character(node.col_offset) : self._character(node.end_col_offset or 0)]
        return repr(found if len(found) <= 40 else found[:39] + "…")

    def _names(self) -> str:
        return f"attributes are {', '.join(list(self._table.types)[:8])}"


def _none_of(attribute: Attribute, sign: str, rows: Mask) -> Mask:
    """Items with a value under the mask; for a sign that denies, those with values of which none is."""
    found = attribute.where(rows)
    return attribute.known & ~found if sign in ("!=", "not in", "is not") else found


def _called(attribute: Attribute) -> str:
    return f"{attribute.name!r} is a {attribute.type}"

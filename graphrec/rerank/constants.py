"""What a filter compares with: literals, and what each kind of attribute makes of them."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from graphrec.rerank.attributes import Kind

YEARS = range(1500, 2100)
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?")
WANTED: dict[Kind, str] = {
    "number": "a number, such as 50",
    "date": 'a date, such as "2019-03-01"',
    "boolean": "True or False",
    "text": 'a text in quotes, such as "tea"',
    "values": 'a text in quotes, such as "tea"',
}


def constant(node: ast.expr) -> Any:
    """The value of a literal, of a number with its sign; None where it is neither."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=ast.Constant(value=int() | float() as value)):
            if not isinstance(value, bool):
                return -value if isinstance(op, ast.USub) else value
    return None


def of_kind(kind: Kind, found: Any) -> Any:
    """A literal as what an attribute of a kind is compared with; None where it cannot be.

    A float, a bool, a str, or of a date (first, end) in microseconds since 1970.
    """
    match kind, found:
        case ("number", bool()) | ("date", bool()):
            return None
        case "number", int() | float():
            return _float(found)
        case ("boolean", bool()) | ("text", str()) | ("values", str()):
            return found
        case "date", int() if found in YEARS:
            return _span(str(found))
        case "date", str():
            return _span(found)
    return None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _span(text: str) -> tuple[int, int] | None:
    """The first microsecond since 1970 of a time, and the first after it; None where it is no time."""
    bare = re.sub(r"(?:Z|\+00:00)$", "", text.strip())
    if not _TIME.fullmatch(bare):
        return None
    try:
        first = np.datetime64(bare.replace(" ", "T"))
    except ValueError:
        return None
    start, end = (int(t.astype("datetime64[us]").astype(np.int64)) for t in (first, first + 1))
    return start, end

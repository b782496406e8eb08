"""Lines whose quotes do not add up: one record over several lines, or a quote that is only a character.

The careful way, one line at a time; ``delimited`` takes it for these lines alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

MAX_QUOTED_LINES = 1000  # a quoted field that runs over more lines is an unclosed quote
MANY_FIELDS = 4  # so many fields make a line a row of its own where no column tells

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Record:
    """The fields of one record, the lines it takes, and what is wrong with it ("" for nothing).

    ``open``: the lines at hand end before its quote does.
    """

    fields: list[str]
    taken: int = 1
    fault: str = ""
    open: bool = False


def record(
    line: Callable[[int], bytes],
    at: int,
    end: int,
    sep: str,
    width: int,
    looks_like_a_row: Callable[[Sequence[str]], bool] | None = None,
) -> Record:
    """The record that begins with line ``at`` of the lines before ``end``; ``width`` fields are expected (0: any).

    Quotes are literal where the lines that a quote spans are rows by themselves, or where nothing closes it: a quote
    left open never takes a good line. A record over several lines must be flawless.
    """
    try:
        first = line(at).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return Record([], fault="not UTF-8")
    literal = first.split(sep)
    if '"' not in first:
        return checked(literal, width)
    fields, taken = _read(iter([first]), sep, strict=False)
    if taken == 1:
        return checked(literal if len(fields) != width == len(literal) else fields, width)
    stop = min(at + MAX_QUOTED_LINES, end)
    try:
        fields, taken = _read((line(n).decode("utf-8") for n in range(at, stop)), sep, strict=True)
    except UnicodeDecodeError:
        fields, taken = [], 0
    if taken > stop - at and stop == end and end - at < MAX_QUOTED_LINES:
        left_open = Record(literal, open=True)
    else:
        left_open = Record(literal)
    if 0 < taken <= stop - at and (len(fields) == width or not width):
        looks = looks_like_a_row or (lambda row: len(row) >= MANY_FIELDS)
        own = [line(n).decode("utf-8").rstrip("\r\n").split(sep) for n in range(at + 1, at + taken)]
        alone = sum(len(row) == width and looks(row) for row in own)
        if 2 * alone < len(own) or len(literal) > width > 0:
            return Record(fields, taken)
    if len(literal) == width:
        return left_open
    return Record(literal, fault="unclosed quote", open=left_open.open)


def _read(lines: Iterator[str], sep: str, strict: bool) -> tuple[list[str], int]:
    """The first record and the lines it takes; one more than there are where its quote stays open; 0 for a fault."""
    # "" stands behind the last line: only a record whose quote is still open reads it
    reader = csv.reader(chain(lines, [""]), delimiter=sep, strict=strict)
    try:
        return next(reader, []), reader.line_num
    except csv.Error as error:
        return [], reader.line_num if "unexpected end" in str(error) else 0


def checked(fields: list[str], width: int) -> Record:
    """The fields of one line: too many are a fault, too few are filled up with ""."""
    if not width:
        return Record(fields)
    if len(fields) == width + 1 and fields[-1] == "":  # a separator at the end of the line
        fields = fields[:-1]
    if len(fields) > width:
        return Record(fields, fault="too many fields")
    return Record(fields + [""] * (width - len(fields)))

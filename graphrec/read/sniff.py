"""Finds out how a file is written down, by proof over a sample of its lines; what is said about it comes first."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphrec.door.quarantine import Quarantine
from graphrec.errors import FormatError
from graphrec.read.columns import DESCRIPTIONS, SYNONYMS, TITLES, normal
from graphrec.read.delimited import column_names, read_delimited
from graphrec.read.encodings import find_encoding
from graphrec.read.form import Form
from graphrec.read.streams import Break, bare, head, unpacked, wide

SAMPLE = 1 << 17  # bytes
ROWS = 1000
SEPARATORS = ("\t", ";", ",", "|", "::")  # of two that explain the sample equally well, the first
NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", "::": "double colons", "": "blanks"}
_KNOWN = frozenset(
    (
        *(name for names in SYNONYMS.values() for name in names),
        *(*TITLES, *DESCRIPTIONS, "id", "category", "genre", "genres", "brand", "price", "gender", "age", "city"),
        *("country", "quantity", "kind", "event", "eventtype", "head", "relation", "tail", "source", "target"),
        *("friendid", "follower", "followed", "trustor", "trustee", "tag", "entity", "latitude", "longitude"),
    )
)
_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?")
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_SEP_LINE = re.compile(r'"?sep=(?P<sep>.|\\t)"?\s*$', re.IGNORECASE)


def find_form(path: Path, given: Mapping[str, Any] | None = None) -> Form:
    """How a file is written down.

    ``given``: fields of ``Form`` that are known, None for those that are not; ``header`` says whether the first line
    names the columns. Columns of a file without such a line are called "1", "2", … Raises FormatError.
    """
    said = {k: v for k, v in (given or {}).items() if v is not None}
    has_header = said.pop("header", None)
    said = {k: v for k, v in said.items() if k in Form.__dataclass_fields__}
    if not said.get("names"):  # no names are no names for a file without a header
        said.pop("names", None)
    first = head(path, SAMPLE)
    container = said.get("container") or _container(path, first)
    if container != "delimited":
        encoding = said.get("encoding") or (wide(_raw(path)) or "utf-8")
        return replace(Form(container=container, encoding=encoding, why=f"{container} by its beginning"), **said)
    encoding, why = (said["encoding"], "") if "encoding" in said else find_encoding(path)
    codec = "utf-8" if wide(_raw(path)) else encoding
    text = first.decode(codec, "replace").replace("\r\n", "\n")
    rows = (text if "\n" in text else text.replace("\r", "\n")).split("\n")
    if len(first) >= SAMPLE and len(rows) > 1:
        rows.pop()  # cut off
    skip = said.get("skip")
    sep_line = _SEP_LINE.match(rows[0]) if rows else None
    if skip is None:
        skip = 1 if sep_line else 0
        while skip < len(rows) and (not rows[skip].strip() or rows[skip].startswith("%") or rows[skip][:2] == "# "):
            skip += 1
    lines = [line for line in rows[skip:] if line.strip()][:ROWS]
    if "sep" in said:
        sep, width = said["sep"], _widths(lines, said["sep"])[1]
    elif sep_line:
        sep = sep_line["sep"].replace("\\t", "\t")
        width = _widths(lines, sep)[1]
    else:
        sep, width = find_separator(lines, bare(path.name).lower())
    quoted = said.get("quoted", len(sep) == 1 and _is_quoted(lines, sep, width))
    form = replace(Form(encoding=encoding, sep=sep, quoted=quoted, skip=skip), **said)
    whys = [why] if why else []
    if sep_line or sep != ",":
        whys.append(f"fields between {NAMES.get(sep, repr(sep))}")
    if "names" not in said and lines:
        form, note = _with_names(path, form, width, _widths(lines[:1], sep)[1], has_header)
        whys += [note] if note else []
    return replace(form, why="; ".join(whys))


def find_separator(lines: Sequence[str], name: str = "") -> tuple[str, int]:
    """The separator by which all lines have the same number of fields, and that number: of several the one with the
    most fields. Where none is without exception the one with the fewest; (",", 1) for a single column."""
    order = ["\t", *SEPARATORS[1:]] if name.endswith(".tsv") else list(SEPARATORS)
    scores = {sep: _widths(lines, sep) for sep in (*order, "")}
    proven = [s for s in order if scores[s][0] >= 0.98 and scores[s][1] > 1]
    blanks = scores[""]
    if proven:
        best = max(proven, key=lambda s: scores[s][1])
        if best != "," or blanks[0] < 0.98 or blanks[1] <= scores[best][1]:
            return best, scores[best][1]
        numbers = sum(all(map(_is_number, line.split())) for line in lines)
        return ("", blanks[1]) if numbers >= 0.98 * len(lines) else (best, scores[best][1])
    if blanks[0] >= 0.98 and blanks[1] > 1 and not any(s in lines[0] for s in order):
        return "", blanks[1]
    likely = [s for s in order if scores[s][0] >= 0.5 and scores[s][1] > 1]
    if lines and (named := [s for s in order if s in lines[0] and _names_known(lines[0].split(s))]):
        likely = [s for s in likely if s in named] or named
    if likely:
        best = max(likely, key=lambda s: scores[s])
        return best, max(scores[best][1], len(lines[0].split(best)))
    if blanks[0] >= 0.5 and blanks[1] > 1 and any(all(map(_is_number, line.split())) for line in lines):
        return "", blanks[1]
    return ",", 1


def _widths(lines: Sequence[str], sep: str) -> tuple[float, int]:
    """The share of lines (or of records over several lines) with the most frequent number of fields; that number."""
    if sep == "":
        counts = [len(line.split()) for line in lines]
    else:
        counts = [line.count(sep) + 1 for line in lines if '"' not in line or len(sep) > 1]
        counts += [n for line in lines if '"' in line and len(sep) == 1 and (n := _quoted_width(line, sep))]
    found = _modal(counts)
    if len(sep) == 1 and found[0] < 0.98 and any('"' in line for line in lines):
        try:
            records = list(csv.reader((line + "\n" for line in lines), delimiter=sep))
        except csv.Error:
            return found
        return max(found, _modal([len(r) for r in records[: -1 if len(records) > 2 else None]]))
    return found


def _modal(counts: Sequence[int]) -> tuple[float, int]:
    if not counts:
        return 0.0, 1
    width, n = Counter(counts).most_common(1)[0]
    return n / len(counts), width


def _quoted_width(line: str, sep: str) -> int:
    """The number of fields of a line with quotes; 0 where a quote stays open."""
    try:
        reader = csv.reader(iter([line, ""]), delimiter=sep)
        fields = next(reader)
    except csv.Error:
        return 0
    return len(fields) if reader.line_num == 1 else 0


def _is_quoted(lines: Sequence[str], sep: str, width: int) -> bool:
    """Whether quotes enclose fields: not where some open a field and close within it, and none is needed."""
    stray = False
    for line in lines:
        if '"' not in line:
            continue
        literal = line.split(sep)
        if len(literal) != width and _quoted_width(line, sep) == width:
            return True
        if any(f.startswith('"') and '"' in f[1:] and not f.rstrip().endswith('"') for f in literal):
            stray = True
    return not stray


def _with_names(path: Path, form: Form, width: int, named: int, has_header: bool | None) -> tuple[Form, str]:
    """The form with names where the first line is a row, which has ``named`` fields, blank ones too."""
    numbered = replace(form, names=tuple(str(n + 1) for n in range(width)))
    one_more = replace(form, names=tuple(str(n + 1) for n in range(max(width, 1) + 50)))
    frame = read_delimited(path, one_more, Quarantine(), limit=1)
    first = [] if frame.empty else [str(v) for v in frame.iloc[0, : width + 50]]
    while first and not first[-1]:
        first.pop()
    rest = read_delimited(path, replace(numbered, skip=form.skip + 1), Quarantine(), limit=ROWS)
    columns = [[v.strip() for v in rest[n].tolist()] for n in numbered.names]
    if has_header is None:
        has_header = _is_header(first, columns)
    if has_header is None:
        found = ", ".join(first[:4])
        raise FormatError(
            f"{path}:{form.skip + 1}: cannot tell whether the first line ({found}) names the columns or is a row; say "
            f'so in a data.toml: [[events]] file = "{path.name}" and header = true, or names = '
            f"{json.dumps([f'column_{n + 1}' for n in range(width)])}"
        )
    if not has_header:
        return numbered, "the first line is a row: it names no columns"
    if (
        len(first) == width - 1 and first and named < width
    ):  # rows begin with their own number or name, as R writes them
        return replace(
            form, names=("row", *column_names(first)), skip=form.skip + 1
        ), "the first field numbers the rows"
    return form, ""


def _is_header(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool | None:
    """Whether the first line names the columns; None where nothing proves either."""
    if _names_known(first):
        return True
    if not first or any(map(_is_number, (*first, *first[0].split()))):
        return False
    proofs: list[bool] = []
    for name, values in zip(first, columns, strict=False):
        present = [v for v in values if v]
        if not present:
            continue
        if all(map(_is_number, present)):
            return True  # a word above numbers
        if name in present:
            proofs.append(False)  # what comes again below is no name
        shapes = {_shape(v) for v in present}
        if len(shapes) == 1 and len(present) > 1 and _DIGITS.search(present[0]):
            proofs.append(_shape(name) not in shapes)
    return any(proofs) if proofs else None


def _names_known(fields: Sequence[str]) -> bool:
    return any(normal(f.partition(":")[0].strip(' "')) in _KNOWN for f in fields)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def _shape(text: str) -> str:
    """Digits as 9, letters as a: what ids of one kind have in common."""
    return _LETTERS.sub("a", _DIGITS.sub("9", text.strip()))


def _raw(path: Path) -> bytes:
    try:
        return next(unpacked(path, 4096), b"")
    except Break:
        return b""


def _container(path: Path, first: bytes) -> Any:
    """What a file is by its first bytes. Raises FormatError where it is no text."""
    if first.startswith(b"PAR1"):
        return "parquet"
    start = first.lstrip()[:1]
    if start == b"[" and bare(path.name).lower().endswith((".json", ".jsonl", ".ndjson")):
        return "json"
    if start == b"{":
        line = first.lstrip().partition(b"\n")[0]
        try:
            json.loads(line)
        except ValueError:
            return "jsonl" if line.rstrip().endswith(b"}") or len(line) >= SAMPLE // 2 else "json"
        return "jsonl"
    if first.startswith(b"PK\x03\x04"):
        raise FormatError(f"{path}: a zip file or a spreadsheet, which is no text; unpack it, or save it as CSV")
    if b"\x00" in first[:1000] and first[:1000].count(0) > 10:
        raise FormatError(f"{path}: not a text file; save it as CSV, JSON lines or Parquet")
    return "delimited"

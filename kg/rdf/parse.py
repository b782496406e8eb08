"""RDF of other people, read as a stream: what cannot be read is set aside with its line, and reading goes on."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from pyoxigraph import RdfFormat, parse

from kg.errors import KGError
from kg.rdf.files import FORMATS

OnFault: TypeAlias = Callable[[int, str], None]  # line from 1, what is wrong with it
BLOCK = 2_000  # lines parsed at once; one by one where any of them is bad
MAX_LINE = 1 << 20  # bytes; no triple is that long
_BY_LINE = (RdfFormat.N_QUADS, RdfFormat.N_TRIPLES)
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error)


def rdf_format(path: Path) -> RdfFormat | None:
    """The format that a file's ending names, with or without .gz; None for any other file."""
    return FORMATS.get(Path(path.name.lower().removesuffix(".gz")).suffix)


def statements(path: Path, on_fault: OnFault) -> Iterator[Any]:
    """Every statement of a file in one of kg.rdf.files.FORMATS, as pyoxigraph's Quads (Triples where it has no graphs).

    A bad line of N-Triples or N-Quads costs that line; a fault in Turtle or TriG costs what stands before the place
    where its parser finds its way again. Relative addresses are faults. Nothing but this file is read.

    Raises KGError where the file cannot be opened, or its ending names no format.
    """
    form = rdf_format(path)
    if form is None:
        raise KGError(f"{path}: the ending names no format of RDF; give it one of {', '.join(FORMATS)}")
    try:
        packed = path.name.lower().endswith(".gz")
        with gzip.open(path, "rb") if packed else path.open("rb") as opened:
            file = cast(IO[bytes], opened)
            yield from _by_line(file, form, on_fault) if form in _BY_LINE else _as_a_whole(file, form, on_fault)
    except OSError as error:
        raise KGError(f"{path}: cannot be read ({error.strerror or error})") from None


def _by_line(file: IO[bytes], form: RdfFormat, on_fault: OnFault) -> Iterator[Any]:
    begin, lines = 0, _lines(file, on_fault)
    while block := list(islice(lines, BLOCK)):
        try:
            yield from list(parse(b"".join(block), format=form))
        except SyntaxError:
            for number, line in enumerate(block, begin + 1):
                try:
                    yield from list(parse(line, format=form))
                except SyntaxError as error:
                    on_fault(number, _reason(error))
        begin += len(block)


def _lines(file: IO[bytes], on_fault: OnFault) -> Iterator[bytes]:
    """The lines of a file, an empty one in place of each that is too long."""
    number = 0
    try:
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                on_fault(number, f"longer than {MAX_LINE:,} bytes")
                while (line := file.readline(MAX_LINE)) and not line.endswith(b"\n"):
                    pass
                line = b"\n"
            yield line
    except _BROKEN as error:
        on_fault(number + 1, f"the compressed file breaks off ({error})")


def _as_a_whole(file: IO[bytes], form: RdfFormat, on_fault: OnFault) -> Iterator[Any]:
    found, last = parse(file, format=form), 0
    while True:
        try:
            yield next(found)
        except StopIteration:
            return
        except SyntaxError as error:
            if (line := error.lineno or 1) != last:
                on_fault(line, _reason(error))
            last = line
        except (MemoryError, *_BROKEN) as error:  # a token beyond the parser's buffer, or the end of a gzip stream
            on_fault(last + 1, f"cannot be read from here on ({' '.join(str(error).split())})")
            return


def _reason(error: SyntaxError) -> str:
    """What the parser says, without where."""
    said = " ".join((error.msg or "").split())
    return (said.partition(": ")[2] if said.startswith("Parser error") else said)[:160] or "not valid"

"""`graphrec inspect`: what would be used as what, and what would not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from graphrec.cli.options import AllowBad, AsJson, Source
from graphrec.cli.output import Sheet, answer, counts_line, print_json
from graphrec.errors import DataError

if TYPE_CHECKING:
    from graphrec.door.report import Report


def inspect(
    source: Source,
    as_json: AsJson = False,
    write: Annotated[bool, typer.Option("--write", help="Write this reading as data.toml into the folder.")] = False,
    allow_bad: AllowBad = None,
) -> None:
    """What each file and column of SOURCE is used as, or why not; rows, dates, warnings, and a ready data.toml."""
    from graphrec.read.archives import packed
    from graphrec.read.detect import load
    from graphrec.read.spec import SPEC_FILE

    data = load(source, allow_bad)
    report = data.report
    target = (source if source.is_dir() else source.parent) / SPEC_FILE
    if write:
        if packed(source):
            raise DataError(
                f"{source}: holds zip files; unpack them first, then write the {SPEC_FILE} beside the files"
            )
        if target.exists():
            raise DataError(
                f"{target}: is there already, and says how to read this; remove it first to write a new one"
            )
        target.write_text(report.data_toml, encoding="utf-8")
    if as_json:
        print_json(report.to_json())
        return
    answer(counts_line(data), *tables(report))
    answer(f"\n{SPEC_FILE}{' (written)' if write else '; --write writes it'}:\n", report.data_toml)


def tables(report: Report) -> Iterator[Sheet | str]:
    """The report for people: files, columns, rows, warnings."""
    yield f"format: {report.format} ({report.why})"
    files = Sheet("file", "used as", "why not, or how it is written", title="files")
    for f in report.files:
        used = f"{f.used_as} ({f.kind})" if f.used_as and f.kind else f.used_as
        files.row(f.path, used or "not used", f.why_not or f.form, style=_style(f.used_as))
    yield files
    columns = Sheet("file", "column", "role", "type", "why not", title="columns")
    last = ""
    for c in report.columns:
        name, last = ("" if c.file == last else c.file), c.file
        columns.row(name, c.column, c.role or "not used", c.type, c.why_not, style=_style(c.role))
    if report.columns:
        yield columns
    yield from _lines(report)


def _style(used: str) -> str:
    return "" if used else "yellow"


def _lines(report: Report) -> Iterator[str]:
    yield "rows: " + ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.rows().items())
    for reason, count in report.quarantine.counts.most_common():
        yield f"  {count:,} × {reason}"
    for row in report.quarantine.rows[:3]:
        yield f"  {row}"
    if without := report.quarantine.without_letters():
        yield without
    for u in report.unmatched:
        yield f"{u.file}: {u.ids:,} of {u.of:,} ids are known to nothing else"
    if (days := report.days()) is not None:
        yield f"dates: {days['from']} to {days['to']}"
    for kind, says in report.strength.items():
        yield f"{kind}: {says}"
    if report.languages:
        yield "languages: " + ", ".join(f"{name} {share:.0%}" for name, share in report.languages.items())
    if report.unread:
        yield "no names or aspects are found in: " + ", ".join(f"{code} {n:,}" for code, n in report.unread.items())
    for column, how in report.quarantine.how.items():
        yield f"{column} read as {how}"
    for text in report.all_warnings():
        yield f"warning: {text}"

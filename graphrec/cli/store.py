"""graphrec store: files into a store and out of it, and what it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from graphrec.cli.options import AsJson
from graphrec.cli.output import Sheet, answer, note, print_json, warn

store_app = typer.Typer(
    help="A store of events: what it holds, import, export.", no_args_is_help=True, rich_markup_mode=None
)
Url = Annotated[str, typer.Argument(help="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE.")]


@store_app.command("import")
def import_(
    url: Url,
    source: Annotated[Path, typer.Argument(help="A .jsonl or .parquet file, or a folder of them; Gorse's export too.")],
    name: Annotated[str | None, typer.Option("--name", help="Where events are from that do not say so.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in SOURCE. What is known already changes nothing, so that it may be done again."""
    from graphrec.store import Store
    from graphrec.store.porting import read_into

    with Store.open(url) as store:
        found = read_into(store, source, name)
    if as_json:
        print_json(found.to_json())
        return
    for why, n in found.refused.items():
        warn(f"{n:,} rows are refused: {why} (first: {found.first[why]})")
    for what, n in found.unused.items():
        note(f"{n:,} rows of {what} are not used")
    people = f", {found.forgotten:,} of people who were erased" * bool(found.forgotten)
    note(
        f"{found.read:,} rows read: {found.accepted:,} events taken in, {found.duplicates:,} known already{people},"
        f" {found.items:,} changes of items{f', {found.items_known:,} known already' * bool(found.items_known)}"
    )


@store_app.command()
def export(
    url: Url,
    out: Annotated[Path, typer.Argument(help="The file to write: .jsonl or .parquet.")],
    table: Annotated[str, typer.Option(help="events, impressions or item_changes.")] = "events",
) -> None:
    """Write a table of the store to OUT."""
    from graphrec.store import Store
    from graphrec.store.porting import write_out

    with Store.open(url, create=False) as store:
        rows = write_out(store, out, table)
    note(f"{out} written: {rows:,} rows of {table}")


@store_app.command()
def prune(
    url: Url,
    days: Annotated[float, typer.Option(min=0, help="Answers, and what they showed, older than so many days go.")],
    as_json: AsJson = False,
) -> None:
    """Drop old answers, and what they showed. Events stay; receipts of dropped answers can be verified no more."""
    import time

    from graphrec.store import Store

    with Store.open(url, create=False) as store:
        found = store.prune(time.time() - days * 86_400)
    if as_json:
        print_json(found)
        return
    note(f"{found['answers']:,} answers and {found['impressions']:,} impressions dropped; events are kept")


@store_app.command()
def status(url: Url, as_json: AsJson = False) -> None:
    """How much a store holds, and of what time."""
    from graphrec.store import Store

    with Store.open(url, create=False) as store:
        found = store.status()
    if as_json:
        print_json(found)
        return
    table = Sheet("what", "found", title="graphrec store")
    for what, value in found.items():
        if what in ("first", "latest"):
            value = "" if value is None else f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}"
        table.row(what, f"{value:,}" if isinstance(value, int) else str(value))
    answer(table)

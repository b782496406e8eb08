"""graphrec keys: who may ask a service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from graphrec.cli.options import AsJson
from graphrec.cli.output import Sheet, answer, note, print_json
from graphrec.errors import UnknownIdError

keys_app = typer.Typer(help="Keys of a service: made, listed, revoked.", no_args_is_help=True, rich_markup_mode=None)
StoreUrl = Annotated[str, typer.Option("--store", help="URL of the store, as `graphrec serve` has it.")]


@keys_app.command()
def create(
    store: StoreUrl,
    scope: Annotated[list[str], typer.Option(help="read, events or admin; repeated.")],
    name: Annotated[str, typer.Option(help="For people: who has it.")] = "key",
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once; the store keeps a hash of it."""
    from graphrec.store import Store

    with Store.open(store) as opened:
        key, secret = opened.create_key(name, scope)  # type: ignore[arg-type]  # checked there
    if as_json:
        print_json({"key_id": key.key_id, "name": key.name, "scopes": list(key.scopes), "key": secret})
        return
    note(f"{key.key_id} ({', '.join(key.scopes)}); it is shown this once:")
    print(secret)


@keys_app.command("list")
def list_(store: StoreUrl, as_json: AsJson = False) -> None:
    """All keys, without what opens anything."""
    from graphrec.store import Store

    with Store.open(store, create=False) as opened:
        keys = opened.keys()
    if as_json:
        print_json([key.model_dump() for key in keys])
        return
    table = Sheet("key", "name", "scopes", "created", "revoked", title="graphrec keys")
    for key in keys:
        table.row(key.key_id, key.name, ", ".join(key.scopes), _day(key.created), _day(key.revoked))
    answer(table)


@keys_app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `graphrec keys list` shows it.")], store: StoreUrl) -> None:
    """Let a key open nothing from now on; a running service hears of it within seconds."""
    from graphrec.store import Store

    with Store.open(store, create=False) as opened:
        if not opened.revoke_key(key_id):
            raise UnknownIdError(f"no key {key_id!r} is there that opens anything; `graphrec keys list` shows them")
    note(f"{key_id} is revoked")


def _day(when: float | None) -> Any:
    return "" if when is None else f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M}"

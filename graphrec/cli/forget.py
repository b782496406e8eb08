"""graphrec forget: users taken out of a model, and a receipt."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphrec.cli.options import Artifact, AsJson
from graphrec.cli.output import note, print_json, warn
from graphrec.errors import ConfigError

if TYPE_CHECKING:
    from graphrec.forgetting import Receipt, Way
    from graphrec.store import Store


def forget(
    artifact: Artifact,
    user: Annotated[list[str], typer.Option("--user", help="Whom to forget, repeatable.")] = [],  # noqa: B006 (typer)
    users: Annotated[
        Path | None, typer.Option("--users", help="A file of users: a table with user_id, or one id a line.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar="GRAPHREC_STORE",
            help="URL of a store: everybody who was erased from it since MODEL was learned.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the model without them; by default in its place.")
    ] = None,
    way: Annotated[
        str,
        typer.Option(
            "--way",
            help="refit: as if never known, but networks, which are trained on; anew: networks too; quick: what "
            "they learned of items is kept, and said to be.",
        ),
    ] = "refit",
    as_json: AsJson = False,
) -> None:
    """Take users out of MODEL: their events, reviews, friends and attributes, what they said in the knowledge graph,
    what was learned from them, and what is cached of their texts; with a receipt that names nobody."""
    from typing import cast

    from graphrec.cli.people import People
    from graphrec.model import artifact as folder
    from graphrec.recommender import Recommender

    if not user and users is None and store is None:
        raise ConfigError("forget: whom? Give --user ID, --users FILE, or --store URL")
    target = artifact if out is None else out
    folder.check_target(target)
    folder.cleared(artifact)
    folder.cleared(target)
    model = Recommender.load(artifact)
    named = [*user, *(People.read(users, model.fitted.data.items).ids if users is not None else ())]
    with _opened(store) as opened:
        if opened is not None:
            learned = opened.learned(model.fitted.version)
            named += opened.erased(model.fitted.data.users.ids, learned)
            if not named:
                if as_json:
                    print_json({"users": 0, "model_version": model.fitted.version, "out": str(artifact)})
                note(f"{artifact} knows nobody who was erased from the store; nothing is to do")
                return
        receipt = model.forget(named, cast("Way", way))
        if opened is not None and learned:  # noted before it is there: a service may read it at once
            opened.set_learned(receipt.model_version, learned)
    model.save(target)
    receipt = replace(receipt, out=str(target))
    if as_json:
        print_json(receipt.to_json())
        return
    for line in lines(receipt):
        note(line)
    if out is not None:
        warn(f"{artifact} still knows them; delete it, or forget there too")
    if (work := artifact.with_name(f"{artifact.name}.work")).exists():
        warn(f"{work} is what a fit began that did not end, and may know them; delete it")
    for what in receipt.left:
        warn(what)


def _opened(url: str | None) -> AbstractContextManager[Store | None]:
    """The store, or None where none is named. Raises StoreError."""
    if url is None:
        return nullcontext()
    from graphrec.store import Store

    return Store.open(url, create=False)


def lines(receipt: Receipt) -> list[str]:
    """The receipt for people."""
    removed = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in receipt.removed.items())
    cached = ", ".join(f"{n:,} of {name}" for name, n in receipt.caches.items() if n)
    ways: dict[str, list[str]] = {}
    for taken in receipt.blocks:
        ways.setdefault(taken.way, []).append(taken.block)
    return [
        f"forgotten: {receipt.users:,} users" + f" ({receipt.unknown:,} more are not known)" * bool(receipt.unknown),
        f"removed: {removed}; from caches: {cached or 'nothing'}",
        *(f"{way}: {', '.join(blocks)}" for way, blocks in ways.items()),
        f"knowledge graph: {receipt.graph}; kept, as aggregates: {', '.join(receipt.kept)}",
        f"{receipt.out} written: {receipt.model_version}, before {receipt.earlier} ({receipt.seconds:.1f} s)",
    ]

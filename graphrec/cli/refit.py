"""graphrec refit: a model learned anew from where an earlier one ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.options import AllowBad, Artifact, AsJson, load_data
from graphrec.cli.output import goes_on, note, print_json, warn, warn_anew
from graphrec.errors import ConfigError

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset
    from graphrec.model.model import Model
    from graphrec.recommender import Recommender


def refit(
    artifact: Artifact,
    source: Annotated[Path | None, typer.Argument(help="A folder or file in a known format.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the new model.")] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store", help="URL of a store: learn from what came in, too; without SOURCE beside MODEL's own."
        ),
    ] = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Learn MODEL anew from all of SOURCE, or from its own events and those of a store: choices and numbers are kept,
    networks go on from where they ended."""
    from graphrec.blocks.kept import Work
    from graphrec.model import artifact as folder
    from graphrec.recommender import Recommender

    if source is None and store is None:
        raise ConfigError("refit: from what? Give SOURCE, or --store URL")
    target = out or (artifact if source is None else None)
    if target is None:
        raise ConfigError("refit: where to? Give --out MODEL")
    folder.check_target(target)
    loaded = Recommender.load(artifact)
    if replaced := folder.earlier(target):
        warn(f"{target} holds {replaced}, which is replaced when the new one is whole; another --out keeps it")
    data = None if source is None else load_data(source, allow_bad)
    told = [] if data is None else data.report.all_warnings()
    head, left_out = None, Counter[str]()
    if store is not None:
        data, head, left_out = _with_store(loaded, data, store, artifact)
    assert data is not None
    earlier = loaded.fitted
    work = Work.beside(target, earlier.version)
    goes_on(work.folder, work.begun)
    model = Recommender(earlier.config, progress=True, work=work.under).fit(data, like=earlier, resume=True)
    model.save(target)
    work.done()
    if store is not None and head is not None:
        from graphrec.store import Store

        with Store.open(store) as opened:
            opened.set_learned(model.fitted.version, head)
    document = changes(earlier, model.fitted) | {"out": str(target), "seconds": dict(model.seconds)}
    if store is not None:
        document["store"] = {"learned_to": head, "left_out": dict(left_out)}
    if as_json:
        print_json(document)
        return
    warn_anew(data.report.all_warnings(), told)
    for why, n in left_out.items():
        warn(f"{n:,} events of the store are not learned from: {why}")
    if n := document["forgotten"]:
        warn(
            f"{source} lacks {n:,} of the {len(earlier.data.events):,} events that {artifact} was learned from, and"
            " they are forgotten: a refit learns from SOURCE alone. Give all events, or take new ones in by `updated`"
            " in Python"
        )
    for line in lines(document, artifact):
        note(line)
    note(f"{target} written ({', '.join(f'{what} {value:.1f} s' for what, value in model.seconds.items())})")


def _with_store(
    loaded: Recommender, data: Dataset | None, url: str, artifact: Path
) -> tuple[Dataset, int, Counter[str]]:
    """The data with what a store heard, without whom it erased; the number up to which it was heard, and why events
    were left out. The model forgets the same people, so that no number of theirs is kept.

    Without SOURCE the model's own events are the data, and those of the store that it learned from are in it already.
    """
    import numpy as np  # slow

    from graphrec.cli.heard import check_whole, joined
    from graphrec.data.erased import without
    from graphrec.store import Store

    with Store.open(url, create=False) as store:
        if data is None:
            check_whole(loaded.fitted.counts, loaded.fitted.data.counts(), artifact)
        since = 0 if data is not None else store.learned(loaded.fitted.version)
        head = store.head()
        if gone := store.erased(loaded.fitted.data.users.ids):
            loaded.forget(list(gone), "quick")
            since = 0  # what they did after they came back is in the store alone
        data = loaded.fitted.data if data is None else data
        if there := store.erased(data.users.ids):
            data = without(data, np.sort(data.users.numbers(list(there))))
        joint, left_out = joined(data, store, since)
    return joint, head, left_out


def changes(earlier: Model, model: Model) -> dict[str, Any]:
    """What a refit kept, what it learned anew and how, and how the data differs."""
    from graphrec.blocks.registry import registered

    fitted = [b.name for b in model.profiles.blocks if not b.empty]
    resumed = [n for n in fitted if registered()[n].resumes and not earlier.profiles[n].empty]
    sizes = {"users": "n_users", "items": "n_items"}
    return {
        "model_version": model.version,
        "earlier": earlier.version,
        "kept": {
            "choices": [name for name in fitted if name in earlier.chosen],
            "weights": dict(model.chosen["weights"]),
            **{name: getattr(earlier.data, size) for name, size in sizes.items()},
        },
        "new": {
            **{name: getattr(model.data, size) - getattr(earlier.data, size) for name, size in sizes.items()},
            "events": len(model.data.events) - len(earlier.data.events),
        },
        "forgotten": _forgotten(earlier, model),
        "anew": [name for name in fitted if name not in resumed],
        "resumed": resumed,
        "left_out": [b.name for b in model.profiles.blocks if b.empty],
    }


def _forgotten(earlier: Model, model: Model) -> int:
    """How many events of the earlier model are of a user and an item of whom there is none any more; numbers stay."""
    import numpy as np  # slow

    before, now = (m.data.events.user_nums * model.data.n_items + m.data.events.item_nums for m in (earlier, model))
    return int((~np.isin(before, now)).sum())


def lines(document: dict[str, Any], artifact: Path) -> list[str]:
    """The same for people."""
    kept, new = document["kept"], document["new"]
    out = [
        f"kept from {artifact} ({document['earlier']}): hyper-parameters of {', '.join(kept['choices'])}, the weights,"
        f" and the numbers of {kept['users']:,} users and {kept['items']:,} items; nothing was chosen or measured",
        f"new: {new['users']:,} users, {new['items']:,} items, {new['events']:+,} events",
        f"learned anew from all events: {', '.join(document['anew']) or 'nothing'}",
    ]
    if document["resumed"]:
        out.append(f"trained on from where they ended: {', '.join(document['resumed'])}")
    if document["left_out"]:
        out.append(f"left out, as before: {', '.join(document['left_out'])}")
    return out

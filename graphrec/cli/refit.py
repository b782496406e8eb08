"""graphrec refit: a model learned anew from where an earlier one ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.options import AllowBad, Artifact, AsJson, Source, load_data
from graphrec.cli.output import note, print_json, warn, warn_anew

if TYPE_CHECKING:
    from graphrec.model.model import Model


def refit(
    artifact: Artifact,
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Where to write the new model.")],
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Learn MODEL anew from all of SOURCE: choices and numbers are kept, networks go on from where they ended."""
    from graphrec.model import artifact as folder
    from graphrec.model import files as model_files
    from graphrec.recommender import Recommender

    folder.check_target(out)
    earlier = model_files.load(artifact)
    if replaced := folder.earlier(out):
        warn(f"{out} holds {replaced}, which is replaced when the new one is whole; another --out keeps it")
    data = load_data(source, allow_bad)
    told = data.report.all_warnings()
    model = Recommender(earlier.config, progress=True).fit(data, like=earlier, resume=True)
    model.save(out)
    document = changes(earlier, model.fitted) | {"out": str(out), "seconds": dict(model.seconds)}
    if as_json:
        print_json(document)
        return
    warn_anew(data.report.all_warnings(), told)
    if n := document["forgotten"]:
        warn(
            f"{source} lacks {n:,} of the {len(earlier.data.events):,} events that {artifact} was learned from, and"
            " they are forgotten: a refit learns from SOURCE alone. Give all events, or take new ones in by `updated`"
            " in Python"
        )
    for line in lines(document, artifact):
        note(line)
    note(f"{out} written ({', '.join(f'{what} {value:.1f} s' for what, value in model.seconds.items())})")


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

"""graphrec federate: parties that keep their events, and a model for each, of the sums of all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.options import AllowBad, AsJson, ConfigFile, PresetName, Settings, config_of, load_data
from graphrec.cli.output import Sheet, answer, note, print_json, warn, warn_anew, weights_table
from graphrec.errors import ConfigError

if TYPE_CHECKING:
    from graphrec.federation import Federated


def federate(
    party: Annotated[
        list[Path],
        typer.Argument(
            help="A folder or file of each party in a known format; or sums of one (.npz).", metavar="PARTY…"
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="A folder: the model of each party goes below it.")] = None,
    sums: Annotated[
        Path | None, typer.Option("--sums", help="Write the sums of PARTY here (.npz), for the others, and stop.")
    ] = None,
    masked: Annotated[bool, typer.Option("--masked", help="Whoever adds up sees totals alone.")] = False,
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006 (typer reads it)
    preset: PresetName = "default",
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Learn from several parties that keep their events: sums over people travel, and each party gets a model for its
    own people, whose items are of everybody."""
    from graphrec.federation import federated
    from graphrec.fit import Fitting
    from graphrec.linalg.sums import ItemSums
    from graphrec.model import artifact, files
    from graphrec.noised import NoisedParty, noised
    from graphrec.party import Party
    from graphrec.pooled import sums_of
    from graphrec.recommender import Recommender

    if (out is None) == (sums is None):
        raise ConfigError("federate: give --out FOLDER for models, or --sums FILE for the sums of one party")
    sources = [path for path in party if path.suffix != ".npz"]
    if sums is not None and (len(sources) != 1 or len(party) != 1):
        raise ConfigError(f"--sums writes those of one party, and {len(party)} are named; give one PARTY")
    if masked and (sums is not None or len(sources) < 2):
        raise ConfigError(
            "--masked hides what each party sends among what others send; name the events of two parties at least, or"
            " leave it out"
        )
    given = [ItemSums.load(path) for path in party if path.suffix == ".npz"]
    settings = config_of(config, set_, preset=preset)
    if (private := bool(settings.privacy.epsilon)) and (given or not masked):
        raise ConfigError(
            "federate with privacy.epsilon: each party adds its share of the noise, and only their total has all of it;"
            " add --masked, and name the events of every party, not sums (.npz) or --sums"
        )
    parties: list[Any] = []
    for name, source in zip(_names(sources), sources, strict=True):
        if out is not None:
            artifact.check_target(out / name)
        face = Recommender(settings, progress=True)
        data = load_data(source, allow_bad)
        told = data.report.all_warnings()
        fitting = Fitting(settings, face.runtime, lambda face=face: face.encoder)  # type: ignore[misc]
        parties.append(NoisedParty(name, data, fitting) if private else Party(name, data, fitting))
        warn_anew(parties[-1].data.report.all_warnings(), told)
    if sums is not None:
        own = parties[0]
        reading = "liked" if own.catalogue()[1] else "alike"
        found = sums_of(own.data, reading)
        found.save(sums)
        note(f"{sums} written: sums over {found.users:,.0f} people and {len(found.items):,} items, reading {reading}")
        return
    assert out is not None
    if (often := _at_several(parties)) > 0:
        warn(
            f"{often:,} ids of people are at several parties: each is as many people there, in sums and in what"
            " privacy.epsilon bounds; where they are the same people, bring the events of each from one party alone"
        )
    out.mkdir(parents=True, exist_ok=True)
    made = noised(parties) if private else federated(parties, given, masked)
    for name, model in made.models.items():
        files.save(out / name, model)
    document = _document(made, parties, out)
    if as_json:
        print_json(document)
        return
    table = Sheet("round", "from", "what", "bytes", title="what travelled", figures=["round", "bytes"])
    for message in made.messages:
        table.row(message.round, message.party, message.what, f"{message.bytes:,}")
    answer(table, weights_table(dict(made.candidate.weights)))
    figures = ", ".join(f"{name} {value}" for name, value in document["validation"].items())
    note(f"{', '.join(document['models'].values())} written; on what parties held out: {figures or 'nothing'}")


def _at_several(parties: list[Any]) -> int:
    """How many ids are at more than one party."""
    return sum(n > 1 for n in Counter(id_ for party in parties for id_ in party.data.users.ids).values())


def _names(sources: list[Path]) -> list[str]:
    """A name for each party: its file's, with a number behind those that are alike."""
    stems = [path.name.split(".")[0] or "party" for path in sources]
    seen: Counter[str] = Counter()
    out = []
    for stem in stems:
        seen[stem] += 1
        out.append(stem if stems.count(stem) == 1 else f"{stem}-{seen[stem]}")
    return out


def _document(made: Federated, parties: list[Any], out: Path) -> dict[str, Any]:
    first = next(iter(made.models.values()))
    return {
        "models": {name: str(out / name) for name in made.models},
        "users": {party.name: party.data.n_users for party in parties},
        "items": len(made.sums.items),
        "weights": dict(made.candidate.weights),
        "validation": dict(first.chosen["validation"]),
        "sums": dict(first.chosen["sums"]),
        "messages": [vars(message) for message in made.messages],
    }

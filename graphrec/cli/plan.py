"""The command that foretells: plan."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.options import AllowBad, AsJson, ConfigFile, EngineOption, PresetName, Settings, config_of
from graphrec.cli.output import Sheet, answer, note, print_json
from graphrec.errors import ConfigError

if TYPE_CHECKING:
    from graphrec.config import Config
    from graphrec.planning import Plan

LEAST = 0.05  # core-seconds of a stage that has a row of its own


def plan(
    source: Annotated[Path | None, typer.Argument(help="A folder or file in a known format.")] = None,
    users: Annotated[int | None, typer.Option("--users", help="Instead of SOURCE, with the two below.")] = None,
    items: Annotated[int | None, typer.Option("--items", help="How many items.")] = None,
    events: Annotated[int | None, typer.Option("--events", help="How many distinct pairs of user and item.")] = None,
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    preset: PresetName = "default",
    engine: EngineOption = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Foretell what `fit` will take: core-seconds and memory by stage, and disk, from pilots on parts of the data.

    SOURCE is read as `fit` reads it; nothing is written but the caches of texts.
    """
    from graphrec.pilots import Shape
    from graphrec.planning import plan_shape, plan_source
    from graphrec.read.source import Source

    sizes = {"--users": users, "--items": items, "--events": events}
    given = [name for name, value in sizes.items() if value is not None]
    if source is None and len(given) < len(sizes):
        missing = ", ".join(name for name in sizes if name not in given)
        raise ConfigError(f"plan: of what? {missing} {'is' if len(given) == 2 else 'are'} missing; or name a SOURCE")
    if source is not None and given:
        raise ConfigError(f"plan: {source} says itself how large it is; leave {', '.join(given)} out, or SOURCE")
    settings = config_of(config, set_, preset=preset, engine=engine)
    if source is not None:
        Source.at(source)  # what is not there is said before a process is begun
        found = plan_source(source, settings, allow_bad, note)
    else:
        assert users is not None and items is not None and events is not None  # noqa: PT018
        found = plan_shape(Shape(users, items, events), settings, note)
    document = _document(found, settings, preset, source)
    if as_json:
        print_json(document)
        return
    _show(document)


def _document(found: Plan, config: Config, preset: str, source: Path | None) -> dict[str, Any]:
    from graphrec.advising import advice, memory_mb
    from graphrec.planning import MEMORY, SECONDS

    stage, peak = found.peak
    seconds, shape = found.seconds, found.shape
    return {
        "source": None if source is None else str(source),
        "preset": preset,
        "users": shape.users,
        "items": shape.items,
        "events": shape.events,
        "stages": [
            {"stage": name, "core_seconds": round(one.seconds, 2), "peak_mb": round(one.mb)}
            for name, one in found.stages.items()
        ],
        "core_seconds": round(seconds, 1),
        "core_seconds_range": [round(seconds * part, 1) for part in SECONDS],
        "peak_mb": round(peak),
        "peak_mb_range": [round(peak * part) for part in MEMORY],
        "peak_stage": stage,
        "disk_mb": round(found.disk_mb, 1),
        "index_mb": round(found.index_mb, 1),
        "cores": os.cpu_count(),
        "memory_mb": round(memory_mb(config)),
        "left_out": dict(found.left_out),
        "advice": advice(found, config, preset),
        "spent_core_seconds": round(found.spent, 1),
    }


def _show(document: dict[str, Any]) -> None:
    """A `plan` document, for people."""
    name = document["source"] or "generated data"
    title = f"{Path(name).name}, a fit with --preset {document['preset']}"
    table = Sheet("stage", "core-seconds", "peak MB", title=title, figures=["core-seconds", "peak MB"])
    for row in document["stages"]:
        if row["core_seconds"] >= LEAST:
            table.row(row["stage"], f"{row['core_seconds']:,.1f}", f"{row['peak_mb']:,}" if row["peak_mb"] else "")
    table.row("in all", f"{document['core_seconds']:,.0f}", f"{document['peak_mb']:,}", style="bold")
    for what, of in (("of which at least", 0), ("of which at most", 1)):
        least = [document[f"{name}_range"][of] for name in ("core_seconds", "peak_mb")]
        table.row(what, *(f"{value:,.0f}" for value in least))
    answer(table)
    answer(f"disk: {document['disk_mb']:,.0f} MB of the model, {document['index_mb']:,.0f} MB of these the index")
    for text in document["advice"]:
        answer(*_lines(text))
    note(f"pilots took {document['spent_core_seconds']:,.0f} core-seconds")


def _lines(text: str) -> list[str]:
    """A sentence in lines that fit."""
    import textwrap

    return textwrap.wrap(text, 78, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)

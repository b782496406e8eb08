"""What the commands share: arguments and options, and the data and settings that these name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.completion import complete_setting
from graphrec.cli.output import counts_line, goes_on, note
from graphrec.cluster.engine import EngineName
from graphrec.errors import ConfigError
from graphrec.presets import Preset

if TYPE_CHECKING:
    from graphrec.config import Config

Source = Annotated[Path, typer.Argument(help="A folder or file in a known format.")]
SourceOrModel = Annotated[
    Path, typer.Argument(help="A folder or file in a known format; or a model.", metavar="SOURCE|MODEL")
]
NewData = Annotated[
    Path | None, typer.Argument(help="With a model: data that it was not fitted on.", metavar="[NEWDATA]")
]
Artifact = Annotated[Path, typer.Argument(help="A folder written by `graphrec fit`.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Settings = Annotated[
    list[str], typer.Option("--set", help="section.key=value, repeatable.", autocompletion=complete_setting)
]
PresetName = Annotated[
    Preset,
    typer.Option("--preset", help="How long it may take: fast (a minute or a few), default (minutes), best (hours)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Count = Annotated[int, typer.Option("-k", help="How many.")]
EngineOption = Annotated[
    EngineName | None,
    typer.Option(
        "--engine",
        help="Who does what falls into batches: this machine (local), or a cluster of Ray; see docs/cluster.md.",
        show_default="local",
    ),
]
CutOffs = Annotated[str | None, typer.Option("-k", help="Lengths of the lists that are measured: 10,20.")]
WorkFolder = Annotated[
    Path | None,
    typer.Option("--work", help="Keep here what is learned until it is measured: the same call goes on after a kill."),
]
AllowBad = Annotated[
    float | None,
    typer.Option("--allow-bad", min=0, max=1, help="The share of the rows that one reason may set aside."),
]

Attacks = Annotated[
    bool,
    typer.Option(
        "--privacy",
        help="Also attack: 8 models learn anew, each from half of the people, and show how well a guess tells whom "
        "one knows; and probe every attribute of people, sensitive ones too.",
    ),
]
ByGroups = Annotated[
    str | None,
    typer.Option(
        "--by",
        help="Measure by groups too: activity (of people), popularity (of items), or any attribute, sensitive ones "
        "too. A comma list.",
    ),
]
Probed = Annotated[
    str | None,
    typer.Option(
        "--probe",
        help="Attributes of people that a probe tries to tell from profiles, to measure how well it does, sensitive "
        "ones too. A comma list.",
    ),
]

Here = Annotated[
    str | None, typer.Option("--here", help="Where the person is, LATITUDE,LONGITUDE; the block `place` hears it.")
]
At = Annotated[
    str | None,
    typer.Option("--at", "--now", help="When they ask: 2026-01-31, 2026-01-31T18:00, or seconds since 1970."),
]
Friends = Annotated[
    list[str],
    typer.Option("--friends", help="User ids of whom they hear, A,B or repeated: in place of whom the model knows."),
]


def context_of(here: str | None, at: str | None) -> dict[str, Any]:
    """What --here and --at say, as ``recommend`` takes it. Raises DataError for what is no place and no moment."""
    from graphrec.model.asked import moment, position

    known: dict[str, Any] = {}
    if here is not None:
        where: Any = here
        with suppress(ValueError):
            where = tuple(map(float, here.split(",")))
        position(where, "--here:")
        known |= {"place": where}
    if at is not None:
        known["now"] = moment(at, "--at:")
    return known


def listed(names: str | None) -> list[str]:
    """The names of a comma list, without the spaces around them."""
    return [] if names is None else [name.strip() for name in names.split(",")]


def as_fitted(given: Mapping[str, Any]) -> None:
    """Raises ConfigError for options, by name, that would have a fitted model be another."""
    if others := [name for name, value in given.items() if value]:
        raise ConfigError(f"{', '.join(others)}: a fitted model is measured as it is; leave {others[0]} out")


def config_of(
    file: Path | None,
    settings: list[str],
    split: str | None = None,
    ks: str | None = None,
    preset: Preset = "default",
    engine: EngineName | None = None,
) -> Config:
    from graphrec.config import Config

    own = {"split.kind": split, "evaluate.k": ks, "runtime.engine": engine}
    given = [f"{name}={value}" for name, value in own.items() if value is not None]
    return Config.load(file, [*settings, *given], preset).checked()


def load_data(source: Path, allow_bad: float | None = None) -> Any:
    from graphrec.data.dataset import Dataset

    data = Dataset.load(source, allow_bad)
    note(counts_line(data))
    for line in data.report.summary_lines():
        note(line, "yellow" if line.startswith("warning") else "dim")
    return data


@contextmanager
def kept_in(work: Path | None, settings: Config) -> Iterator[Path | None]:
    """Where in ``work`` a run with these settings keeps what it learns, until it has ended well."""
    if work is None:
        yield None
        return
    from graphrec.blocks.kept import Work

    own = Work.within(work, settings.fingerprint())
    goes_on(own.folder, own.begun)
    yield own.under
    own.done()

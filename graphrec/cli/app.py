"""The command line. Answers go to standard output, as a table or one JSON document; all else to standard error.

Nothing heavy is imported before a command runs, so that `--help` and completion are there at once.
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.answer import explain, recommend, similar
from graphrec.cli.data import inspect
from graphrec.cli.experiment import experiment_app
from graphrec.cli.federate import federate
from graphrec.cli.forget import forget
from graphrec.cli.keys import keys_app
from graphrec.cli.kg import kg_app
from graphrec.cli.measure import compare, evaluate, tune
from graphrec.cli.options import (
    AllowBad,
    AsJson,
    ConfigFile,
    EngineOption,
    PresetName,
    Settings,
    Source,
    config_of,
    load_data,
)
from graphrec.cli.output import Sheet, answer, console, goes_on, note, print_json, warn, warn_anew, weights_table
from graphrec.cli.plan import plan
from graphrec.cli.portrait import map_, profile
from graphrec.cli.refit import refit
from graphrec.cli.report import report
from graphrec.cli.serve import serve
from graphrec.cli.store import store_app
from graphrec.errors import ConfigError, GraphrecError
from graphrec.presets import Preset

if TYPE_CHECKING:
    from graphrec.cluster.engine import EngineName
    from graphrec.ranks import Ranks

app = typer.Typer(
    name="graphrec",
    help="Recommendations from interactions, friendships, reviews and knowledge, with reasons that can be checked.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(kg_app, name="kg")
app.add_typer(keys_app, name="keys")
app.add_typer(experiment_app, name="experiment")
app.add_typer(store_app, name="store")
app.command()(inspect)


def _version(asked: bool) -> None:
    if asked:
        from graphrec import __version__

        print(f"graphrec {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    called: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and called.invoked_subcommand != "fit":
        raise ConfigError(f"torchrun starts `graphrec fit` alone; call `graphrec {called.invoked_subcommand}` without")


@app.command()
def fit(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Where to write the model.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006 (typer reads it)
    preset: PresetName = "default",
    like: Annotated[
        Path | None,
        typer.Option("--like", help="A model whose settings and choices to take over; nothing is searched."),
    ] = None,
    engine: EngineOption = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Of --engine ray: how many fit it together, as under torchrun.")
    ] = 1,
    allow_bad: AllowBad = None,
) -> None:
    """Learn from SOURCE and write a model; under torchrun by several processes together."""
    if workers == 1:
        _joined(source, out, config, set_, preset, like, engine, allow_bad)
        return
    if engine != "ray":
        raise ConfigError(f"--workers {workers} is of --engine ray; add that, or call it by torchrun")
    from graphrec.cluster.train import together
    from graphrec.model import artifact

    artifact.check_target(out)
    config_of(config, set_, preset=preset, engine=engine)
    config, like = (path and path.resolve() for path in (config, like))
    note(f"{workers} workers of the cluster fit it together")
    kept = out.resolve().with_name(f"{out.name}.train")
    try:
        together(
            partial(_joined, source.resolve(), out.resolve(), config, set_, preset, like, None, allow_bad),
            workers,
            kept,
        )
    finally:
        shutil.rmtree(kept, ignore_errors=True)
    note(f"{out} written; next: graphrec evaluate {out} NEWDATA")


def _joined(
    source: Path,
    out: Path,
    config: Path | None,
    set_: list[str],
    preset: Preset,
    like: Path | None,
    engine: EngineName | None,
    allow_bad: float | None,
) -> None:
    """One process of those that fit the model, or the only one."""
    from graphrec.ranks import joined

    with joined() as ranks:
        _fit(source, out, config, set_, preset, like, engine, allow_bad, ranks)


def _fit(
    source: Path,
    out: Path,
    config: Path | None,
    set_: list[str],
    preset: Preset,
    like: Path | None,
    engine: EngineName | None,
    allow_bad: float | None,
    ranks: Ranks | None,
) -> None:
    from graphrec.blocks.kept import Work
    from graphrec.model import artifact
    from graphrec.model import files as model_files
    from graphrec.query.hearing import HEARD
    from graphrec.recommender import Recommender

    artifact.check_target(out)
    if like is not None and (config or set_ or preset != "default"):
        raise ConfigError("--like takes the settings of the earlier model; leave --config, --preset and --set out")
    if replaced := artifact.earlier(out):
        warn(f"{out} holds {replaced}, which is replaced when the new one is whole; another --out keeps it")
    earlier = None if like is None else model_files.load(like)
    settings = config_of(config, set_, preset=preset, engine=engine) if earlier is None else earlier.config
    if earlier is not None and engine is not None:
        settings = settings.with_(runtime={"engine": engine}).checked()
    data = load_data(source, allow_bad)
    told = data.report.all_warnings()
    work = Work.beside(out, settings.fingerprint())
    goes_on(work.folder, work.begun)
    if ranks is not None:
        note(f"{ranks.size} processes fit it together")
    model = Recommender(settings, progress=True, work=work.under, ranks=ranks).fit(data, like=earlier)
    if ranks is None or ranks.first:
        model.save(out)
    if ranks is not None:
        ranks.largest([0])  # nothing that was kept goes before the model is there
    shutil.rmtree(work.folder, ignore_errors=True)  # what other settings began too
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in model.seconds.items())
    chosen = model.fitted.chosen
    if earlier is None and not chosen["validation"].get("users"):
        how = "nobody could be spared for validation: nothing was measured, and what is set first was taken"
    elif earlier is None:
        how = "on validation: " + ", ".join(f"{name} {value}" for name, value in chosen["validation"].items())
    else:
        how = f"choices taken over from {like} ({earlier.version}); nothing was chosen or measured on this data"
    if heard := chosen.get(HEARD):
        how += f"; of directed ties are heard: {heard}"
    console(stderr=True).print(weights_table(chosen["weights"]))
    warn_anew(data.report.all_warnings(), told)
    note(f"{out} written{f', in place of {replaced}' * bool(replaced)} ({seconds}); {how}")
    note(f"next: graphrec recommend {out} --user {model.fitted.data.users.ids[0]}")


for command in (
    plan,
    refit,
    federate,
    forget,
    recommend,
    explain,
    similar,
    profile,
    evaluate,
    report,
    tune,
    compare,
    serve,
):
    app.command()(command)
app.command("map")(map_)


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="For example ml-100k.")]) -> None:
    """Get a public data set, checked by SHA-256."""
    from graphrec.data.fetch import fetch as fetch_data

    print(fetch_data(name))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, devices and models found, what is missing, and how to get it."""
    from graphrec.doctor import examine

    findings = examine()
    if as_json:
        print_json([vars(finding) for finding in findings])
        return
    table = Sheet("what", "found", "remedy", title="graphrec doctor")
    for finding in findings:
        table.row(finding.what, finding.found, finding.remedy, style="" if finding.ok else "yellow")
    answer(table)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="sample (synthetic) or ml-100k (real).")] = "sample",
    users: Annotated[int, typer.Option(help="How many users to show.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", help="Keep the model here.")] = None,
) -> None:
    """The whole path on a small data set: load, fit, recommend, explain."""
    from graphrec.cli.demo import run

    run(name, users, out, console())


_CallError: type[Exception] = typer.BadParameter.__mro__[1]  # a call that cannot be read; typer exports its kinds alone


def _tell(error: Any) -> None:
    """A mistake in the call in one line, with where to read on; the help where nothing at all was asked."""
    if "NoArgs" in type(error).__name__:
        error.show()
        return
    said = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")
    where = "graphrec" if error.ctx is None else error.ctx.command_path
    print(f"graphrec: {said}; see `{where} -h`", file=sys.stderr)


@cache
def _command() -> Any:
    """The tree of commands, made once: typer makes it anew for every call, which one process may do often."""
    return typer.main.get_command(app)


def main() -> None:
    """Entry point. Exit code 0 for success, 2 for a mistake in the call or the data, told in one line."""
    warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)")
    try:
        of_one_word = any("-completion" in word for word in sys.argv[1:])  # the shell completes no python -m graphrec
        ended = _command()(prog_name="graphrec" if of_one_word else None, standalone_mode=False)
        raise SystemExit(ended if isinstance(ended, int) else 0)
    except GraphrecError as error:
        print(f"graphrec: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    except typer.Abort:
        raise SystemExit(1) from None
    except _CallError as error:
        _tell(error)
        raise SystemExit(2) from None
    except BrokenPipeError:
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()

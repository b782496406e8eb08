"""The command line. Tables and bars go to standard error; ``--json`` puts one document on standard output."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from graphrec.cli.data import inspect
from graphrec.cli.kg import kg_app
from graphrec.cli.measure import compare, evaluate, tune
from graphrec.cli.options import (
    AllowBad,
    Artifact,
    AsJson,
    ConfigFile,
    Count,
    Settings,
    Source,
    config_of,
    load_data,
    people,
    print_json,
    print_warnings,
    weights_table,
)
from graphrec.errors import ConfigError, GraphrecError
from graphrec.explain.words import plain
from kg.errors import KGError

app = typer.Typer(
    name="graphrec",
    help="Recommendations from interactions, friendships, reviews and knowledge, with reasons that can be checked.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(kg_app, name="kg")
app.command()(inspect)

UserId = Annotated[str, typer.Option("--user", help="A user id.")]
ItemId = Annotated[str, typer.Option("--item", help="An item id.")]


@app.command()
def fit(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Where to write the model.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006 (typer reads it)
    like: Annotated[
        Path | None,
        typer.Option("--like", help="A model whose settings and choices to take over; nothing is searched."),
    ] = None,
    allow_bad: AllowBad = None,
) -> None:
    """Learn from SOURCE and write a model."""
    from graphrec.model import artifact
    from graphrec.model import files as model_files
    from graphrec.recommender import Recommender

    artifact.check_target(out)
    chosen, settings = None, config_of(config, set_)
    if like is not None:
        if config or set_:
            raise ConfigError("--like takes the settings of the earlier model; leave --config and --set out")
        earlier, settings = model_files.load(like)
        chosen = earlier.chosen
    data = load_data(source, allow_bad)
    told = data.report.all_warnings()
    model = Recommender(settings, progress=True).fit(data, chosen)
    model.save(out)
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in model.seconds.items())
    validation = ", ".join(f"{k} {v}" for k, v in model.fitted.chosen["validation"].items())
    people.print(weights_table(model.fitted.chosen["weights"]))
    print_warnings(data.report.all_warnings(), told)
    people.print(f"{out} written ({seconds}); on validation: {validation}", highlight=False)
    people.print(f"next: graphrec recommend {out} --user {model.fitted.data.users.ids[0]}", highlight=False)


@app.command()
def recommend(
    artifact: Artifact,
    user: UserId,
    k: Count = 10,
    query: Annotated[str | None, typer.Option(help="Free text to rank by, beside the profile.")] = None,
    history: Annotated[list[str], typer.Option("--history", help="Further items the user took.")] = [],  # noqa: B006
    seen: Annotated[
        Literal["exclude", "allow", "only"] | None,
        typer.Option("--seen", help="What the user already took: leave it out, rank it too, or rank it alone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The best items for a user."""
    import graphrec

    document = graphrec.load(artifact).recommend_document(user, k, query=query, history=history, seen=seen)
    if as_json:
        print_json(document)
        return
    _print_items(document, f"for {user}")


def _print_items(document: dict[str, Any], title: str) -> None:
    table = Table("rank", "item", "title", "score", title=title)
    for row in document["items"]:
        table.add_row(str(row["rank"]), Text(plain(row["item_id"])), Text(plain(row["title"])), f"{row['score']:.4f}")
    people.print(table)
    for reason in document["degraded"]:
        people.print(f"note: {reason}", style="yellow", highlight=False)


@app.command()
def explain(
    artifact: Artifact,
    user: UserId,
    item: ItemId,
    why_not: Annotated[bool, typer.Option("--why-not", help="Why the item is not among the k recommended.")] = False,
    versus: Annotated[str | None, typer.Option("--versus", help="Another item: why one scores higher.")] = None,
    k: Count = 10,
    as_json: AsJson = False,
) -> None:
    """Why an item scores as it does for a user, why it is not recommended, or why another scores higher."""
    import graphrec
    from graphrec.explain.render import render, render_gap

    if why_not and versus is not None:
        raise ConfigError("--why-not and --versus are two questions; ask one at a time")
    model = graphrec.load(artifact)
    if why_not or versus is not None:
        answer = model.why_not(user, item, k) if versus is None else model.contrast(user, item, versus)
        if as_json:
            print_json(answer.to_json())
        else:
            people.print(render_gap(answer))
        return
    explanation = model.explain(user, item)
    if as_json:
        print_json(explanation.to_json())
        return
    people.print(render(explanation))


@app.command()
def similar(artifact: Artifact, item: ItemId, k: Count = 10, as_json: AsJson = False) -> None:
    """The items nearest to an item."""
    import graphrec

    document = graphrec.load(artifact).similar_document(item, k)
    if as_json:
        print_json(document)
        return
    _print_items(document, f"similar to {item}")


for command in (evaluate, tune, compare):
    app.command()(command)


@app.command()
def serve(
    artifact: Artifact,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Answer over HTTP: /recommend, /similar, /explain, /why_not, /contrast, /health; documentation at /docs."""
    import uvicorn

    import graphrec
    from graphrec.serve.app import make_app

    uvicorn.run(make_app(graphrec.load(artifact)), host=host, port=port)


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
    table = Table("what", "found", "remedy", title="graphrec doctor")
    for finding in findings:
        style = "" if finding.ok else "yellow"
        table.add_row(finding.what, finding.found, finding.remedy, style=style)
    people.print(table)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="sample (synthetic) or ml-100k (real).")] = "sample",
    users: Annotated[int, typer.Option(help="How many users to show.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", help="Keep the model here.")] = None,
) -> None:
    """The whole path on a small data set: load, fit, recommend, explain."""
    from graphrec.demo import run

    run(name, users, out, people)


def main() -> None:
    """Entry point. Exit code 0 for success, 2 for a mistake in the call or the data, told in one line."""
    warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)")
    try:
        app()
    except (GraphrecError, KGError) as error:
        print(f"graphrec: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()

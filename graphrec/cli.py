"""The command line. Tables and bars go to standard error; ``--json`` puts one document on standard output."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphrec.cli_data import AllowBad, inspect
from graphrec.cli_kg import kg_app
from graphrec.config import Config
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
people = Console(stderr=True, markup=False)

Source = Annotated[Path, typer.Argument(help="A folder or file in a known format.")]
Artifact = Annotated[Path, typer.Argument(help="A folder written by `graphrec fit`.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Settings = Annotated[list[str], typer.Option("--set", help="section.key=value, repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
SplitKind = Annotated[str | None, typer.Option("--split", help="temporal, leave-last, random or given.")]
UserId = Annotated[str, typer.Option("--user", help="A user id.")]
ItemId = Annotated[str, typer.Option("--item", help="An item id.")]
Count = Annotated[int, typer.Option("-k", help="How many.")]


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _config(file: Path | None, settings: list[str], split: str | None = None) -> Config:
    return Config.load(file, [*settings, *([f"split.kind={split}"] if split else [])])


def _load_data(source: Path, allow_bad: float | None = None) -> Any:
    from graphrec.data.dataset import Dataset

    data = Dataset.load(source, allow_bad)
    counts = " · ".join(f"{n:,} {what}" for what, n in data.counts().items() if n)
    people.print(f"{data.name}: {counts}", highlight=False, markup=False)
    for line in data.report.summary_lines():
        people.print(line, highlight=False, markup=False, style="yellow" if line.startswith("warning") else "dim")
    return data


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
    from graphrec import artifact, model_files
    from graphrec.errors import ConfigError
    from graphrec.recommender import Recommender

    artifact.check_target(out)
    if like is None:
        model = Recommender(_config(config, set_), progress=True).fit(_load_data(source, allow_bad))
    else:
        if config or set_:
            raise ConfigError("--like takes the settings of the earlier model; leave --config and --set out")
        earlier, settings = model_files.load(like)
        model = Recommender(settings, progress=True).fit(_load_data(source, allow_bad), earlier.chosen)
    model.save(out)
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in model.seconds.items())
    validation = ", ".join(f"{k} {v}" for k, v in model.fitted.chosen["validation"].items())
    people.print(_weights_table(model.fitted.chosen["weights"]))
    people.print(f"{out} written ({seconds}); on validation: {validation}", highlight=False)
    people.print(f"next: graphrec recommend {out} --user {model.fitted.data.users.ids[0]}", highlight=False)


def _weights_table(weights: dict[str, float]) -> Table:
    table = Table("block", "weight", title="blend")
    for name, weight in weights.items():
        table.add_row(name, f"{weight:.3g}")
    return table


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
        _print_json(document)
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
            _print_json(answer.to_json())
        else:
            people.print(render_gap(answer))
        return
    explanation = model.explain(user, item)
    if as_json:
        _print_json(explanation.to_json())
        return
    people.print(render(explanation))


@app.command()
def similar(artifact: Artifact, item: ItemId, k: Count = 10, as_json: AsJson = False) -> None:
    """The items nearest to an item."""
    import graphrec

    document = graphrec.load(artifact).similar_document(item, k)
    if as_json:
        _print_json(document)
        return
    _print_items(document, f"similar to {item}")


@app.command()
def evaluate(
    source: Source,
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    split: SplitKind = None,
    explanations: Annotated[bool, typer.Option("--explanations", help="Also measure the explanations.")] = False,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Measure honestly: fit on train, choose on validation, test once."""
    from graphrec.experiment import evaluate_model

    settings = _config(config, set_, split)
    document = evaluate_model(_load_data(source, allow_bad), settings, explanations=explanations, progress=True)
    if as_json:
        _print_json(document)
        return
    relevant = "liked items" if document["relevant"] == "liked" else "all items taken"
    table = Table(
        "metric",
        "value",
        title=f"{document['data']}, {document['split']} split, {document['users']:,} users, {relevant} are relevant",
    )
    for name, value in document["metrics"].items():
        table.add_row(name, f"{value:.4f}")
    people.print(table, _weights_table(document["chosen"]["weights"]))
    if explanations:
        people.print(_explanations_table(document["explanations"]))
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in document["seconds"].items())
    people.print(f"{seconds}; peak {document['peak_rss_mb']:,.0f} MB", highlight=False)


def _explanations_table(found: dict[str, Any]) -> Table:
    title = f"explanations of {found['pairs']:,} recommendations to {found['users']:,} users"
    table = Table("measure", "graphrec", "popular paths", title=title)

    def row(name: str, of: Any) -> None:
        values = [of(side) for side in (found, found["popular_paths"])]
        table.add_row(name, *("" if value is None else f"{value:.3f}" for value in values))

    for name in ("valid_steps", "verbatim_quotes", "named_entity", "lir", "sep", "etd"):
        row(name.replace("_", " "), lambda side, name=name: side[name])
    for size in found["deletion"]:
        for name in ("drop", "random_drop", "faithfulness", "others_drop", "against_others", "sufficiency"):
            of = f"{name.replace('_', ' ')}, {size} piece{'' if size == '1' else 's'}"
            row(of, lambda side, name=name, size=size: side["deletion"].get(size, {}).get(name))
    return table


@app.command()
def tune(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="A folder for the trials and the best config.toml.")],
    trials: Annotated[int, typer.Option("--trials", help="How many in all, those of earlier calls included.")] = 30,
    minutes: Annotated[float, typer.Option("--minutes", help="No new trial after this time.")] = float("inf"),
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    split: SplitKind = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Search the graph block's settings on validation users; called again, it goes on where it was."""
    from graphrec.tuning import tune as search

    settings = _config(config, set_, split)
    found = search(_load_data(source, allow_bad), settings, out, trials=trials, minutes=minutes, progress=True)
    chosen = {name: value for name, value in found.config.graph if value != getattr(settings.graph, name)}
    if as_json:
        _print_json({"trials": found.trials, "ndcg": found.ndcg, "before": found.before, "changed": chosen})
        return
    table = Table("setting", "before", "best", title=f"{found.trials} trials")
    for name, value in chosen.items():
        table.add_row(f"graph.{name}", str(getattr(settings.graph, name)), str(value))
    table.add_row("validation NDCG", f"{found.before:.4f}", f"{found.ndcg:.4f}")
    people.print(table)
    people.print(f"next: graphrec fit {source} --config {out}/config.toml --out MODEL", highlight=False)


@app.command()
def compare(
    source: Source,
    models: Annotated[str, typer.Option("--models", help="Comma list.")] = "popularity,itemknn,ease,graphrec",
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    split: SplitKind = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """One table of several models on one split, with significance."""
    from graphrec.experiment import compare_models

    names = [name.strip() for name in models.split(",") if name.strip()]
    comparison = compare_models(_load_data(source, allow_bad), names, _config(config, set_, split), progress=True)
    if as_json:
        _print_json(comparison.to_json())
        return
    people.print(str(comparison), highlight=False)


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
        _print_json([vars(finding) for finding in findings])
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

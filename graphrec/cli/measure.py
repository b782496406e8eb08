"""The commands that measure: evaluate, tune, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from graphrec.cli.options import (
    AllowBad,
    AsJson,
    ConfigFile,
    Settings,
    Source,
    config_of,
    load_data,
    people,
    print_json,
    print_warnings,
    weights_table,
)

SplitKind = Annotated[str | None, typer.Option("--split", help="temporal, leave-last, random or given.")]


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

    settings = config_of(config, set_, split)
    data = load_data(source, allow_bad)
    told = data.report.all_warnings()
    document = evaluate_model(data, settings, explanations=explanations, progress=True)
    if as_json:
        print_json(document)
        return
    relevant = "liked items" if document["relevant"] == "liked" else "all items taken"
    table = Table(
        "metric",
        "value",
        title=f"{document['data']}, {document['split']} split, {document['users']:,} users, {relevant} are relevant",
    )
    for name, value in document["metrics"].items():
        table.add_row(name, f"{value:.4f}")
    people.print(table, weights_table(document["chosen"]["weights"]))
    if explanations:
        people.print(_explanations_table(document["explanations"]))
    print_warnings(document["warnings"], told)
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

    settings = config_of(config, set_, split)
    found = search(load_data(source, allow_bad), settings, out, trials=trials, minutes=minutes, progress=True)
    chosen = {name: value for name, value in found.config.graph if value != getattr(settings.graph, name)}
    if as_json:
        print_json({"trials": found.trials, "ndcg": found.ndcg, "before": found.before, "changed": chosen})
        return
    table = Table("setting", "before", "best", title=f"{found.trials} trials")
    for name, value in chosen.items():
        table.add_row(f"graph.{name}", str(getattr(settings.graph, name)), str(value))
    table.add_row("validation NDCG", f"{found.before:.4f}", f"{found.ndcg:.4f}")
    people.print(table)
    people.print(f"next: graphrec fit {source} --config {out}/config.toml --out MODEL", highlight=False)


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
    comparison = compare_models(load_data(source, allow_bad), names, config_of(config, set_, split), progress=True)
    if as_json:
        print_json(comparison.to_json())
        return
    people.print(str(comparison), highlight=False)

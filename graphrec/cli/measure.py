"""The commands that measure: evaluate, tune, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.cli import fairness
from graphrec.cli.options import (
    AllowBad,
    AsJson,
    Attacks,
    ByGroups,
    ConfigFile,
    CutOffs,
    EngineOption,
    NewData,
    PresetName,
    Probed,
    Settings,
    Source,
    SourceOrModel,
    WorkFolder,
    as_fitted,
    config_of,
    kept_in,
    listed,
    load_data,
)
from graphrec.cli.output import Sheet, answer, note, print_json, warn, warn_anew, weights_table
from graphrec.cli.steps import show_steps
from graphrec.errors import ConfigError

SplitKind = Annotated[
    str | None, typer.Option("--split", help="temporal, leave-last, random, given, cold-user or cold-item.")
]


def evaluate(
    source: SourceOrModel,
    new: NewData = None,
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    preset: PresetName = "default",
    split: SplitKind = None,
    k: CutOffs = None,
    recommendations: Annotated[
        Path | None,
        typer.Option(
            "--recommendations",
            help="Measure these lists of any system instead: user_id, item_id, and rank or score; CSV, Parquet, JSON "
            "lines. Nothing is learned.",
        ),
    ] = None,
    prequential: Annotated[
        bool, typer.Option("--prequential", help="Go through the test part in steps: test, then learn.")
    ] = False,
    steps: Annotated[
        str | None, typer.Option("--steps", help="Of --prequential: how many equal ones, or day.", show_default="10")
    ] = None,
    explanations: Annotated[bool, typer.Option("--explanations", help="Also measure the explanations.")] = False,
    per_user: Annotated[
        Path | None,
        typer.Option("--per-user", help="Write every metric of every test user here: .csv, .parquet or .jsonl."),
    ] = None,
    by: ByGroups = None,
    probe: Probed = None,
    privacy: Attacks = False,
    work: WorkFolder = None,
    engine: EngineOption = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Measure honestly: fit on train, choose on validation, test once; or a fitted model on later data.

    A MODEL is asked about every user whom it knows, as it knows them; what they took in NEWDATA is to be found.
    """
    from graphrec.cluster.engine import engine_of
    from graphrec.experiment import evaluate_model, measure_lists, measure_model

    if steps is not None and not prequential:
        raise ConfigError(f"--steps {steps} is of --prequential; add that, or leave --steps out")
    wanted: dict[str, Any] = {"per_user": per_user, "by": listed(by)}
    if probe is not None and (recommendations is not None or prequential):
        raise ConfigError("--probe tells from profiles: leave it out with --recommendations and --prequential")
    if privacy and (recommendations is not None or prequential):
        raise ConfigError("--privacy attacks a model: leave it out with --recommendations and --prequential")
    if work is not None and (new is not None or recommendations is not None or prequential):
        raise ConfigError(f"--work {work} keeps what is learned of SOURCE to be measured once; leave it out here")
    attack: dict[str, Any] = {"probe": listed(probe), "privacy": privacy}
    if (source / "manifest.json").is_file() and (new is not None or (source / "manifest.sha256").is_file()):
        import graphrec

        given = {
            "--config": config,
            "--set": set_,
            "--preset": preset != "default",
            "--split": split,
            "--recommendations": recommendations,
            "--prequential": prequential,
        }
        measured_on = _data_for(source, new)
        as_fitted(given)
        model = graphrec.load(source).fitted
        settings = model.config if k is None else model.config.with_(evaluate={"k": k})
        data, told = _told(measured_on, allow_bad)
        attack["engine"] = engine_of(engine or "local")
        document = measure_model(model, data, settings, explanations=explanations, progress=True, **attack, **wanted)
    elif new is not None:
        raise ConfigError(
            f"{source}: is no model, so there is nothing to measure on {new}; write one with graphrec fit"
        )
    elif recommendations is not None:
        if prequential:
            raise ConfigError("--recommendations are lists that learn nothing; leave --prequential out")
        if explanations:
            raise ConfigError("--recommendations are lists without explanations; leave --explanations out")
        if engine is not None:
            raise ConfigError(f"--recommendations are measured here; leave --engine {engine} out")
        settings = config_of(config, set_, split, k, preset)
        data, told = _told(source, allow_bad)
        document = measure_lists(data, settings, recommendations, **wanted)
    elif prequential:
        if explanations or per_user is not None or by is not None:
            raise ConfigError("--prequential measures neither --explanations nor --per-user nor --by; leave them out")
        from graphrec.prequential import checked
        from graphrec.prequential import prequential as go_through

        settings, steps = config_of(config, set_, split, k, preset, engine), steps or "10"
        checked(settings, steps)
        data, told = _told(source, allow_bad)
        document = go_through(data, settings, steps, progress=True)
        if as_json:
            print_json(document)
        else:
            show_steps(document, told)
        return
    else:
        settings = config_of(config, set_, split, k, preset, engine)
        data, told = _told(source, allow_bad)
        with kept_in(work, settings) as attack["work"]:
            document = evaluate_model(data, settings, explanations=explanations, progress=True, **attack, **wanted)
    if as_json:
        print_json(document)
    else:
        _show(document, told)


def _data_for(model: Path, new: Path | None) -> Path:
    """What a fitted model is measured on. Raises ConfigError where nothing is named."""
    if new is None:
        raise ConfigError(f"{model}: is a model; name the data to measure it on: graphrec evaluate {model} NEWDATA")
    return new


def _told(source: Path, allow_bad: float | None) -> tuple[Any, list[str]]:
    """The data, and the warnings that reading it told."""
    data = load_data(source, allow_bad)
    return data, list(data.report.all_warnings())


def _show(document: dict[str, Any], told: list[str]) -> None:
    """An `evaluate` document, for people."""
    relevant = "liked items" if document["relevant"] == "liked" else "all items taken"
    part = "measured on what came later" if document["split"] == "later" else f"{document['split']} split"
    whom = f"{document['users']:,} users"
    if "questions" in document:
        whom += f" in {document['questions']:,} askings"
    title = f"{document['data']}, {part}, {whom}, {relevant} are relevant"
    table = Sheet("metric", "value", title=title, figures=["value"])
    for name, value in document["metrics"].items():
        table.row(name, f"{value:.4f}")
    answer(table)
    if "known" in document:
        answer(_known_table(document))
    answer(*fairness.tables(document.get("by", {})), *fairness.leaks(document.get("leakage", {})))
    if "privacy" in document:
        answer(fairness.membership(document["privacy"]["membership"]))
        for name, why in document["privacy"]["not_probed"].items():
            note(f"{name} is not probed: {why}")
        if not document.get("leakage") and not document["privacy"]["not_probed"]:
            note("no attribute of people is known, so none is probed")
    if "chosen" in document:
        answer(weights_table(document["chosen"]["weights"]))
    if "explanations" in document:
        answer(_explanations_table(document["explanations"]))
    warn_anew(document["warnings"], told)
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in document["seconds"].items())
    note(f"{seconds}; peak {document['peak_rss_mb']:,.0f} MB")


def _known_table(document: dict[str, Any]) -> Sheet:
    names = [f"{what}@{k}" for what in ("ndcg", "recall") for k in document["k"]]
    title = "by how many of their first events are known"
    table = Sheet("events", "users", *names, title=title, figures=["users", *names])
    for row in document["known"]:
        found = row["metrics"]
        table.row(row["events"], f"{row['users']:,}", *(f"{found[n]:.4f}" if found else "" for n in names))
    return table


def _explanations_table(found: dict[str, Any]) -> Sheet:
    from graphrec.data.show import counted

    title = f"explanations of {found['pairs']:,} recommendations to {counted(found['users'], 'users')}"
    sides = ["graphrec", "popular paths"]
    table = Sheet("measure", *sides, title=title, figures=sides)

    def row(name: str, of: Any) -> None:
        values = [of(side) for side in (found, found["popular_paths"])]
        table.row(name, *("" if value is None else f"{value:.3f}" for value in values))

    for name in ("valid_steps", "verbatim_quotes", "named_entity", "entity_lift", "quoted", "lir", "sep", "etd"):
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
    engine: EngineOption = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """Search the graph block's settings on validation users; called again, it goes on where it was."""
    from graphrec.tuning import tune as search

    settings = config_of(config, set_, split, engine=engine)
    found = search(load_data(source, allow_bad), settings, out, trials=trials, minutes=minutes, progress=True)
    chosen = {name: value for name, value in found.config.graph if value != getattr(settings.graph, name)}
    if as_json:
        print_json({"trials": found.trials, "ndcg": found.ndcg, "before": found.before, "changed": chosen})
        return
    table = Sheet("setting", "before", "best", title=f"{found.trials} trials")
    for name, value in chosen.items():
        table.row(f"graph.{name}", getattr(settings.graph, name), value)
    table.row("validation NDCG", f"{found.before:.4f}", f"{found.ndcg:.4f}")
    answer(table)
    note(f"next: graphrec fit {source} --config {out}/config.toml --out MODEL")


def compare(
    source: Source,
    models: Annotated[str, typer.Option("--models", help="Comma list.")] = "popularity,itemknn,ease,graphrec",
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    preset: PresetName = "default",
    split: SplitKind = None,
    k: CutOffs = None,
    by: ByGroups = None,
    work: WorkFolder = None,
    as_json: AsJson = False,
    allow_bad: AllowBad = None,
) -> None:
    """One table of several models on one split, with significance."""
    from graphrec.evaluate.compare import check_models
    from graphrec.experiment import compare_models

    names = [name.strip() for name in models.split(",") if name.strip()]
    settings = config_of(config, set_, split, k, preset)
    check_models(names, 0, settings)
    data, groups = load_data(source, allow_bad), listed(by)
    with kept_in(work, settings) as under:
        comparison = compare_models(data, names, settings, progress=True, by=groups, work=under)
    if as_json:
        print_json(comparison.to_json())
        return
    answer(comparison.table(), *fairness.compared({row.model: dict(row.by) for row in comparison.rows}))
    for line in comparison.warnings:
        warn(line)

"""The ``kg`` commands: build, links, query, validate, stats, draw, extract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.cli.options import AsJson, ConfigFile, Settings, Source, config_of
from graphrec.cli.output import Sheet, answer, console, note, print_json, warn

kg_app = typer.Typer(help="Knowledge graphs: build, query, check, count.", no_args_is_help=True, rich_markup_mode=None)

GraphFile = Annotated[Path, typer.Argument(help="A file written by `kg build`: .nq, .trig, .ttl or .nt.")]


@kg_app.command()
def build(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="The file to write: .nq, .trig, .ttl or .nt.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006 (typer reads it)
) -> None:
    """Build the knowledge graph of everything in SOURCE."""
    import kg.rdf.files
    from graphrec.data.dataset import Dataset
    from graphrec.door.quarantine import Quarantine
    from graphrec.graph.selection import selected
    from graphrec.knowledge.adapter import knowledge_graph

    settings = config_of(config, set_)
    kg.rdf.files.format_of(out)
    data = Dataset.load(source)
    note(data.quarantine.summary(), "dim")
    if data.external.links:
        known = len(data.external.item_entities)
        note(f"{known:,} of {data.n_items:,} items are in external graphs (kg matches lists them)", "dim")
    corrections = Quarantine()
    data = selected(data, settings.kg.sensitive, settings.seed)
    for column in (*data.item_columns, *data.user_columns):
        if column.why_not:
            note(f"{column.name} left out: {column.why_not}", "dim")
    embed = _embed(settings, data.report.languages) if len(data.external) or len(data.reviews) else None
    graph = knowledge_graph(data, settings.kg, quarantine=corrections, embed=embed, runtime=_runtime(settings))
    kg.rdf.files.write(graph, out)
    if settings.kg.overrides:
        note(f"{settings.kg.overrides}: {corrections.summary()}", "dim")
    for warning in data.report.warnings:
        warn(f"note: {warning}")
    console(stderr=True).print(_stats_table(graph.stats()))
    note(f"{out} written")


@kg_app.command()
def links(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
) -> None:
    """List which form in the reviews became which entity; a corrected list is taken back by kg.overrides."""
    import csv

    from graphrec.data.dataset import Dataset
    from graphrec.door.quarantine import Quarantine
    from graphrec.errors import DataError
    from graphrec.graph.selection import selected
    from graphrec.knowledge.adapter import links as found

    settings = config_of(config, set_)
    corrections = Quarantine()
    data = selected(Dataset.load(source), settings.kg.sensitive, settings.seed)
    embed = _embed(settings, data.report.languages)
    rows = found(data, settings.kg, embed=embed, quarantine=corrections, runtime=_runtime(settings))
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["form", "entity", "type", "confidence", "how", "mentions"])
            writer.writerows((r.form, r.entity, r.type, r.confidence, r.how, r.mentions) for r in rows)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another place") from None
    if settings.kg.overrides:
        note(f"{settings.kg.overrides}: {corrections.summary()}", "dim")
    note(f"{out}: {len(rows):,} links; correct entity or type and name it in kg.overrides")


@kg_app.command()
def matches(source: Source, as_json: AsJson = False) -> None:
    """List which entity of an RDF dump each item's title was taken for. A links.csv beside the data corrects it."""
    from graphrec.data.dataset import Dataset
    from kg.rdf.dump import LINKED

    found = Dataset.load(source).external.links
    if as_json:
        return print_json([{**asdict(k), "used": k.confidence >= LINKED} for k in found])
    figures = ["confidence", "candidates"]
    table = Sheet("item", "title", "entity", "label", *figures, title=f"used from {LINKED} on", figures=figures)
    for k in found:
        table.row(k.item_id, k.title, k.entity, k.label, f"{k.confidence:.2f}", k.candidates)
    return answer(table)


@kg_app.command()
def query(
    graph: GraphFile,
    sparql: Annotated[str, typer.Argument(help="A SELECT, ASK, CONSTRUCT or DESCRIBE query.")],
    seconds: Annotated[float, typer.Option(help="Stop a query that takes longer.", min=0.1)] = 30.0,
    limit: Annotated[int, typer.Option(help="Rows at most.", min=1)] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Ask the graph in SPARQL, read-only."""
    import kg.rdf.sparql

    rows = kg.rdf.sparql.query(graph, sparql, limit, seconds)
    if not rows.complete:
        warn(f"note: there are more than {limit:,} rows; these are the first")
    if as_json:
        return print_json(rows)
    if not rows:
        return note("no rows")
    columns = list(dict.fromkeys(name for row in rows for name in row))  # an unbound variable is not in a row
    table = Sheet(*columns)
    for row in rows:
        table.row(*(row.get(name, "") for name in columns))
    return answer(table)


@kg_app.command()
def validate(
    graph: GraphFile,
    report: Annotated[Path | None, typer.Option("--report", help="Write the faults here, as JSON.")] = None,
    sound: Annotated[Path | None, typer.Option("--sound", help="Write the rest of the graph here.")] = None,
) -> None:
    """Check the graph against its shapes (SHACL), that every triple has a source, and every span is in its review."""
    import kg.rdf.files
    import kg.rdf.shapes
    import kg.validate
    from kg.errors import KGError

    checked, store = kg.rdf.shapes.check(graph, None if sound else kg.rdf.shapes.MAX_QUADS)
    if not checked.faults:
        try:
            problems = kg.validate.validate(kg.rdf.files.read(graph))
        except KGError as error:
            problems = [str(error)]
        checked.faults += [kg.rdf.shapes.Fault(str(graph), 0, "", problem) for problem in problems]
    for fault in checked.faults[:20]:
        answer(str(fault))
    if checked.sampled:
        note(
            f"shapes: a sample of {checked.checked:,} of {checked.quads:,} triples was checked (--sound checks all)",
            "dim",
        )
    if report is not None:
        checked.write(report)
    if sound is not None:
        left_out = kg.rdf.shapes.write_sound(checked, store, sound)
        return note(f"{sound} written without {left_out:,} unsound triples")
    if checked.faults:
        first = str(checked.faults[0]).removeprefix(f"{graph}: ")
        raise KGError(f"{graph}: {len(checked.faults)} problems, the first: {first}; --report lists them all")
    return answer(f"{graph}: valid")


@kg_app.command()
def stats(graph: GraphFile, as_json: AsJson = False) -> None:
    """Count entities, relations, triples and mentions."""
    import kg.rdf.files

    found = kg.rdf.files.read(graph).stats()
    if as_json:
        return print_json(found)
    return answer(_stats_table(found))


def _stats_table(stats: dict[str, Any]) -> Sheet:
    table = Sheet("what", "count", title="knowledge graph", figures=["count"])
    for name in ("entities", "relations", "triples", "mentions"):
        table.row(name, f"{stats[name]:,}")
    for group in ("by_type", "by_relation"):
        table.add_section()
        for name, count in sorted(stats[group].items(), key=lambda pair: -pair[1]):
            table.row(name, f"{count:,}")
    return table


@kg_app.command()
def draw(
    graph: GraphFile,
    node: Annotated[str, typer.Argument(help="An entity by id, item:B0002E1G5C, or by label.")],
    out: Annotated[Path, typer.Option("--out", help="The picture to write: .svg or .png.")],
    hops: Annotated[int, typer.Option(help="How far from the node.", min=1, max=3)] = 1,
    limit: Annotated[int, typer.Option(help="Nodes at most; those with the most sources are shown.", min=2)] = 40,
) -> None:
    """Draw what is around a node."""
    import kg.draw
    import kg.rdf.files

    shown, there = kg.draw.draw(kg.rdf.files.read(graph), node, out, hops, limit)
    note(f"{out} written, with {shown:,} of {there:,} nodes")


@kg_app.command()
def extract(
    file: Annotated[Path, typer.Argument(help="One text a line.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
) -> None:
    """Find entities in texts: one JSON line out for each line in. What is an aspect, all of them say together."""
    from graphrec.errors import DataError
    from kg.extract import reading
    from kg.extract.extractors import Readers, make
    from kg.languages import languages

    settings = config_of(config, set_)
    processes = settings.runtime.processes
    named = settings.kg.extractor != "spacy" or settings.kg.model
    extractor = make(settings.kg.extractor, settings.kg.model, processes) if named else None
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as UTF-8 text ({error})") from None
    if lines and not lines[-1]:
        lines.pop()
    embed = _embed(settings, languages(lines))
    found = reading.extract(lines, extractor or Readers(lines, processes), embed=embed)
    for line in lines:
        mentions = [
            {"start": s.start, "end": s.end, "label": s.label, "type": s.type, "polarity": s.polarity}
            for s in found.get(line, [])
        ]
        print_json({"mentions": mentions})


def _embed(settings: Any, languages: Mapping[str, float]) -> Any:
    """The text encoder for texts in these languages (code → share), where texts may be encoded."""
    from graphrec.features.encoder import load_encoder

    return load_encoder(settings.features, languages).encode if settings.features.enabled else None


def _runtime(settings: Any) -> Any:
    """Where work is done, with progress bars."""
    from graphrec.runtime import Runtime

    return Runtime.of(settings.runtime, settings.seed, progress=True)

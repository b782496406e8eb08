"""The ``kg`` commands: build, links, query, validate, stats, draw, extract."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from graphrec.cli.options import AsJson, ConfigFile, Settings, Source, config_of, people, print_json

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
    import kg.rdf
    from graphrec.data.dataset import Dataset
    from graphrec.door.quarantine import Quarantine
    from graphrec.graph.selection import selected
    from graphrec.knowledge.adapter import knowledge_graph

    settings = config_of(config, set_)
    kg.rdf.format_of(out)
    data = Dataset.load(source)
    people.print(data.quarantine.summary(), highlight=False, style="dim")
    if data.external.links:
        known = len(data.external.item_entities)
        people.print(f"{known:,} of {data.n_items:,} items are in external graphs (kg matches lists them)", style="dim")
    corrections = Quarantine()
    data = selected(data, settings.kg.sensitive, settings.seed)
    for column in (*data.item_columns, *data.user_columns):
        if column.why_not:
            people.print(f"{column.name} left out: {column.why_not}", highlight=False, markup=False, style="dim")
    graph = knowledge_graph(data, settings.kg, quarantine=corrections, report=data.report, progress=True)
    kg.rdf.write(graph, out)
    if settings.kg.overrides:
        people.print(f"{settings.kg.overrides}: {corrections.summary()}", highlight=False, style="dim")
    for warning in data.report.warnings:
        people.print(f"note: {warning}", highlight=False, style="yellow")
    people.print(_stats_table(graph.stats()))
    people.print(f"{out} written", highlight=False)


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
    rows = found(data, settings.kg, quarantine=corrections, progress=True)
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["form", "entity", "type", "confidence", "how", "mentions"])
            writer.writerows((r.form, r.entity, r.type, r.confidence, r.how, r.mentions) for r in rows)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another place") from None
    if settings.kg.overrides:
        people.print(f"{settings.kg.overrides}: {corrections.summary()}", highlight=False, style="dim")
    people.print(f"{out}: {len(rows):,} links; correct entity or type and name it in kg.overrides", highlight=False)


@kg_app.command()
def matches(source: Source, as_json: AsJson = False) -> None:
    """List which entity of an RDF dump each item's title was taken for. A links.csv beside the data corrects it."""
    from graphrec.data.dataset import Dataset
    from kg.dump import LINKED

    found = Dataset.load(source).external.links
    if as_json:
        return print_json([{**asdict(k), "used": k.confidence >= LINKED} for k in found])
    table = Table("item", "title", "entity", "label", "confidence", "candidates", title=f"used from {LINKED} on")
    for k in found:
        table.add_row(k.item_id, k.title, k.entity, k.label, f"{k.confidence:.2f}", str(k.candidates))
    return people.print(table)


@kg_app.command()
def query(
    graph: GraphFile,
    sparql: Annotated[str, typer.Argument(help="A SELECT, ASK, CONSTRUCT or DESCRIBE query.")],
    seconds: Annotated[float, typer.Option(help="Stop a query that takes longer.", min=0.1)] = 30.0,
    limit: Annotated[int, typer.Option(help="Rows at most.", min=1)] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Ask the graph in SPARQL, read-only."""
    import kg.sparql

    rows = kg.sparql.query(graph, sparql, limit, seconds)
    if not rows.complete:
        people.print(f"note: there are more than {limit:,} rows; these are the first", style="yellow", highlight=False)
    if as_json:
        return print_json(rows)
    if not rows:
        return people.print("no rows")
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(row.get(column, "") for column in rows[0]))
    return people.print(table)


@kg_app.command()
def validate(
    graph: GraphFile,
    report: Annotated[Path | None, typer.Option("--report", help="Write the faults here, as JSON.")] = None,
    sound: Annotated[Path | None, typer.Option("--sound", help="Write the rest of the graph here.")] = None,
) -> None:
    """Check the graph against its shapes (SHACL), that every triple has a source, and every span is in its review."""
    import kg.rdf
    import kg.shapes
    import kg.validate
    from kg.errors import KGError

    checked, store = kg.shapes.check(graph, None if sound else kg.shapes.MAX_QUADS)
    if not checked.faults:
        try:
            problems = kg.validate.validate(kg.rdf.read(graph))
        except KGError as error:
            problems = [str(error)]
        checked.faults += [kg.shapes.Fault(str(graph), 0, "", problem) for problem in problems]
    for fault in checked.faults[:20]:
        people.print(str(fault), highlight=False, markup=False)
    if checked.sampled:
        note = f"shapes: a sample of {checked.checked:,} of {checked.quads:,} triples was checked (--sound checks all)"
        people.print(note, style="dim", highlight=False)
    if report is not None:
        checked.write(report)
    if sound is not None:
        left_out = kg.shapes.write_sound(checked, store, sound)
        return people.print(f"{sound} written without {left_out:,} unsound triples", highlight=False)
    if checked.faults:
        first = str(checked.faults[0]).removeprefix(f"{graph}: ")
        raise KGError(f"{graph}: {len(checked.faults)} problems, the first: {first}; --report lists them all")
    return people.print(f"{graph}: valid", highlight=False)


@kg_app.command()
def stats(graph: GraphFile, as_json: AsJson = False) -> None:
    """Count entities, relations, triples and mentions."""
    import kg.rdf

    found = kg.rdf.read(graph).stats()
    if as_json:
        return print_json(found)
    return people.print(_stats_table(found))


def _stats_table(stats: dict[str, Any]) -> Table:
    table = Table("what", "count", title="knowledge graph")
    for name in ("entities", "relations", "triples", "mentions"):
        table.add_row(name, f"{stats[name]:,}")
    for group in ("by_type", "by_relation"):
        table.add_section()
        for name, count in sorted(stats[group].items(), key=lambda pair: -pair[1]):
            table.add_row(name, f"{count:,}")
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
    import kg.rdf

    shown, there = kg.draw.draw(kg.rdf.read(graph), node, out, hops, limit)
    people.print(f"{out} written, with {shown:,} of {there:,} nodes", highlight=False)


@kg_app.command()
def extract(
    file: Annotated[Path, typer.Argument(help="One text a line.")],
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
) -> None:
    """Find entities in texts: one JSON line out for each line in."""
    import kg.extractors
    from graphrec.errors import DataError

    settings = config_of(config, set_).kg
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as UTF-8 text ({error})") from None
    if lines and not lines[-1]:
        lines.pop()
    for spans in kg.extractors.make(settings.extractor, settings.model, settings.processes).extract(lines):
        mentions = [
            {"start": s.start, "end": s.end, "label": s.label, "type": s.type, "polarity": s.polarity} for s in spans
        ]
        print_json({"mentions": mentions})

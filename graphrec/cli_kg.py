"""The ``kg`` commands: build, query, validate, stats, extract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

kg_app = typer.Typer(help="Knowledge graphs: build, query, check, count.", no_args_is_help=True, rich_markup_mode=None)
people = Console(stderr=True)

GraphFile = Annotated[Path, typer.Argument(help="An N-Quads file written by `kg build`.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@kg_app.command()
def build(
    source: Annotated[Path, typer.Argument(help="A folder or file in a known format.")],
    out: Annotated[Path, typer.Option("--out", help="The N-Quads file to write.")],
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="section.key=value, repeatable.")] = [],  # noqa: B006
) -> None:
    """Build the knowledge graph of everything in SOURCE."""
    import kg.rdf
    from graphrec.config import Config
    from graphrec.data.dataset import Dataset
    from graphrec.data.quarantine import Quarantine
    from graphrec.graph.knowledge import knowledge_graph

    settings = Config.load(config, set_)
    data = Dataset.load(source)
    people.print(data.quarantine.summary(), highlight=False, style="dim")
    corrections = Quarantine()
    graph = knowledge_graph(data, settings.kg, quarantine=corrections, progress=True)
    kg.rdf.write(graph, out)
    if settings.kg.overrides:
        people.print(f"{settings.kg.overrides}: {corrections.summary()}", highlight=False, style="dim")
    people.print(_stats_table(graph.stats()))
    people.print(f"{out} written", highlight=False)


@kg_app.command()
def links(
    source: Annotated[Path, typer.Argument(help="A folder or file in a known format.")],
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="section.key=value, repeatable.")] = [],  # noqa: B006
) -> None:
    """List which form in the reviews became which entity; a corrected list is taken back by kg.overrides."""
    import csv

    from graphrec.config import Config
    from graphrec.data.dataset import Dataset
    from graphrec.data.quarantine import Quarantine
    from graphrec.errors import DataError
    from graphrec.graph.knowledge import links as found

    settings = Config.load(config, set_)
    corrections = Quarantine()
    rows = found(Dataset.load(source), settings.kg, quarantine=corrections, progress=True)
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
def query(
    graph: GraphFile,
    sparql: Annotated[str, typer.Argument(help="A SELECT, ASK or CONSTRUCT query.")],
    as_json: AsJson = False,
) -> None:
    """Ask the graph in SPARQL, read-only."""
    import kg.sparql

    rows = kg.sparql.query(graph, sparql)
    if as_json:
        return print(json.dumps(rows, ensure_ascii=False))
    if not rows:
        return people.print("no rows")
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(row.get(column, "") for column in rows[0]))
    return people.print(table)


@kg_app.command()
def validate(graph: GraphFile) -> None:
    """Check that every triple has a source, and every span is in its review."""
    import kg.rdf
    import kg.validate
    from kg.errors import KGError

    problems = kg.validate.validate(kg.rdf.read(graph))
    for problem in problems[:20]:
        people.print(problem, highlight=False)
    if problems:
        raise KGError(f"{graph}: {len(problems)} problems, the first: {problems[0]}; build it again")
    people.print(f"{graph}: valid", highlight=False)


@kg_app.command()
def stats(graph: GraphFile, as_json: AsJson = False) -> None:
    """Count entities, relations, triples and mentions."""
    import kg.rdf

    found = kg.rdf.read(graph).stats()
    if as_json:
        return print(json.dumps(found, ensure_ascii=False))
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
def extract(
    file: Annotated[Path, typer.Argument(help="One text a line.")],
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="section.key=value, repeatable.")] = [],  # noqa: B006
) -> None:
    """Find entities in texts: one JSON line out for each line in."""
    import kg.extractors
    from graphrec.config import Config
    from graphrec.errors import DataError

    settings = Config.load(config, set_).kg
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
        print(json.dumps({"mentions": mentions}, ensure_ascii=False))

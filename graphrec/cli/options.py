"""What the commands share: arguments and options, the data and settings that these name, and how to print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from graphrec.config import Config

people = Console(stderr=True, markup=False)

Source = Annotated[Path, typer.Argument(help="A folder or file in a known format.")]
Artifact = Annotated[Path, typer.Argument(help="A folder written by `graphrec fit`.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Settings = Annotated[list[str], typer.Option("--set", help="section.key=value, repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Count = Annotated[int, typer.Option("-k", help="How many.")]
AllowBad = Annotated[
    float | None,
    typer.Option("--allow-bad", min=0, max=1, help="The share of the rows that one reason may set aside."),
]


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


def config_of(file: Path | None, settings: list[str], split: str | None = None) -> Config:
    return Config.load(file, [*settings, *([f"split.kind={split}"] if split else [])])


def print_counts(data: Any) -> None:
    counts = " · ".join(f"{n:,} {what}" for what, n in data.counts().items() if n)
    people.print(f"{data.name}: {counts}", highlight=False, markup=False)


def load_data(source: Path, allow_bad: float | None = None) -> Any:
    from graphrec.data.dataset import Dataset

    data = Dataset.load(source, allow_bad)
    print_counts(data)
    for line in data.report.summary_lines():
        people.print(line, highlight=False, markup=False, style="yellow" if line.startswith("warning") else "dim")
    return data


def print_warnings(warnings: Iterable[str], told: Iterable[str]) -> None:
    """What came up while learning, and was not told at the start."""
    before = set(told)
    for warning in warnings:
        if warning not in before:
            people.print(f"warning: {warning}", highlight=False, markup=False, style="yellow")


def weights_table(weights: dict[str, float]) -> Table:
    table = Table("block", "weight", title="blend")
    for name, weight in weights.items():
        table.add_row(name, f"{weight:.3g}")
    return table

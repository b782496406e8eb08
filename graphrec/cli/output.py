"""What commands print: the answer to standard output; notes, warnings and progress bars to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDTH = 80  # columns, where there is no terminal to ask and $COLUMNS says nothing


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal, else 80 columns. Text is printed as it is: without markup, emoji and highlights."""
    stream = sys.stderr if stderr else sys.stdout
    asked = stream.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=None if asked else WIDTH)


def answer(*parts: RenderableType) -> None:
    """What was asked for, on standard output: tables fit its width, lines are left whole."""
    out = console()
    for part in parts:
        out.print(part, soft_wrap=isinstance(part, str))


def note(text: str, style: str = "") -> None:
    """A line beside the answer, on standard error; never broken, so that what is in it can be copied."""
    console(stderr=True).print(text, style=style or None, soft_wrap=True)


def goes_on(work: Path, begun: Sequence[str]) -> None:
    """Says what of a run that was killed is in its folder, where anything is."""
    if begun:
        note(f"goes on from {work}: {', '.join(begun)}")


def warn(text: str) -> None:
    """A line that deserves attention, on standard error."""
    note(text, "yellow")


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


class Sheet(Table):
    """A table whose cells are one line of text each, printed as it is: no markup, no control characters.

    Args:
        cut: columns that end in an ellipsis where there is no room; the others fold, so that nothing of an id is lost.
        figures: columns of numbers, which are narrow: they are set to the right and keep their width.
    """

    def __init__(
        self, *columns: str, title: str = "", cut: Collection[str] = (), figures: Collection[str] = ()
    ) -> None:
        super().__init__(title=Text(one_line(title)) if title else None)
        self.min_width = cell_len(one_line(title)) or None  # a title is as wide as its table at most
        self._cut = [name in cut for name in columns]
        for name in columns:
            narrow = name in figures
            self.add_column(
                Text(one_line(name)), overflow="fold", no_wrap=narrow, justify="right" if narrow else "left"
            )

    def row(self, *cells: object, style: str = "") -> None:
        """One row; a cell for every column."""
        shown = [
            Text(one_line(cell), no_wrap=True, overflow="ellipsis") if cut else Text(one_line(cell))
            for cell, cut in zip(cells, self._cut, strict=True)
        ]
        self.add_row(*shown, style=style or None)


def one_line(value: object) -> str:
    """A value as text on one line, without control characters."""
    return "".join(c for c in " ".join(str(value).split()) if c.isprintable())


def counts_line(data: Any) -> str:
    from graphrec.data.show import facts

    return f"{data.name}: {' · '.join(facts(data.counts()))}"


def weights_table(weights: dict[str, float]) -> Sheet:
    table = Sheet("block", "weight", title="blend", figures=["weight"])
    for name, weight in weights.items():
        table.row(name, f"{weight:.3g}")
    return table


def warn_anew(warnings: Iterable[str], told: Iterable[str]) -> None:
    """What came up while learning, and was not told at the start."""
    before = set(told)
    for text in warnings:
        if text not in before:
            warn(f"warning: {text}")

"""Plots of a report, as SVG that takes the colour of the text around it. A plot of nothing is ""."""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

INK, MAIN, SIDE = "#010203", "#3a7ca5", "#d08c3c"  # INK becomes the colour of the page's text
LONGEST = 30  # characters of a name
Row = Mapping[str, Any]


def blocks(rows: Sequence[Row], blend: float) -> str:
    """NDCG of each block alone, and of the blend without it, beside the blend."""
    if not rows:
        return ""
    figure, axes = _axes(len(rows))
    places = range(len(rows))
    axes.scatter([r["alone"] for r in rows], places, 36, MAIN, label="alone", zorder=3)
    there = [(r["without"], n) for n, r in enumerate(rows) if r["without"] is not None]
    if there:
        axes.scatter(*zip(*there, strict=True), 36, SIDE, marker="|", linewidths=3, label="all the others", zorder=3)
    axes.axvline(blend, color=INK, linewidth=1, linestyle="--", label="the blend")
    _named(axes, [r["block"] for r in rows])
    axes.set_xlabel(rows[0]["metric"], color=INK)
    return _svg(figure, axes)


def people(found: Row, metric: str, all_of_them: float) -> str:
    """A metric of each group of people with its interval, beside everybody's."""
    rows = found["groups"]
    figure, axes = _axes(len(rows))
    for n, row in enumerate(rows):
        value, ends = row["metrics"][metric], row["interval"][metric]
        if ends is not None:
            axes.plot(ends, [n, n], color=MAIN, linewidth=2, alpha=0.5)
        axes.scatter([value], [n], 36, MAIN, zorder=3, label="with its 95 % interval" if not n else None)
    axes.axvline(all_of_them, color=SIDE, linewidth=1.5, linestyle="--", label="everybody")
    _named(axes, [f"{row['group']} ({row['users']:,})" for row in rows])
    axes.set_xlabel(metric, color=INK)
    return _svg(figure, axes)


def items(found: Row) -> str:
    """Of each group of items: its share of what was to be found, and of the places of the lists."""
    rows = found["groups"]
    figure, axes = _axes(1.6 * len(rows))
    for offset, what, colour, label in ((0.2, "merit", SIDE, "to find"), (-0.2, "exposure", MAIN, "shown")):
        places = [n - offset for n in range(len(rows))]
        axes.barh(places, [100 * row[what] for row in rows], 0.36, color=colour, label=label)
    _named(axes, [row["group"] for row in rows])
    axes.set_xlabel("share in per cent", color=INK)
    return _svg(figure, axes)


def over_time(rows: Sequence[Row]) -> str:
    """Events of each piece of the log as bars; as lines, how much of it is of new items, and how far taste moved."""
    if not rows:
        return ""
    figure, axes = _figure(7.2, 2.6)
    places = range(len(rows))
    axes.bar(places, [row["events"] for row in rows], 0.85, color=MAIN, alpha=0.35, label="events")
    axes.set_xticks(places, [row["from"] for row in rows], rotation=40, ha="right", fontsize=7)
    other = axes.twinx()
    for what, colour, label in (("new_items", SIDE, "of new items"), ("moved", INK, "taste moved")):
        there = [(n, 100 * row[what]) for n, row in enumerate(rows) if row[what] is not None]
        if there:
            other.plot(*zip(*there, strict=True), color=colour, marker="o", markersize=3, label=label)
    other.set_ylim(0, None)
    other.set_ylabel("per cent", color=INK)
    other.tick_params(colors=INK, labelsize=8)
    for spine in other.spines.values():
        spine.set_visible(False)
    handles = [both for one in (axes, other) for both in zip(*one.get_legend_handles_labels(), strict=True)]
    shapes, names = zip(*handles, strict=True)
    figure.legend(shapes, names, loc="outside upper center", ncols=3, frameon=False, labelcolor=INK, fontsize=8)
    return _svg(figure, axes, legend=False)


def curve(points: Sequence[Sequence[float]]) -> str:
    """Validation NDCG over the epochs of a training."""
    if len(points) < 2:
        return ""
    figure, axes = _figure(5.2, 2.2)
    axes.plot(*zip(*points, strict=True), color=MAIN, marker="o", markersize=3)
    axes.set_xlabel("epoch", color=INK)
    axes.set_ylabel("validation NDCG", color=INK)
    return _svg(figure, axes, legend=False)


def _axes(rows: float) -> tuple[Any, Any]:
    return _figure(6.4, 0.9 + 0.28 * rows)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def _named(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [_short(name).replace("$", r"\$") for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=INK, alpha=0.15)


def _short(name: str) -> str:
    """On one line, without what XML cannot hold, of ``LONGEST`` characters at most."""
    line = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in name).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def _svg(figure: Any, axes: Any, legend: bool = True) -> str:
    import matplotlib

    axes.tick_params(colors=INK, labelsize=8)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(INK)
    if legend:
        figure.legend(loc="outside upper center", ncols=3, frameon=False, labelcolor=INK, fontsize=8)
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "graphrec"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # text stays text, for whoever reads it has the fonts
        figure.savefig(out, format="svg", metadata={"Date": None})
    drawn = out.getvalue()
    return drawn[drawn.index("<svg") :].replace(INK, "currentColor")

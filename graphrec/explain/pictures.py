"""Pictures of a profile and of a map, as SVG or PNG, by matplotlib."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphrec.errors import ConfigError
from graphrec.explain.say import say

ENDINGS = (".svg", ".png")
LONGEST = 28  # characters of a name
INK, PALE = "#333333", "#bbbbbb"


def check_picture(out: Path) -> None:
    """Raises ConfigError unless the file's ending names a format of pictures, and its folder is there."""
    if out.suffix.lower() not in ENDINGS:
        raise ConfigError(f"{out}: the ending names no format of pictures; give it {' or '.join(ENDINGS)}")
    if not out.resolve().parent.is_dir():
        raise ConfigError(f"{out}: there is no folder {out.parent}; make it, or choose another place")


def draw_profile(document: Mapping[str, Any], out: Path) -> None:
    """Interests over time, or as they are where no times are known. Raises ConfigError."""
    check_picture(out)
    figure = _figure(9, 4.5)
    axes = figure.add_subplot()
    pieces = document["over_time"]
    if pieces:
        names = list(pieces[0]["shares"])
        places, height = range(len(pieces)), [0.0] * len(pieces)
        for name in names:
            shares = [100 * piece["shares"][name] for piece in pieces]
            axes.bar(places, shares, 0.9, height, label=_short(name))
            height = [below + share for below, share in zip(height, shares, strict=True)]
        axes.set_xticks(places, [piece["from"] for piece in pieces], rotation=45, ha="right", fontsize=8)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8)
    elif document["interests"]:
        shown = document["interests"][::-1]
        axes.barh([_short(i["label"]) for i in shown], [100 * i["share"] for i in shown], color="C0")
        axes.set_xlabel(say("share in per cent"))
    else:
        axes.text(0.5, 0.5, say("nothing is known yet"), ha="center", va="center", color=INK)
        axes.set_axis_off()
    if pieces:
        axes.set_ylabel(say("share in per cent"))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _save(figure, out)


def draw_map(document: Mapping[str, Any], out: Path) -> None:
    """Items as dots, coloured by what they are, and users as small grey crosses. Raises ConfigError."""
    check_picture(out)
    figure = _figure(8, 7)
    axes = figure.add_subplot()
    users = document["users"]
    axes.scatter(
        [u["x"] for u in users], [u["y"] for u in users], 6, PALE, marker="x", linewidths=0.5, label=say("users")
    )
    counts = Counter(i["label"] for i in document["items"])
    for n, label in enumerate(sorted(counts, key=lambda name: (name == "", -counts[name], name))):
        of = [i for i in document["items"] if i["label"] == label]
        name, colour = (_short(label), f"C{n}") if label else (say("others") if len(counts) > 1 else say("items"), INK)
        axes.scatter([i["x"] for i in of], [i["y"] for i in of], 14, colour, alpha=0.8, linewidths=0, label=name)
    axes.set_axis_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1), frameon=False, fontsize=8, title=document["kind"])
    _save(figure, out)


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, out: Path) -> None:
    from kg.draw import save

    try:
        save(figure, out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror or error}); choose another place") from None


def _short(name: str) -> str:
    """A name that has room; a dollar sign would begin a formula."""
    return textwrap.shorten(name, LONGEST, placeholder="…").replace("$", r"\$") or name[:LONGEST]

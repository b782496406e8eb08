"""Measures by group, as tables: whom a system serves worse, and what it shows too seldom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphrec.cli.output import Sheet


def tables(found: dict[str, Any]) -> list[Sheet]:
    """The tables of ``by`` in an `evaluate` document."""
    out = []
    for name, each in found.items():
        out += [_people(name, each)] if each["of"] == "users" else [_items(name, each), _evenness(name, each)]
    return out


def compared(rows: Mapping[str, dict[str, Any]]) -> list[Sheet]:
    """A table for each grouping, of ``by`` of each model: whom it serves worst, or how even what it shows is."""
    out = []
    for name, first in next(iter(rows.values()), {}).items():
        each = {model: by[name] for model, by in rows.items()}
        if first["of"] == "users":
            goal = [metric for metric in first["gaps"] if metric.startswith("ndcg@")][-1]
            heads = [f"its {goal}", "gap", "95 %", "p if alike"]
            table = Sheet("model", "worst group", *heads, title=f"by {name}", figures=heads)
            for model, found in each.items():
                gap = found["gaps"][goal]
                low = next(row["metrics"][goal] for row in found["groups"] if row["group"] == gap["worst"])
                told = (f"{low:.4f}", f"{gap['gap']:.4f}", _between(gap["interval"]), f"{gap['p_value']:.2g}")
                table.row(model, gap["worst"], *told)
        else:
            measures = {"rsp": "RSP", "reo": "REO", "exposure_gap": "off merit", "miscalibration": "off taste, bits"}
            table = Sheet("model", *measures.values(), title=f"evenness by {name}", figures=[*measures.values()])
            for model, found in each.items():
                table.row(model, *("" if found[what] is None else f"{found[what]:.4f}" for what in measures))
        out.append(table)
    return out


def _people(name: str, found: dict[str, Any]) -> Sheet:
    """At the largest k: each group of people, and how far the best and the worst are apart."""
    shown = list(found["gaps"])
    shown = [metric for metric in shown if metric.split("@")[1] == shown[-1].split("@")[1]]
    heads = [head for metric in shown for head in (metric, f"95 % of {metric.split('@')[0]}")]
    table = Sheet("group", "users", *heads, title=f"by {name}", figures=["users", *heads])
    for row in found["groups"]:
        cells = [cell for m in shown for cell in (f"{row['metrics'][m]:.4f}", _between(row["interval"][m]))]
        table.row(row["group"], f"{row['users']:,}", *cells)
    cells = []
    for metric in shown:
        gap = found["gaps"][metric]
        cells += [f"{gap['gap']:.4f}", _between(gap["interval"])]
    table.row("gap", "", *cells)
    table.row("p if alike", "", *(c for m in shown for c in (f"{found['gaps'][m]['p_value']:.2g}", "")))
    return table


def _items(name: str, found: dict[str, Any]) -> Sheet:
    """Shares of each group of items: of what was taken, what was to be found, and the places of the lists."""
    k = found["k"]
    heads = ["items", "taken", "to find", "exposure", "95 %", "found"]
    table = Sheet("group", *heads, title=f"by {name}, lists of {k}", figures=heads)
    for row in found["groups"]:
        found_ = "" if row["found"] is None else f"{row['found']:.3f}"
        shares = [f"{row[what]:.3f}" for what in ("taken", "merit", "exposure")]
        table.row(row["group"], f"{row['items']:,}", *shares, _between(row["interval"]["exposure"], 3), found_)
    return table


def _evenness(name: str, found: dict[str, Any]) -> Sheet:
    """How far lists are from even, from merit, and from what each person takes: 0 is best in each."""
    table = Sheet("measure", "value", "95 %", title=f"evenness by {name}", figures=["value", "95 %"])
    words = {
        "rsp": "RSP: groups shown unlike",
        "reo": "REO: groups found unlike",
        "exposure_gap": "exposure elsewhere than merit",
        "miscalibration": "lists unlike what people took, bits",
    }
    for what, text in words.items():
        if found[what] is not None:
            table.row(text, f"{found[what]:.4f}", _between(found["intervals"][what]))
    return table


def leaks(found: dict[str, Any]) -> list[Sheet]:
    """The tables of ``leakage`` in an `evaluate` document: what a probe gets right of each attribute. Cleared: of those
    who did not teach the eraser, and of those who did, where less than chance is misled."""
    out = []
    for name, each in found.items():
        k = len(each["classes"])
        title = f"{name} told from profiles, balanced accuracy; {each['people']:,} people, chance {1 / k:.3f}"
        heads = ["as they are", "95 %", "cleared", "95 % ", "of its teachers"]
        table = Sheet("of", *heads, title=title, figures=heads)
        beside = {"what people took": each["raw"]}
        beside |= {"lists": each["answers"]} if "answers" in each else {}
        others = [{"part": what, "before": right, "after": None} for what, right in beside.items()]
        for row in [*each["rows"], *others]:
            cells = [
                cell
                for side in (row["before"], row["after"])
                for cell in (("", "") if side is None else (f"{side['right']:.3f}", _between(side["interval"], 3)))
            ]
            table.row(row["part"], *cells, f"{row['held']['right']:.3f}" if "held" in row else "")
        out.append(table)
    return out


def membership(found: dict[str, Any]) -> Sheet:
    """How well a guess tells whom a model knows, from what it shows of what they took."""
    title = f"members told from others; {found['people']:,} people, {found['models']} models of half of them"
    heads = ["AUC", "95 %", "found at 1 %", "95 % "]
    table = Sheet("by", *heads, title=title, figures=heads)
    words = {"both": "both", "artifact": "sides and links", "answers": f"lists of {found['k']}"}
    for row in found["rows"]:
        cells = [f"{row['auc']:.3f}", _between(row["interval"], 3), f"{row['tpr']:.3f}"]
        table.row(row["part"] or words[row["of"]], *cells, _between(row["tpr_interval"], 3))
    return table


def _between(ends: list[float] | None, digits: int = 4) -> str:
    return "" if ends is None else f"{ends[0]:.{digits}f}–{ends[1]:.{digits}f}"

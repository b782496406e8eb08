"""The page: what an `evaluate` document and what stands beside it say, as one HTML file.

Whatever comes from data is text, and escaped; the file holds no script and asks for nothing.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphrec.data.show import counted
from graphrec.report import plots
from graphrec.report.promises import promises

STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.5rem 0}h2{margin:2.2rem 0 .4rem;border-bottom:1px solid #8886;font-size:1.2rem}
h3{margin:1.3rem 0 .3rem;font-size:1rem}
table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem;display:block;overflow-x:auto}
th,td{padding:.2rem .6rem;text-align:left;border-bottom:1px solid #8884;vertical-align:top}
h1,h3,p,li{overflow-wrap:anywhere}td{max-width:26rem;overflow-wrap:break-word}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}nav a{margin-right:1rem}.warn{border-left:4px solid #d08c3c;padding:.2rem .8rem}
p.note{opacity:.75;font-size:.9rem;margin:.2rem 0}pre{overflow-x:auto;font-size:.8rem}
"""
EVENNESS = {
    "rsp": "groups are shown unlike (RSP)",
    "reo": "groups are found unlike (REO)",
    "exposure_gap": "exposure lies elsewhere than merit",
    "miscalibration": "lists are unlike what people took, bits",
}
OF_LISTS = ("coverage", "novelty", "gini")
Document = Mapping[str, Any]


def page(document: Document) -> str:
    """The HTML of a report.

    Args:
        document: of `evaluate` (`metrics` may be missing where nothing was measured), and beside it ``made`` (what it
            was made with), ``counts``, ``drift`` (``data.drift``) and ``source`` (the `inspect` document).
    """
    parts = [
        ("quality", "Quality", [*_quality(document)]),
        ("blocks", "What each block adds", [*_blocks(document)]),
        ("people", "Whom it serves worse", [*_people(document)]),
        ("items", "What it shows too seldom", [*_items(document)]),
        ("promises", "What it promises of people", [*_promises(document)]),
        ("leakage", "What profiles tell of people", [*_leakage(document)]),
        ("membership", "Whether it tells whom it knows", [*_membership(document)]),
        ("explanations", "Explanations", [*_explanations(document)]),
        ("drift", "Drift", [*_drift(document)]),
        ("data", "Data", [*_data(document)]),
        ("choices", "What was chosen", [*_choices(document)]),
    ]
    there = [part for part in parts if part[2]]
    name = html.escape(str(document["data"]))
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in there)
    body = "".join(f'<h2 id="{key}">{title}</h2>{"".join(lines)}' for key, title, lines in there)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>graphrec: {name}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{name}</h1>{_note(_how(document))}<nav>{links}</nav>{_warnings(document)}{body}</body></html>\n"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers, and what is told in figures, stand to the right."""
    figures = [all(_figure(row[n]) for row in rows) for n in range(len(header))]

    def line(tag: str, cells: Sequence[object]) -> str:
        marks = ['class="n"' if right else "" for right in figures]
        return "".join(f"<{tag} {m}>{html.escape(_said(v))}</{tag}>" for m, v in zip(marks, cells, strict=True))

    lines = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f"<table><tr>{line('th', header)}</tr>{lines}</table>"


def _figure(value: object) -> bool:
    return value is None or isinstance(value, (int, float)) or not any(c.isalpha() for c in str(value))


def _said(value: object) -> str:
    if value is None or value != value:  # nothing, or no number
        return ""
    if isinstance(value, float):
        return f"{value:.2g}" if 0 < abs(value) < 0.001 else f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _between(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"{ends[0]:.4f} –\N{NO-BREAK SPACE}{ends[1]:.4f}"


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def _how(document: Document) -> str:
    if not document.get("metrics"):
        measured = "nothing was measured on a test part: name later data, or the data it is made of, to have that"
    elif document["split"] == "later":
        measured = f"measured on what {document['users']:,} users took later"
    else:
        measured = f"{document['split']} split, {counted(document['users'], 'test users')}"
    if document.get("metrics"):
        liked = document["relevant"] == "liked"
        measured += ", items that were liked count" if liked else ", everything that was taken counts"
    version = f"; model {document['model_version']}" if "model_version" in document else ""
    return f"{measured}{version}; {document['made']}"


def _warnings(document: Document) -> str:
    lines = "".join(f"<li>{html.escape(text)}</li>" for text in document.get("warnings", ()))
    return f'<div class="warn"><ul>{lines}</ul></div>' if lines else ""


def _largest(document: Document) -> int:
    return int(max(document["k"]))


def _quality(document: Document) -> Iterator[str]:
    found = document.get("metrics") or {}
    if found:
        intervals, ks = document.get("intervals", {}), document["k"]
        names = list(dict.fromkeys(name.partition("@")[0] for name in found))
        of_people = [name for name in names if name not in OF_LISTS and f"{name}@{ks[0]}" in found]
        rows = [
            [name, *(c for k in ks for c in (found[f"{name}@{k}"], _between(intervals.get(f"{name}@{k}"))))]
            for name in of_people
        ]
        yield table(["metric", *(c for k in ks for c in (f"@{k}", "95 %"))], rows)
        if "auc" in found:
            ends = _between(intervals.get("auc"))
            yield _note(f"AUC {found['auc']:.4f}{', ' if ends else ''}{ends}.")
        yield "<h3>The lists as a whole</h3>"
        whole = [name for name in OF_LISTS if name in names]
        yield table(["metric", *(f"@{k}" for k in ks)], [[n, *(found[f"{n}@{k}"] for k in ks)] for n in whole])
        yield _note("coverage: share of the catalogue that anybody is shown; novelty: bits; gini: 0 even, 1 one item.")
    if "known" in document:
        names = [f"{what}@{_largest(document)}" for what in ("ndcg", "recall")]
        rows = [[r["events"], r["users"], *(r["metrics"].get(n) for n in names)] for r in document["known"]]
        yield f"<h3>By how many events are known</h3>{table(['events', 'users', *names], rows)}"
    validation = (document.get("chosen") or {}).get("validation", {})
    if validation:
        yield _note("On validation: " + ", ".join(f"{name} {value}" for name, value in validation.items()) + ".")


def _blocks(document: Document) -> Iterator[str]:
    rows = document.get("ablations", [])
    if rows:
        heads = ["block", "weight", "alone", "all the others", "adds", "± standard error", "p"]
        keys = ("block", "weight", "alone", "without", "added", "error", "p_value")
        yield _note(f"{rows[0]['metric']}, on the same people; nothing is learned or chosen anew without a block.")
        yield plots.blocks(rows, document["metrics"][rows[0]["metric"]])
        yield table(heads, [[row[key] for key in keys] for row in rows])
        return
    weights = (document.get("chosen") or {}).get("weights", {})
    if weights:
        yield table(["block", "weight"], [[name, float(weight)] for name, weight in weights.items()])


def _of(document: Document, kind: str) -> Iterator[tuple[str, Document]]:
    for name, found in document.get("by", {}).items():
        if found["of"] == kind:
            yield name.partition(".")[2], found


def _people(document: Document) -> Iterator[str]:
    for name, found in _of(document, "users"):
        metric = f"ndcg@{_largest(document)}"
        gap = found["gaps"][metric]
        apart = f"Best and worst are {gap['gap']:.4f} apart ({_between(gap['interval'])}); p if all were alike: "
        yield f"<h3>By <bdi>{html.escape(name)}</bdi></h3>{_note(apart + _said(float(gap['p_value'])))}"
        yield plots.people(found, metric, document["metrics"][metric])
        heads = ["group", "users", *(cell for m in found["gaps"] for cell in (m, "95 %"))]
        rows = [
            [r["group"], r["users"], *(c for m in found["gaps"] for c in (r["metrics"][m], _between(r["interval"][m])))]
            for r in found["groups"]
        ]
        yield table(heads, rows)


def _items(document: Document) -> Iterator[str]:
    for name, found in _of(document, "items"):
        yield f"<h3>By <bdi>{html.escape(name)}</bdi>, lists of {found['k']}</h3>{plots.items(found)}"
        heads = ["group", "items", "share taken", "share to find", "share shown", "95 %", "found"]
        rows = [
            [*(r[key] for key in ("group", "items", "taken", "merit", "exposure")), _between(ends), r["found"]]
            for r in found["groups"]
            for ends in [r["interval"]["exposure"]]
        ]
        yield table(heads, rows)
        uneven = [[text, found[key], _between(found["intervals"][key])] for key, text in EVENNESS.items()]
        yield table(["0 is best", "value", "95 %"], [row for row in uneven if row[1] is not None])


def _promises(document: Document) -> Iterator[str]:
    chosen = document.get("chosen") or {}
    cleared = document.get("cleared") or [n for n, found in document.get("leakage", {}).items() if found["cleared"]]
    yield from (f"<p>{html.escape(told)}</p>" for told in promises(chosen, cleared))
    if chosen.get("privacy") and document.get("metrics"):
        yield _note("The figures of this page are counted without noise: ε does not bound what they tell of people.")


def _leakage(document: Document) -> Iterator[str]:
    for name, found in document.get("leakage", {}).items():
        held = "This model is cleared of it" if found["cleared"] else "This model is not cleared of it"
        left = f" ({found['left_out']:,} more were not asked about)" if found["left_out"] else ""
        told = (
            f"A probe of {found['people']:,} people{left}, {' / '.join(found['classes'])}: the mean over these of what "
            f"it gets right of people it did not learn from. Who always says the most frequent gets "
            f"{found['chance']:.4f}, and {found['majority']:.4f} of all people right. Cleared: by erasers that the "
            f"people asked about did not teach; of those who did, a probe is misled (below chance). {held}."
        )
        rows = []
        for row in found["rows"]:
            sides = [c for side in ("before", "after") for c in (row[side]["right"], _between(row[side]["interval"]))]
            rows.append([row["part"], *sides, row["held"]["right"]])
        beside = {"what people took": found["raw"]}
        beside |= {"lists that they are shown": found["answers"]} if "answers" in found else {}
        raw = [[what, of["right"], _between(of["interval"]), None, None, None] for what, of in beside.items()]
        yield f"<h3><bdi>{html.escape(name)}</bdi></h3>{_note(told)}"
        yield table(["told from", "as it is", "95 %", "cleared", "95 %", "of its teachers"], [*rows, *raw])


def _membership(document: Document) -> Iterator[str]:
    privacy = document.get("privacy")
    if privacy:
        found = privacy["membership"]
        words = {"both": "both", "artifact": "sides and links", "answers": f"lists of {found['k']}"}
        told = (
            f"Of {found['people']:,} people ({found['left_out']:,} more were not asked about) a guess that knows what "
            f"they took and {found['models']} models of half of them, says who taught a model. AUC: .5 by chance; "
            "found: the share of those who did, where one in a hundred of the others is taken for one."
        )
        rows = []
        for row in found["rows"]:
            ends = _between(row["interval"]), _between(row["tpr_interval"])
            rows.append([row["part"] or words[row["of"]], row["auc"], ends[0], row["tpr"], ends[1]])
        yield _note(f"{told} A model gives away as much as the best of these guesses.")
        yield table(["told by", "AUC", "95 %", "found at 1 %", "95 % of it"], rows)
        for name, why in privacy["not_probed"].items():
            yield _note(f"{name} was not probed: {why}")
        if not document.get("leakage") and not privacy["not_probed"]:
            yield _note("No attribute of people is known, so none was probed.")


def _explanations(document: Document) -> Iterator[str]:
    found = document.get("explanations")
    if found:
        names = [name for name, value in found.items() if isinstance(value, (int, float)) and name != "pairs"]
        beside = found["popular_paths"]
        rows = [[name.replace("_", " "), found[name], beside.get(name)] for name in names if name in beside]
        yield _note(f"{found['pairs']:,} recommendations, beside explanations by popular paths.")
        yield table(["measure", "graphrec", "popular paths"], rows)


def _drift(document: Document) -> Iterator[str]:
    rows = document.get("drift", [])
    if rows:
        yield _note(
            "New: the share of the events that are by people, of items, unknown before. Moved: how far items' shares "
            "lie from those of the piece before, 0 alike and 1 apart, beyond what chance does."
        )
        yield plots.over_time(rows)
        keys = ("from", "to", "events", "users", "items", "new_users", "new_items", "moved")
        yield table([key.replace("_", " ") for key in keys], [[row[key] for key in keys] for row in rows])


def _data(document: Document) -> Iterator[str]:
    counts = document.get("counts", {})
    if counts:
        yield table(["what", "how many"], [[name.replace("_", " "), n] for name, n in counts.items()])
    source = document.get("source") or {}
    if source.get("files"):
        files = [[f["path"], f["used_as"] or "not used", f["kind"] or f["why_not"]] for f in source["files"]]
        yield f"<h3>Files</h3>{table(['file', 'used as', ''], files)}"
    if source.get("columns"):
        columns = [
            [c["file"], c["column"], c["role"] or "not used", c["type"], c["why_not"]] for c in source["columns"]
        ]
        yield f"<h3>Columns</h3>{table(['file', 'column', 'role', 'type', 'why not'], columns)}"
    if source.get("rows", {}).get("read"):
        rows = [[name.replace("_", " "), n] for name, n in source["rows"].items()]
        rows += [[f"set aside: {reason}", n] for reason, n in source["set_aside_by_reason"].items()]
        yield f"<h3>Rows</h3>{table(['rows', 'how many'], rows)}"


def _choices(document: Document) -> Iterator[str]:
    chosen = document.get("chosen")
    if chosen:
        network = chosen.get("graph", {})
        if drawn := plots.curve(network.get("curve", ()) if isinstance(network, Mapping) else ()):
            yield f"<h3>How the network learned</h3>{drawn}"
        text = html.escape(json.dumps(chosen, indent=1, ensure_ascii=False))
        yield f"<details><summary>All choices, as JSON</summary><pre>{text}</pre></details>"

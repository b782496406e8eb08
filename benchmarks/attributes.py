"""What profiles tell of people: gender and age band, beside a logistic regression on raw interactions.

    python benchmarks/attributes.py ../shared/data
    python benchmarks/attributes.py ../shared/data --only lfm1m --dev     # figures of the labelled people alone
    python benchmarks/attributes.py --draw                                # docs/abstention.svg of what was measured

A fifth of the labelled people is kept apart. The strength of every regression is chosen by balanced accuracy on folds
of the others, the baseline's too, and all labels are told by the same rule. The probe is the mean of probes of several
profiles: which of them is best is decided by chance where a label has few people. Both attributes are
sensitive: they are named here, are read for measuring only, and nothing of a model is learned from them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import scipy.sparse as sp
import typer
from sklearn.model_selection import train_test_split

from graphrec.blocks.api import FitInputs
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.evaluate.labelled import Labelled, Likeness, Probe, Told, interactions
from graphrec.evaluate.significance import paired_p_value
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats

RUNS = {"ml1m_sequences": ("gender", "age"), "lfm1m": ("gender", "age_band")}  # sensitive, allowed by name
APART = 0.2
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "abstention.svg"
RANKS = (64, 128, 256)
SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)  # of the people who are told anything
EACH = 20  # labelled people behind a prototype
SPECTRAL = {"beta": 0.4, "power": 0.8, "alpha": 0.4, "fading": 0.0, "reading": "alike"} | dict.fromkeys(
    ("friends", "knowledge", "smoothing"), 0.0
)
WORDS = {
    "gender": {"F": "what women and girls like", "M": "what men and boys like"},
    "age": "what people of the age of {} like",
}


def profiles(ties: Ties) -> dict[str, Any]:
    """Rows of everybody: profiles of several ranks, and beside them what people took."""
    runtime, block = Runtime(device="cpu"), Config().block("spectral")
    out: dict[str, Any] = {}
    taken = interactions(ties.matrix)
    for rank in RANKS:
        users = block.learn(FitInputs(ties, None, runtime), {**SPECTRAL, "rank": rank}).users
        rows = users / np.maximum(np.linalg.norm(users, axis=1, keepdims=True), 1e-9)
        out[f"profile of rank {rank}"] = 4 * rows
        if rank == RANKS[1]:
            out[f"profile of rank {rank} and interactions"] = sp.hstack([taken, sp.csr_matrix(rows)], format="csr")
    return out


def texts(data: Dataset, ties: Ties) -> tuple[Floats, Callable[[list[str]], Floats]]:
    """What people took in the space of the text encoder, float32 (U, F), and the encoder."""
    from graphrec.features.encoder import load_encoder

    encoder = load_encoder(Config().features, data.report.languages)
    said = [" ".join(filter(None, (str(t), str(d)))) for t, d in zip(data.item_titles, data.item_text, strict=True)]
    items = encoder.encode([text or " " for text in said]) * np.array([[bool(text)] for text in said])
    return np.asarray(interactions(ties.matrix) @ items, np.float32), encoder.encode


def sentences(key: str, classes: tuple[str, ...]) -> list[str]:
    """A sentence about each label."""
    if key == "gender":
        return [WORDS["gender"][name] for name in classes]  # type: ignore[index]
    return [str(WORDS["age"]).format(name.casefold()) for name in classes]


def measured(data: Dataset, key: str, rows: dict[str, Any], spoken: Any, dev: bool) -> dict[str, Any]:
    """Every way of telling one attribute."""
    ties = Ties(data)
    people = Labelled.of(data, key, allow=(key,))
    known, apart = train_test_split(
        np.arange(len(people.users)), test_size=APART, stratify=people.labels, random_state=0
    )
    # No leakage. Of those kept apart no label is seen before the end.
    users, labels = people.users[known], people.labels[known]
    start = time.process_time()
    raw = Probe(ties.matrix[users].astype(np.float64), labels)
    seconds = {"raw interactions": time.process_time() - start}
    start = time.process_time()
    probes = {name: Probe(x[users], labels) for name, x in rows.items()}
    held = np.mean([probe.held for probe in probes.values()], axis=0)
    together = Told.of(held, raw.usual).balanced(labels)
    seconds["probe"] = time.process_time() - start
    dense = rows[f"profile of rank {RANKS[1]}"]
    few = Likeness.prototypes(dense[users], labels, EACH)
    tellers: dict[str, tuple[Any, Any]] = {
        "raw interactions": (raw, ties.matrix.astype(np.float64)),
        "prototypes": (few, dense),
    }
    if spoken is not None:
        written, encode = spoken
        away = written - written.mean(axis=0)
        words = encode(sentences(key, people.classes))
        tellers["zero-shot"] = (Likeness(words - words.mean(axis=0), away[users], labels), away)
    folds = {"raw interactions": raw.worth, "probe": together} | {name: p.worth for name, p in probes.items()}
    print(f"  {key} {people.classes}: on folds { {n: round(w, 4) for n, w in folds.items()} }", flush=True)
    out: dict[str, Any] = {"classes": people.classes, "people": len(people.users), "folds": folds}
    if dev:
        return out
    truth, told = people.labels[apart], {}
    answers: dict[str, Told] = {name: teller.tell(x[people.users[apart]]) for name, (teller, x) in tellers.items()}
    each = [probe.probabilities(rows[name][people.users[apart]]) for name, probe in probes.items()]
    answers["probe"] = Told.of(np.mean(each, axis=0), raw.usual)
    for name, found in answers.items():
        told[name] = found
        curve = found.abstaining(truth, SHARES)
        out.setdefault("rows", []).append(
            {
                "model": name,
                "balanced": found.balanced(truth),
                "accuracy": float((found.labels == truth).mean()),
                "ece": found.error(truth),
                "curve": [[share, *pair] for share, pair in zip(SHARES, curve, strict=True)],
                "seconds": seconds.get(name, 0.0),
            }
        )
    weight = 1 / (len(people.classes) * np.bincount(truth)[truth] / len(truth))
    right = {name: (found.labels == truth) * weight for name, found in told.items()}
    out["p"] = paired_p_value(right["probe"], right["raw interactions"])
    out["apart"] = len(apart)
    return out


def draw(out: Path) -> None:
    """How right each way is where only those are told anything of whom it is surest, of all that was measured."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from kg.draw import save

    found = json.loads(report.STORE.read_text("utf-8"))["attributes"]
    figure = Figure(figsize=(3.2 * len(found), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, result) in enumerate(found.items()):
        axes = figure.add_subplot(1, len(found), place + 1)
        for row in result["rows"]:
            shares, rights = [[100 * point[at] for point in row["curve"]] for at in (0, 2)]
            axes.plot(shares, rights, marker="o", markersize=3, label=row["model"])
        axes.set_title(name.replace(", ", "\n"), fontsize=9)
        axes.set_xlabel("of whom anything is told, %", fontsize=8)
        axes.set_ylim(0, 100)
        axes.tick_params(labelsize=8)
        if not place:
            axes.set_ylabel("of these told right, %", fontsize=8)
            axes.legend(frameon=False, fontsize=7)
    save(figure, out)


def main(
    data: Annotated[Path | None, typer.Argument()] = None,
    only: Annotated[list[str] | None, typer.Option()] = None,
    words: Annotated[bool, typer.Option(help="Zero-shot too, which encodes all texts.")] = True,
    dev: Annotated[bool, typer.Option(help="Look at nobody who is kept apart, and keep nothing.")] = False,
    drawn: Annotated[bool, typer.Option("--draw", help="Draw what was measured before, and measure nothing.")] = False,
) -> None:
    if data is None and not drawn:
        raise typer.BadParameter("give the folder of the data, or --draw")
    if data is None or drawn:
        draw(PICTURE)
        return
    for name, keys in RUNS.items():
        if only and name not in only:
            continue
        source = Dataset.load(data / name)
        ties = Ties(source)
        rows, spoken = profiles(ties), texts(source, ties) if words and not dev else None
        for key in keys:
            found = measured(source, key, rows, spoken, dev)
            for row in found.get("rows", ()):
                print(name, key, row, flush=True)
            print(name, key, found.get("p"), flush=True)
            looks = report.kept("attributes", f"{name}, {key}").get("looks", 0) + (not dev)
            if not dev:
                report.keep("attributes", f"{name}, {key}", found | {"data": source.digest(), "looks": looks})
                draw(PICTURE)


if __name__ == "__main__":
    typer.run(main)

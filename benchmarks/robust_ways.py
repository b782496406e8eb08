"""Ways against fake profiles that find nobody: how far each lets an item be pushed, and its price on validation users.

    python benchmarks/robust_ways.py ../shared/data                       # yelp_places
    python benchmarks/robust_ways.py ../shared/data --only musical_instruments

Targets and seeds are others than robustness.py's; what is learned is learned of the training part alone, and judged on
validation users: popularity (the log of how many), 64 singular directions, cosine of items, and their sum, each by its
deviation, which is cheap enough to compare ways.

========  ==============================================================================================================
unlike    ``linalg/unlike.py``: of items whose takers share nothing else few takers count
flat      nobody is more popular than ten takers make it
median    popularity is the median over five groups of people drawn by chance
person    of popularity each has one say over all that they took: one by the root of how many
two       a link between items takes two people: one is subtracted
excess    a link counts as far as it surely (by one deviation) is more than chance makes
========  ==============================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import scipy.sparse as sp
import typer
from sklearn.utils.extmath import randomized_svd

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.linalg.suspects import suspects
from graphrec.linalg.unlike import unlike
from graphrec.samples.shills import ATTACKS, shilled

WAYS = ("", "unlike", "flat", "median", "person", "two", "excess")
MADE_UP, TARGETS, JUDGES, PEOPLE, K, RANK, GROUPS, FLAT = 0.01, 3, 600, 400, 10, 64, 5, 10
Scores = Callable[[sp.csr_matrix], np.ndarray]


def counted(taken: sp.csr_matrix) -> sp.csr_matrix:
    """What people took, without what does not count."""
    found = unlike(taken, suspects(taken).share)
    out = sp.csr_matrix(taken, dtype=np.float64, copy=True)
    pairs = sp.csr_matrix((np.ones(len(found.items)), (found.users, found.items)), out.shape)
    out = sp.csr_matrix(out - pairs)
    out.eliminate_zeros()
    return out


def models(taken: sp.csr_matrix, way: str) -> dict[str, Scores]:
    """Scores (B, I) of people's rows (B, I), by name."""
    x = counted(taken) if way == "unlike" else sp.csr_matrix(taken, dtype=np.float64)
    c, d = (np.maximum(np.asarray(x.sum(axis=axis)).ravel(), 0) for axis in (0, 1))
    root = np.maximum(c, 1) ** -0.5
    popular = np.log1p({"flat": np.maximum(c, FLAT)}.get(way, c))
    if way == "median":
        group = np.random.default_rng(0).integers(0, GROUPS, x.shape[0])
        member = sp.csr_matrix((np.ones(x.shape[0]), (group, np.arange(x.shape[0]))))
        popular = np.log1p(np.median((member @ x).toarray(), axis=0) * GROUPS)
    elif way == "person":
        popular = np.log1p(np.asarray(x.T @ np.maximum(d, 1) ** -0.5).ravel())
    _, _, vt = randomized_svd(sp.diags(np.maximum(d, 1) ** -0.5) @ x @ sp.diags(root), RANK, random_state=0)
    both = sp.csr_matrix(x.T @ x).tocoo()
    links = both.data
    if way == "two":
        links = np.maximum(links - 1, 0)
    elif way == "excess":
        chance = c[both.row] * c[both.col] / x.shape[0]
        links = np.maximum(links - chance - np.sqrt(chance + links), 0)
    near = sp.csr_matrix((np.where(both.row == both.col, 0, links), (both.row, both.col)), both.shape)
    near = sp.csr_matrix(sp.diags(root) @ near @ sp.diags(root))
    parts: dict[str, Scores] = {
        "popularity": lambda rows: np.repeat(popular[None], rows.shape[0], 0),
        "directions": lambda rows: (rows @ sp.diags(root) @ vt.T) @ (vt / root),
        "cosine": lambda rows: np.asarray((rows @ near).todense()),
    }
    spread = {name: max(float(scores(x[:200]).std()), 1e-9) for name, scores in parts.items()}
    say = {"popularity": 1.0, "directions": 0.4, "cosine": 0.4}

    def together(rows: sp.csr_matrix) -> np.ndarray:
        return np.asarray(np.sum([say[name] * scores(rows) / spread[name] for name, scores in parts.items()], axis=0))

    return parts | {"sum": together}


def place(scores: Scores, rows: sp.csr_matrix, target: int) -> float:
    """Mean place of an item among what is new to people, from 1."""
    found = scores(rows)
    found[rows.toarray() > 0] = -np.inf
    own = found[:, target][:, None]
    return float((1 + (found > own).sum(axis=1) + ((found == own).sum(axis=1) - 1) / 2).mean())


def ndcg(scores: Scores, rows: sp.csr_matrix, truth: np.ndarray) -> float:
    """NDCG@K of people who have anything new to find, bool (B, I)."""
    found, seen = scores(rows), rows.toarray() > 0
    found[seen] = -np.inf
    wanted = truth & ~seen
    n = wanted.sum(axis=1)
    top = np.argsort(-found, axis=1, kind="stable")[:, :K]
    weight = 1 / np.log2(np.arange(2, K + 2))
    gained = (np.take_along_axis(wanted, top, axis=1) * weight).sum(axis=1)[n > 0]
    return float((gained / np.cumsum(weight)[np.minimum(n[n > 0], K) - 1]).mean())


def main(
    data: Annotated[Path, typer.Argument()],
    only: Annotated[str, typer.Option(help="A data set.")] = "yelp_places",
    again: Annotated[str, typer.Option(help="One of the ways; others stay as they are kept.")] = "",
) -> None:
    source = Dataset.load(data / only)
    parts = split(replace(source, reviews=source.reviews[:0]), Config().cut, 0)
    train, taken = parts.train, sp.csr_matrix(parts.train.seen(), dtype=np.float64)
    truth = parts.valid.seen()
    some = np.random.default_rng(3).permutation(np.flatnonzero(np.diff(truth.indptr) > 0))[:JUDGES]
    judges, wanted = taken[some], truth[some].toarray() > 0
    counts, n = np.asarray(taken.sum(axis=0)).ravel(), round(MADE_UP * train.n_users)
    targets = np.random.default_rng(9).choice(
        np.flatnonzero((counts > 0) & (counts <= np.median(counts[counts > 0]))), TARGETS
    )
    new = [taken[np.flatnonzero(np.asarray(taken[:, t].todense()).ravel() == 0)[:PEOPLE]] for t in targets]
    rows: list[dict[str, Any]] = []
    for way in [again] if again else WAYS:
        plain = models(taken, way)
        before = {name: [place(s, p, t) for p, t in zip(new, targets, strict=True)] for name, s in plain.items()}
        row: dict[str, Any] = {
            "way": way,
            "ndcg": {name: ndcg(s, judges, wanted) for name, s in plain.items()},
            "up": {},
        }
        for attack in ATTACKS:
            moved: dict[str, list[float]] = {name: [] for name in plain}
            for at, target in enumerate(targets.tolist()):
                pushed = models(shilled(train, attack, target, n, 200 + at).seen(), way)
                for name, scores in pushed.items():
                    moved[name].append(before[name][at] - place(scores, new[at], target))
            row["up"][attack] = {name: float(np.mean(found)) for name, found in moved.items()}
        rows.append(row)
        print(row, flush=True)
    if again:
        rows = [rows[0] if row["way"] == again else row for row in report.kept("robust_ways", only)["rows"]]
    lost = int(taken.nnz - counted(taken).nnz)
    shape = {"users": train.n_users, "items": train.n_items, "events": int(taken.nnz), "lost": lost, "made_up": n}
    report.keep("robust_ways", only, {**shape, "targets": TARGETS, "k": K, "rows": rows})


if __name__ == "__main__":
    typer.run(main)

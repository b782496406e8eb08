"""The published trade of differential fairness against accuracy, by the definition that it was published with.

    python benchmarks/differential.py ../shared/data --models /tmp/models    # models are kept there between runs

RecBole-FairRec's table for MovieLens-1M has .2643 NDCG and 1.455 differential fairness for biased matrix factorisation,
.2425 (-8.2 %) and 1.064 (-27 %) for FOCF (Yao and Huang, NeurIPS 2017) with its objective against overestimation. What
it computes (after Islam et al., WWW 2021) is, of the pairs (u, i) of the test part alone,

    ε_i = |log s_iF − log s_iM|,   s_ig = (Σ_{u in g} ŷ_ui + 1/I) / (n_ig + 1),   mean over the I items of these pairs

where n_ig people of a gender took an item there, and ŷ is between 0 and 1. Here FOCF is learned anew beside ours, on
one random split of the same people, with the same definition and full ranking: factors and their decay are chosen by
NDCG@10 on validation users, with the objective and without. Our ŷ is a logistic regression of the score, on validation
pairs and as many others drawn by chance, one for everybody: it changes no order. Beside the mean stands its part from
items that a gender did not take in the test part at all, where ε_i is told by ŷ's size and not by who is served how;
and what it is where each ŷ is a tenth, which changes no list at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import report
import torch
import typer
from fairness import KEY, fitted

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.clearing import cleared
from graphrec.evaluate.leakage import labelled
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints

NAME, K, DIM, BATCH, SMALL = "ml1m_sequences", 10, 64, 16384, 0.1
RATES, DECAYS, EPOCHS, EVERY = (2e-3, 1e-2), (1e-6, 1e-4), 20, 5
Doubles = npt.NDArray[np.float64]


def differential(likely: Doubles, items: Ints, women: npt.NDArray[np.bool_]) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """ε of each item that somebody took, float64 (I,), and whether both genders did, bool (I,).

    Args:
        likely: ŷ of pairs, float64 (n,). items: of these, int64 (n,). women: whether their person is one, bool (n,).
    """
    _, place = np.unique(items, return_inverse=True)
    size = int(place.max()) + 1
    logs, counts = [], []
    for group in (women, ~women):
        counts.append(np.bincount(place[group], minlength=size))
        total = np.bincount(place[group], likely[group], minlength=size)
        logs.append(np.log((total + 1 / size) / (counts[-1] + 1)))
    return np.abs(logs[0] - logs[1]), (counts[0] > 0) & (counts[1] > 0)


@dataclass(frozen=True)
class Factors:
    """Scores from factors users (U, d), items (I, d), float32."""

    users: Floats
    items: Floats

    def scores(self, queries: Queries) -> Floats:
        assert queries.user_nums is not None
        return np.asarray(self.users[queries.user_nums] @ self.items.T, np.float32)


def whole_items(items: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Places of pairs by batches of whole items, so that a batch has all that both genders say of an item."""
    order = np.argsort(items, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(items[order], prepend=-1)), len(items))
    batch: list[Ints] = []
    for n in rng.permutation(len(starts) - 1):
        batch.append(order[starts[n] : starts[n + 1]])
        if sum(map(len, batch)) >= BATCH:
            yield np.concatenate(batch)
            batch = []
    if batch:
        yield np.concatenate(batch)


def factors(
    pairs: tuple[Ints, Ints],
    women: npt.NDArray[np.bool_],
    shape: tuple[int, int],
    fair: float,
    rate: float,
    decay: float,
) -> Iterator[Factors]:
    """FOCF every few epochs: squared error of 1 for what was taken and 0 for as much drawn by chance, and the smooth
    L1 of how much more than the other gender's a gender's mean of an item is over what it took, times ``fair``."""
    rng, seed = np.random.default_rng(0), torch.Generator().manual_seed(0)
    tables = [torch.nn.Parameter(torch.randn(n, DIM, generator=seed) * 0.1) for n in shape]
    optimizer = torch.optim.Adam(tables, lr=rate, weight_decay=decay)
    users, items = pairs
    for epoch in range(1, EPOCHS + 1):
        all_users = np.concatenate([users, users])
        all_items = np.concatenate([items, rng.integers(0, shape[1], len(items))])
        taken = torch.from_numpy((np.arange(len(all_users)) < len(users)).astype(np.float32))
        for some in whole_items(all_items, rng):
            u, i = (torch.from_numpy(column[some]) for column in (all_users, all_items))
            found, told = (tables[0][u] * tables[1][i]).sum(1), taken[torch.from_numpy(some)]
            loss = torch.nn.functional.mse_loss(found, told)
            if fair:
                _, place = torch.unique(i, return_inverse=True)
                index = (place, torch.from_numpy(women[all_users[some]].astype(np.int64)))
                sums = [
                    torch.zeros(int(place.max()) + 1, 2).index_put(index, x, accumulate=True)
                    for x in (found, told, torch.ones_like(told))
                ]
                over = torch.relu((sums[0] - sums[1]) / (sums[2] + 1e-5))
                apart = (over[:, 0] - over[:, 1]).abs()
                loss = loss + fair * torch.nn.functional.smooth_l1_loss(apart, torch.zeros_like(apart))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if epoch % EVERY == 0:
            yield Factors(*(table.detach().numpy().copy() for table in tables))


def calibrated(scorer: Scorer, queries: Queries, pairs: tuple[Ints, Ints], taken: Any) -> Callable[[Doubles], Doubles]:
    """ŷ of a score: logistic regression on the pairs and as many others, drawn by chance."""
    from sklearn.linear_model import LogisticRegression

    users, items = pairs
    others = np.random.default_rng(0).integers(0, taken.shape[1], len(items))
    free = np.asarray(taken[users, others]).ravel() == 0
    x = np.concatenate(
        [of_pairs(scorer, queries, (users, items)), of_pairs(scorer, queries, (users[free], others[free]))]
    )
    model = LogisticRegression().fit(x[:, None], np.arange(len(x)) < len(items))
    return lambda scores: np.asarray(model.predict_proba(scores[:, None])[:, 1])


def of_pairs(scorer: Scorer, queries: Queries, pairs: tuple[Ints, Ints]) -> Doubles:
    """Scores of pairs, float64 (n,)."""
    users, items = pairs
    out = np.zeros(len(users))
    for start in range(0, len(queries), 1024):
        own = np.flatnonzero((users >= start) & (users < start + 1024))
        rows = np.arange(start, min(start + 1024, len(queries)))
        out[own] = scorer.scores(queries[rows])[users[own] - start, items[own]]
    return out


def clipped(scores: Doubles) -> Doubles:
    return np.clip(scores, 0.0, 1.0)


def main(
    data: Path,
    models: Annotated[Path | None, typer.Option(help="Where fitted models are kept, or found.")] = None,
    dev: Annotated[bool, typer.Option(help="Validation users alone; nothing is kept.")] = False,
) -> None:
    """Learn, choose, measure, print, and keep."""
    source, config = Dataset.load(data / NAME), Config.load(None, ["split.kind=random"], "fast")
    parts = split(source, config.cut, config.seed)
    first, final = fitted(f"{NAME}_random", parts, config, models)
    task, fold = Task.of(config), parts.folds[0]
    held, known = (fold.valid, fold.train) if dev else (parts.test, parts.fit_data)
    model = first if dev else final
    people = labelled(model.data, KEY, source, (KEY,))
    woman = np.zeros(model.data.n_users, np.bool_)
    woman[people.users] = np.asarray(people.classes)[people.labels] == "F"

    def pairs(of: Dataset) -> tuple[Ints, Ints]:
        matrix = of.matrix().tocoo()
        return matrix.row.astype(np.int64), matrix.col.astype(np.int64)

    def ndcg(scorer: Scorer, ties: Any, of: Dataset) -> Any:
        return evaluate(scorer, Queries.before(ties, of), task.truth(of), (K,), auc=False, task=task)

    valid, shape = pairs(fold.valid), (model.data.n_users, model.data.n_items)
    out: dict[str, Any] = {"rows": {}}
    scorers: dict[str, tuple[Scorer, Callable[[Doubles], Doubles]]] = {}
    for name, fair in (("matrix factorisation", 0.0), ("FOCF, over", 1.0)):
        tried = {}
        for rate in RATES:
            for decay in DECAYS:
                for turn, one in enumerate(factors(pairs(fold.train), woman, shape, fair, rate, decay), 1):
                    tried[rate, decay, turn] = float(ndcg(one, first.ties, fold.valid).metrics[f"ndcg@{K}"])
        rate, decay, turn = max(tried, key=lambda key: tried[key])
        print(name, {"rate": rate, "decay": decay, "epochs": turn * EVERY}, tried[rate, decay, turn], flush=True)
        learned = list(factors(pairs(known), woman, shape, fair, rate, decay))[turn - 1]
        scorers[name] = (learned, clipped)
        out.setdefault("chosen", {})[name] = {"rate": rate, "decay": decay, "epochs": turn * EVERY}
    queries = Queries.before(first.ties, fold.valid)
    likely = calibrated(first, queries, valid, fold.train.matrix() + fold.valid.matrix())
    scorers["graphrec, fast"] = (model, likely)
    clear = replace(model, profiles=cleared(model.profiles, model.ties, (KEY,)))
    scorers["graphrec, cleared of gender"] = (clear, likely)
    queries, told = Queries.before(model.ties, held), pairs(held)
    base: dict[str, Any] = {}
    for name, (scorer, probable) in scorers.items():
        found = ndcg(scorer, model.ties, held)
        each, chance = found.per_user[f"ndcg@{K}"], probable(of_pairs(scorer, queries, told))
        apart, both = differential(chance, told[1], woman[told[0]])
        row = {"ndcg": float(each.mean()), "differential": float(apart.mean()), "both": float(apart[both].mean())}
        row |= {"one": float(apart[~both].sum() / len(apart)), "items": len(apart), "of one": int((~both).sum())}
        row["tenth"] = float(differential(chance * SMALL, told[1], woman[told[0]])[0].mean())
        row["mean"] = float(chance.mean())
        before = base.setdefault("FOCF" if "graphrec" not in name else "graphrec", each)
        row["p"] = paired_p_value(each, before)
        out["rows"][name] = row
        print(name, row, flush=True)
    if not dev:
        looks = report.kept("differential", NAME).get("looks", 0) + 1
        report.keep(
            "differential", NAME, out | {"data": source.digest(), "users": len(np.unique(told[0])), "looks": looks}
        )


if __name__ == "__main__":
    typer.run(main)

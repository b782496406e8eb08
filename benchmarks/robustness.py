"""Fake profiles that push an item: how far it moves, without and with people who look made up set aside, and the price.

    python benchmarks/robustness.py ../shared/data
    python benchmarks/robustness.py ../shared/data --only yelp_places
    python benchmarks/robustness.py ../shared/data --only lastfm_social --attack segment    # beside what is kept
    python benchmarks/robustness.py ../shared/data --only clean          # who looks made up where nobody is known to be

One in a hundred people more is made up (``samples/shills.py``: random, average, bandwagon, segment), all for one item,
which few people took. Choices are those of preset ``fast`` that presets.py kept, or made anew, without texts and
knowledge, and what is learned is learned anew with them: blocks alone, and the blend (of yelp_places: of these four
blocks). How far the item moves is the mean over people who have not taken it of its place among what is new to them; of
a segment attack also over the people of the segment alone. NDCG is of test users; which people look made up is told
from training and validation part alone.

Beside it stands whom other ways would take: as many people as are made up, those who vary least with others
(PCA-VarSelect: Mehta and Nejdl, UMUAI 2009), and those whose items go together least, person by person.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import BLOCK, Task, evaluate
from graphrec.fit import learn
from graphrec.linalg.suspects import suspects, together
from graphrec.linalg.unlike import unlike
from graphrec.model.model import Model
from graphrec.profile.index import Index
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.robust import trusted
from graphrec.samples.shills import ATTACKS, group, shilled
from graphrec.types import Ints

SETS = {"yelp_places": False, "lastfm_social": True, "ml1m_kg": True}  # whether kept choices are taken
CLEAN = ("musical_instruments", "magazine_subscriptions", "yelp_places", "ml1m_kg")  # for --only clean
MADE_UP, TARGETS, PEOPLE, K = 0.01, 2, 1000, 10
ALONE = ("popularity", "spectral", "neighbours", "ease")
FAST = ("features.enabled=false", "kg.enabled=false")
ALL_ALONE = ("blocks=popularity,spectral,neighbours,ease", "spectral.rank=64", "ease.regularisation=300")


def learned(data: Dataset, chosen: dict[str, Any], config: Config, alone: Sequence[str] = ALONE) -> dict[str, Model]:
    """The blend, and the blocks alone, by name."""
    heard = {**chosen["weights"], **{name: max(chosen["weights"][name], 0.01) for name in alone}}
    model = learn(data, {**chosen, "weights": heard}, Recommender(config)._fitting(data))
    only = {name: {other: float(other == name) for other in heard} for name in alone}
    out = {"fast": chosen["weights"], **only}
    profiles = {name: model.profiles.reweighted(weights) for name, weights in out.items()}
    return {
        name: replace(model, profiles=one, index=Index.build(one.item_matrix(), config.retrieve))
        for name, one in profiles.items()
    }


def places(model: Model, target: int, users: Ints) -> tuple[float, float]:
    """Mean place of an item among what is new to people who have not taken it, from 1, and the share of them who are
    shown it among ``K``."""
    found = []
    for start in range(0, len(users), BLOCK):
        some = Queries.stored(model.ties, users[start : start + BLOCK])
        scores = model.scores(some).copy()
        scores[np.asarray(some.seen.toarray(), bool)] = -np.inf
        own = scores[:, target][:, None]
        found.append(1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2)
    place = np.concatenate(found)
    return float(place.mean()), float((place <= K).mean())


def ndcg(model: Model, parts: Split) -> float:
    """NDCG@K of ``PEOPLE`` test users at most, as the model knows them."""
    task = Task("all")
    truth = task.truth(parts.test)
    ends = np.pad(truth.indptr, (0, model.data.n_users - truth.shape[0]), mode="edge")  # who is made up finds nothing
    wide = sp.csr_matrix((truth.data, truth.indices, ends), (model.data.n_users, truth.shape[1]))
    there = np.flatnonzero(np.diff(ends))
    some = np.zeros(wide.shape[0])
    some[np.random.default_rng(2).permutation(there)[:PEOPLE]] = 1
    wide, asked = sp.csr_matrix(sp.diags(some) @ wide), Queries.stored(model.ties)
    return evaluate(model, asked, wide, (K,), auc=False, task=task).metrics[f"ndcg@{K}"]


def told(models: dict[str, Model], parts: Split, target: int, asked: dict[str, Ints]) -> dict[str, dict[str, Any]]:
    """Of each model its NDCG, and the places of an item for each group of people."""
    return {
        name: {"ndcg": ndcg(model, parts), **{w: places(model, target, who) for w, who in asked.items()}}
        for name, model in models.items()
    }


def caught(taken: sp.csr_matrix, real: int) -> dict[str, Any]:
    """Of the people from ``real`` on, who are made up, the share that each way finds, and whom else it takes."""
    n = taken.shape[0] - real
    dense = np.asarray(taken.toarray(), np.float32)
    dense -= dense.mean(axis=1, keepdims=True)
    dense /= np.maximum(dense.std(axis=1, keepdims=True), 1e-6)
    vectors, _, _ = randomized_svd(dense, 3, random_state=0)
    share, told = together(taken)
    varying, own = np.square(vectors).sum(axis=1), np.where(told > 0, share, np.inf)
    found = suspects(taken)
    out = {"found": float((found.users >= real).sum() / n), "others": int((found.users < real).sum())}
    ways = {"pca": varying, "person": own}
    return out | {name: float((np.argsort(x, kind="stable")[:n] >= real).mean()) for name, x in ways.items()}


def chosen_of(name: str, config: Config) -> dict[str, Any]:
    """The choices of preset ``fast`` for a set, without what reads texts."""
    (kept,) = (found["fast"] for run, found in report.kept("presets").items() if run.partition("/")[0] == name)
    weights = {b: w if not config.block(b).uses_text else 0.0 for b, w in kept["chosen"]["weights"].items()}
    chosen = {key: value for key, value in kept["chosen"].items() if key != "content"}
    others = [name for name in config.blocks if name not in chosen]  # they have come since
    return chosen | {key: {} for key in others} | {"weights": dict.fromkeys(others, 0.0) | weights}


def measured(parts: Split, config: Config, chosen: dict[str, Any], attacks: Sequence[str]) -> dict[str, Any]:
    """Some attacks on one data set."""
    data = parts.fit_data
    careful = config.with_(robust={"set_aside": True})
    clean = learned(data, chosen, config)
    taken = data.seen()
    counts = np.asarray(taken.sum(axis=0)).ravel()
    random, n = np.random.default_rng(0), round(MADE_UP * data.n_users)
    targets = random.choice(np.flatnonzero((counts > 0) & (counts <= np.median(counts[counts > 0]))), TARGETS)
    kept = trusted(data, careful)
    plain = {name: ndcg(model, parts) for name, model in clean.items()}
    alarms = {"people": int((np.diff(taken.indptr) > 0).sum() - (np.diff(kept.seen().indptr) > 0).sum())}
    alarms["events"] = int(taken.nnz - kept.seen().nnz)
    mended = plain if kept is data else {k: ndcg(m, parts) for k, m in learned(kept, chosen, config).items()}
    rows = []
    for attack in attacks:
        for number, target in enumerate(targets.tolist()):
            new_to = np.flatnonzero(np.asarray(taken[:, target].toarray()).ravel() == 0)
            asked = {"place": np.sort(np.random.default_rng(1).permutation(new_to)[:PEOPLE]).astype(np.int64)}
            if attack == "segment":
                asked["near"] = np.intersect1d(new_to, group(data, target, number)).astype(np.int64)
            pushed = shilled(data, attack, target, n, number)  # type: ignore[arg-type]
            row = {"attack": attack, "takers": int(counts[target]), **caught(pushed.seen(), data.n_users)}
            row["before"] = {name: places(model, target, asked["place"]) for name, model in clean.items()}
            if "near" in asked:
                row["near"] = {name: places(model, target, asked["near"]) for name, model in clean.items()}
            known = trusted(pushed, careful)
            row["silent"] = 1 - float(known.seen()[data.n_users :, target].sum()) / n  # whose taking it does not count
            row["without"] = row["with"] = told(learned(pushed, chosen, config), parts, target, asked)
            if known is not pushed:
                row["with"] = told(learned(known, chosen, config), parts, target, asked)
            rows.append(row)
            print(row, flush=True)
    shape = {"users": data.n_users, "items": data.n_items, "made_up": n, "split": parts.kind, "people": PEOPLE, "k": K}
    return {**shape, "rows": rows, "clean": {"ndcg": plain, "with": mended, **alarms}}


def main(
    data: Annotated[Path, typer.Argument()],
    only: Annotated[str, typer.Option(help="One of the sets.")] = "",
    attack: Annotated[str, typer.Option(help="One of the attacks; others stay as they are kept.")] = "",
) -> None:
    for name, kept in SETS.items():
        if only in ("", name):
            source = Dataset.load(data / name)
            config = Config.load(None, [*FAST, *(() if kept else ALL_ALONE), "evaluate.relevant=all"], "fast")
            parts = split(replace(source, reviews=source.reviews[:0]), config.cut, config.seed)
            chosen = chosen_of(name, config) if kept else dict(Recommender(config).fit_split(parts).fitted.chosen)
            found = measured(parts, config, chosen, [attack] if attack else ATTACKS)
            before = report.kept("robustness", name).get("rows", [])
            rows = [row for row in before if attack and row["attack"] != attack]
            report.keep("robustness", name, {**found, "rows": [*rows, *found["rows"]]})
    if only in ("", "clean"):
        for name in CLEAN:
            source = Dataset.load(data / name)
            parts = split(replace(source, reviews=source.reviews[:0]), Config().cut, 0)
            taken = parts.fit_data.seen()
            alarms = suspects(taken)
            silent = unlike(taken, alarms.share)
            counts = {"users": parts.fit_data.n_users, "items": parts.fit_data.n_items}
            counts |= {"people": len(alarms.users), "pushed": len(alarms.items), "events": len(silent.items)}
            report.keep("robust_clean", name, counts)


if __name__ == "__main__":
    typer.run(main)

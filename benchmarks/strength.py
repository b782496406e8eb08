"""What ratings, counts and kinds of events are worth: strength used against every event alike, in one run.

    python benchmarks/strength.py ../shared/data --only lastfm_social
    python benchmarks/strength.py ../shared/data --only "ml-100k, temporal"      # fetched from the package index

On one split the same settings are fitted four times: with strength and without, to find the liked held-out items and to
find all that were taken; each pair is compared on the same test users. ``reasons`` counts the history items in the
explanations of recommendations, and those among them that the user had disliked: there must be none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.fetch import fetch
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.types import Floats

EXPLAINED = 1000  # recommendations whose reasons are read
BARE = ("kg.enabled=false", "features.enabled=false", "blocks=popularity,spectral,neighbours,ease,ials")
RUNS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: folder, settings
    "ml-100k, random": ("ml-100k", ("split.kind=random", *BARE)),
    "ml-100k, random, five seeds": ("ml-100k", ("split.kind=random", *BARE)),
    "ml-100k, leave-last": ("ml-100k", ("split.kind=leave-last", *BARE)),
    "ml-100k, temporal": ("ml-100k", ("split.kind=temporal", *BARE)),
    "ml-100k, random, with the network": (
        "ml-100k",
        ("split.kind=random", "kg.enabled=false", "features.enabled=false", "graph.max_steps=400"),
    ),
    "lastfm_social": ("lastfm_social", ("split.kind=given", "features.user_text=false")),
    "musical_instruments, temporal": ("musical_instruments", ("split.kind=temporal",)),
    "musical_instruments, leave-last": ("musical_instruments", ("split.kind=leave-last",)),
}


def reasons(model: Recommender, seed: int) -> dict[str, int]:
    """History items among the reasons of recommendations to random users, and how many of these they had disliked."""
    data, ties = model.fitted.data, model.fitted.explainer.ties
    users = np.random.default_rng(seed).permutation(np.unique(data.interactions.user_nums))
    found = {"explanations": 0, "history_items": 0, "disliked": 0}
    for user in users.tolist():
        disliked = {data.items.ids[i] for i in ties.disliked(user)}
        for item in model.recommend(data.users.ids[user], 5)["item_id"]:
            told = model.explain(data.users.ids[user], str(item)).evidence
            firsts = [e.path[0] for e in told if e.kind in ("history", "knowledge") and e.path]
            taken = {step.tail.removeprefix("item:") for step in firsts if step.relation == "interacted"}
            found["explanations"] += 1
            found["history_items"] += len(taken)
            found["disliked"] += len(taken & disliked)
            if found["explanations"] == EXPLAINED:
                return found
    return found


def compared(data: Dataset, config: Config, seeds: range) -> dict[str, Any]:
    """NDCG@10 and @20 with strength and without, means over seeds (of split and fit), and p of the paired t-test on
    each user's mean NDCG@10."""
    task, found = Task.of(config), dict[str, Any]()
    per_user: dict[str, list[Floats]] = {}  # NDCG@10 (U,) of each seed, NaN where a user is not tested
    for use in (True, False):
        name, measured, model = "with strength" if use else "all alike", [], None
        for seed in seeds:
            own = config.with_(strength={"use": use}, seed=seed)
            parts = split(data, own.cut, own.seed)
            model = Recommender(own, progress=True).fit_split(parts)
            tested = evaluate(
                model, Queries.stored(Ties(parts.fit_data)), task.truth(parts.test), (10, 20), auc=False, task=task
            )
            row = np.full(data.n_users, np.nan, np.float32)
            row[tested.user_nums] = tested.per_user["ndcg@10"]
            per_user.setdefault(name, []).append(row)
            measured.append(tested.metrics)
        assert model is not None
        chosen = model.fitted.chosen
        found[name] = {
            **{key: float(np.mean([m[key] for m in measured])) for key in ("ndcg@10", "ndcg@20")},
            "readings": {b: chosen[b].get("reading", "") for b in config.blocks if chosen["weights"][b] > 0},
        }
        if use:
            found["reasons"] = reasons(model, config.seed)
    tested_users = ~np.isnan(np.stack(per_user["all alike"])).all(axis=0)
    on, off = (np.nanmean(np.stack(per_user[n])[:, tested_users], axis=0) for n in ("with strength", "all alike"))
    return {**found, "users": len(on), "p": paired_p_value(on, off)}


def measure(folder: Path, settings: tuple[str, ...], seeds: range) -> dict[str, Any]:
    data, config = Dataset.load(folder), Config.load(None, settings)
    found = {r: compared(data, config.with_(evaluate={"relevant": r}), seeds) for r in ("liked", "all")}
    return {"data": data.fingerprint(), "settings": list(settings), "seeds": len(seeds), **found}


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    for name, (folder, settings) in RUNS.items():
        if only in ("", name):
            path = fetch(folder) if folder == "ml-100k" else data / folder
            if path.exists():
                seeds = range(1, 6) if "five seeds" in name else range(42, 43)
                report.keep("strength", name, measure(path, settings, seeds))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

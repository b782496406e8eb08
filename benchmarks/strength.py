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
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.recommender import Recommender

EXPLAINED = 1000  # recommendations whose reasons are read
BARE = ("kg.enabled=false", "features.enabled=false", "blocks=popularity,spectral,neighbours,ease,ials")
RUNS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: folder, settings
    "ml-100k, random": ("ml-100k", ("split.kind=random", *BARE)),
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


def compared(parts: Split, config: Config, relevant: str) -> dict[str, Any]:
    """NDCG@10 and @20 with strength and without, and p of the paired t-test on NDCG@10."""
    config = config.with_(evaluate={"relevant": relevant})
    task, found, per_user = Task.of(config), {}, {}
    for use in (True, False):
        model = Recommender(config.with_(strength={"use": use}), progress=True).fit_split(parts)
        tested = evaluate(model, parts.fit_data.seen(), task.truth(parts.test), (10, 20), auc=False, task=task)
        name = "with strength" if use else "all alike"
        per_user[name] = tested.per_user["ndcg@10"]
        blocks = model.fitted.chosen
        found[name] = {
            "ndcg@10": tested.metrics["ndcg@10"],
            "ndcg@20": tested.metrics["ndcg@20"],
            "readings": {b: blocks[b].get("reading", "") for b in config.blocks if blocks["weights"][b] > 0},
        }
        if use:
            found["reasons"] = reasons(model, config.seed)
    found["users"] = len(per_user["all alike"])
    found["p"] = paired_p_value(per_user["with strength"], per_user["all alike"])
    return found


def measure(folder: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    data, config = Dataset.load(folder), Config.load(None, settings)
    parts = split(data, config.cut, config.seed)
    return {
        "data": data.fingerprint(),
        "settings": list(settings),
        **{relevant: compared(parts, config, relevant) for relevant in ("liked", "all")},
    }


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    for name, (folder, settings) in RUNS.items():
        if only in ("", name):
            path = fetch(folder) if folder == "ml-100k" else data / folder
            if path.exists():
                report.keep("strength", name, measure(path, settings))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

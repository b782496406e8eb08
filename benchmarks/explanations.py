"""Are explanations found quickly, do they hold, and do they matter? On real data, and against networkx.

    python benchmarks/explanations.py ../shared/data            # runs what is there, writes benchmarks/RESULTS.md
    python benchmarks/explanations.py ../shared/data --only ml1m_kg

The model is fitted with few training steps and few settings to choose from: what is measured is its explanations, not
its accuracy. networkx is asked for the same paths: from the user over an item they took, and over at most one entity or
item, to the item explained. It gets the graph ready made, with the user's history in it and the graph's users left out;
the two answers must be equal.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import networkx as nx
import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.fetch import REGISTRY, fetch
from graphrec.data.split import split
from graphrec.evaluate.explanations import explanation_report
from graphrec.explain.explainer import Explainer
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.types import Explanation

SETTINGS = (
    "graph.max_steps=200",
    "graph.evaluations=5",
    "spectral.rank=64,256",
    "spectral.alpha=0.5",
    "spectral.beta=0.3,0.45",
    "spectral.power=0,0.8",
    "spectral.knowledge=0",
    "neighbours.alpha=0.5",
    "neighbours.beta=0.3,0.45",
    "ease.regularisation=300,3000",
    "ials.alpha=3,10",
    "ials.regularisation=10",
    "ials.factors=64",
    "ials.knowledge=0",
    "blend.users=1000",
)
RUNS = {"ml1m_kg": "given", "musical_instruments": "temporal", "lastfm_social": "given", "ml-100k": "temporal"}
TIMED = 300  # (user, item) pairs whose explanation is timed
COMPARED = 20  # pairs asked of networkx too
USERS = 100


def connections(explainer: Explainer, user_num: int, item_num: int) -> set[tuple[str, ...]]:
    """Every path user – item taken – (entity –) item, as node ids."""
    data, own = explainer.data, explainer.ties.history(user_num)
    found = explainer.links.between(own[own != item_num], item_num)
    node = np.where(found.near == found.far, -1, found.node)
    ids, nodes = data.items.ids, explainer.links.ids
    user, item = f"user:{data.users.ids[user_num]}", f"item:{data.items.ids[item_num]}"
    return {
        (user, f"item:{ids[j]}", item) if n < 0 else (user, f"item:{ids[j]}", nodes[n], item)
        for j, n in zip(found.start.tolist(), node.tolist(), strict=True)
    }


def explained(explainer: Explainer, user_num: int, item_num: int) -> Explanation:
    """Why one item for one user of the training data."""
    query = Queries.stored(explainer.ties, np.array([user_num]))
    return explainer.explain(query, explainer.data.users.ids[user_num], item_num)


def against_networkx(explainer: Explainer, pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """Seconds of both for the same answers. Raises AssertionError where the answers differ."""
    data, directed = explainer.data, explainer.graph.to_networkx()
    directed.remove_nodes_from([node for node, of in directed.nodes(data=True) if of["type"] == "user"])
    graph: nx.Graph[Any] = nx.Graph(directed.to_undirected())
    graph.add_nodes_from(f"item:{item}" for item in data.items.ids)
    ours, theirs, paths = 0.0, 0.0, 0
    for user_num, item_num in pairs:
        user, item = f"user:{data.users.ids[user_num]}", f"item:{data.items.ids[item_num]}"
        taken = [f"item:{data.items.ids[j]}" for j in explainer.ties.history(user_num).tolist() if j != item_num]
        graph.add_edges_from((user, other) for other in taken)
        start = time.perf_counter()
        expected = set(map(tuple, nx.all_simple_paths(graph, user, item, cutoff=3)))
        middle = time.perf_counter()
        found = connections(explainer, user_num, item_num)
        ours += time.perf_counter() - middle
        theirs += middle - start
        graph.remove_node(user)
        assert found == expected, f"{user} to {item}: {len(found)} paths here, {len(expected)} by networkx"
        paths += len(found)
    return {"pairs": len(pairs), "paths": paths, "seconds": ours, "networkx_seconds": theirs, "times": theirs / ours}


def measure(folder: Path, kind: str) -> dict[str, Any]:
    data, config = Dataset.load(folder), Config.load(None, [*SETTINGS, f"split.kind={kind}"])
    parts = split(data, config.split, config.seed)
    model = Recommender(config, progress=True).fit_split(parts)
    explainer = model.fitted.explainer
    active = np.intersect1d(parts.test.interactions.user_nums, parts.fit_data.interactions.user_nums)
    rng = np.random.default_rng(config.seed)
    pairs = []
    for user in rng.choice(active, min(TIMED // 3, len(active)), replace=False).tolist():
        ids = model.recommend(data.users.ids[user], 3)["item_id"]
        pairs += [(int(user), int(item)) for item in data.items.numbers(list(ids))]
    explained(explainer, *pairs[0])  # builds the indices
    milliseconds = []
    for pair in pairs:
        start = time.perf_counter()
        explained(explainer, *pair)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return {
        "data": data.fingerprint(),
        "settings": list(SETTINGS),
        "weights": model.fitted.chosen["weights"],
        "timed": len(pairs),
        "median_ms": float(np.median(milliseconds)),
        "p99_ms": float(np.quantile(milliseconds, 0.99)),
        "networkx": against_networkx(explainer, pairs[:: max(1, len(pairs) // COMPARED)][:COMPARED]),
        "report": explanation_report(explainer, model, active, USERS, seed=config.seed, progress=True),
    }


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    for name, kind in RUNS.items():
        if only not in ("", name):
            continue
        folder = fetch(name) if name in REGISTRY else data / name
        if folder.exists():
            report.keep("explanations", name, measure(folder, kind))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

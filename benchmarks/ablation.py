"""What each block and each source of data is worth: alone, left out, shuffled, replaced by noise.

    python benchmarks/ablation.py ../shared/data --only lastfm_social

Blocks: every subset's weights are chosen anew on validation users; the blocks themselves are fitted once. Sources: the
whole model is fitted anew on what is left. Shuffled social edges keep who has how many friends, shuffled knowledge how
many items each entity has; noise replaces every text vector by a random one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import torch
import typer

from graphrec.blocks.base import FitInputs
from graphrec.blocks.blend import blend
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import holm, paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.graph.names import ENTITY, ITEM, TRUSTS, USER
from graphrec.profile.profiles import Profiles
from graphrec.recommender import BLOCKS, Recommender
from graphrec.types import Floats, Ints
from kg.graph import KnowledgeGraph

RUNS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: folder, settings
    "lastfm_social": (
        "lastfm_social",
        ("split.kind=given", "features.user_text=true", "graph.max_steps=400", "graph.temperature=0.2"),
    ),
    "musical_instruments, temporal": ("musical_instruments", ("split.kind=temporal", "graph.max_steps=400")),
    "musical_instruments, leave-last": ("musical_instruments", ("split.kind=leave-last", "graph.max_steps=400")),
    "ml1m_kg": (  # the blend leaves the graph block out there, so its hours are spared
        "ml1m_kg",
        ("split.kind=given", "blocks=popularity,spectral,neighbours,ease,ials,semantic"),
    ),
}
SOURCES = ("no knowledge", "shuffled knowledge", "no friends", "shuffled friends", "no text", "noise for text")


class Ablated(Recommender):
    """A Recommender whose blocks see a graph with one source taken out or spoilt."""

    what = ""

    def inputs(self, train: Dataset) -> tuple[FitInputs, KnowledgeGraph]:
        inputs, knowledge = super().inputs(train)
        graph, rng = inputs.graph.clone(), np.random.default_rng(0)
        if "knowledge" in self.what:
            for kind in [t for t in graph.edge_types if ENTITY in (t[0], t[2])]:
                if self.what == "no knowledge":
                    del graph[kind]
                elif not kind[1].startswith("rev_"):  # its reverse goes along
                    edges = graph[kind].edge_index.clone()
                    edges[0] = edges[0][torch.from_numpy(rng.permutation(edges.shape[1]))]
                    graph[kind].edge_index = edges
                    graph[kind[2], f"rev_{kind[1]}", kind[0]].edge_index = edges.flip(0)
        if "friends" in self.what:
            edges = np.zeros((2, 0), np.int64)
            if self.what == "shuffled friends":
                edges = rng.permutation(train.n_users)[train.social_edge_index]  # the same graph over other people
            train = replace(train, social_edge_index=edges)
            graph[TRUSTS].edge_index = torch.from_numpy(edges)
        if "text" in self.what:
            for kind in (USER, ITEM, ENTITY):
                x = graph[kind].x
                noise = torch.from_numpy(rng.standard_normal(x.shape).astype(np.float32))
                some = x.any(dim=1, keepdim=True)
                graph[kind].x = some * torch.nn.functional.normalize(noise, dim=1) if "noise" in self.what else 0 * x
        return FitInputs(train, graph, inputs.config, inputs.progress), knowledge


def per_user(parts: Split, scorer: Any) -> Floats:
    """NDCG@20 of each test user."""
    found = evaluate(scorer, parts.fit_data.seen(), Task().truth(parts.test), (20,), auc=False)
    return found.per_user["ndcg@20"]


class Scored:
    """Several blocks under given weights."""

    def __init__(self, profiles: Profiles) -> None:
        self.blocks = [b for b in profiles.blocks if b.weight > 0]

    def scores(self, user_nums: Ints) -> Floats:
        return np.sum([np.float32(b.weight) * b.scores(user_nums) for b in self.blocks], axis=0)


def blocks_table(parts: Split, config: Config) -> dict[str, Floats]:
    """NDCG@20 of each test user for the whole, each block alone, and each block left out."""
    model = Recommender(config, progress=True)
    validation = Validation(parts.train, parts.valid, config.blend.k, config.blend.users, config.seed)
    inputs, _ = model.inputs(parts.train)
    tuned = {name: BLOCKS[name]().tune(inputs, validation) for name in config.blocks}
    inputs, _ = model.inputs(parts.fit_data)
    fitted = {name: BLOCKS[name]().fit(inputs, tuned[name][1]) for name in config.blocks}
    subsets = {"the whole": tuple(config.blocks)}
    subsets |= {f"{name} alone": (name,) for name in config.blocks}
    subsets |= {f"without {name}": tuple(n for n in config.blocks if n != name) for name in config.blocks}
    out = {}
    for what, names in subsets.items():
        weights, _ = blend([tuned[n][0] for n in names], validation, config.blend.candidates)
        out[what] = per_user(parts, Scored(Profiles(tuple(fitted[n] for n in names)).reweighted(weights)))
    return out


def measure(folder: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    data, config = Dataset.load(folder), Config.load(None, settings)
    parts = split(data, config.split, config.seed)
    found = blocks_table(parts, config)
    for what in SOURCES:
        if "friends" in what and not data.social_edge_index.shape[1]:
            continue
        model = Ablated(config, progress=True)
        model.what = what
        found[what] = per_user(parts, model.fit_split(parts))
    whole = found["the whole"]
    p = holm([paired_p_value(values, whole) for what, values in found.items() if what != "the whole"])
    means = [float(values.mean(dtype=np.float64)) for values in found.values()]
    rows = zip(found, means, [None, *p], strict=True)
    return {
        "data": data.fingerprint(),
        "settings": list(settings),
        "rows": [{"what": what, "ndcg@20": mean, "p": p_value} for what, mean, p_value in rows],
    }


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    for name, (folder, settings) in RUNS.items():
        if only in ("", name) and (data / folder).exists():
            report.keep("ablation", name, measure(data / folder, settings))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

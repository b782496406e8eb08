"""What each block and each source of data is worth: alone, left out, shuffled, replaced by noise.

    python benchmarks/ablation.py ../shared/data --only lastfm_social

Blocks: every subset's weights are chosen anew on validation users; the blocks themselves are fitted once. Sources: the
whole model is fitted anew on what is left. Shuffled social edges keep who has how many friends, shuffled knowledge how
many items each entity has; noise replaces every text vector by a random one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import torch
import typer

from graphrec.blocks.api import FitInputs, Fold, Folds
from graphrec.blocks.blend import blend
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import holm, paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.features.encoder import load_encoder
from graphrec.fit import Fitting, as_read, folds_of, learn_from
from graphrec.graph.names import ENTITY, ITEM, TRUSTS, USER
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats

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


def spoilt(inputs: FitInputs, what: str) -> FitInputs:
    """The same with one source taken out or spoilt; all of it for ""."""
    assert inputs.graph is not None
    graph, train, rng = inputs.graph.clone(), inputs.train, np.random.default_rng(0)
    if "knowledge" in what:
        for kind in [t for t in graph.edge_types if ENTITY in (t[0], t[2])]:
            if what == "no knowledge":
                del graph[kind]
            elif not kind[1].startswith("rev_"):  # its reverse goes along
                edges = graph[kind].edge_index.clone()
                edges[0] = edges[0][torch.from_numpy(rng.permutation(edges.shape[1]))]
                graph[kind].edge_index = edges
                graph[kind[2], f"rev_{kind[1]}", kind[0]].edge_index = edges.flip(0)
    if "friends" in what:
        friends = np.zeros((2, 0), np.int64)
        if what == "shuffled friends":
            friends = rng.permutation(train.n_users)[train.social_edge_index]  # the same graph over other people
        train = replace(train, social_edge_index=friends)
        graph[TRUSTS].edge_index = torch.from_numpy(friends)
    if "text" in what:
        for node in (USER, ITEM, ENTITY):
            x = graph[node].x
            noise = torch.from_numpy(rng.standard_normal(x.shape).astype(np.float32))
            some = x.any(dim=1, keepdim=True)
            graph[node].x = some * torch.nn.functional.normalize(noise, dim=1) if "noise" in what else 0 * x
    return FitInputs(Ties(train), graph, inputs.runtime)


def per_user(parts: Split, scorer: Scorer) -> Floats:
    """NDCG@20 of each test user."""
    found = evaluate(scorer, Queries.stored(Ties(parts.fit_data)), Task().truth(parts.test), (20,), auc=False)
    return found.per_user["ndcg@20"]


class Scored:
    """Several blocks under given weights."""

    def __init__(self, profiles: Profiles) -> None:
        self.heard = profiles.heard

    def scores(self, queries: Queries) -> Floats:
        """The weighted sum, float32 (B, I)."""
        return sum((np.float32(b.weight) * b.scores(queries) for b in self.heard), np.zeros((), np.float32))


class Learned:
    """The blocks of a configuration, chosen on validation users and learned again on all but the test part, from what
    one source less, or spoilt, leaves."""

    def __init__(self, parts: Split, fitting: Fitting, what: str = "") -> None:
        self.config, blocks = fitting.config, fitting.blocks()
        inputs_of = [spoilt(fold.inputs, what) for fold in folds_of(parts.folds, fitting)]
        pairs = zip(inputs_of, parts.folds, strict=True)
        self.folds = Folds(Fold(inputs, Validation.of(inputs.ties, carve, self.config)) for inputs, carve in pairs)
        tuned = {name: block.tune(self.folds) for name, block in blocks.items()}
        inputs = spoilt(learn_from(as_read(parts.fit_data, self.config), fitting)[0], what)
        self.tuned = {name: fitted for name, (fitted, _) in tuned.items()}
        self.chosen = {name: choice for name, (_, choice) in tuned.items()}
        self.fitted = {name: block.fit(inputs, tuned[name][1]) for name, block in blocks.items()}

    def blended(self, names: Sequence[str]) -> Scored:
        """Some of the blocks, with weights of their own."""
        weights, _ = blend([self.tuned[n] for n in names], self.folds, self.config.blend.candidates)
        return Scored(Profiles(tuple(self.fitted[n] for n in names)).reweighted(weights))


def measure(folder: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    """NDCG@20 of the whole, each block alone, each left out, and each source taken away or spoilt."""
    data, config = Dataset.load(folder), Config.load(None, settings)
    parts = split(data, config.split, config.seed)
    fitting = Fitting(
        config, Runtime.of(config.runtime, config.seed, progress=True), cache(lambda: load_encoder(config.features))
    )
    subsets = {"the whole": config.blocks}
    subsets |= {f"{name} alone": (name,) for name in config.blocks}
    subsets |= {f"without {name}": tuple(n for n in config.blocks if n != name) for name in config.blocks}
    learned = Learned(parts, fitting)
    found = {what: per_user(parts, learned.blended(names)) for what, names in subsets.items() if names}
    for what in SOURCES:
        if "friends" not in what or data.social_edge_index.shape[1]:
            found[what] = per_user(parts, Learned(parts, fitting, what).blended(config.blocks))
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

"""What friends and triples are worth, and for whom: with them, without, and with shuffled ones.

    python benchmarks/lift.py ../shared/data --only lastfm_social
    python benchmarks/lift.py ../shared/data --only lastfm_social --dev      # on a carve of the training part instead

Everything is chosen on validation users and learned again on all but the test part, four times: from the data as it is,
without the source, with edges that are shuffled (the same graph over other people; as many items to each entity), and
as before a source had to help: friends with one weight for everybody, learned from R as it is, and entities as rows of
R without the `kin` block. ``thin`` runs cut the histories of the
training part to 1, 2, 3, 5 or 10 events, drawn for each user. Groups of users are by what is left of their history and
by how many friends they have; of items, by their takers: none, the most taken that make up half of all interactions,
and the rest. A line of items is the mean share of a user's held-out items of the group found among 20. Intervals are of
the paired bootstrap over users, in per cent of the figure without.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import numpy as np
import report
import typer
from ablation import Learned, Scored

from graphrec.blocks import api
from graphrec.config import Config
from graphrec.data.dataset import TEST, TRAIN, Dataset
from graphrec.data.split import merge, split
from graphrec.evaluate import metrics
from graphrec.evaluate.ranking import hits_of, new_items, ranked
from graphrec.features.encoder import load_encoder
from graphrec.fit import Fitting
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats, Ints

K, DRAWS, LEAST = 20, 2000, 1e-4
SIZES = (1, 2, 3, 5, 10)
CLOSED = (  # in minutes; EASE takes most of them where there are many items
    *("features.enabled=false", "strength.use=false", "spectral.rank=32,64,128,256", "spectral.alpha=0.3,0.5"),
    *("spectral.beta=0.4", "blend.users=1000", "neighbours.alpha=0.25", "neighbours.beta=0.2,0.4"),
)
WHOLE = ("blocks=popularity,spectral,neighbours,ease,circle,kin", "ease.regularisation=100,300", *CLOSED)
FRIENDS = ("blocks=popularity,spectral,neighbours,circle", "kg.enabled=false", *CLOSED)
KNOWLEDGE = (  # with a search cut down: few weights of entities as rows
    *("blocks=popularity,spectral,neighbours,kin", "spectral.knowledge=0,0.3,1", "neighbours.knowledge=0,1"),
    *("spectral.power=0.4,1.2", "kin.gamma=1", *CLOSED),
)
RUNS: dict[str, tuple[str, str, bool, tuple[str, ...]]] = {  # name: folder, source, thin, settings
    "lastfm_social": ("lastfm_social", "friends", False, ("split.kind=given", *WHOLE, "kg.enabled=false")),
    "lastfm_social, thin": ("lastfm_social", "friends", True, ("split.kind=given", *WHOLE, "kg.enabled=false")),
    "yelp_places, random": ("yelp_places", "friends", False, ("split.kind=random", *FRIENDS)),
    "yelp_places, random, thin": ("yelp_places", "friends", True, ("split.kind=random", *FRIENDS)),
    "yelp_places, temporal": ("yelp_places", "friends", False, ("split.kind=temporal", *FRIENDS)),
    "lfm1m": ("lfm1m", "knowledge", False, ("split.kind=temporal", *KNOWLEDGE)),
    "lfm1m, thin": ("lfm1m", "knowledge", True, ("split.kind=random", *KNOWLEDGE)),
    "musical_instruments": ("musical_instruments", "knowledge", False, ("split.kind=leave-last", *KNOWLEDGE)),
    "ml1m_sequences": ("ml1m_sequences", "knowledge", False, ("split.kind=leave-last", *KNOWLEDGE)),
}


def as_before() -> Any:
    """Inside, friends have one weight for all, whatever chance made of it."""
    return patch.object(api, "judged", lambda fit, folds, blocks, chosen, settings, unsmoothed: (tuple(blocks), chosen))


def prepared(data: Dataset, config: Config, thin: bool, dev: bool) -> tuple[Dataset, Config]:
    """The data with its parts, histories cut where they are to be thin; for ``dev`` the training part alone, cut anew.
    # No leakage. ``dev`` looks at no test part."""
    parts = split(data, config.split, config.seed)
    if dev:
        data = replace(parts.fit_data, parts=None)
        kind = "random" if config.split.kind == "given" else config.split.kind
        config = config.with_(split={"kind": kind, "test": 0.2})
        parts = split(data, config.split, config.seed)
    if not thin:
        return data, config
    rng, users = np.random.default_rng(config.seed), parts.fit_data.events.user_nums
    order = rng.permutation(len(users))
    order = order[np.argsort(users[order], kind="stable")]
    place = np.empty(len(users), np.int64)
    place[order] = np.arange(len(users)) - np.searchsorted(users[order], users[order])
    few = parts.fit_data.subset(place < rng.choice(SIZES, data.n_users)[users])
    pieces = [replace(p, parts=np.full(len(p.events), n, np.uint8)) for p, n in ((few, TRAIN), (parts.test, TEST))]
    return merge(*pieces), config.with_(split={"kind": "given"})


def measured(parts: Any, scorer: Scored) -> tuple[Floats, dict[str, Floats], Ints]:
    """NDCG of each test user, the share found of their items of each group (NaN where there is none), and who they are:
    (T,) each."""
    ties = Ties(parts.fit_data)
    truth = new_items(parts.test.matrix(), ties.known)
    users = np.flatnonzero(np.diff(truth.indptr)).astype(np.int64)
    queries, wanted = Queries.stored(ties, users), truth[users]
    taken = np.asarray(ties.matrix.sum(axis=0)).ravel()
    order = np.argsort(-taken, kind="stable")
    head = np.zeros(len(taken), bool)
    head[order[np.cumsum(taken[order]) <= taken.sum() / 2]] = True
    groups = {"cold": taken == 0, "tail": (taken > 0) & ~head, "head": head}
    ndcg, found = np.zeros(len(users), np.float32), {g: np.full(len(users), np.nan, np.float32) for g in groups}
    for rows, _, items in ranked(lambda r: scorer.scores(queries[r]), len(users), ties.known[users], K):
        true = wanted[rows]
        ndcg[rows] = metrics.ndcg(hits_of(items, true), np.diff(true.indptr), K)
        hit = true.toarray()[np.arange(len(items))[:, None], items] * (items >= 0)  # (B, K)
        for group, mask in groups.items():
            many = np.asarray(true @ mask.astype(np.float32)).ravel()
            share = (hit * mask[items]).sum(axis=1) / np.maximum(np.minimum(many, K), 1)
            found[group][rows] = np.where(many > 0, share, np.nan)
    return ndcg, found, users


def line(of: dict[str, Floats], some: Any) -> dict[str, Any]:
    """Means over some users, and what the source adds to that without it and to that with shuffled edges, in per cent
    with the half width of its 95 % interval."""
    values = {what: v[some].astype(np.float64) for what, v in of.items()}
    kept = ~np.isnan(values["with"])
    values = {what: v[kept] for what, v in values.items()}
    n = int(kept.sum())
    out: dict[str, Any] = {"users": n, **{what: float(v.mean()) if n else 0.0 for what, v in values.items()}}
    for against in ("without", "shuffled"):
        d, base = values["with"] - values[against], out["without"]
        if base < LEAST:  # per cent of next to nothing tell nothing
            out[f"lift_{against}"] = None
            continue
        draws = np.random.default_rng(0).integers(0, n, (DRAWS, n))
        low, high = np.percentile(d[draws].mean(axis=1), [2.5, 97.5])
        out[f"lift_{against}"] = [100 * float(value) / base for value in (d.mean(), low, high)]
    return out


def measure(folder: Path, source: str, thin: bool, settings: tuple[str, ...], dev: bool = False) -> dict[str, Any]:
    """The four figures for every group."""
    config = Config.load(None, settings)
    data, config = prepared(Dataset.load(folder), config, thin, dev)
    parts = split(data, config.split, config.seed)
    sizes = {"with": "", "without": f"no {source}", "shuffled": f"shuffled {source}", "before": ""}
    ndcg: dict[str, Floats] = {}
    items: dict[str, dict[str, Floats]] = {}
    chosen: dict[str, Any] = {}
    users: Ints = np.zeros(0, np.int64)
    for name, what in sizes.items():
        own = config
        if name == "before" and source == "knowledge":
            own = config.with_(blocks=[b for b in own.blocks if b != "kin"])
        elif name == "before":
            own = config.with_(
                **{b: {"smoothing": [0.0]} for b in ("spectral", "neighbours", "ease") if b in own.blocks}
            )
            own = own.with_(blocks=[b for b in own.blocks if b != "circle"])
        fitting = Fitting(
            own, Runtime.of(own.runtime, own.seed, progress=False), cache(lambda: load_encoder(config.features))
        )
        with as_before() if name == "before" and source == "friends" else nullcontext():
            learned = Learned(parts, fitting, what)
            scorer = learned.blended(own.blocks)
        chosen[name] = {**learned.chosen, "weights": {b.name: round(b.weight, 3) for b in scorer.heard}}
        ndcg[name], found, users = measured(parts, scorer)
        for group, values in found.items():
            items.setdefault(f"{group} items", {})[name] = values
    ties = Ties(parts.fit_data)
    n, m = ties.activity[users], np.diff(ties.friend_mean.indptr)[users]
    groups = {"all": n >= 0}
    for low, high in ((0, 0), (1, 2), (3, 5), (6, 20), (21, 10**9)):
        told = f"{low}" if low == high else f"{low}–{high}" if high < 10**9 else f"{low} on"
        groups[f"{told} events"] = (n >= low) & (n <= high) & ((m > 0) | (source != "friends"))
    if source == "friends":
        groups |= {"no friends": m == 0, "1–2 friends": (m > 0) & (m < 3), "3–10 friends": (m > 2) & (m < 11)}
        groups["11 on friends"] = m > 10
    rows = [{"group": g, **line(ndcg, some)} for g, some in groups.items() if some.any()]
    rows += [{"group": g, **line(v, np.ones(len(users), bool))} for g, v in items.items()]
    return {"data": data.fingerprint(), "source": source, "settings": list(settings), "rows": rows, "chosen": chosen}


def lift(found: list[float] | None) -> str:
    """A lift in per cent, and half the width of its interval, in 12 columns."""
    return f"{found[0]:+6.1f} ±{(found[2] - found[1]) / 2:4.1f}" if found else " " * 12


def text(name: str, result: dict[str, Any]) -> str:
    """One table, 80 columns wide."""
    before = "before" in result["rows"][0]
    columns = ("without", "shuffled", *(("before",) if before else ()), "with")
    lines = [f"{name}: {result['source']}", f"{'':15}{'users':>6}" + "".join(f"{c:>9}" for c in columns)]
    lines[1] += f"{'lift, %':>12}{'shuffled':>12}"
    for row in result["rows"]:
        if not row["users"]:
            continue
        figures = "".join(f"{row[c]:9.4f}" for c in columns)
        lines.append(
            f"{row['group']:15}{row['users']:6,}{figures}{lift(row['lift_without'])}{lift(row['lift_shuffled'])}"
        )
    return "\n".join(lines)


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs.")] = "",
    dev: Annotated[bool, typer.Option(help="On a carve of the training part; nothing is stored.")] = False,
) -> None:
    """Run, print, and store."""
    for name, (folder, source, thin, settings) in RUNS.items():
        if only in ("", name) and (data / folder).exists():
            found = measure(data / folder, source, thin, settings, dev)
            print(text(name, found), flush=True)
            print(found["chosen"], flush=True)
            if not dev:
                report.keep("lift", name, {**found, "looks": report.kept("lift", name).get("looks", 0) + 1})


if __name__ == "__main__":
    typer.run(main)

"""Parties that keep their events against one party that has all of them: what blocks become, and what is recommended.

    python benchmarks/federation.py ../shared/data
    python benchmarks/federation.py ../shared/data --parties 20    # beside what is kept of other numbers of them

The people of lastfm_social, its training and validation part, are dealt out to 2, 5 and 20 parties, the n-th of whom
gets 1 / n as many as the first; each knows the items that its own people took. Closed-form blocks: settings as below,
their sums and sides against those of one party, the largest difference of any number (sides of spectral, which may be
turned, as products). The network: a tenth of a minute on one core, epochs and weight of popularity chosen together on
the people of all parties; NDCG@20 of all test users, each asked of the model of their own party, against one party with
everybody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import report
import scipy.sparse as sp
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Task
from graphrec.federation import Federated, federated
from graphrec.party import Party
from graphrec.pooled import Candidate
from graphrec.recommender import Recommender

SET, PARTIES, K = "lastfm_social", (2, 5, 20), 20
CLOSED: dict[str, dict[str, Any]] = {
    "popularity": {},
    "ease": {"regularisation": 300.0, "n": 500},
    "neighbours": {"n": 200, "alpha": 0.5, "beta": 0.4},
    "spectral": {"rank": 64, "alpha": 0.5, "beta": 0.4, "power": 0.8},
}
PLAIN = ("features.enabled=false", "kg.enabled=false")
SUMS = (f"blocks={','.join(CLOSED)}", *PLAIN)
NETWORK = ("blocks=popularity,graph", *PLAIN, "graph.minutes=0.1", "graph.temperature=0.2")


def dealt(data: Dataset, n: int) -> list[Dataset]:
    """The people of each party, at random, and what they took."""
    odds = 1 / np.arange(1, n + 1)
    random = np.random.default_rng(n)
    of = random.permutation(np.r_[np.arange(n), random.choice(n, data.n_users - n, p=odds / odds.sum())])
    rows = sp.coo_matrix(data.seen())
    ids = {"user_id": np.array(data.users.ids, object)[rows.row], "item_id": np.array(data.items.ids, object)[rows.col]}
    table = pd.DataFrame(ids)
    return [build(f"party {p}", table[of[rows.row] == p].reset_index(drop=True)) for p in range(n)]


def apart(found: Federated, whole: Federated) -> dict[str, float]:
    """The largest difference of any number: of the sums, and of each block's sides of items."""
    one, other = found.sums, whole.sums
    grams = [np.abs(one.gram(alpha) - other.gram(alpha)).max() for alpha in one.grams]
    out = {"sums": float(max(*grams, np.abs(one.counts - other.counts).max(), abs(one.users - other.users)))}
    (pooled,) = whole.models.values()
    for name in CLOSED:
        worst = 0.0
        for model in found.models.values():
            sides = []
            for m in (model, pooled):
                side = m.profiles[name].items
                dense = np.asarray(sp.csr_matrix(side).toarray(), np.float64)
                sides.append(dense @ dense.T if name == "spectral" else dense)
            worst = max(worst, float(np.abs(sides[0] - sides[1]).max()))
        out[name] = worst
    return out


def ndcg(found: Federated, parts: Split) -> tuple[float, float]:
    """NDCG@K of all test users, each answered by their own party, and its standard error."""
    data, truth = parts.fit_data, Task("all").truth(parts.test)
    gains = 1 / np.log2(np.arange(2, K + 2))
    each = []
    for model in found.models.values():
        there = [id_ for id_ in model.data.users.ids if truth[data.users.number(id_)].nnz]
        lists = model.recommend(there, k=K) if there else pd.DataFrame({"user_id": [], "item_id": []})
        for id_, rows in lists.groupby("user_id", sort=False):
            liked = {data.items.ids[i] for i in truth[data.users.number(str(id_))].indices}
            hits = np.array([item in liked for item in rows["item_id"]])
            each.append((hits * gains[: len(hits)]).sum() / gains[: len(liked)].sum())
    assert len(each) == np.count_nonzero(np.diff(truth.indptr))
    return float(np.mean(each)), float(np.std(each) / len(each) ** 0.5)


def main(
    data: Annotated[Path, typer.Argument()],
    parties: Annotated[int, typer.Option(help="One of the numbers of parties; others stay as they are kept.")] = 0,
) -> None:
    numbers = [parties] if parties else PARTIES
    source = Dataset.load(data / SET)
    parts = split(source, Config().cut, 0)
    pools = {n: [d for d in dealt(parts.fit_data, n) if len(d.events)] for n in (1, *numbers)}
    settled = Candidate(CLOSED, dict.fromkeys(CLOSED, 1.0))

    def learned(n: int, settings: tuple[str, ...], chosen: Candidate | None) -> Federated:
        by = Recommender(Config.load(None, settings))
        return federated([Party(d.name, d, by._fitting(d)) for d in pools[n]], chosen=chosen)

    whole, network = learned(1, SUMS, settled), learned(1, NETWORK, None)
    pooled = ndcg(network, parts)
    closed = ndcg(whole, parts)[0]
    rows: list[dict[str, Any]] = []
    for n in numbers:
        people = [d.n_users for d in pools[n]]
        found, trained = learned(n, SUMS, settled), learned(n, NETWORK, None)
        row: dict[str, Any] = {"parties": n, "most": max(people), "least": min(people), "apart": apart(found, whole)}
        row |= {"closed": ndcg(found, parts)[0], "network": ndcg(trained, parts)}
        row["bytes"] = {
            what: max(sum(m.bytes for m in of.messages if m.party == name) for name in of.models)
            for what, of in (("closed", found), ("network", trained))
        }
        rows.append(row)
        print(rows[-1], flush=True)
    before = report.kept("federation", SET).get("rows", []) if parties else []
    rows = sorted([*(row for row in before if row["parties"] != parties), *rows], key=lambda row: int(row["parties"]))
    shape = {"users": parts.fit_data.n_users, "items": parts.fit_data.n_items, "split": parts.kind, "k": K}
    report.keep("federation", SET, {**shape, "closed": closed, "network": pooled, "rows": rows})


if __name__ == "__main__":
    typer.run(main)

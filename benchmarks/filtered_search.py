"""What a filter costs the search and takes from what it finds: a million items along the graph, with and without.

    python benchmarks/filtered_search.py

Items and queries are made up: around centres, as tastes are. A filter lets pass any items, or whole clusters, which is
what categories are: most queries then want nothing of what is allowed. Exact are the inner products of all that is.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Annotated, Any

import faiss
import numpy as np
import numpy.typing as npt
import report
import typer

from graphrec.experiment import peak_rss_mb
from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints

K, CENTRES, SPREAD = 10, 2000, 0.5
SHARES = (0.01, 0.1, 0.5)


def exact(items: Floats, queries: Floats, allowed: npt.NDArray[np.bool_] | None = None) -> Ints:
    """The K best, int64 (B, K), from the whole product."""
    scores = queries @ items.T  # (B, I)
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    nums: Ints = np.argpartition(-scores, K, axis=1)[:, :K]
    return nums


def recall(found: Ints, true: Ints) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, true, strict=True)]))


def skipping(index: Index, queries: Floats, allowed: npt.NDArray[np.bool_]) -> Ints:
    """What a walk along the graph finds that only leaves out what is barred, int64 (B, K)."""
    library: Any = faiss  # its stubs do not know what follows
    selector = library.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    parameters = library.SearchParametersHNSW(sel=selector, efSearch=RetrieveConfig().ef_search)
    nums: Ints = index._index.search(queries, K, params=parameters)[1]
    return nums


def main(
    items: Annotated[int, typer.Option(help="Size of the catalogue.")] = 1_000_000,
    width: Annotated[int, typer.Option(help="Dimensions of a profile.")] = 64,
    queries: Annotated[int, typer.Option(help="Number of queries, asked in one call.")] = 200,
    rounds: Annotated[int, typer.Option(help="Times that each is run, turn about.")] = 5,
) -> None:
    """Measure and keep the result."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((CENTRES, width), dtype=np.float32)

    def around(n: int) -> tuple[Floats, Ints]:
        of = random.integers(0, CENTRES, n)
        return centres[of] + np.float32(SPREAD) * random.standard_normal((n, width), dtype=np.float32), of

    (profiles, cluster), (asked, _) = around(items), around(queries)
    index = Index.build(profiles, RetrieveConfig(exact_below=0, large="graph"))
    masks: dict[str, npt.NDArray[np.bool_] | None] = {"no filter": None}
    for share in SHARES:
        some = random.choice(CENTRES, round(share * CENTRES), replace=False)
        masks[f"{share:.0%} of the items"] = random.random(items) < share
        masks[f"{share:.0%} of the clusters"] = np.isin(cluster, some)
    taken: dict[str, list[float]] = {what: [] for what in masks}
    found: dict[str, Ints] = {}
    for _ in range(rounds):
        for what, mask in masks.items():
            start = time.perf_counter()
            found[what] = index.search(asked, K, allowed=mask)[0]
            taken[what].append((time.perf_counter() - start) * 1000 / queries)
    bare = median(taken["no filter"])
    rows = []
    for what, mask in masks.items():
        true = exact(profiles, asked, mask)
        row = {"what": what, "ms": median(taken[what]), "ratio": median(taken[what]) / bare}
        row |= {"results": int((found[what] >= 0).sum(axis=1).min()), "recall": recall(found[what], true)}
        rows.append(row | {"skipping": None if mask is None else recall(skipping(index, asked, mask), true)})
        print(row, rows[-1]["skipping"], flush=True)
    document = {"items": items, "width": width, "queries": queries, "rounds": rounds, "k": K, "rows": rows}
    report.keep("filtered_search", f"{items:,} items", document | {"peak_rss_mb": peak_rss_mb()})


if __name__ == "__main__":
    typer.run(main)

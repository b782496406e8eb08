"""How much an entity tells about two items: its share with those who took both, against its share in general.

    lift(e | i, j) = (k / n) / p(e)

Of what something else than reviews says (a brand, a category, an external triple): ``n`` is what those who took both
items took beside the two, ``k`` how much of that is linked to the entity, and ``p`` its part of everything else that
was taken. Of what only reviews say: ``n`` are the people who took both, ``k`` those of them who wrote about the
entity, and ``p`` their part of all. Few take both of two items, so what is shown is chosen by the shrunken lift,

    (k + 1) / (n · p + 1)

the mean of a Gamma-Poisson model whose prior is worth one expected count (after DuMouchel, The American Statistician
1999): 1 where nothing is known, and hardly above 2 for what one alone has to do with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from graphrec.query.few import entries
from graphrec.query.ties import Ties
from graphrec.types import Ints
from kg.graph import KnowledgeGraph

MOST = 100  # people who took both that are looked at


@dataclass(frozen=True, slots=True)
class Lift:
    """``k`` of ``n`` with those who took both, ``share`` in general."""

    k: int
    n: int
    share: float

    @property
    def plain(self) -> float | None:
        """The lift as it is counted; None where there is nothing to count."""
        return self.k / self.n / self.share if self.n and self.share else None

    @property
    def shrunken(self) -> float:
        """The lift by which is chosen; 1 where nothing is known."""
        return (self.k + 1) / (self.n * self.share + 1)


class Lifts:
    """Lifts over one graph and the interactions that it was made with.

    # No leakage. Both are of the training part alone: ``ties`` and ``graph`` are all that is counted.

    Attributes:
        user_nodes: int64 (U,), the entity that each user is, -1 where the graph has none.
    """

    def __init__(self, graph: KnowledgeGraph, ties: Ties) -> None:
        self.ties = ties
        data, number = ties.data, graph.entity_num
        self.user_nodes = np.array([number.get(f"user:{u}", -1) for u in data.users.ids], np.int64)
        users = _inverse(self.user_nodes, len(number))
        items = _inverse(np.array([number.get(f"item:{i}", -1) for i in data.items.ids], np.int64), len(number))
        heads, _, tails = graph.triples.T
        rows = graph.provenance["triple"].to_numpy(np.int64)
        otherwise = np.zeros(len(graph), bool)  # (T,) known from something else than reviews
        otherwise[rows[(graph.provenance["source"] != "review").to_numpy()]] = True
        spoke = users[heads] >= 0
        self._spoke = _binary(tails[spoke], users[heads[spoke]], (len(number), data.n_users))
        known = np.concatenate(
            [
                np.stack([node, items[item]])[:, (items[item] >= 0) & (node != item) & otherwise]
                for item, node in ((heads, tails), (tails, heads))
            ],
            axis=1,
        )
        self._linked = _binary(known[0], known[1], (len(number), data.n_items))
        self._taken = np.bincount(ties.matrix.indices, minlength=data.n_items)  # (I,)
        self._takings = int(self._taken.sum())
        self._people = int((~ties.cold).sum())
        self.linked = lru_cache(maxsize=None)(self._linked_takings)

    def _linked_takings(self, node: int) -> int | None:
        """How often anything linked to an entity was taken; None where only reviews speak of it."""
        items = _row(self._linked, node)
        return int(self._taken[items].sum()) if len(items) else None

    def of(self, nodes: Sequence[int], both: Ints, pair: tuple[int, int]) -> list[Lift]:
        """The lift of each of some entities with the people (n,) who took both items of a pair that they link."""
        if not nodes:
            return []
        if len(both) > MOST:
            both = both[np.linspace(0, len(both) - 1, MOST).astype(np.int64)]
        linked = [self.linked(node) for node in nodes]
        theirs = np.zeros(len(self._taken), np.int64)  # (I,)
        if len(both) and any(takings is not None for takings in linked):
            theirs = np.bincount(self.ties.matrix.indices[entries(self.ties.matrix, both)[0]], minlength=len(theirs))
            theirs[list(pair)] = 0
        taken = np.asarray(self._linked[list(nodes)] @ theirs, np.int64)
        total, others = self._takings, int(theirs.sum())
        of_pair = int(self._taken[list(pair)].sum())
        out = []
        for n, (node, takings) in enumerate(zip(nodes, linked, strict=True)):
            if takings is None:
                out.append(self._of_words(node, both))
                continue
            share = max(0, takings - of_pair) / max(1, total - of_pair)
            out.append(Lift(int(taken[n]), others, share))
        return out

    def _of_words(self, node: int, both: Ints) -> Lift:
        wrote = _row(self._spoke, node)
        share = min(1.0, len(wrote) / self._people) if self._people else 0.0
        return Lift(int(np.isin(both, wrote).sum()), len(both), share)


def _inverse(nodes: Ints, size: int) -> Ints:
    """Entity → what stands at it, -1 where nothing does; int64 (N + 1,), the last for what is in no graph."""
    out = np.full(size + 1, -1, np.int64)
    out[nodes] = np.arange(len(nodes))
    out[-1] = -1
    return out


def _binary(rows: Ints, columns: Ints, shape: tuple[int, int]) -> sp.csr_matrix:
    out = sp.csr_matrix((np.ones(len(rows), np.int64), (rows, columns)), shape)
    out.sum_duplicates()
    out.data[:] = 1
    return out


def _row(matrix: sp.csr_matrix, number: int) -> Ints:
    return matrix.indices[slice(*matrix.indptr[number : number + 2])].astype(np.int64)

"""How recent, how popular and how diverse explanation paths are, and the paths that popularity alone would show.

After Balloccu et al., Post Processing Recommender Systems with Knowledge Graphs for Recency, Popularity, and Diversity
of Explanations (SIGIR 2022):

    LIR   recency of the linking interaction, the user's own on the path: an exponentially weighted moving average of
          the user's times, oldest first, brought to [0, 1]
    SEP   popularity of the shared entity, the last node before the item: the same average over the popularity of all
          entities of its type, least popular first, brought to [0, 1]
    ETD   different path types in a user's list over the number that could be there
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from graphrec.data.dataset import Dataset
from graphrec.explain.finding import Finding
from graphrec.explain.paths import PathFinder
from graphrec.types import Evidence
from kg.graph import KnowledgeGraph

BETA = 0.3  # weight of the newer value in the moving average: the authors' choice
Values = npt.NDArray[np.float64]


def smoothed(values: Values) -> Values:
    """Moving average with weight BETA on the newer of ``values`` (n,), ascending, scaled to [0, 1]; 1 where all are
    equal."""
    out = np.empty(len(values))
    average = float(values[0]) if len(values) else 0.0
    for n, value in enumerate(values.tolist()):
        average = value if n == 0 else (1 - BETA) * average + BETA * value
        out[n] = average
    width = float(np.ptp(out)) if len(out) else 0.0
    return (out - out.min()) / width if width else np.ones(len(out))


class PathQuality:
    """LIR, SEP and ETD over one Dataset and its knowledge graph."""

    def __init__(self, data: Dataset, graph: KnowledgeGraph) -> None:
        self.data, self.graph = data, graph
        i = data.interactions
        self.degree = np.bincount(graph.triples[:, [0, 2]].ravel(), minlength=len(graph.entities)).astype(np.float64)
        types = graph.entities["type"].to_numpy(str)
        of_users = _by_rank(np.bincount(i.user_nums, minlength=data.n_users))
        self._popularity = {f"user:{user}": value for user, value in zip(data.users.ids, of_users, strict=True)}
        of_items = _by_rank(np.bincount(i.item_nums, minlength=data.n_items))
        self._popularity |= {f"item:{item}": value for item, value in zip(data.items.ids, of_items, strict=True)}
        ids = graph.entities["entity"].to_numpy(str)
        for kind in set(types.tolist()) - {"user", "item"}:
            of_kind = np.flatnonzero(types == kind)
            self._popularity |= dict(zip(ids[of_kind].tolist(), _by_rank(self.degree[of_kind]), strict=True))
        self.path_types = len(graph.relations) + 1 + bool(data.social_edge_index.shape[1])
        self._recency = lru_cache(maxsize=None)(self._recency_of)

    def _recency_of(self, user: str) -> dict[str, float]:
        """LIR of each item (node id) in a user's history."""
        i = self.data.interactions
        assert i.timestamps is not None
        rows = np.flatnonzero(i.user_nums == self.data.users.number(user))
        rows = rows[np.lexsort((i.item_nums[rows], i.timestamps[rows]))]
        items = [f"item:{self.data.items.ids[n]}" for n in i.item_nums[rows]]
        return dict(zip(items, smoothed(i.timestamps[rows].astype(np.float64)).tolist(), strict=True))

    def lir(self, evidence: Evidence) -> float | None:
        """Recency of the user's interaction that a path begins with; None where it begins with none, or has no time."""
        step = evidence.path[0]
        if step.relation != "interacted" or not self.data.has_times:
            return None
        return self._recency(step.head.removeprefix("user:"))[step.tail]

    def sep(self, evidence: Evidence) -> float | None:
        """Popularity of the last node before the item; None where the path is one step."""
        if len(evidence.path) < 2:
            return None
        last, before = evidence.path[-1], evidence.path[-2]
        shared = last.head if last.head in (before.head, before.tail) else last.tail
        return self._popularity.get(shared)

    def etd(self, evidence: Sequence[Evidence]) -> float:
        """Different types among the paths of one user's list over the number possible: a knowledge path's type is its
        last relation."""
        types = {e.path[-1].relation if e.kind in ("knowledge", "mention") else e.kind for e in evidence}
        return len(types) / max(min(len(evidence), self.path_types), 1)


def _by_rank(popularity: npt.NDArray[np.number]) -> list[float]:
    """``smoothed`` over values sorted by popularity, each back at its place."""
    order = np.argsort(popularity, kind="stable")
    out = np.empty(len(order))
    out[order] = smoothed(np.asarray(popularity, np.float64)[order])
    values: list[float] = out.tolist()
    return values


class PopularPaths(PathFinder):
    """The baseline: paths over the most popular shared entities, whatever part they had in the score."""

    def find(self, limit: int) -> list[Finding]:
        """One path for each of ``limit`` history items; over the most active other user where no entity is shared."""
        touching = np.bincount(self.links.graph.triples[:, [0, 2]].ravel(), minlength=1)
        order = np.argsort(-touching[self.bridges.node], kind="stable")
        found: dict[int, Finding] = {}
        for b in order.tolist():
            if len(found) == limit:
                break
            start = int(self.bridges.start[b])
            if start not in found:
                found[start] = self._knowledge(b, 0.0)
        if not found:
            popular = sorted(self.shares.history, key=lambda item: -len(self.ties.takers(item)))
            together = (self._together(item, 0.0, self._both(item)) for item in popular[:limit])
            return [finding for finding in together if finding is not None]
        return list(found.values())

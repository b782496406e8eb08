"""What an item without a title is called: its id, its kind, what reviewers speak of most, and its brand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np

from graphrec.explain.say import say, say_of
from graphrec.types import Ints
from kg.graph import KnowledgeGraph
from kg.names import split

ASPECTS = 2  # said of an item, at most
CATEGORY = "Category:"  # how Wikipedia writes one, and DBpedia with it
OF_ASPECTS = ("has_aspect", "mentions_aspect")
OF_KIND = ("has_category", "has_categories", "has_genre", "has_genres", "has_type", "has_kind")
FEWEST = 3  # items of a kind: what fewer have may be a name of their own
MOST = 0.5  # of all items; what more are tells nothing of one


class Described:
    """Item number → "B0002E1G5C (Guitar Accessories; strings, tone; by D'Addario)".

    Of the kinds an item is of it is the one that the fewest other items are of, from ``FEWEST`` on.
    Aspects are chosen by c · ln(c / expected), with c the reviews of the item that name one, and what were expected of
    it if all items' reviews named the same; one that a single review names is left out where others are named by more.
    """

    def __init__(self, graph: KnowledgeGraph, item_nodes: Ints, ids: Sequence[str]) -> None:
        self._graph, self._nodes, self._ids = graph, item_nodes, ids
        self._labels: list[str] = graph.entities["label"].astype(str).tolist()
        relations = [graph.relation_num.get(r, -1) for r in OF_ASPECTS]
        of = np.isin(graph.triples[:, 1], relations)
        head, _, tail = graph.triples[of].T
        counts = graph.counts[of].astype(np.float64)
        self._heads, self._tails, self._counts = head, tail, counts  # sorted by head
        size = len(graph.entities)
        self._of_item = np.bincount(head, counts, size)
        self._of_aspect = np.bincount(tail, counts, size)
        self._total = float(counts.sum())
        self._all_heads = np.ascontiguousarray(graph.triples[:, 0])  # sorted
        self._brand = graph.relation_num.get("made_by", -1)
        self._kinds = {graph.relation_num[r] for r in OF_KIND if r in graph.relation_num}
        its = np.isin(graph.triples[:, 1], list(self._kinds)) & np.isin(graph.triples[:, 0], item_nodes)
        self._of_kind = np.bincount(np.unique(graph.triples[its][:, [0, 2]], axis=0)[:, 1], minlength=size)
        self.about = lru_cache(maxsize=4096)(self._about)

    def of(self, item_num: int) -> str:
        """What an item is called; its id alone where nothing is known of it."""
        id_, known = self._ids[item_num], self.known_for(item_num)
        return say_of("id and what it is", "{id} ({known})", id=id_, known=known) if known else id_

    def known_for(self, item_num: int) -> str:
        """Its kind, its commonest aspects and its brand; "" where none is known."""
        aspects, node = [self._labels[a] for a in self.about(item_num)], int(self._nodes[item_num])
        rows = slice(*np.searchsorted(self._all_heads, [node, node + 1]))
        links = [(relation, tail) for _, relation, tail in self._graph.triples[rows].tolist()]
        told = aspects[0] if aspects else ""
        if len(aspects) > 1:
            told = say_of("two aspects", "{first}, {second}", first=aspects[0], second=aspects[1])
        brand = next((self._labels[tail] for relation, tail in links if relation == self._brand), "")
        by = say("by {brand}", brand=brand) if brand else ""
        kind = self._kind({tail for relation, tail in links if relation in self._kinds})
        return reduce(_beside, [part for part in (kind, told, by) if part], "")

    def _kind(self, kinds: set[int]) -> str:
        """The rarest of the kinds of an item that tell anything."""
        telling = [n for n in kinds if FEWEST <= self._of_kind[n] <= MOST * len(self._nodes)]
        return self._labels[min(telling, key=lambda n: (self._of_kind[n], n))].removeprefix(CATEGORY) if telling else ""

    def _about(self, item_num: int) -> tuple[int, ...]:
        """The aspects that tell what an item is: often the very thing that it is, rather than a side of it."""
        node = int(self._nodes[item_num])
        rows = slice(*np.searchsorted(self._heads, [node, node + 1]))
        found, at = np.unique(self._tails[rows], return_inverse=True)
        counts = np.bincount(at, self._counts[rows], len(found))
        often = counts >= min(2.0, counts.max(initial=0.0))
        found, counts = found[often], counts[often]
        expected = self._of_aspect[found] * self._of_item[node] / self._total if len(found) else counts
        told: list[int] = []
        words: set[str] = set()
        for n in np.lexsort((found, -counts * np.log(counts / np.maximum(expected, 1e-9)))).tolist():
            label = self._labels[found[n]]
            own = {word.removesuffix("s") for *_, word in split(label)}
            if len(told) < ASPECTS and not own & words:
                told.append(int(found[n]))
                words |= own
        return tuple(told)


def _beside(first: str, second: str) -> str:
    """Two parts of what an item is."""
    return say_of("parts of what an item is", "{first}; {second}", first=first, second=second) if first else second

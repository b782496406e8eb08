"""The knowledge graph seen from its items: which triples touch an item, where items meet, and what can be quoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from graphrec.data.dataset import Dataset
from graphrec.explain.described import CATEGORY, Described
from graphrec.explain.quotes import TASTES, Quotes, Said
from graphrec.types import Ints, Step
from kg.graph import KnowledgeGraph
from kg.names import split

SEVERAL = 2  # reviews that praise an aspect, for it to be told without a sentence: one may have been misread
NEUTRAL = 0.1  # a mean polarity within ±0.1 claims neither praise nor complaint
NAMED = ("mentions_", "wikipage")  # in the name of a relation that says no more than that a text names something


def tone(polarity: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Polarity in [-1, 1] → what may be claimed: 1 praised, 0 named, -1 criticised."""
    p = np.asarray(polarity, dtype=np.float64)
    return (p > NEUTRAL).astype(np.int64) - (p < -NEUTRAL)


@dataclass(frozen=True)
class Bridges:
    """Ways from given starting points to one item, best first within a start; all arrays int64 (B,) but quality.

    Bridge b goes from ``start[b]`` over triple ``near[b]`` to entity ``node[b]`` and over triple ``far[b]`` to the
    item. A triple that joins start and item directly is both near and far.
    """

    start: Ints
    near: Ints
    far: Ints
    node: Ints
    quality: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)

    def of(self, start: int) -> range:
        """The bridges of one start, best first."""
        return range(*np.searchsorted(self.start, [start, start + 1]).tolist())


class Links:
    """Indices over a KnowledgeGraph, built once: item → triples, user → mentions, triple → quotes."""

    def __init__(self, graph: KnowledgeGraph, data: Dataset) -> None:
        self.graph = graph
        self.data = data
        number = graph.entity_num
        self.ids = list(number)
        self._labels: list[str] = graph.entities["label"].astype(str).tolist()
        self._item_node = np.array([number.get(f"item:{i}", -1) for i in data.items.ids], dtype=np.int64)  # (I,)
        item_of = np.full(len(number) + 1, -1, dtype=np.int64)  # (N + 1,), the last for absent items
        item_of[self._item_node] = np.arange(data.n_items)
        item_of[-1] = -1
        self._item_of = item_of

        heads, relations, tails = graph.triples.T
        self._heads = np.ascontiguousarray(heads)  # (T,) sorted; a search in a column of ``triples`` would copy it
        is_user = (graph.entities["type"] == "user").to_numpy(bool)
        items, others = np.r_[item_of[heads], item_of[tails]], np.r_[tails, heads]  # (2T,) both ends of each triple
        kept = np.flatnonzero((items >= 0) & ~is_user[others] & np.r_[heads != tails, heads != tails])
        kept = kept[np.lexsort((kept, others[kept], items[kept]))]
        self._triple, self._other = kept % max(len(graph), 1), others[kept]  # (L,) links, sorted by item and other end
        self._first = np.searchsorted(items[kept], np.arange(data.n_items + 1))  # (I + 1,)

        pairs = np.unique(np.stack([self._other, items[kept]]), axis=1)
        reach = np.bincount(pairs[0], minlength=len(number))  # (N,) items an entity is linked to
        linked = len(np.unique(pairs[1]))
        named = [
            label != entity and any(map(str.isalpha, label)) for entity, label in zip(number, self._labels, strict=True)
        ]
        self._rarity = np.log((linked + 1) / np.maximum(reach, 1)) * np.where(named, 1.0, 0.1)  # (N,) idf
        self._highest = float(np.log(linked + 1))
        self._relation = relations
        only_named = np.array([any(n in r.lower() for n in NAMED) for r in graph.relations], bool)[relations]  # (T,)
        self._says = ~only_named if len(graph) else np.zeros(0, bool)
        self._named = np.array(named, dtype=bool)  # (N,)
        self.quotes = Quotes(graph)
        rows = graph.provenance[graph.provenance["source"] == "review"]
        distinct = rows.drop_duplicates(["triple", "review_id"])["triple"].astype(np.int64)
        self._reviews = np.bincount(distinct, minlength=len(graph))  # (T,) reviews behind a triple
        self._of_reviews = np.bincount(rows["triple"].astype(np.int64), minlength=len(graph)) > 0  # (T,)
        self.tone = self._tones()  # (T,)
        share = np.bincount(relations, minlength=1)[relations] / max(len(graph), 1)  # (T,) how usual the relation is
        self._strength = np.log1p(np.maximum(self.quotes.praise, graph.counts / 2)) * (1 - np.log(share) / 4)  # (T,)
        self.thing = lru_cache(maxsize=1 << 16)(self._thing)
        self.described = Described(graph, self._item_node, data.items.ids)

    def _tones(self) -> npt.NDArray[np.int64]:
        """What may be claimed of each triple (T,): of an aspect that reviewers judge what they hold of it."""
        graph, quotes = self.graph, self.quotes
        judged = quotes.praise + quotes.blame > 0
        of_judges = np.where(quotes.praise > 2 * quotes.blame, 1, np.where(quotes.blame > quotes.praise, -1, 0))
        out = np.where(judged, of_judges, tone(graph.polarity))
        head, relation, tail = graph.triples.T
        own = head * len(graph.entities) + tail  # (T,) what a user wrote about is praised or criticised if it is judged
        for name in ("mentions", *TASTES):
            its = relation == graph.relation_num.get(name, -1)
            if name == "mentions":
                wrote, out = its, np.where(its, 0, out)
            else:
                out[wrote & np.isin(own, own[its])] = TASTES[name]
        return out

    def own_names(self, item_num: int) -> frozenset[int]:
        """The entities that an item has by something else than its reviews, such as its brand."""
        links = slice(*self._first[item_num : item_num + 2])
        return frozenset(self._other[links][~self._of_reviews[self._triple[links]]].tolist())

    def is_item(self, node: int) -> bool:
        """Whether an entity is an item."""
        return bool(self._item_of[node] >= 0)

    def label(self, node: int) -> str:
        """An entity's name or an item's title; the id where there is none."""
        item = int(self._item_of[node])
        return self.title(item) if item >= 0 else self._labels[node].removeprefix(CATEGORY) or self.ids[node]

    def title(self, item_num: int) -> str:
        """An item's title, else what the graph calls it, else its id and what reviewers speak of most."""
        node, id_ = int(self._item_node[item_num]), self.data.items.ids[item_num]
        known_as = self._labels[node] if node >= 0 else ""
        title = str(self.data.item_titles[item_num]) or known_as
        return title if title and title != id_ else self.described.of(item_num)

    def known_for(self, item_num: int) -> str:
        """What an item is, in a few words of reviewers, and its brand; "" where neither is known."""
        return self.described.known_for(item_num)

    def _thing(self, item_num: int, node: int) -> bool:
        """Whether an aspect is rather the item itself than a side of it: what its reviews are about, or its title."""
        title = {word.removesuffix("s") for *_, word in split(str(self.data.item_titles[item_num]))}
        words = {word.removesuffix("s") for *_, word in split(self._labels[node])}
        return node in self.described.about(item_num) or (bool(words) and words <= title)

    def relation(self, triple: int) -> str:
        """A triple's relation in words."""
        name: str = self.graph.relations[self._relation[triple]]
        return self.graph.relation_labels.get(name, name).replace("_", " ")

    def step(self, triple: int) -> Step:
        """A triple as a step of a path, in its own direction."""
        head, relation, tail = self.graph.triples[triple].tolist()
        names = self.label(head), self.label(tail)
        return Step(self.ids[head], self.graph.relations[relation], self.ids[tail], *names)

    def pleasant(self, bridges: Bridges, b: int) -> bool:
        """Whether neither side of a bridge is a complaint."""
        return bool(min(self.tone[bridges.near[b]], self.tone[bridges.far[b]]) >= 0)

    def telling(self, bridges: Bridges, b: int) -> bool:
        """Whether a bridge is worth telling: a direct one, or over something that has a name; and no complaint.

        That reviews of both name the same thing is not.
        """
        return self.says(bridges, b) and self.pleasant(bridges, b)

    def tell(self, bridges: Bridges) -> npt.NDArray[np.bool_]:
        """``telling`` of every bridge, bool (B,)."""
        near, far = bridges.near, bridges.far
        says = (near == far) | (self._named[bridges.node] & self._says[near] & self._says[far])
        return np.asarray(says & (np.minimum(self.tone[near], self.tone[far]) >= 0), bool)

    def says(self, bridges: Bridges, b: int) -> bool:
        """The same, complaint or not."""
        near, far = bridges.near[b], bridges.far[b]
        return bool(near == far or (self._named[bridges.node[b]] and self._says[near] and self._says[far]))

    def tells(self, node: int) -> float:
        """How much it tells by itself that an item is linked to an entity, in [0, 1]: by how few are linked to it."""
        return float(self._rarity[node] / self._highest)

    def judged(self, triple: int) -> bool:
        """Whether reviewers of the item judge the aspect of a triple."""
        return bool(self.quotes.praise[triple] or self.quotes.blame[triple])

    def taste(self, user_node: int, node: int) -> int:
        """The triple that a user likes an aspect by, else mentions it. Raises KeyError where there is neither."""
        rows = range(*np.searchsorted(self._heads, [user_node, user_node + 1]).tolist())
        names = self.graph.relations
        said = [row for row in rows if self.graph.triples[row, 2] == node]
        return max(
            said, key=lambda row: (names[self._relation[row]] == "likes", names[self._relation[row]] == "mentions")
        )

    def reviews(self, triple: int) -> int:
        """How many reviews stand behind what may be claimed of a triple; several mentions in one count once."""
        of = {1: self.quotes.praise, -1: self.quotes.blame, 0: self._reviews}[int(self.tone[triple])]
        return int(of[triple] or self._reviews[triple])

    def said(self, item_num: int) -> Mapping[int, Sequence[Said]]:
        """Aspect → what can be quoted on it of an item, the best first."""
        node = int(self._item_node[item_num])
        return self.quotes.of(node, self.own_names(item_num)) if node >= 0 else {}

    def praised(self, item_num: int) -> int | None:
        """The triple of the aspect that reviewers praise most of an item, of a side of it before the very thing and of
        what tells more before what tells less; None where SEVERAL praise none."""
        links = slice(*self._first[item_num : item_num + 2])
        fit = [t for t in self._triple[links].tolist() if self.tone[t] > 0 and self.quotes.praise[t] >= SEVERAL]

        def rank(triple: int) -> tuple[bool, float]:
            node = int(self.graph.triples[triple, 2])
            return not self.thing(item_num, node), float(self.quotes.praise[triple]) * (1 + self.tells(node))

        return max(fit, key=rank, default=None)

    def between(self, item_nums: Ints, item_num: int) -> Bridges:
        """Every way from other items (H,) to an item: over a shared entity, or by a triple that joins the two."""
        sizes = self._first[item_nums + 1] - self._first[item_nums]
        at = _ranges(self._first[item_nums], sizes)
        return self._join(np.repeat(item_nums, sizes), self._triple[at], self._other[at], item_num)

    def mentioned(self, user_id: str, item_num: int) -> Bridges:
        """Every way from a user's own words to an item: entities that the user mentions and the item is linked to."""
        node, mentions = self.graph.entity_num.get(f"user:{user_id}"), self.graph.relation_num.get("mentions")
        none = np.zeros(0, np.int64)
        if node is None or mentions is None:
            return Bridges(none, none, none, none, np.zeros(0))
        triples = np.arange(*np.searchsorted(self._heads, [node, node + 1]))
        triples = triples[self._relation[triples] == mentions]
        return self._join(np.zeros_like(triples), triples, self.graph.triples[triples, 2], item_num)

    def _join(self, start: Ints, near: Ints, node: Ints, item_num: int) -> Bridges:
        links = slice(*self._first[item_num : item_num + 2])
        triples, others = self._triple[links], self._other[links]  # (K,), others sorted
        low = np.searchsorted(others, node, "left")
        sizes = np.searchsorted(others, node, "right") - low
        far = triples[_ranges(low, sizes)]
        direct = node == self._item_node[item_num]
        start = np.r_[np.repeat(start, sizes), start[direct]]
        near, far = np.r_[np.repeat(near, sizes), near[direct]], np.r_[far, near[direct]]
        node = np.r_[np.repeat(node, sizes), node[direct]]

        rarity = np.where(near == far, self._highest, self._rarity[node])
        alike = np.where(self._relation[near] == self._relation[far], 1.0, 0.5)
        pleasant = np.where(np.minimum(self.tone[near], self.tone[far]) < 0, 0.25, 1.0)
        quality = rarity * (self._strength[near] + self._strength[far]) * alike * pleasant
        order = np.lexsort((far, near, -quality, start))
        return Bridges(start[order], near[order], far[order], node[order], quality[order])


def _ranges(first: Ints, sizes: Ints) -> Ints:
    """The numbers first[n] .. first[n] + sizes[n] - 1 for every n, one after another, int64."""
    before = np.cumsum(sizes) - sizes
    out: Ints = np.arange(int(sizes.sum())) + np.repeat(first - before, sizes)
    return out

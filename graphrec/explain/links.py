"""The knowledge graph seen from its items: which triples touch an item, where items meet, and what can be quoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.types import Ints, Source, Step
from kg.graph import KnowledgeGraph
from kg.text import sentence_around

NEUTRAL = 0.1  # a mean polarity within ±0.1 claims neither praise nor complaint
COMMON = 0.05  # an entity linked to more than this part of the items says little about any two of them
READABLE = (40, 200)  # characters of a good quote
CANDIDATES = 8  # quotes looked at per triple


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
        self._telling = np.array(named, dtype=bool) & (reach <= max(3.0, COMMON * linked))  # (N,)
        self._highest = float(np.log(linked + 1))
        self._relation = relations
        self.tone = tone(graph.polarity)  # (T,)
        self._strength = np.log1p(graph.counts) * (1 + graph.polarity / 2)  # (T,) several sources, well spoken of
        self._index_quotes()
        share = np.bincount(relations, minlength=1)[relations] / max(len(graph), 1)  # (T,) how usual the relation is
        self._strength *= (1 - np.log(share) / 4) * np.where(self.quotable, 1.5, 1.0)

    def _index_quotes(self) -> None:
        """Provenance rows that can be quoted: from a review at hand, and not against the tone of their triple."""
        graph = self.graph
        rows = graph.provenance[graph.provenance["source"] == "review"]
        rows = rows.astype({"triple": np.int64, "start": np.int64, "end": np.int64})
        distinct = rows.drop_duplicates(["triple", "review_id"])["triple"]
        self._reviews = np.bincount(distinct, minlength=len(graph))  # (T,) reviews behind a triple
        rows = rows.assign(entity_num=graph.triples[rows["triple"], 2])
        place = ["entity_num", "review_id", "start", "end"]
        mentions = graph.mentions[[*place, "polarity"]].drop_duplicates(place)
        mentions = mentions.astype(dict.fromkeys(("entity_num", "start", "end"), np.int64))
        rows = rows.astype({"review_id": object}).merge(mentions.astype({"review_id": object}), on=place, how="left")
        triple = rows["triple"].to_numpy(np.int64)
        polarity = rows["polarity"].fillna(pd.Series(graph.polarity[triple], index=rows.index)).to_numpy(np.float64)
        length = np.array([len(graph.texts.get(r, "")) for r in rows["review_id"]], dtype=np.int64)
        start, end = rows["start"].to_numpy(), rows["end"].to_numpy()
        claim = self.tone[triple]
        agreement = np.where(claim < 0, -polarity, polarity)
        agrees = np.where(claim == 0, agreement >= -NEUTRAL, agreement > NEUTRAL)
        fit = (start >= 0) & (start < end) & (end <= length) & agrees
        rows, triple, agreement = rows[fit], triple[fit], agreement[fit]
        order = np.lexsort((rows["start"], rows["review_id"].astype(str), -agreement, triple))
        rows = rows.iloc[order]
        self._quotes = list(zip(rows["review_id"], rows["start"], rows["end"], strict=True))
        self._first_quote = np.searchsorted(triple[order], np.arange(len(graph) + 1))  # (T + 1,)
        self.quotable: npt.NDArray[np.bool_] = np.diff(self._first_quote) > 0  # (T,)

    def label(self, node: int) -> str:
        """An entity's name or an item's title; the id where there is none."""
        item = int(self._item_of[node])
        return self.title(item) if item >= 0 else self._labels[node] or self.ids[node]

    def title(self, item_num: int) -> str:
        """An item's title, else what the graph calls it, else its id."""
        node = int(self._item_node[item_num])
        known_as = self._labels[node] if node >= 0 else ""
        return str(self.data.item_titles[item_num]) or known_as or self.data.items.ids[item_num]

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
        """Whether a bridge is worth telling: a direct one, or a named entity that few items have; and no complaint."""
        direct = bridges.near[b] == bridges.far[b]
        return bool(direct or self._telling[bridges.node[b]]) and self.pleasant(bridges, b)

    def with_quote(self, bridges: Bridges) -> Ints:
        """Positions of the bridges that have a quote on either side, int64."""
        return np.flatnonzero(self.quotable[bridges.near] | self.quotable[bridges.far])

    def reviews(self, triple: int) -> int:
        """How many reviews stand behind a triple; several mentions in one count once."""
        return int(self._reviews[triple])

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

    def quote(self, triple: int) -> Source | None:
        """The best sentence behind a triple, verbatim: it agrees with the triple's tone and is of readable length."""
        best: tuple[int, Source] | None = None
        for review_id, start, end in self._candidates(triple):
            text = self.graph.texts[review_id]
            first, last = sentence_around(text, start, end)
            misfit = max(READABLE[0] - (last - first), 0, last - first - READABLE[1])
            if best is None or misfit < best[0]:
                best = misfit, Source(review_id, text[first:last])
        return best[1] if best else None

    def _candidates(self, triple: int) -> Iterator[tuple[str, int, int]]:
        first, last = self._first_quote[triple : triple + 2].tolist()
        return iter(self._quotes[first : min(last, first + CANDIDATES)])


def _ranges(first: Ints, sizes: Ints) -> Ints:
    """The numbers first[n] .. first[n] + sizes[n] - 1 for every n, one after another, int64."""
    before = np.cumsum(sizes) - sizes
    out: Ints = np.arange(int(sizes.sum())) + np.repeat(first - before, sizes)
    return out

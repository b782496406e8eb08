"""What somebody is interested in: labels of what they took, each with its share, how sure it is, and from which events.

A label is what an item is linked to in the knowledge graph (a brand, a genre, a tag, an aspect of its reviews), or a
value of its attributes where there is no graph. Every item that is liked counts for 1. It is split evenly over the
kinds of labels that the item has, and within a kind by (1 + log count) · idf, count being how many sources say it:

    share(u, l) = 1/n Σ_{j liked by u} part(j, l),   Σ_l part(j, l) = 1, or 0 where nothing is known of j

so that the shares of a person and what belongs to items of which nothing is known sum to 1, and each share is the sum
of the parts of the items that it comes from. How sure an interest is: the probability that the person takes the label
more often than people do, by the posterior Beta(κ p + k, κ (1 - p) + n - k) of k out of n items, p being the label's
share of all likes and κ how alike people are, by the moments of the same counts (empirical Bayes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from scipy.stats import beta

from graphrec.data.dataset import Dataset
from graphrec.explain.phrases import relation as noun
from graphrec.graph.nodes import nodes
from graphrec.query.ties import Ties
from graphrec.types import Ints
from kg.graph import KnowledgeGraph

EVERYWHERE = 0.9  # of the items with labels: what so many have tells nothing apart
EACH = 6  # labels of one kind that an item counts for, at most
SPREAD = 0.04, 0.5  # of ρ: however alike most people are, somebody may be another one
SAMPLED = 2000  # people by whom it is told how alike people are
BROAD = ("external", "attribute", "item")  # types of entities that say less than the relation that leads to them
STARTS = ("has_", "mentions_", "is_")  # of the name of a relation, that say nothing
PASSING = ("mentions_", "wikipage")  # of one that says no more than that a text names something
TELLING = ("brand",)  # types of which that is enough: what reviewers of an item name most is mostly its own
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interest:
    """One label.

    Args:
        number: of the label. label, kind: its name, and what it is ("genre").
        share: of what the person likes, in [0, 1]. sure: that it is more than people usually have, in [0, 1].
        usual: the share of all likes of everybody that have the label. taken: how many items of theirs have it.
        parts: item number → what it adds to the share, the largest first; they sum to it.
    """

    number: int
    label: str
    kind: str
    share: float
    sure: float
    usual: float
    taken: int
    parts: tuple[tuple[int, float], ...]


class Labels:
    """The labels of all items.

    Attributes:
        names, kinds: of each label, (L,). parts: CSR float64 (I, L), rows that sum to 1 or 0.
        usual: float64 (L,), the share of likes that have a label. alike: κ, how alike people are.
    """

    def __init__(self, graph: KnowledgeGraph, ties: Ties) -> None:
        data = ties.data
        rows = _of_graph(graph, data) if len(graph) else _of_attributes(data)
        rows = rows[rows["label"].str.contains(r"[^\W\d_]", regex=True) | (rows["kind"] != "external")]
        number, known = pd.factorize(pd.MultiIndex.from_frame(rows[["kind", "label"]]))
        self.kinds: list[str] = [str(kind) for kind, _ in known]
        self.names: list[str] = [str(label) for _, label in known]
        counts = rows["count"].to_numpy(np.float64)
        shape = (data.n_items, max(len(known), 1))
        said = sp.csr_matrix((counts, (rows["item"].to_numpy(np.int64), number.astype(np.int64))), shape=shape)
        self.parts = self._split(said)
        self.has = self.parts.sign()
        likes = np.asarray(ties.matrix.sum(axis=0), np.float64).ravel()  # (I,)
        held: Doubles = np.asarray(likes @ self.has, np.float64).ravel()
        self.usual: Doubles = np.asarray(held / max(float(likes.sum()), 1.0), np.float64)
        self.alike = self._alikeness(ties)

    def _split(self, said: sp.csr_matrix) -> sp.csr_matrix:
        linked = max(int((np.diff(said.indptr) > 0).sum()), 1)
        reach = np.bincount(said.indices, minlength=said.shape[1])
        found = said.tocoo()
        kept = reach[found.col] <= max(EVERYWHERE * linked, 1)
        item, label, count = found.row[kept], found.col[kept], found.data[kept]
        weight = (1 + np.log(np.maximum(count, 1))) * np.log((linked + 1) / reach[label])
        kind = pd.factorize(np.array([*self.kinds, ""], object))[0][label]
        order = np.lexsort((label, -weight, kind, item))
        item, label, weight, kind = item[order], label[order], weight[order], kind[order]
        table = pd.DataFrame({"item": item, "kind": kind, "weight": weight})
        groups = table.groupby(["item", "kind"], sort=False)
        first = (groups.cumcount() < EACH).to_numpy()
        item, label, table = item[first], label[first], table[first]
        whole = table.groupby(["item", "kind"])["weight"].transform("sum").to_numpy()
        several = table.groupby("item")["kind"].transform("nunique").to_numpy()
        parts = table["weight"].to_numpy() / np.maximum(whole, 1e-12) / np.maximum(several, 1)
        return sp.csr_matrix((parts, (item, label)), shape=said.shape)

    def _alikeness(self, ties: Ties) -> float:
        """κ = 1/ρ - 1 of Σ (k - n p)² = Σ n p (1 - p) (1 + (n - 1) ρ), over some people and all labels."""
        users = np.unique(np.linspace(0, max(ties.data.n_users - 1, 0), SAMPLED).astype(np.int64))
        liked = ties.matrix[users[: ties.data.n_users]].astype(np.float64)
        n = np.asarray(liked.sum(axis=1)).ravel()  # (B,)
        k = liked @ self.has
        p = self.usual
        spread = float(k.multiply(k).sum() - 2 * (k.T @ n) @ p + (n**2).sum() * (p**2).sum())
        by_chance, at_most = n.sum() * (p * (1 - p)).sum(), (n * (n - 1)).sum() * (p * (1 - p)).sum()
        rho = (spread - by_chance) / at_most if at_most > 0 else 1.0
        return float(1 / np.clip(rho, *SPREAD) - 1)

    def sure(self, number: Ints, taken: Doubles, of: float) -> Doubles:
        """How sure it is that somebody takes these labels (n,) more often than people do."""
        p = np.clip(self.usual[number], 1e-9, 1 - 1e-9)
        return np.asarray(
            beta.sf(p, self.alike * p + taken, self.alike * (1 - p) + np.maximum(of - taken, 0)), np.float64
        )

    def interests(self, liked: Ints) -> list[Interest]:
        """All labels of what is liked (n,), the largest share first."""
        if not len(liked):
            return []
        parts = self.parts[liked]  # (n, L)
        number = np.unique(parts.indices).astype(np.int64)
        columns = parts[:, number].tocsc()
        taken = np.diff(columns.indptr).astype(np.float64)
        shares = np.asarray(columns.sum(axis=0)).ravel() / len(liked)
        sure = self.sure(number, taken, len(liked))
        out = []
        for at in np.lexsort((number, -sure, -shares)).tolist():
            own = slice(*columns.indptr[at : at + 2])
            rows, values = columns.indices[own], columns.data[own] / len(liked)
            order = np.lexsort((rows, -values))
            found = tuple(zip(liked[rows[order]].tolist(), values[order].tolist(), strict=True))
            n = int(number[at])
            told = (self.names[n], self.kinds[n], float(shares[at]), float(sure[at]), float(self.usual[n]))
            out.append(Interest(n, *told, len(rows), found))
        return out

    def disliked(self, known: Ints, disliked: Ints) -> list[Interest]:
        """The labels of what is disliked (m,), among all that is known of (n,): ``share`` is of the dislikes, ``usual``
        the person's own rate of dislikes, and ``sure`` that items with the label are disliked more often than that."""
        if not len(disliked):
            return []
        of_all = np.asarray(self.has[known].sum(axis=0)).ravel()
        found = [i for i in self.interests(disliked) if of_all[i.number] > 0]
        rate = min(len(disliked) / max(len(known), 1), 1 - 1e-9)
        out = []
        for i in found:
            n = of_all[i.number]
            sure = float(beta.sf(rate, 2 * rate + i.taken, 2 * (1 - rate) + max(n - i.taken, 0)))
            out.append(Interest(i.number, i.label, i.kind, i.share, sure, rate, i.taken, i.parts))
        return out


def _of_graph(graph: KnowledgeGraph, data: Dataset) -> pd.DataFrame:
    """item, label, kind, count of every link of an item to something with a name that is no item and no user."""
    number = graph.entity_num
    item_of = np.full(len(number), -1, np.int64)
    for n, id_ in enumerate(data.items.ids):
        node = number.get(f"item:{id_}", -1)
        if node >= 0:
            item_of[node] = n
    head, relation, tail = graph.triples.T
    types = graph.entities["type"].to_numpy(object)
    labels, ids = graph.entities["label"].to_numpy(object), graph.entities["entity"].to_numpy(object)
    forth, back = item_of[head] >= 0, item_of[tail] >= 0
    item = np.r_[item_of[head[forth]], item_of[tail[back]]]
    other = np.r_[tail[forth], head[back]]
    by = np.r_[relation[forth], relation[back]]
    count = np.r_[graph.counts[forth], graph.counts[back]]
    passing = np.array([any(p in r.lower() for p in PASSING) for r in graph.relations] or [False])
    kept = ~np.isin(types[other], ("item", "user")) & (labels[other] != ids[other]) & (item_of[other] < 0)
    kept &= ~passing[by] | np.isin(types[other], TELLING)
    item, other, by, count = item[kept], other[kept], by[kept], count[kept]
    said = np.array([_kind(graph.relation_labels.get(r, r)) for r in graph.relations] or [""], object)
    kind = np.where(np.isin(types[other], BROAD), said[by] if len(by) else said[:0], types[other])
    out = pd.DataFrame({"item": item, "label": labels[other].astype(str), "kind": kind.astype(str), "count": count})
    out["label"] = out["label"].str.removeprefix("Category:")
    return out.groupby(["item", "label", "kind"], sort=False)[["count"]].sum().reset_index()


def _of_attributes(data: Dataset) -> pd.DataFrame:
    """The same of the items' attributes."""
    table = nodes(data.item_attributes, data.item_columns)
    kinds = table["key"].astype(str).map(_kind)
    out = pd.DataFrame({"item": table["item_num"], "label": table["value"].astype(str), "kind": kinds})
    return out.drop_duplicates().assign(count=1.0).astype({"label": "str", "kind": "str"})


def _kind(relation: str) -> str:
    """A relation as a noun: "has_category" is a category, "composed by composer" a composer."""
    name = next((relation.removeprefix(start) for start in STARTS if relation.startswith(start)), relation)
    return noun(name.replace("_", " ").strip())


def over_time(labels: Labels, items: Ints, times: Ints, top: Sequence[int], pieces: int) -> tuple[Ints, Doubles]:
    """Shares of the labels ``top`` in pieces of a history in order, float64 (P, n), and where each begins, int64 (P,).

    The history is cut into pieces of about equally many events, so that each says as much as the others.
    """
    cuts = np.unique(np.linspace(0, len(items), min(pieces, len(items)) + 1).astype(np.int64))
    shares = np.zeros((len(cuts) - 1, len(top)))
    for n, (first, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        shares[n] = np.asarray(labels.parts[items[first:end]][:, list(top)].mean(axis=0)).ravel()
    return times[cuts[:-1]], shares

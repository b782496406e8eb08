"""The knowledge graph: entity and relation tables, triples, and where each triple comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    import networkx as nx

ENTITY_COLUMNS = ["entity", "label", "type"]
PROVENANCE_COLUMNS = ["triple", "source", "review_id", "start", "end"]
SOURCES = ("review", "metadata", "external")
MENTION_COLUMNS = ["entity_num", "review_id", "start", "end", "label", "polarity"]
_DTYPES: dict[str, type] = {
    "entity_num": np.int64, "triple": np.int64, "start": np.int64, "end": np.int64, "polarity": np.float32
}  # fmt: skip


def table(columns: list[str], data: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
    """A frame of these columns with the dtypes of the graph: numbers int64, polarity float32, the rest strings."""
    return pd.DataFrame({c: pd.Series(data.get(c, []), dtype=_DTYPES.get(c, "str")) for c in columns})


@dataclass(frozen=True, eq=False)
class KnowledgeGraph:
    """Everything known about items, users' words and the outside world, as triples with sources.

    Entities are numbered by their row in ``entities``; relations by their place in ``relations``.
    Items and users are entities too: ``item:<item_id>`` (type item) and ``user:<user_id>`` (type user); the rest are
    ``<type>:<slug>`` for what was found in text and metadata, and the source's own id for external ones (type
    external). ``kg.build`` sorts entities by id, relations by name, mentions by review and place.

    Shapes:
        entities: DataFrame entity (unique id), label, type.
        triples: int64 (T, 3) distinct rows head, relation, tail, sorted.
        counts: float32 (T,) number of sources behind a triple. polarity: float32 (T,) their mean polarity in [-1, 1].
        provenance: DataFrame triple (row of ``triples``), source ("review", "metadata" or "external"), and for
            reviews review_id and the character span start:end in that review's text (-1 otherwise).
        mentions: DataFrame entity_num, review_id, start, end, label (surface form), polarity.
        texts: review_id → review text, verbatim, for every review that is a source.
        relation_labels: relation → its name for people, where a source gives one.
    """

    entities: pd.DataFrame
    relations: tuple[str, ...]
    triples: npt.NDArray[np.int64]
    counts: npt.NDArray[np.float32]
    polarity: npt.NDArray[np.float32]
    provenance: pd.DataFrame
    mentions: pd.DataFrame
    texts: dict[str, str]
    relation_labels: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.triples)

    def __eq__(self, other: object) -> bool:
        """Equal tables, arrays, texts and labels, in the same order."""
        if not isinstance(other, KnowledgeGraph):
            return NotImplemented
        frames, arrays = ("entities", "provenance", "mentions"), ("triples", "counts", "polarity")
        return (
            all(getattr(self, name).equals(getattr(other, name)) for name in frames)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)
            and (self.relations, self.texts, self.relation_labels)
            == (other.relations, other.texts, other.relation_labels)
        )

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def entity_num(self) -> dict[str, int]:
        """Entity id → number."""
        return {str(e): n for n, e in enumerate(self.entities["entity"])}

    @cached_property
    def relation_num(self) -> dict[str, int]:
        """Relation name → number."""
        return {r: n for n, r in enumerate(self.relations)}

    @cached_property
    def _triple_set(self) -> frozenset[tuple[int, int, int]]:
        return frozenset(map(tuple, self.triples.tolist()))

    def has(self, head: str, relation: str, tail: str) -> bool:
        """Whether this triple, given by ids, is in the graph."""
        h, r, t = self.entity_num.get(head), self.relation_num.get(relation), self.entity_num.get(tail)
        return h is not None and r is not None and t is not None and (h, r, t) in self._triple_set

    def label(self, entity_num: int) -> str:
        """The name of an entity for people."""
        return str(self.entities["label"].iat[entity_num])

    def named(self) -> Iterator[tuple[str, str, str]]:
        """All triples as (head id, relation, tail id)."""
        ids = self.entities["entity"].tolist()
        for h, r, t in self.triples.tolist():
            yield ids[h], self.relations[r], ids[t]

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """A networkx view: nodes are entity ids with label and type, edges are keyed by relation."""
        import networkx as nx  # takes long to import

        out: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for entity, label, type_ in self.entities[ENTITY_COLUMNS].itertuples(index=False):
            out.add_node(entity, label=label, type=type_)
        for (h, r, t), count, polarity in zip(self.named(), self.counts, self.polarity, strict=True):
            out.add_edge(h, t, key=r, count=float(count), polarity=float(polarity))
        return out

    def stats(self) -> dict[str, Any]:
        """Counts, in the shape of the `kg stats` document."""
        by_type = self.entities["type"].value_counts().sort_index()
        by_relation = np.bincount(self.triples[:, 1], minlength=len(self.relations))
        return {
            "entities": len(self.entities),
            "relations": len(self.relations),
            "triples": len(self),
            "mentions": len(self.mentions),
            "by_type": {str(k): int(v) for k, v in by_type.items()},
            "by_relation": {r: int(n) for r, n in zip(self.relations, by_relation, strict=False)},
        }


def empty() -> KnowledgeGraph:
    """A graph with nothing in it."""
    none = np.zeros(0, np.float32)
    entities, provenance, mentions = (table(c, {}) for c in (ENTITY_COLUMNS, PROVENANCE_COLUMNS, MENTION_COLUMNS))
    return KnowledgeGraph(entities, (), np.zeros((0, 3), np.int64), none, none, provenance, mentions, {})

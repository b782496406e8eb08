"""Words themselves: which items' texts hold those that are asked for, by BM25.

    score(q, i) = Σ_{w ∈ q} log(1 + (N - n_w + ½) / (n_w + ½)) · f (k + 1) / (f + k (1 - b + b |d_i| / mean |d|))

(Robertson and Zaragoza, Foundations and Trends in Information Retrieval 2009), f being how often w stands in the text
d_i of item i, n_w in how many of N texts. Embeddings know what words mean, but not which model number was asked for:
the two miss different items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from graphrec.data.attributes import Column
from graphrec.data.dataset import Dataset
from graphrec.types import Floats
from kg.graph import KnowledgeGraph

K, B = 1.5, 0.75  # as they are usual
TOKEN = r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+"  # a word, or a sign where signs are words
LONGEST = 100_000  # characters of one item's text


class Lexicon:
    """The texts of the items, indexed by their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._words = CountVectorizer(token_pattern=TOKEN, dtype=np.float32)
        self.empty = not any(text.strip() for text in texts)
        if self.empty:
            return
        try:
            counts = sp.csr_matrix(self._words.fit_transform(text[:LONGEST] for text in texts), dtype=np.float64)
        except ValueError:  # not one word in them
            self.empty = True
            return
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        n = max(int((lengths > 0).sum()), 1)
        within = np.bincount(counts.indices, minlength=counts.shape[1])
        rarity = np.log1p((n - within + 0.5) / (within + 0.5))
        size = K * (1 - B + B * lengths / (lengths.sum() / n))
        rows = np.repeat(np.arange(len(lengths)), np.diff(counts.indptr))
        counts.data *= rarity[counts.indices] * (K + 1) / (counts.data + size[rows])
        self._weights = sp.csr_matrix(counts.T, dtype=np.float32)  # (V, I)
        self._n_items = len(texts)

    def scores(self, words: str) -> Floats:
        """How well each item's text holds the words, float32 (I,); each of them counts once."""
        asked = self._words.transform([words]).sign()
        return np.asarray((asked @ self._weights).toarray(), np.float32).ravel()


def texts_of(data: Dataset, graph: KnowledgeGraph) -> list[str]:
    """What is written of each item: its title, what its attributes say in words, and the reviews that the knowledge
    graph was made from."""
    found: list[list[str]] = [[title] if (title := str(t)) else [] for t in data.item_titles]
    spoken = {c.name for c in data.item_columns if _speaks(c)}
    for number, key, value in data.item_attributes.itertuples(index=False):
        if key in spoken:
            found[number].append(str(value))
    if graph.texts:
        number_of = {f"item:{id_}": n for n, id_ in enumerate(data.items.ids)}
        rows = graph.provenance[(graph.provenance["source"] == "review").to_numpy()]
        heads = graph.entities["entity"].to_numpy(object)[graph.triples[rows["triple"].to_numpy(np.int64), 0]]
        told = {(head, review) for head, review in zip(heads, rows["review_id"], strict=True) if head in number_of}
        for head, review in sorted(told):
            found[number_of[head]].append(graph.texts.get(review, ""))
    return [" ".join(parts) for parts in found]


def _speaks(column: Column) -> bool:
    return column.type in ("category", "list", "text") and not column.why_not

"""A map of items and users: two dimensions in which what is alike lies close together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.explain.say import speaking
from graphrec.model.learned import Learned
from graphrec.types import Floats, Ints

MOST = 2000  # items, and users: of more, those of whom most is known
WIDTH = 50  # dimensions that t-SNE starts from
GROUPS = 9  # labels that items are told apart by
FEW = 4  # points, below which there is nothing to lay out


def atlas(model: Learned, most: int = MOST) -> dict[str, Any]:
    """The document of ``Recommender.map``.

    Items lie by ``profile.likeness``, what every block that is heard compares them by; a user in the middle of what
    they like. t-SNE (van der Maaten and Hinton, JMLR 2008) of its first ``WIDTH`` singular vectors keeps who is near
    whom, and nothing else: neither distances between groups nor axes mean anything. Users come without ids.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import normalize

    ties = model.ties
    takers = np.asarray(ties.matrix.sum(axis=0), np.float32).ravel()
    items, users = _most(takers, most), _most(np.asarray(ties.activity, np.float32), most)
    side = sp.hstack([sp.csr_matrix(model.likeness.dense), model.likeness.sparse], format="csr")
    both = normalize(sp.vstack([side[items], ties.matrix[users] @ side], format="csr"))
    if both.shape[0] < FEW or both.shape[1] < 2:
        points: Floats = np.zeros((both.shape[0], 2), np.float32)
    else:
        width = min(WIDTH, both.shape[1] - 1, both.shape[0] - 1)
        found = TruncatedSVD(width, random_state=0).fit_transform(both) if both.shape[1] > width else both.toarray()
        lay = TSNE(perplexity=min(30.0, (len(found) - 1) / 3), init="pca" if width > 1 else "random", random_state=0)
        points = np.asarray(lay.fit_transform(np.asarray(found, np.float32)), np.float32)
    with speaking(model.spoken):
        kind, group = _groups(model, items)
    ids = model.data.items.ids
    return {
        "kind": kind,
        "items": [
            {"item_id": ids[i], "title": str(model.data.item_titles[i]), "x": x, "y": y, "label": label}
            for i, (x, y), label in zip(items.tolist(), points[: len(items)].tolist(), group, strict=True)
        ],
        "users": [{"x": x, "y": y} for x, y in points[len(items) :].tolist()],
        "of": {"items": int((takers > 0).sum()), "users": int((ties.activity > 0).sum())},
    }


def _most(counts: Floats, most: int) -> Ints:
    """The numbers with the largest counts above 0, at most so many, in order."""
    order = np.argsort(-counts, kind="stable")[:most].astype(np.int64)
    return np.sort(order[counts[order] > 0])


def _groups(model: Learned, items: Ints) -> tuple[str, list[str]]:
    """The kind of label that most items have, and of each item its commonest label of that kind that is among the
    commonest of all; "" where it has none."""
    labels = model.labels
    has = labels.has[items]
    kinds = np.array([*labels.kinds, ""], object)
    held: Counter[str] = Counter()
    for kind in sorted(set(labels.kinds)):
        held[kind] = int((has[:, np.flatnonzero(kinds[: has.shape[1]] == kind)].getnnz(axis=1) > 0).sum())
    if not held:
        return "", [""] * len(items)
    kind = max(sorted(held), key=lambda k: held[k])
    of = np.flatnonzero(kinds[: has.shape[1]] == kind)
    reach = np.asarray(has[:, of].sum(axis=0)).ravel()
    best = of[np.argsort(-reach, kind="stable")[:GROUPS]]
    shown = labels.parts[items][:, best].toarray()
    return kind, [labels.names[best[int(row.argmax())]] if row.any() else "" for row in shown]

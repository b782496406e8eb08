"""Naive twins: slow, obvious versions of what the package computes, to compare it with."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import networkx as nx
import numpy as np
import numpy.typing as npt

from kg.graph import KnowledgeGraph

Row = tuple[str, str, int]  # user_id, item_id, timestamp


def naive_leave_last(rows: list[Row]) -> tuple[set[Row], set[Row], set[Row]]:
    """(train, valid, test): each user's last row by (time, item), and the one before; users under 3 rows only train."""
    train: set[Row] = set()
    valid: set[Row] = set()
    test: set[Row] = set()
    for user in {row[0] for row in rows}:
        own = sorted((row for row in rows if row[0] == user), key=lambda row: (row[2], row[1]))
        if len(own) >= 3:
            test.add(own.pop())
            valid.add(own.pop())
        train.update(own)
    return train, valid, test


def naive_k_core(rows: set[Row], k: int) -> set[Row]:
    """Drops rows of users and items with fewer than k rows until none is left to drop."""
    while True:
        degree = Counter(user for user, _, _ in rows) + Counter(item for _, item, _ in rows)
        kept = {row for row in rows if degree[row[0]] >= k and degree[row[1]] >= k}
        if kept == rows:
            return rows
        rows = kept


def naive_connections(graph: KnowledgeGraph, item: str) -> dict[str, set[str]]:
    """Item id → entity ids that stand between it and an item, and "" where a triple joins the two.

    By networkx: all simple paths of up to two edges in the graph without its users and without directions.
    """
    directed = graph.to_networkx()
    directed.remove_nodes_from([node for node, data in directed.nodes(data=True) if data["type"] == "user"])
    undirected: nx.Graph[str] = nx.Graph(directed.to_undirected())
    others = [node for node in undirected if node.startswith("item:") and node != item and item in undirected]
    return {
        other: {"".join(path[1:-1]) for path in nx.all_simple_paths(undirected, item, other, cutoff=2)}
        for other in others
    }


def naive_typed_edges(
    graph: KnowledgeGraph, kind: Sequence[str], place: Sequence[int]
) -> dict[tuple[str, str, str], list[tuple[int, int, float, float]]]:
    """(kind of head, relation, kind of tail) → head, tail, log(1 + sources), polarity of its triples, in their order.

    ``kind`` and ``place``: of each entity its kind of node, and its number among those.
    """
    found: dict[tuple[str, str, str], list[tuple[int, int, float, float]]] = {}
    for relation_num, relation in enumerate(graph.relations):
        for head_kind in ("user", "item", "entity"):
            for tail_kind in ("user", "item", "entity"):
                for (h, r, t), count, polarity in zip(graph.triples, graph.counts, graph.polarity, strict=True):
                    if (r, kind[h], kind[t]) == (relation_num, head_kind, tail_kind):
                        row = (place[h], place[t], float(np.log1p(count)), float(polarity))
                        found.setdefault((head_kind, relation, tail_kind), []).append(row)
    return found


def spectral_scores(
    matrix: npt.NDArray[np.float32], rank: int, alpha: float, beta: float, power: float
) -> npt.NDArray[np.float64]:
    """x_u D^-β V S^q (D^β V)ᵀ from a dense SVD of D_u^-α R D^-γ with S_1 = 1, float64 (U, I)."""
    dense = matrix.astype(np.float64)
    rows, columns = np.maximum(dense.sum(1), 1), np.maximum(dense.sum(0), 1)
    _, values, right = np.linalg.svd(dense / np.outer(rows**alpha, columns**0.5))
    v, values = right[:rank].T, values / values[0]
    scores: npt.NDArray[np.float64] = dense @ (columns[:, None] ** -beta * v * values[:rank] ** power)
    out: npt.NDArray[np.float64] = scores @ (columns[:, None] ** beta * v).T
    return out


def naive_ranking(scores: list[float], seen: set[int], k: int) -> list[int]:
    """The k best unseen items, ties by item number; a score of minus infinity is never recommended."""
    open_items = [item for item, score in enumerate(scores) if item not in seen and score > -math.inf]
    return sorted(open_items, key=lambda item: (-scores[item], item))[:k]


def naive_metrics(ranking: list[int], relevant: set[int], k: int) -> dict[str, float]:
    """The per-user metrics of one ranked list, straight from their definitions; relevant is not empty."""
    top = ranking[:k]
    hit_ranks = [rank for rank, item in enumerate(top, start=1) if item in relevant]
    hits = len(hit_ranks)
    precision, recall = hits / k, hits / len(relevant)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))
    return {
        f"recall@{k}": recall,
        f"ndcg@{k}": sum(1 / math.log2(rank + 1) for rank in hit_ranks) / ideal,
        f"hr@{k}": float(hits > 0),
        f"mrr@{k}": 1 / hit_ranks[0] if hit_ranks else 0.0,
        f"map@{k}": sum((n + 1) / rank for n, rank in enumerate(hit_ranks)) / len(relevant),
        f"precision@{k}": precision,
        f"f1@{k}": 2 * precision * recall / (precision + recall) if hits else 0.0,
    }


def naive_auc(scores: list[float], seen: set[int], relevant: set[int]) -> float:
    """Share of (relevant, other unseen) pairs in the right order, ties half; 0.5 where there is no pair."""
    others = [item for item in range(len(scores)) if item not in seen and item not in relevant]
    pairs = [(scores[good], scores[other]) for good in relevant for other in others]
    return sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs) if pairs else 0.5


def naive_list_measures(rankings: list[list[int]], popularity: list[float], n_users: int, k: int) -> dict[str, float]:
    """Coverage, novelty (bits) and Gini (by mean absolute difference) of the top-k lists."""
    counts = Counter(item for ranking in rankings for item in ranking[:k])
    shown = [item for ranking in rankings for item in ranking[:k]]
    size, every = len(popularity), [counts[item] for item in range(len(popularity))]
    return {
        f"coverage@{k}": len(counts) / size,
        f"novelty@{k}": sum(-math.log2(max(popularity[i], 1) / n_users) for i in shown) / max(len(shown), 1),
        f"gini@{k}": sum(abs(a - b) for a in every for b in every) / max(2 * size * sum(every), 1),
    }


def naive_itemknn(matrix: npt.NDArray[np.float32], neighbours: int, shrink: float) -> npt.NDArray[np.float64]:
    """Scores (U, I): for every item the sum of its nearest neighbours' similarities that lie in the history."""
    n_users, n_items = matrix.shape
    takers = [set(np.flatnonzero(matrix[:, item])) for item in range(n_items)]
    scores = np.zeros((n_users, n_items))
    for item in range(n_items):
        similar = {
            other: len(takers[item] & takers[other]) / (math.sqrt(len(takers[item]) * len(takers[other])) + shrink)
            for other in range(n_items)
            if other != item and takers[item] & takers[other]
        }
        nearest = sorted(similar, key=lambda other: (-similar[other], other))[:neighbours]
        for user in range(n_users):
            scores[user, item] = sum(similar[other] for other in nearest if matrix[user, other])
    return scores


def naive_ease(matrix: npt.NDArray[np.float32], regularisation: float) -> npt.NDArray[np.float64]:
    """Scores (U, I) of EASE without its closed form: each item's column is ridge regression on all other items."""
    x = matrix.astype(np.float64)
    weights = np.zeros((x.shape[1], x.shape[1]))
    for item in range(x.shape[1]):
        rest = [other for other in range(x.shape[1]) if other != item]
        inner = x[:, rest].T @ x[:, rest] + regularisation * np.eye(len(rest))
        weights[rest, item] = np.linalg.solve(inner, x[:, rest].T @ x[:, item])
    scores: npt.NDArray[np.float64] = x @ weights
    return scores


def naive_slim(matrix: npt.NDArray[np.float32], l1: float, l2: float) -> npt.NDArray[np.float64]:
    """SLIM's weights (I, I), column by column, by projected gradient descent until nothing moves."""
    x, n_items = matrix.astype(np.float64), matrix.shape[1]
    weights = np.zeros((n_items, n_items))
    step = 1 / (np.linalg.norm(x, 2) ** 2 / len(x) + l2)
    for item in range(n_items):
        for _ in range(5000):
            slope = x.T @ (x @ weights[:, item] - x[:, item]) / len(x) + l2 * weights[:, item] + l1
            weights[:, item] = np.maximum(weights[:, item] - step * slope, 0)
            weights[item, item] = 0
    return weights


def naive_sign_flip_p_value(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Exact two-sided p value of the mean difference, by trying every assignment of signs."""
    difference = a - b
    signs = np.array(list(itertools.product((-1, 1), repeat=len(difference))))
    means = signs @ difference / len(difference)
    return float(np.mean(np.abs(means) >= abs(difference.mean()) - 1e-12))


def naive_two_steps(taste: npt.NDArray[np.float32], alpha: float, beta: float) -> npt.NDArray[np.float64]:
    """x D_i^-β (R̃ᵀR̃ without its diagonal) D_i^β, every user and item by loops; (U, I)."""
    n_users, n_items = taste.shape
    of_user, of_item = np.maximum(taste.sum(1), 1.0), np.maximum(taste.sum(0), 1.0)
    links = np.zeros((n_items, n_items))
    for user in range(n_users):
        taken = np.flatnonzero(taste[user])
        for a in taken:
            for b in taken:
                if a != b:
                    links[a, b] += of_user[user] ** (-2 * alpha) / np.sqrt(of_item[a] * of_item[b])
    return np.asarray((taste / of_item**beta) @ links * of_item**beta)


def naive_chebyshev(
    taste: npt.NDArray[np.float32], alpha: float, flatness: float, order: int
) -> npt.NDArray[np.float64]:
    """Links h(P) without their diagonal, by eigenvectors; h goes through its values at the Chebyshev nodes. (I, I)."""
    of_user, of_item = np.maximum(taste.sum(1), 1.0), np.maximum(taste.sum(0), 1.0)
    normalised = taste / of_user[:, None] ** alpha / np.sqrt(of_item)
    values, vectors = np.linalg.eigh((normalised.T @ normalised).astype(np.float64))
    nodes = np.cos((2 * np.arange(order + 1) + 1) * np.pi / (2 * order + 2))
    wanted = [0.5 + 0.5 * (-x) ** flatness if x < 0 else 0.5 - 0.5 * x**flatness for x in nodes]
    response = np.zeros(len(values))
    for j, node in enumerate(nodes):  # Lagrange
        others = np.delete(nodes, j)
        x = 1 - 2 * values / values.max()
        response += wanted[j] * np.prod((x[:, None] - others) / (node - others), axis=1)
    links = vectors @ np.diag(response) @ vectors.T
    return np.asarray(links - np.diag(np.diag(links)))


def naive_rp3beta(taste: npt.NDArray[np.float32], alpha: float, beta: float) -> npt.NDArray[np.float64]:
    """Random walks u → i → v → j by loops, popular ends j discounted; (U, I)."""
    n_users, n_items = taste.shape
    of_user, of_item = taste.sum(1), taste.sum(0)
    links = np.zeros((n_items, n_items))
    for i in range(n_items):
        for j in range(n_items):
            for user in range(n_users):
                if i != j and taste[user, i] and taste[user, j]:
                    links[i, j] += (1 / of_item[i]) ** alpha * (1 / of_user[user]) ** alpha
            links[i, j] /= max(of_item[j], 1) ** beta
    return np.asarray(taste @ links)


def naive_softmax_loss(
    weights: npt.NDArray[np.float64], scores: npt.NDArray[np.float64], relevant: npt.NDArray[np.bool_], alike: float
) -> float:
    """What the blend minimises, from weights (b,), scores (b, A, C) and what is to be found (A, C)."""
    total = 0.0
    for user, wanted in enumerate(relevant):
        sums = [sum(w * s[user, item] for w, s in zip(weights, scores, strict=True)) for item in range(len(wanted))]
        all_of_them = sum(np.exp(one) for one in sums)
        total += float(np.mean([np.log(all_of_them) - sums[item] for item in np.flatnonzero(wanted)]))
    return float(total + alike * sum((w - np.mean(weights)) ** 2 for w in weights)) / len(relevant)


def naive_transitions(
    histories: Sequence[Sequence[int]],
    times: Sequence[Sequence[int]] | None,
    n_items: int,
    *,
    window: int,
    decay: float,
    pause: float,
    session: float,
    backward: float,
    source: float,
    target: float,
    shape: float,
    power: float,
    half_life: float,
    last: int,
) -> npt.NDArray[np.float64]:
    """Scores of `transitions` by loops over pairs of events, float64 (U, I); no item is left out of a row."""
    day = 86_400
    counts = np.zeros((n_items, n_items))
    for user, items in enumerate(histories):
        for a, b in itertools.combinations(range(len(items)), 2):
            gaps = np.diff(times[user][a : b + 1]) if session and times is not None else np.zeros(1)
            if b - a <= window and items[a] != items[b] and gaps.max() <= session * 3600:
                weight = 2.0 ** (-decay * math.floor(math.log2(b - a)))
                if pause and times is not None:
                    weight *= 0.5 ** ((times[user][b] - times[user][a]) / day / pause)
                counts[items[a], items[b]] += weight
    counts = counts + backward * counts.T
    out = np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
    into = np.maximum(counts.sum(axis=0, keepdims=True), 1e-9)
    links = (counts / out**source / into**target) ** shape
    scores = np.zeros((len(histories), n_items))
    for user, items in enumerate(histories):
        weight_of: dict[int, float] = {}
        for place, item in list(enumerate(items))[-last:]:
            weight = (1.0 + len(items) - 1 - place) ** -power
            if half_life and times is not None:
                weight *= 0.5 ** ((times[user][-1] - times[user][place]) / day / half_life)
            weight_of[item] = weight  # the latest event of an item stays
        for item, weight in weight_of.items():
            scores[user] += weight * links[item]
    return scores


def naive_leace(x: npt.NDArray[np.float32], z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Least-squares concept erasure as written: x − W⁺ P W (x − μ), P the projection onto the columns of W Σ_xz."""
    rows = x.astype(np.float64)
    mean = rows.mean(axis=0)
    covariance = np.cov(rows.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    whiten = vectors @ np.diag(values**-0.5) @ vectors.T
    concept = whiten @ ((rows - mean).T @ (z - z.mean(axis=0)) / len(rows))
    project = concept @ np.linalg.pinv(concept)
    out: npt.NDArray[np.float64] = rows - (rows - mean) @ (np.linalg.inv(whiten) @ project @ whiten).T
    return out

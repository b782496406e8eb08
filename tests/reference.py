"""Naive twins: slow, obvious versions of what the package computes, to compare it with."""

from __future__ import annotations

from collections import Counter

import networkx as nx

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
    directed.remove_nodes_from([node for node, type_ in directed.nodes(data="type") if type_ == "user"])
    undirected = nx.Graph(directed.to_undirected())
    others = [node for node in undirected if node.startswith("item:") and node != item and item in undirected]
    return {
        other: {"".join(path[1:-1]) for path in nx.all_simple_paths(undirected, item, other, cutoff=2)}
        for other in others
    }

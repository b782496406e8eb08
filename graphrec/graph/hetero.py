"""The heterogeneous graph as PyG HeteroData: users, items, entities, and every kind of edge between them."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import HeteroData

from graphrec.data.attributes import columns_of
from graphrec.data.dataset import Dataset
from graphrec.features.text import TextFeatures
from graphrec.graph.names import ENTITY, INTERACTS, ITEM, TRUSTS, USER
from graphrec.graph.nodes import number_features
from graphrec.types import Ints
from kg.graph import KnowledgeGraph


def hetero_graph(train: Dataset, graph: KnowledgeGraph, text: TextFeatures | None = None) -> HeteroData:
    """One graph out of training interactions, friendships and the knowledge graph built from training reviews.

    Nodes: ``user`` (U), ``item`` (I), ``entity`` (N, those of the knowledge graph that are neither user nor item),
    each with ``x`` float32 (·, F + A + B): the text (F is 0 where there is none; it is the graph's ``text_width``), the
    numbers that items have, and those that users have, zero for nodes of the other kinds.
    Edges: (user, interacts, item) with ``weight`` float32 (P,), the signed strength of each pair, dislikes below 0, and
    ``time`` int64 (P,) where known; (user, trusts, user); for each relation of the knowledge graph and each pair of
    node kinds it joins, (kind, relation, kind) with ``edge_attr`` float32 (E, 2): log(1 + number of sources), mean
    polarity. Every one has its reverse ``rev_*``, friendships excepted (both directions are there).
    ``graph[ENTITY].num`` int64 (N,) is each entity's number in the knowledge graph.
    """
    data = HeteroData()
    kind, place = _places(train, graph)
    others = np.flatnonzero(kind == 2)
    sizes = (train.n_users, train.n_items, len(others))
    if text is not None and not any(x.any() for x in (text.users, text.items, text.entities)):
        text = None  # nothing was written of anything: no layer need read zeros
    features = (None, None, None) if text is None else (text.users, text.items, text.entities[others])
    width = 0 if text is None else text.items.shape[1]
    for name, x, size in zip((USER, ITEM, ENTITY), features, sizes, strict=True):
        data[name].x = torch.zeros((size, width)) if x is None or not x.size else torch.from_numpy(x.copy())
        data[name].num_nodes = size
    data.text_width = width
    for name, table, known in (
        (ITEM, train.item_attributes, train.item_columns),
        (USER, train.user_attributes, train.user_columns),
    ):
        size = int(data[name].num_nodes or 0)
        columns = columns_of(table, size, known, of="items" if name == ITEM else "users")
        numbers = number_features(table, columns, size)
        for other in (USER, ITEM, ENTITY) if numbers.shape[1] else ():
            added = numbers if other == name else np.zeros((data[other].num_nodes, numbers.shape[1]), np.float32)
            data[other].x = torch.cat([data[other].x, torch.from_numpy(added)], dim=1)
    data[ENTITY].num = torch.from_numpy(others)

    interactions = train.events.pairs
    ends = (interactions.user_nums, interactions.item_nums, interactions.user_nums)
    both = torch.from_numpy(np.vstack(ends))  # (3, P), of which either direction is a part
    data[INTERACTS].edge_index, data[ITEM, "rev_interacts", USER].edge_index = both[:2], both[1:]
    data[INTERACTS].weight = torch.from_numpy(interactions.weights.copy())
    if interactions.timestamps is not None:
        data[INTERACTS].time = torch.from_numpy(interactions.timestamps.copy())
    data[TRUSTS].edge_index = torch.from_numpy(train.social_edge_index.copy())
    if train.directed:
        data[USER, "rev_trusts", USER].edge_index = data[TRUSTS].edge_index.flip(0)

    attributes = np.stack([np.log1p(graph.counts), graph.polarity], axis=1).astype(np.float32)  # (T, 2)
    heads, relations, tails = graph.triples.T
    names = (USER, ITEM, ENTITY)
    kinds = (relations * 3 + kind[heads]) * 3 + kind[tails]  # (T,) of edges
    order = np.argsort(kinds, kind="stable")
    firsts = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    for rows in np.split(order, firsts[1:]) if len(order) else ():
        number, head_kind, tail_kind = relations[rows[0]], kind[heads[rows[0]]], kind[tails[rows[0]]]
        index = torch.from_numpy(np.vstack([place[heads[rows]], place[tails[rows]]]))  # (2, E)
        forward = (names[head_kind], graph.relations[number], names[tail_kind])
        backward = (names[tail_kind], f"rev_{graph.relations[number]}", names[head_kind])
        data[forward].edge_index, data[backward].edge_index = index, index.flip(0)
        data[forward].edge_attr = data[backward].edge_attr = torch.from_numpy(attributes[rows])
    return data


def _places(train: Dataset, graph: KnowledgeGraph) -> tuple[Ints, Ints]:
    """For each entity of the knowledge graph: its kind (0 user, 1 item, 2 other) and its number within the kind."""
    n = len(graph.entities)
    kind = np.full(n, 2, np.int64)
    place = np.zeros(n, np.int64)
    types = graph.entities["type"].to_numpy()
    ids = [str(e) for e in graph.entities["entity"]]
    for code, (name, vocabulary) in enumerate(((USER, train.users), (ITEM, train.items))):
        rows = np.flatnonzero(types == name)
        numbers = vocabulary.numbers([ids[r].removeprefix(f"{name}:") for r in rows], missing="-1")
        known = numbers >= 0
        kind[rows[known]] = code
        place[rows[known]] = numbers[known]
    others = kind == 2
    place[others] = np.arange(int(others.sum()))
    return kind, place

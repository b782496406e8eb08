"""HeteroData → the tensors that the network sees."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphrec.graph.names import ENTITY, INTERACTS, ITEM, USER
from graphrec.nn.hetero_gnn import GraphTensors
from graphrec.nn.light_gcn import bipartite


def liked(graph: HeteroData) -> tuple[Tensor, Tensor]:
    """Edges int64 (2, E) from users to what they like, and their strengths float32 (E,), 1 on average."""
    store = graph[INTERACTS]
    above = store.weight > 0
    if bool(above.all()):  # no copy of what may be most of the memory
        return store.edge_index, store.weight / store.weight.mean()
    return store.edge_index[:, above], store.weight[above] / store.weight[above].mean()


def disliked(graph: HeteroData) -> Tensor:
    """Edges int64 (2, D) from users to what they dislike."""
    edges: Tensor = graph[INTERACTS].edge_index[:, graph[INTERACTS].weight < 0]
    return edges


def tensors(graph: HeteroData, power: float = 0.5, weighted: bool = False) -> GraphTensors:
    """HeteroData → one numbering over users, items and entities, and one edge list with relation numbers.

    The adjacency holds what is liked. ``power``: of its degrees. ``weighted``: by its strengths, 1 on average.
    """
    sizes = {kind: int(graph[kind].num_nodes) for kind in (USER, ITEM, ENTITY)}
    start = {USER: 0, ITEM: sizes[USER], ENTITY: sizes[USER] + sizes[ITEM]}
    index, kinds, attributes = [], [], []
    relations = [t for t in graph.edge_types if t != INTERACTS and t[1] != "rev_interacts"]
    for number, (head, relation, tail) in enumerate(relations):
        store = graph[head, relation, tail]
        edges = store.edge_index + torch.tensor([[start[head]], [start[tail]]])
        index.append(edges)
        kinds.append(torch.full((edges.shape[1],), number))
        is_trust = head == tail == USER
        attributes.append(torch.zeros(edges.shape[1], 2) if is_trust else store.edge_attr)
    taken, weights = liked(graph)
    return GraphTensors(
        n_users=sizes[USER],
        n_items=sizes[ITEM],
        n_entities=sizes[ENTITY],
        n_relations=len(relations),
        adjacency=bipartite(taken, sizes[USER], sizes[ITEM], power, weights if weighted else None),
        text=torch.cat([graph[kind].x for kind in (USER, ITEM, ENTITY)]),
        edge_index=torch.cat(index, dim=1) if index else torch.zeros((2, 0), dtype=torch.int64),
        edge_type=torch.cat(kinds) if kinds else torch.zeros(0, dtype=torch.int64),
        edge_attr=torch.cat(attributes) if attributes else torch.zeros(0, 2),
    )

"""The heterogeneous GNN: text and ids in, attention over knowledge and friends, graph convolution over interactions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphrec.nn.light_gcn import light_gcn
from graphrec.nn.relation_attention import RelationAttention


@dataclass(frozen=True)
class GraphTensors:
    """A heterogeneous graph with users, items and entities numbered in one row: users first, then items, then entities.

    Shapes: adjacency sparse CSR (U + I, U + I) normalised; text (U + I + N, F), a zero row where there is none;
    edge_index int64 (2, E), edge_type int64 (E,), edge_attr float32 (E, 2) of all other relations.
    """

    n_users: int
    n_items: int
    n_entities: int
    n_relations: int
    adjacency: Tensor
    text: Tensor
    edge_index: Tensor
    edge_type: Tensor
    edge_attr: Tensor

    def to(self, device: torch.device) -> GraphTensors:
        moved: dict[str, Any] = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **moved)


class HeteroGNN(nn.Module):
    """Profiles of users and items from one heterogeneous graph.

        x   = id embedding + gate ⊙ W text         (gate: learned, one per dimension and node kind)
        x'  = x + g · GATv2(x, knowledge, friends)
        E   = LightGCN(x'_users ‖ x'_items)

    Args:
        graph: the graph's sizes are read, its tensors are not kept.
        dim: width d. layers: of graph convolution. heads: attention heads. relations: use the attention at all.
    """

    kind: Tensor

    def __init__(self, graph: GraphTensors, dim: int, layers: int, heads: int, relations: bool = True) -> None:
        super().__init__()
        sizes = (graph.n_users, graph.n_items, graph.n_entities)
        self.layers = layers
        self.embedding = nn.Embedding(sum(sizes), dim)
        nn.init.normal_(self.embedding.weight, std=0.02)  # small: what is never trained stays quiet
        width = graph.text.shape[1]
        self.text = nn.Linear(width, dim, bias=False) if width else None
        self.text_gate = nn.Parameter(torch.full((3, dim), 0.3))
        self.register_buffer("kind", torch.repeat_interleave(torch.arange(3), torch.tensor(sizes)), persistent=False)
        use_relations = relations and graph.edge_index.shape[1] > 0
        self.attention = RelationAttention(dim, graph.n_relations, heads) if use_relations else None

    def forward(self, graph: GraphTensors) -> tuple[Tensor, Tensor]:
        """Unit profiles of users (U, d) and items (I, d)."""
        x = self.embedding.weight  # (U + I + N, d)
        if self.text is not None:
            x = x + self.text_gate[self.kind] * self.text(graph.text)
        if self.attention is not None:
            x = self.attention(x, graph.edge_index, graph.edge_type, graph.edge_attr)
        taking = x[: graph.n_users + graph.n_items]
        profiles = functional.normalize(light_gcn(graph.adjacency, taking, self.layers), dim=1)  # (U + I, d)
        return profiles[: graph.n_users], profiles[graph.n_users :]

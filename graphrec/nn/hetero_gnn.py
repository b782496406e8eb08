"""The heterogeneous GNN: text and ids in, attention over knowledge and friends, graph convolution over interactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphrec.nn.light_gcn import Bipartite, light_gcn
from graphrec.nn.relation_attention import RelationAttention


@dataclass(frozen=True)
class GraphTensors:
    """A heterogeneous graph with users, items and entities numbered in one row: users first, then items, then entities.

    Shapes: adjacency sparse CSR (U, I) and (I, U), normalised; text (U + I + N, F), a zero row where there is none;
    edge_index int64 (2, E), edge_type int64 (E,), edge_attr float32 (E, 2) of all other relations.
    """

    n_users: int
    n_items: int
    n_entities: int
    n_relations: int
    adjacency: Bipartite
    text: Tensor
    edge_index: Tensor
    edge_type: Tensor
    edge_attr: Tensor

    def to(self, device: torch.device) -> GraphTensors:
        """The same on a device."""
        moved: dict[str, Any] = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, (Tensor, Bipartite))}
        return replace(self, **moved)


class HeteroGNN(nn.Module):
    """Profiles of users and items from one heterogeneous graph.

        x   = id embedding + gate ⊙ W text         (gate: learned, one per dimension and node kind; no id embedding for
                                                    users and items without an interaction: nothing could train it)
        x'  = x + g · GATv2(x, knowledge, friends)
        E   = convolution(x'_users ‖ x'_items)

    Args:
        graph: the graph's sizes are read, its tensors are not kept.
        dim: width d. convolve: adjacency, (U + I, d) and noise → (U + I, d), as ``light_gcn``. heads: attention heads.
        relations: use the attention at all.
        sampled_edges: in training, a step attends over at most this many of the knowledge and social edges, drawn anew
            each time (neighbour sampling: Hamilton et al., GraphSAGE, NeurIPS 2017); all of them otherwise.
    """

    kind: Tensor
    known: Tensor | None

    def __init__(
        self,
        graph: GraphTensors,
        dim: int,
        convolve: Callable[[Bipartite, Tensor, float], Tensor],
        heads: int,
        relations: bool = True,
        sampled_edges: int = 2**62,
    ) -> None:
        super().__init__()
        self.sampled_edges = sampled_edges
        sizes = (graph.n_users, graph.n_items, graph.n_entities)
        self.convolve = convolve
        self.embedding = nn.Embedding(sum(sizes), dim)
        nn.init.normal_(self.embedding.weight, std=0.02)  # small: what is never trained stays quiet
        width = graph.text.shape[1]
        self.text = nn.Linear(width, dim, bias=False) if width else None
        self.text_gate = nn.Parameter(torch.full((3, dim), 0.3))
        self.register_buffer("kind", torch.repeat_interleave(torch.arange(3), torch.tensor(sizes)), persistent=False)
        degrees = torch.cat([side.crow_indices().diff() for side in graph.adjacency[:2]]).cpu()
        known = torch.cat([degrees > 0, torch.ones(graph.n_entities, dtype=torch.bool)])
        mask = None if known.all() else known.to(torch.float32)[:, None]  # (U + I + N, 1)
        self.register_buffer("known", mask, persistent=False)
        use_relations = relations and graph.edge_index.shape[1] > 0
        self.attention = RelationAttention(dim, graph.n_relations, heads) if use_relations else None

    def forward(self, graph: GraphTensors, noise: float = 0.0) -> tuple[Tensor, Tensor]:
        """Profiles of users (U, d) and items (I, d), not of unit length yet; with ``noise`` as in ``convolve``."""
        profiles = self.convolve(graph.adjacency, self.before_convolution(graph), noise)  # (U + I, d)
        return profiles[: graph.n_users], profiles[graph.n_users :]

    def before_convolution(self, graph: GraphTensors) -> Tensor:
        """x' of users and items, (U + I, d)."""
        x = self.embedding.weight if self.known is None else self.embedding.weight * self.known  # (U + I + N, d)
        if self.text is not None:
            x = x + self.text_gate[self.kind] * self.text(graph.text)
        if self.attention is not None:
            edges, kinds, attributes = graph.edge_index, graph.edge_type, graph.edge_attr
            if self.training and edges.shape[1] > self.sampled_edges:
                drawn = torch.randint(edges.shape[1], (self.sampled_edges,), device=edges.device)
                edges, kinds, attributes = edges[:, drawn], kinds[drawn], attributes[drawn]
            x = self.attention(x, edges, kinds, attributes)
        return x[: graph.n_users + graph.n_items]

    @torch.no_grad()
    def messages(self, graph: GraphTensors, layers: int) -> tuple[Tensor, Tensor]:
        """What each item sends to whoever took it in the last of LightGCN's convolutions, (I, d), and factors (U,).

            profile[u] = factor[u] · Σ_{j taken by u} w_uj message[j] + the user's own part x'[u] / ‖·‖

        since Σ_k Ã^k x' = x' + Ã Σ_{k<K} Ã^k x' and R̃_uj = w_uj / √(d_u d_j). Users without an item get factor 0.
        """
        x = self.before_convolution(graph)
        users, items = torch.split(graph.adjacency.degrees, [graph.n_users, graph.n_items])
        taking = graph.adjacency.users.crow_indices().diff() > 0  # (U,)
        last = layers * light_gcn(graph.adjacency, x, layers - 1) if layers else torch.zeros_like(x)
        lengths = (layers + 1) * light_gcn(graph.adjacency, x, layers)[: graph.n_users].norm(dim=1)
        factor = taking / (users.sqrt() * lengths.clamp(min=1e-12))
        return last[graph.n_users :] / items.sqrt()[:, None], factor

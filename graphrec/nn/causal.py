"""A causal Transformer over histories: what somebody takes next, from what they took, in which order and when.

The lineage of SASRec (Kang and McAuley, ICDM 2018), with norms before the layers. Gaps in time enter as embeddings of
their order of magnitude: since the event before, and until the one that is asked for (TiSASRec: Li et al., WSDM 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Layer(nn.Module):
    """Self-attention and a network for each place, both beside the sum."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.first, self.second = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.read, self.mix = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d) → (B, T, d); a place hears of itself and of those before it."""
        n, width, dim = x.shape
        parts = self.read(self.first(x)).view(n, width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (3, B, h, T, d/h)
        dropped = self.dropout if self.training else 0.0
        asked, keys, values = parts
        mixed = functional.scaled_dot_product_attention(asked, keys, values, dropout_p=dropped, is_causal=True)
        x = x + self._less(self.mix(mixed.transpose(1, 2).reshape(n, width, dim)))
        return x + self._less(self.down(self._less(functional.relu(self.up(self.second(x))))))

    def _less(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)


class Causal(nn.Module):
    """Item embeddings are both what is read and the output table.

    Args:
        n_items: I; number I stands for the start. length: events read at most. gaps: kinds of gaps in time, 0: none.
    """

    def __init__(self, n_items: int, dim: int, layers: int, heads: int, length: int, dropout: float, gaps: int) -> None:
        super().__init__()
        self.dropout = dropout
        self.item, self.place = nn.Embedding(n_items + 1, dim), nn.Embedding(length + 1, dim)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.layers = nn.ModuleList(_Layer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        for table in (self.item, self.place):
            nn.init.normal_(table.weight, std=dim**-0.5)
        if gaps:
            self.before, self.until = (nn.Embedding(gaps, dim) for _ in range(2))
            nn.init.zeros_(self.before.weight)
            nn.init.zeros_(self.until.weight)

    def forward(self, items: Tensor, before: Tensor | None, until: Tensor | None) -> Tensor:
        """States of every place, float32 (B, T, d), from int64 (B, T) each."""
        x = self.item(items) + self.place.weight[: items.shape[1]]
        if before is not None and until is not None:
            x = x + self.before(before) + self.until(until)
        x = functional.dropout(x, self.dropout, self.training)
        for layer in self.layers:
            x = layer(x)
        out: Tensor = self.norm(x)
        return out

    def output(self) -> Tensor:
        """The items' side, float32 (I, d + 1), against states and a 1."""
        return torch.cat([self.item.weight[:-1], self.bias[:, None]], dim=1)

"""A block whose user's side is the last state of a causal Transformer over the history, in order and in time.

The network is evaluated in numpy: who only asks a fitted model need not load torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints, frozen

GAPS = 34  # kinds of gaps in time: 0 unknown, else 1 + ⌊log2(1 + seconds)⌋, at most the last
EPSILON = 1e-5  # of the layer norms, as torch has it
BATCH = 256  # queries encoded at once
PREFIX = "network."


class Tokens(NamedTuple):
    """Histories as a network reads them, each from the left: a token for the start, then its events.

    Shapes: items int64 (B, T), the number of items standing for the start and for nothing; lengths int64 (B,), tokens
    of each, start included; before and until int64 (B, T), the kind of gap since the event before and until the one
    that follows or the moment of asking, or None where there are no times.
    """

    items: Ints
    lengths: Ints
    before: Ints | None
    until: Ints | None


def gap_kind(seconds: Ints) -> Ints:
    """The kind of each gap, 1 to ``GAPS`` - 1; what is negative is none."""
    kinds = 1 + np.floor(np.log2(1 + np.maximum(seconds, 0))).astype(np.int64)
    out: Ints = np.minimum(kinds, GAPS - 1)
    return out


def tokens_of(items: Ints, times: Ints | None, now: Ints, n_items: int) -> Tokens:
    """Histories (B, L), newest last, -1 on the left for none, asked at ``now`` (B,)."""
    known = items >= 0
    counts = known.sum(axis=1)
    width = int(counts.max(initial=0))
    at = np.arange(width)[None, :] + (items.shape[1] - counts)[:, None]  # (B, width), past the end where there is none
    there = np.arange(width)[None, :] < counts[:, None]
    at = np.minimum(at, max(items.shape[1] - 1, 0))
    read = np.full((len(items), width + 1), n_items, np.int64)
    read[:, 1:] = np.where(there, np.take_along_axis(items, at, axis=1), n_items)
    if times is None:
        return Tokens(read, counts + 1, None, None)
    when = np.take_along_axis(times, at, axis=1)
    before, until = np.zeros_like(read), np.zeros_like(read)
    before[:, 2:] = np.where(there[:, 1:], gap_kind(np.diff(when, axis=1)), 0)
    following = np.concatenate([when[:, 1:], now[:, None]], axis=1)[:, :width]
    last = np.arange(width)[None, :] == counts[:, None] - 1
    until[:, 1:] = np.where(there, gap_kind(np.where(last, now[:, None], following) - when), 0)
    return Tokens(read, counts + 1, before, until)


@dataclass(frozen=True)
class SequenceBlock(ProfileBlock):
    """Items float32 (I, d + 1): the output table, and what makes an item likely for anybody; users: last states and 1.

    ``network``: the parameters by name, as ``nn.causal.Causal`` has them; ``heads`` of the attention; ``length``:
    events that are read. The user's side is at unit deviation of scores, as in every dense block.
    """

    network: Mapping[str, Floats] = field(default_factory=dict)
    heads: int = 1
    length: int = 1

    def encode(self, queries: Queries) -> Floats:
        """Stored rows, but for users who ask at a moment of their own."""
        return super().encode(queries) if queries.moments is None else self.computed(queries)

    def computed(self, queries: Queries) -> Floats:
        if not self.network:
            return super().computed(queries)
        out = np.zeros((len(queries), self.width), np.float32)
        for start in range(0, len(queries), BATCH):
            some = queries[slice(start, start + BATCH)]
            out[start : start + BATCH] = self.scaled(self.states(some)[0])
        return out

    def states(self, queries: Queries) -> tuple[Floats, Floats]:
        """Last states and a column of ones, float32 (B, d + 1), and the attention of the last layer's last state, the
        mean over heads: float32 (B, T), of the start and then of the events read."""
        told = queries.ordered(self.length, liked=True)
        n_known = len(self.network["item.weight"]) - 1
        items = np.where(told.items < n_known, told.items, n_known)  # an item that came later is read as a start
        tokens = tokens_of(items, told.times if "before.weight" in self.network else None, queries.now, n_known)
        states, attention = _forward(self.network, tokens, self.heads)
        return np.hstack([states, np.ones((len(states), 1), np.float32)]), attention

    def looks(self, query: Queries) -> dict[int, float]:
        """Of the events read; what the start has of it is left out."""
        if not self.network:
            return {}
        items = query.ordered(self.length, liked=True).items[0]
        items, out = items[items >= 0], dict[int, float]()
        for item, share in zip(items.tolist(), self.states(query)[1][0, 1:].tolist(), strict=False):
            out[item] = out.get(item, 0.0) + share
        return out

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        arrays, settings = super().arrays()
        network = {PREFIX + name: np.asarray(value) for name, value in self.network.items()}
        return {**arrays, **network}, {**settings, "heads": self.heads, "length": self.length}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> SequenceBlock:
        held = {name: value for name, value in arrays.items() if not name.startswith(PREFIX)}
        network = {name[len(PREFIX) :]: frozen(v, np.float32) for name, v in arrays.items() if name.startswith(PREFIX)}
        found: Any = super().from_arrays(held, settings)
        out: SequenceBlock = replace(found, network=network, heads=settings["heads"], length=settings["length"])
        return out


def _forward(network: Mapping[str, Floats], tokens: Tokens, heads: int) -> tuple[Floats, Floats]:
    """The last states, float32 (B, d), and how much each token is attended to by them in the last layer, (B, T)."""
    n, width = tokens.items.shape
    x = network["item.weight"][tokens.items] + network["place.weight"][:width]  # (B, T, d)
    if tokens.before is not None and tokens.until is not None:
        x = x + network["before.weight"][tokens.before] + network["until.weight"][tokens.until]
    layers = 1 + max(int(name.split(".")[1]) for name in network if name.startswith("layers."))
    places, ends = np.arange(width), tokens.lengths - 1
    attended = np.zeros((n, width), np.float32)
    for number in range(layers):
        of = f"layers.{number}."
        last = number == layers - 1  # of the last layer the last state alone is asked
        normed = _norm(x, network, of + "first")
        if last:
            x = np.take_along_axis(x, ends[:, None, None], axis=1)  # (B, 1, d)
        asked = np.take_along_axis(normed, ends[:, None, None], axis=1) if last else normed
        q_w, k_w, v_w = np.split(network[of + "read.weight"], 3)
        q_b, k_b, v_b = np.split(network[of + "read.bias"], 3)
        q, k, v = (
            _heads(side @ w.T + b, heads) for side, w, b in ((asked, q_w, q_b), (normed, k_w, k_b), (normed, v_w, v_b))
        )
        logits = q @ k.swapaxes(2, 3) / np.float32(np.sqrt(q.shape[-1]))  # (B, h, 1 or T, T)
        until = ends[:, None] if last else places[None, :]
        logits = np.where((places[None, None, :] <= until[:, :, None])[:, None], logits, np.float32(-np.inf))
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ v).swapaxes(1, 2).reshape(n, -1, x.shape[-1])
        x = x + mixed @ network[of + "mix.weight"].T + network[of + "mix.bias"]
        inner = np.maximum(_norm(x, network, of + "second") @ network[of + "up.weight"].T + network[of + "up.bias"], 0)
        x = x + inner @ network[of + "down.weight"].T + network[of + "down.bias"]
        attended = weights.mean(axis=1)[:, -1]
    return np.asarray(_norm(x, network, "norm")[:, 0], np.float32), np.asarray(attended, np.float32)


def _heads(x: Floats, heads: int) -> Floats:
    """(B, T, d) → (B, h, T, d / h)."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _norm(x: Floats, network: Mapping[str, Floats], name: str) -> Floats:
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    out: Floats = centred / scale * network[f"{name}.weight"] + network[f"{name}.bias"]
    return out

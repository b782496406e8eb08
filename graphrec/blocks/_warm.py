"""Networks that go on from where an earlier model ended: a refit starts from what was learned, not from nothing.

What an earlier model knows keeps its number and comes first, so its rows are the first of each table; whoever and
whatever is new starts as it would without. Training is shorter by ``SHARE``, its rate falling to zero all the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphrec.blocks.api import FitInputs
from graphrec.profile.sequential import SequenceBlock
from graphrec.types import Floats

SHARE = 4


def epochs(chosen: int) -> int:
    """How many of the epochs that were chosen a network is trained for that starts from an earlier one."""
    return max(1, round(chosen / SHARE))


def embeddings(table: Tensor, inputs: FitInputs, dim: int) -> bool:
    """Id embeddings (U + I, d) := the sides that the earlier `graph` block ended with, at mean length 1; whether there
    are any of this width. A prior stands in their last dimension."""
    before = inputs.before
    if before is None or before.empty or before.items.shape[1] != dim + 1:
        return False
    users, items = _unit(before.users[:, :-1]), before.items[:, :-1]
    items = items / max(float(np.linalg.norm(items, axis=1).mean()), 1e-12)
    n_users = inputs.train.n_users
    with torch.no_grad():
        for first, rows in ((0, users), (n_users, items)):
            known = np.flatnonzero(rows.any(axis=1))
            table[torch.from_numpy(first + known)] = torch.from_numpy(rows[known].astype(np.float32)).to(table.device)
    return True


def transformer(model: Any, inputs: FitInputs) -> bool:
    """Parameters := those of the earlier `sequence` block, where it has the same ones; whether it has."""
    before = inputs.before
    if not isinstance(before, SequenceBlock) or not before.network:
        return False
    held = model.state_dict()
    known = len(before.network["item.weight"]) - 1  # items; the last row is the start of a history
    fit = {name: tuple(value.shape) for name, value in before.network.items() if name != "item.weight"}
    asked = {name: tuple(value.shape) for name, value in held.items() if name not in ("item.weight", "bias")}
    if fit != asked or before.network["item.weight"].shape[1] != held["item.weight"].shape[1]:
        return False
    with torch.no_grad():
        for name, value in before.network.items():
            there = torch.from_numpy(np.array(value))
            if name != "item.weight":
                held[name].copy_(there)
                continue
            held[name][:known].copy_(there[:known])
            held[name][-1].copy_(there[-1])
        held["bias"][:known].copy_(torch.from_numpy(np.array(before.items[:known, -1])))
    return True


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), np.float32)

"""Block weights, chosen on validation users: a coordinate search that keeps a block only where it earns its place."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.base import Validation
from graphrec.types import Floats, ProfileBlock

STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
SWEEPS = 3


def blend(blocks: list[ProfileBlock], validation: Validation) -> tuple[dict[str, float], float]:
    """Weights w_b ≥ 0, largest 1, and their NDCG@k on the validation users.

    The best single block starts at 1. Then, sweep by sweep, each block in turn takes the weight from ``STEPS`` that is
    best with the others held; a weight moves only for a strictly better score, so a block that adds nothing stays at 0.
    All blocks have unit deviation over the catalogue, so the weights are comparable.
    """
    users = [block.users[validation.user_nums] for block in blocks]  # (B, d_b)
    items = [block.items for block in blocks]  # (I, d_b)
    known: dict[tuple[float, ...], float] = {}

    def score(weights: tuple[float, ...]) -> float:
        if weights not in known:
            known[weights] = _score(users, items, weights, validation)
        return known[weights]

    alone = [tuple(float(a == b) for b in range(len(blocks))) for a in range(len(blocks))]
    best = max(alone, key=score)
    for _ in range(SWEEPS):
        before = best
        for place in range(len(blocks)):
            for step in STEPS:
                candidate = (*best[:place], step, *best[place + 1 :])
                if any(candidate) and score(candidate) > score(best):
                    best = candidate
        if best == before:
            break
    largest = max(best)
    return {block.name: w / largest for block, w in zip(blocks, best, strict=True)}, score(best)


def _score(users: list[Floats], items: list[Floats], weights: tuple[float, ...], validation: Validation) -> float:
    kept = [n for n, w in enumerate(weights) if w > 0]
    return validation.ndcg(
        np.hstack([users[n] * np.float32(weights[n]) for n in kept]), np.hstack([items[n] for n in kept])
    )

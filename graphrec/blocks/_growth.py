"""How large a network is, how long it is trained and on how much at once: functions of the size of the data.

An epoch of E interactions of U users over n negatives, in steps of which each propagates L layers of width d, is
counted in multiply-adds of dense matrices on one core (``SPEED`` of them a second), forwards and backwards:

    U n (3 d + 20)  +  steps · SPARSE · 4 L E d             E for U where a step takes pairs, not users

Counted, not timed, so that the same data and settings give the same model on any machine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

WIDTHS = ((100_000, 64), (400_000, 128), (20_000_000, 256))  # interactions up to which a network is so wide
NARROWEST, WIDEST = 64, 512
MEMORY = 2**31  # bytes of one matrix of users and items, above which the width is halved
WHOLE = 50_000  # items up to which all of them are the negatives …
DRAWN = 8_192  # … and how many are drawn from a larger catalogue
LOGITS = 2**28  # users of a batch times negatives, at most
LEAST_STEPS = 96  # whatever they cost; the width is halved where that is over three times the minutes that are set
SPEED = 2.5e10  # multiply-adds a second
SPARSE = 10  # multiply-adds of dense matrices in the time of one of a sparse one, which waits for memory


class Sizes(NamedTuple):
    """Width d, negatives n (0: the whole catalogue), users in a batch, the most epochs, and the minutes that these are
    on one core."""

    dim: int
    negatives: int
    users: int
    epochs: int
    minutes: float


def sizes(n_users: int, n_items: int, n_edges: int, settings: Any) -> Sizes:
    """What the settings say, and where they leave it open (0) what the data asks for.

    Args:
        n_users, n_items, n_edges: of the interactions that are learned from, each positive.
        settings: of the `graph` block.
    """
    s = settings
    negatives = s.negatives or (0 if n_items <= WHOLE else DRAWN)
    interactions = max(s.batch_size, math.ceil(n_edges / s.steps)) if s.steps else s.batch_size
    users = math.ceil(n_users * min(1.0, interactions / n_edges))
    most = LOGITS // (negatives or n_items)
    if s.batches == "pairs":  # of which each may be of a person of its own
        most = most * n_users // n_edges
    users = max(1, min(users, most))
    steps = math.ceil(n_users / users)
    rows = n_edges if s.batches == "pairs" else n_users
    least = math.ceil(LEAST_STEPS / steps)

    def minutes(dim: int) -> float:
        """Of one epoch."""
        dense: float = rows * (negatives or n_items) * (3 * dim + 20)
        sparse: float = steps * SPARSE * 4 * s.layers * n_edges * dim
        return (dense + sparse) / SPEED / 60

    dim = s.dim or next((d for most, d in WIDTHS if n_edges <= most), WIDEST)
    while (
        not s.dim
        and dim > NARROWEST
        and (4 * dim * (n_users + n_items) > MEMORY or (s.minutes and least * minutes(dim) > 3 * s.minutes))
    ):
        dim //= 2
    epochs = max(least, int(s.minutes / minutes(dim))) if s.minutes else s.max_epochs
    if s.max_steps:
        epochs = min(epochs, s.max_steps // steps)
    epochs = max(1, min(epochs, s.max_epochs))
    return Sizes(dim, negatives, users, epochs, epochs * minutes(dim))

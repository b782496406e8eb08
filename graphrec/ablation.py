"""What each block adds: the blend without it, and the block alone, on the same people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphrec.evaluate.ranking import Report, Scorer
from graphrec.evaluate.significance import of_people, paired_p_value, standard_error
from graphrec.model.model import Model
from graphrec.model.slid import slid
from graphrec.types import Ints


def ablations(
    model: Model, whole: Report, measured: Callable[[Scorer], Report], people: Ints | None = None
) -> list[dict[str, Any]]:
    """Of each block that counts for something, by weight: ``{"block", "weight", "alone", "without", "added", "error",
    "p_value"}``.

    ``alone``, ``without``: NDCG at the largest k, of the block and of the blend without it, nothing fitted or chosen
    anew; ``added``: what is lost without it, the mean over people, with its standard error and p of the paired t-test.
    None for ``without`` where nothing else is there.

    Args:
        whole: the blend, as ``measured`` finds it on these people. measured: measures any scorer on them.
        people: whose each row is, int64 (n,), where somebody is asked several times; by default one's each.
    """
    metric = max((name for name in whole.per_user if name.startswith("ndcg@")), key=lambda name: int(name[5:]))
    blocks = [block for block in model.profiles.blocks if block.weight > 0 and not block.empty]
    people = whole.user_nums if people is None else people
    blend = whole.per_user[metric].astype(np.float64)
    rows = []
    for block in sorted(blocks, key=lambda block: -block.weight):
        alone = measured(slid(model, {other.name: 0.0 for other in blocks if other is not block}))
        row: dict[str, Any] = {"block": block.name, "weight": float(block.weight), "metric": metric}
        row |= {"alone": alone.metrics[metric], "without": None, "added": None, "error": None, "p_value": None}
        if len(blocks) > 1:
            without = measured(slid(model, {block.name: 0.0}))
            lost = blend - without.per_user[metric]
            row |= {"without": without.metrics[metric], "added": float(lost.mean())}
            row |= {"error": standard_error(lost, people)}
            both = (of_people(one.per_user[metric], people) for one in (whole, without))
            row |= {"p_value": paired_p_value(*both)}
        rows.append(row)
    return rows

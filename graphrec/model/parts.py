"""Every part of the scores of some items: what each block adds to each, as an explanation has it."""

from __future__ import annotations

import numpy as np

from graphrec.model.learned import Learned
from graphrec.model.retrieve import decided, unusual
from graphrec.model.standing import standing_of
from graphrec.profile.clearing import CLEARED
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints


def parts(model: Learned, query: Queries, item_nums: Ints, asker: bool = True) -> dict[str, Floats]:
    """Block → what it adds to the score of each item, float32 (n,), for one query (B = 1); they sum to the score.

    Beside the blocks there is what clearing takes from the profile, and what stands in for one, such as ``popularity``
    or ``words``. ``asker``: whether the question is somebody's.
    """
    out: dict[str, Floats] = {}
    weights = model.profiles.weights_of(query)
    for block in model.profiles.heard:
        if block.sparse:
            found = block.scores(query)[0][item_nums]
        else:
            found = np.asarray(block.items[item_nums] @ np.asarray(block.encode(query))[0], np.float32)
        out[block.name] = weights[block.name] * np.asarray(found, np.float32)
    if model.profiles.clearing is not None:
        out[CLEARED] = model.profiles.cleared(query, item_nums)
    profile, sparse, personal = model.profiles.encode(query)
    own = None if sparse is None else sparse[0]
    if decided(model, query, profile[0], own, personal):
        return out
    of_profile = model.index.products(profile[0]) + (0 if own is None else own)
    if not unusual(query, personal, of_profile[None])[0]:
        return out
    standing = standing_of(model, query, of_profile, bool(personal[0]), asker=asker)
    out = {name: np.float32(standing.factor) * part for name, part in out.items()} if standing.factor else {}
    for name, scores in standing.extra.items():
        own = np.asarray(scores[item_nums], np.float32)
        out[name] = out[name] + own if name in out else own
    return out

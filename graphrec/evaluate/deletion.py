"""Scores of a user who is encoded anew from part of their evidence: what deleting it, or keeping nothing else, does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.profile.profiles import Profiles
from graphrec.query.query import STRANGER, Queries, Query, query_of
from graphrec.query.ties import Ties
from graphrec.types import Ints


@dataclass(frozen=True)
class Known:
    """What is known of a user: item numbers of the history, and friends' user numbers; both int64."""

    history: Ints
    friends: Ints

    def without(self, other: Known) -> Known:
        """All but what the other holds."""
        return Known(np.setdiff1d(self.history, other.history), np.setdiff1d(self.friends, other.friends))

    def __len__(self) -> int:
        return len(self.history) + len(self.friends)


def fold_in_scores(
    profiles: Profiles, ties: Ties, user_num: int, item_num: int, variants: Sequence[Known]
) -> npt.NDArray[np.float64]:
    """The item's score, less the mean over the catalogue, for the user encoded from each variant (n,) of what is known
    of them, float64 (n,). (A constant added to all of a user's scores would recommend nothing else.)

    Each variant is the query of a stranger, so deleting all of a history leaves nothing but what a block says of
    anybody, and what the user dislikes. The graph block hears friends in training only: here they have no part in it.
    """
    queries = Queries.of(ties, [_part(query_of(ties, user_num), v, ties.disliked(user_num), ties) for v in variants])
    total = np.zeros(len(variants))
    weights = profiles.weights_of(queries)
    for block in profiles.heard:
        scores = block.scores(queries).astype(np.float64)  # (n, I)
        total += weights[block.name] * (scores[:, item_num] - scores.mean(axis=1))
    return total


def _part(whole: Query, known: Known, disliked: Ints, ties: Ties) -> Query:
    """Somebody of whom only a part is known, and what they dislike; what the user never took counts as a like."""
    kept = np.isin(whole.items, np.concatenate([known.history, disliked]))
    new = np.setdiff1d(known.history, whole.items)
    likes = np.full(len(new), ties.data.events.norms.liked, np.float32)
    assert whole.outright is not None
    return Query(
        STRANGER,
        np.concatenate([whole.items[kept], new]),
        np.concatenate([whole.strengths[kept], likes]),
        outright=np.concatenate([whole.outright[kept], np.zeros(len(new), bool)]),
        friends=known.friends,
    )

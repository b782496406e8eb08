"""Exact accounting: what each block, each history item and each friend adds to one score.

A linear block's score is a sum over the person's own items and their friends' items (see ``profile.dense`` and
``profile.sparse``), so its terms are shares of the score, not estimates of influence. In `ials` an item's effect is
damped by how far it was expected to be taken (Hu et al., ICDM 2008, section 5, with the confidences held). The graph
block's users are such a sum, of the messages that their items send in the last convolution, plus an own part (what
training learned of the user, what their friends and words say). A term is then the change in score when that message
is taken away, with the user's own part and the scale held; it is not what training again without the item would change.
The own part is the block's rest. Other blocks are all rest, and so is what stands in for a profile, and what clearing
took out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from graphrec.profile.clearing import CLEARED
from graphrec.profile.profiles import Profiles
from graphrec.profile.standing import PLAIN, Standing
from graphrec.query.query import Queries
from graphrec.query.ties import row

TOLERANCE = 1e-3  # relative; up to which what is left of a linear block's score is rounding
FRIENDS = "friends"  # the part that is the mean of what friends took


@dataclass(frozen=True)
class Shares:
    """Parts of one score, in the score's own units, computed in float64.

    ``blocks`` sums to the score. So do ``history`` (item number → share), ``dislikes`` (the same of what the user took
    and does not like), ``friends`` (user number → share) and ``rest`` (block → what of it belongs to no item) together.
    ``pairs`` ((friend, item) → share) splits the friends' shares as far as they come from the blocks, and ``parts``
    ((history item, block) → share) those of the history items, wholly.
    """

    blocks: Mapping[str, float]
    history: Mapping[int, float]
    pairs: Mapping[tuple[int, int], float]
    friends: Mapping[int, float]
    rest: Mapping[str, float]
    dislikes: Mapping[int, float] = field(default_factory=dict)
    parts: Mapping[tuple[int, str], float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The whole score: the sum over blocks."""
        return sum(self.blocks.values())


def shares(profiles: Profiles, query: Queries, item_num: int, standing: Standing = PLAIN) -> Shares:
    """Split the score of an item for one query (B = 1) into blocks, history items, and (friend, item) pairs."""
    own = row(query.liked, 0)
    disliked = np.setdiff1d(row(query.seen, 0), own, assume_unique=True)
    history = dict.fromkeys(own.tolist(), 0.0)
    dislikes = dict.fromkeys(disliked.tolist(), 0.0)
    friends = dict.fromkeys(sorted(query.friends.indices.tolist()), 0.0)
    pairs: dict[tuple[int, int], float] = {}
    alone, weights = profiles.contributions(query, item_num), profiles.weights_of(query)
    blocks = standing.parts(alone, item_num)
    rest: dict[str, float] = {}
    parts: dict[tuple[int, str], float] = {}
    for block in profiles.blocks:
        effects = block.effects(query, item_num) if block.weight else None
        if effects is None:
            rest[block.name] = standing.factor * alone[block.name]
            continue
        unit = standing.factor * float(weights[block.name][0])
        size = float(np.abs(effects.shares).sum())
        for item, share in zip(effects.items.tolist(), effects.shares.tolist(), strict=True):
            side = history if item in history else dislikes
            side[item] = side.get(item, 0.0) + unit * share
            if side is history:
                parts[item, block.name] = unit * share
        for friend, (items, theirs) in effects.friends.items():
            size += float(np.abs(theirs).sum())
            for item, share in zip(items.tolist(), theirs.tolist(), strict=True):
                pairs[friend, item] = pairs.get((friend, item), 0.0) + unit * share
                friends[friend] += unit * share
        if not block.linear or abs(effects.rest) > TOLERANCE * size + 1e-12:
            rest[block.name] = unit * effects.rest
    if CLEARED in alone:
        rest[CLEARED] = standing.factor * alone[CLEARED]
    for name, scores in standing.extra.items():
        part = float(scores[item_num])
        if name == FRIENDS and part:
            took = standing.peers[query.ties.matrix[standing.peers, item_num].toarray().ravel() > 0]
            for friend in took.tolist():
                friends[friend] = friends.get(friend, 0.0) + part / len(took)
        else:
            rest[name] = rest.get(name, 0.0) + part
    return Shares(blocks, history, pairs, friends, rest, dislikes, parts)

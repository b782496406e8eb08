"""Exact accounting: what each block, each history item and each friend adds to one score.

A linear block's score is a sum over the user's own items and their friends' items (see ``graphrec.profile.profiles``):

    weight · scale[u] · Σ_j (x_u + friend_weight · mean_{f ∈ friends(u)} x_f)[j] · effect of j on i

x being the taste under the block's reading of the strengths, so its terms are shares of the score, not estimates of
influence. In `ials` an item's effect is damped by how far the user was expected to take it (Hu et al., ICDM 2008,
section 5, with the confidences held). The graph block's users are such a sum, of the messages that their items send in
the last convolution, plus an own part (what training learned of the user, what their friends and words say). A term is
then the change in score when that message is taken away, with the user's own part and the scale held; it is not what
training again without the item would change. The own part is the block's rest. Other blocks are all rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.explain.ties import Ties
from graphrec.profile.profiles import Profiles

TOLERANCE = 1e-3  # relative; admits profiles kept in half precision


@dataclass(frozen=True)
class Shares:
    """Parts of one score, in the score's own units, computed in float64.

    ``blocks`` sums to the score. So do ``history`` (item number → share), ``dislikes`` (the same of what the user took
    and does not like), ``pairs`` ((friend, item) → share) and ``rest`` (block → what of it belongs to no item)
    together.
    """

    blocks: Mapping[str, float]
    history: Mapping[int, float]
    pairs: Mapping[tuple[int, int], float]
    friends: Mapping[int, float]
    rest: Mapping[str, float]
    dislikes: Mapping[int, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return sum(self.blocks.values())


def shares(profiles: Profiles, data: Dataset | Ties, user_num: int, item_num: int) -> Shares:
    """Split score(user, item) into blocks, the user's history items, and (friend, item) pairs.

    ``data`` must be what the profiles were fitted on. A linear block whose parts do not sum to its score (it was
    fitted on something else) is not split: it would be a false account.
    """
    ties = data if isinstance(data, Ties) else Ties(data)
    own, disliked = ties.history(user_num), ties.disliked(user_num)
    friends = ties.friends(user_num)
    theirs = {friend: ties.seen(friend) for friend in friends}
    blocks = profiles.contributions(user_num, item_num)

    mine = np.concatenate([own, disliked])  # (H,)
    place = np.concatenate([mine, *theirs.values()])  # (H + P,)
    mean_weight = np.repeat(list(friends.values()), [len(taken) for taken in theirs.values()])  # (P,)
    total = np.zeros(len(place))  # (H + P,) the user's own items, then each friend's items
    rest = {}
    for block in profiles.blocks:
        weights = [ties.weights(block.reading, user_num, mine)]
        heard = theirs if block.friend_weight else {}
        weights += [ties.weights(block.reading, friend, taken) for friend, taken in heard.items()]
        items = place if heard else mine
        each = block.effects(user_num, items, np.concatenate(weights), item_num)
        if each is None or block.scale is None:
            rest[block.name] = blocks[block.name]
            continue
        parts = np.zeros(len(place))  # (H + P,)
        parts[: len(items)] = each
        parts[len(mine) :] *= block.friend_weight * mean_weight
        parts *= block.weight * float(block.scale[user_num])
        left = blocks[block.name] - float(parts.sum())
        if not block.linear:
            rest[block.name] = left
        elif abs(left) > TOLERANCE * np.abs(parts).sum() + 1e-12:
            rest[block.name] = blocks[block.name]
            continue
        total += parts

    pairs = [(friend, item) for friend, taken in theirs.items() for item in taken.tolist()]
    of_friend = dict.fromkeys(friends, 0.0)
    for (friend, _), share in zip(pairs, total[len(mine) :].tolist(), strict=True):
        of_friend[friend] += share
    return Shares(
        blocks=blocks,
        history=dict(zip(own.tolist(), total[: len(own)].tolist(), strict=True)),
        pairs=dict(zip(pairs, total[len(mine) :].tolist(), strict=True)),
        friends=of_friend,
        rest=rest,
        dislikes=dict(zip(disliked.tolist(), total[len(own) : len(mine)].tolist(), strict=True)),
    )

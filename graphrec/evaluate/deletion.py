"""Scores of a user who is encoded anew from part of their evidence: what deleting it, or keeping nothing else, does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.explain.ties import Ties
from graphrec.profile.profiles import FLAT, NeighbourBlock, ProfileBlock, Profiles
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
    """The item's score, less the mean over the catalogue, for the user folded in from each variant (n,) of what is
    known of them, float64 (n,). (A constant added to all of a user's scores would recommend nothing else.)

    It is the fold-in of every block (``ProfileBlock.encode_user``, ``NeighbourBlock.fold_in``) on

        Σ_j (x + friend_weight · mean_{f ∈ friends} x_f)[j] · history[j]   at unit deviation over the catalogue

    so that deleting all of a history leaves nothing but what a block says of anybody, and what the user dislikes. The
    graph block hears friends in training only: in its fold-in they have no part.
    """
    n_users, n_items = profiles.shape
    disliked = ties.disliked(user_num)
    mine = [np.concatenate([v.history, disliked]) for v in variants]
    share = np.array([1 / max(len(v.friends), 1) for v in variants])
    friends = sp.diags(share) @ _rows([v.friends for v in variants], n_users)  # (n, U)
    total = np.zeros(len(variants))
    for block in profiles.blocks:
        if block.weight == 0:
            continue
        weights = [ties.weights(block.reading, user_num, items) for items in mine]
        for v, weight in zip(variants, weights, strict=True):  # what the user never took would count as a like
            weight[: len(v.history)][weight[: len(v.history)] == 0] = 1
        own = _rows(mine, n_items, weights)  # (n, I)
        taste = own
        if block.friend_weight:
            taste = sp.csr_matrix(own + block.friend_weight * (friends @ ties.taste(block.reading)), dtype=np.float64)
        if isinstance(block, NeighbourBlock):
            scores = (taste @ block.weights).toarray()  # (n, I)
            raw, deviation = scores[:, item_num] - scores.mean(axis=1), scores.std(axis=1)
        elif block.history is None:
            total += block.weight * float(block.users[user_num] @ _above_mean(block, item_num))
            continue
        else:
            used = np.unique(taste.indices)
            if block.damping:
                users = np.stack([block.sum_over(*known) for known in zip(mine, weights, strict=True)])  # (n, d)
            else:
                users = taste[:, used] @ block.history[used].astype(np.float64)
            raw = users @ _above_mean(block, item_num)
            deviation = np.sqrt(np.maximum(np.einsum("nd,nd->n", users @ block.item_covariance, users), 0.0))
        total += block.weight * np.where(deviation > FLAT, raw / np.maximum(deviation, FLAT), raw)
    return total


def _above_mean(block: ProfileBlock, item_num: int) -> npt.NDArray[np.float64]:
    """An item's side less the mean over the catalogue, float64 (d,)."""
    out: npt.NDArray[np.float64] = block.items[item_num] - block.items.mean(axis=0, dtype=np.float64)
    return out


def _rows(
    numbers: Sequence[Ints], width: int, weights: Sequence[npt.NDArray[np.float64]] | None = None
) -> sp.csr_matrix:
    """One row for each array of numbers, with their weights or ones, CSR float64 (n, width)."""
    ends = np.cumsum([0, *map(len, numbers)])
    columns = np.concatenate([*numbers, np.zeros(0, np.int64)])
    values = np.ones(len(columns)) if weights is None else np.concatenate([*weights, np.zeros(0)])
    return sp.csr_matrix((values, columns, ends), shape=(len(numbers), width))

"""Who took what and who befriends whom, indexed in both directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.linalg.adjacency import friend_mean
from graphrec.types import Ints


class Ties:
    """Interactions and friendships of a Dataset by number. Histories and takers come sorted, int64.

    What somebody dislikes is in no history, and nobody who dislikes an item is among its takers.
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        # No leakage. These interactions are all that is shown of who took what: pass the training part.
        self.matrix = data.matrix()  # (U, I)
        self._seen = data.seen()  # (U, I)
        self._tastes: dict[str, sp.csr_matrix] = {}
        self._takers = self.matrix.T.tocsr()  # (I, U)
        self._friends = friend_mean(data)  # (U, U), rows sum to 1 or 0
        self.activity = np.diff(self.matrix.indptr)  # (U,) items per user

    def history(self, user_num: int) -> Ints:
        """Item numbers this user took."""
        return _row(self.matrix, user_num)

    def seen(self, user_num: int) -> Ints:
        """Item numbers this user took, liked or not."""
        return _row(self._seen, user_num)

    def disliked(self, user_num: int) -> Ints:
        """Item numbers this user took and does not like."""
        return np.setdiff1d(self.seen(user_num), self.history(user_num), assume_unique=True)

    def taste(self, reading: str) -> sp.csr_matrix:
        """``Dataset.taste``, made once: CSR float32 (U, I)."""
        if reading not in self._tastes:
            self._tastes[reading] = self.data.taste(reading)
        return self._tastes[reading]

    def weights(self, reading: str, user_num: int, items: Ints) -> npt.NDArray[np.float64]:
        """What each of ``items`` (J,) weighs in this user's taste under a reading of the strengths, float64 (J,)."""
        taste = self.taste(reading)
        row = slice(*taste.indptr[user_num : user_num + 2])
        known, values = taste.indices[row], taste.data[row]
        out = np.zeros(len(items))
        if len(known):
            place = np.minimum(np.searchsorted(known, items), len(known) - 1)
            out[:] = np.where(known[place] == items, values[place], 0.0)
        return out

    def takers(self, item_num: int) -> Ints:
        """User numbers who took this item."""
        return _row(self._takers, item_num)

    def overlap(self, user_nums: Ints, item_nums: Ints) -> bool:
        """Whether any of these users took any of these items."""
        return bool(np.isin(self.matrix[user_nums].indices, item_nums).any())

    def friends(self, user_num: int) -> dict[int, float]:
        """Friends' user numbers, each with its weight in the mean over friends; the weights sum to 1."""
        row = slice(*self._friends.indptr[user_num : user_num + 2])
        pairs = zip(self._friends.indices[row].tolist(), self._friends.data[row].tolist(), strict=True)
        return dict(sorted(pairs))


def _row(matrix: sp.csr_matrix, number: int) -> Ints:
    return matrix.indices[slice(*matrix.indptr[number : number + 2])].astype(np.int64)

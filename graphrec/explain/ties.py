"""Who took what and who befriends whom, indexed in both directions."""

from __future__ import annotations

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.graph.adjacency import friend_mean
from graphrec.types import Ints


class Ties:
    """Interactions and friendships of a Dataset by number. Histories and takers come sorted, int64."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        # No leakage. These interactions are all that is shown of who took what: pass the training part.
        self.matrix = data.matrix()  # (U, I)
        self._takers = self.matrix.T.tocsr()  # (I, U)
        self._friends = friend_mean(data)  # (U, U), rows sum to 1 or 0
        self.activity = np.diff(self.matrix.indptr)  # (U,) items per user

    def history(self, user_num: int) -> Ints:
        """Item numbers this user took."""
        return self.matrix.indices[slice(*self.matrix.indptr[user_num : user_num + 2])].astype(np.int64)

    def takers(self, item_num: int) -> Ints:
        """User numbers who took this item."""
        return self._takers.indices[slice(*self._takers.indptr[item_num : item_num + 2])].astype(np.int64)

    def overlap(self, user_nums: Ints, item_nums: Ints) -> bool:
        """Whether any of these users took any of these items."""
        return bool(np.isin(self.matrix[user_nums].indices, item_nums).any())

    def friends(self, user_num: int) -> dict[int, float]:
        """Friends' user numbers, each with its weight in the mean over friends; the weights sum to 1."""
        row = slice(*self._friends.indptr[user_num : user_num + 2])
        pairs = zip(self._friends.indices[row].tolist(), self._friends.data[row].tolist(), strict=True)
        return dict(sorted(pairs))

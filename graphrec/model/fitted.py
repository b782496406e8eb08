"""All that a fitted model is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.explain.explainer import Explainer
from graphrec.graph.nodes import nodes
from graphrec.profile.index import Index
from graphrec.profile.profiles import Profiles
from graphrec.types import Floats, Ints
from kg.graph import KnowledgeGraph

MOST_ALIKE = 1000  # people whose histories stand in for one that is not known


@dataclass(frozen=True)
class Fitted:
    """All that a fitted model is: what it was trained on, what it learned, and how.

    ``chosen`` holds each block's hyper-parameters, the blend weights and their validation NDCG.
    """

    data: Dataset
    graph: KnowledgeGraph
    profiles: Profiles
    popularity: Floats  # (I,) decayed training counts: the answer of last resort
    index: Index
    chosen: dict[str, Any]
    version: str

    @cached_property
    def users(self) -> Floats:
        """User profiles, float32 (U, D)."""
        return self.profiles.user_matrix()

    @cached_property
    def items(self) -> Floats:
        """Item profiles, float32 (I, D)."""
        return self.profiles.item_matrix()

    @cached_property
    def explainer(self) -> Explainer:
        """Explains the profiles; its indices are built at the first question."""
        return Explainer(self.profiles, self.data, self.graph)

    @cached_property
    def cold(self) -> npt.NDArray[np.bool_]:
        """Users who like nothing that is known, bool (U,)."""
        out: npt.NDArray[np.bool_] = np.bincount(self.data.interactions.user_nums, minlength=self.data.n_users) == 0
        return out

    @cached_property
    def _described(self) -> sp.csr_matrix:
        """Which attributes each user has that may be learned from, CSR float32 (U, A)."""
        table = nodes(self.data.user_attributes, self.data.user_columns)
        codes = pd.factorize(table["key"].astype(str) + "\x1f" + table["value"].astype(str))[0]
        shape = (self.data.n_users, int(codes.max(initial=-1)) + 1)
        return sp.csr_matrix((np.ones(len(codes), np.float32), (table["user_num"].to_numpy(np.int64), codes)), shape)

    def alike(self, user_num: int) -> Ints:
        """The users with a history who share most attributes with one, at most ``MOST_ALIKE``, int64 (n,)."""
        shared = np.asarray((self._described @ self._described[user_num].T).todense(), np.float32).ravel()  # (U,)
        shared[self.cold] = 0.0
        best = np.flatnonzero(shared == shared.max(initial=0.0)) if shared.any() else np.zeros(0)
        return best[:MOST_ALIKE].astype(np.int64)

"""Whom people hear where ties are directed: those whom they trust, those who trust them, or both.

To trust somebody is to say that their taste is worth following; to be trusted may tell as much, of a circle, or
nothing. All blocks hear the same friends, so the direction is chosen before any of them: each is laid beside what
histories tell (``Beside``), at the weight that suits each band of activity best, and another than that of the data is
taken where it is better for those who have any tie by ``gate.SURE`` standard errors, as far as so many looks allow.
Where friendships are mutual there is nothing to choose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.stats import norm

from graphrec.blocks._beside import WEIGHTS, Beside
from graphrec.blocks.folds import Fold, Folds
from graphrec.blocks.gate import SURE
from graphrec.linalg.adjacency import degrees, divisors
from graphrec.profile.sparse import unit_scale
from graphrec.query.hearing import BOTH, DIRECTIONS, N_BANDS, TRUSTED, band_of
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints

BETA = 0.25  # exponent of the items' degrees


def heard(folds: Folds) -> str:
    """Of ``query.hearing.DIRECTIONS`` the one by which validation users are served best."""
    train = folds.inputs.train
    if not train.directed or not train.social_edge_index.size:
        return TRUSTED
    judges = {id(fold): Beside(fold) for fold in folds}

    def ndcg(way: str, weight: float) -> Floats:
        def of(fold: Fold) -> Floats:
            told = _Told(judges[id(fold)], fold.inputs.ties.hearing(way), weight)
            return fold.validation.per_user_ndcg_of(told)

        return folds.per_user(of)

    queries = [fold.validation.queries for fold in folds]
    bands = band_of(np.concatenate([q.activity for q in queries]))
    tied = [
        np.diff(f.inputs.ties.hearing(BOTH).friend_mean.indptr)[q.user_nums]
        for f, q in zip(folds, queries, strict=True)
    ]
    some = np.concatenate(tied) > 0
    best = {way: _best([ndcg(way, weight) for weight in WEIGHTS], bands)[some] for way in DIRECTIONS}
    leads = {way: (found - best[TRUSTED]).astype(np.float64) for way, found in best.items() if some.any()}
    sure = float(
        norm.isf(norm.sf(SURE) / len(WEIGHTS) / (len(DIRECTIONS) - 1))
    )  # the best of many looks sure by chance
    able = [way for way, lead in leads.items() if lead.mean() > sure * lead.std() / len(lead) ** 0.5]
    return max(able, key=lambda way: float(leads[way].mean()), default=TRUSTED)


def _best(ndcg: Sequence[Floats], bands: Ints) -> Floats:
    """NDCG of each user (N,) under the weight that is best for their band, from those under each weight."""
    every = np.stack(ndcg)  # (weights, N)
    means = np.stack([np.bincount(bands, of, N_BANDS) for of in every])
    out: Floats = every[means.argmax(axis=0)[bands], np.arange(len(bands))]
    return out


class _Told:
    """What histories tell, and beside it what was taken by those who are heard."""

    def __init__(self, judge: Beside, ties: Ties, weight: float) -> None:
        self.judge, self.ties, self.weight = judge, ties, np.float32(weight)
        scale = divisors(degrees(ties.matrix)) ** -BETA
        self.rows = sp.csr_matrix(ties.matrix @ sp.diags(scale), dtype=np.float32)  # (U, I)

    def __call__(self, queries: Queries) -> Floats:
        friends = self.ties.friend_mean[queries.user_nums]
        told = sp.diags(unit_scale(friends, self.rows)) @ friends @ self.rows
        return np.asarray(self.judge.scores(queries) + self.weight * told.toarray(), np.float32)

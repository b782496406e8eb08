"""Popularity, decayed over time: one dimension, the same for every user, and the last resort of serving."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.data.popularity import decayed_counts
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, Section
from graphrec.types import Floats


class PopularitySettings(Section):
    """Half-lives in days; 0 means no decay."""

    half_life: FloatList = (0.0, 7.0, 30.0, 90.0, 365.0, 1095.0)


class Popularity(Block[PopularitySettings]):
    """The `popularity` block: log(1 + count) on the item's side, standardised; 1 on the user's."""

    name = "popularity"
    words = Words("of its popularity", "popularity", counted=True)
    Settings = PopularitySettings
    keeps = True  # it answers strangers
    fallback = True
    refits = True
    summed = True

    def space(self, inputs: FitInputs) -> Space:
        lives = self.settings.half_life if inputs.train.has_times else (0.0,)
        return {"half_life": lives, "reading": held(inputs.train.events.readings, self.readings)}

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[ProfileBlock, Chosen]:
        """Candidates are compared by the counts themselves; nothing is learned for it."""
        space = self.space(folds.inputs)

        def score(candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                ones = np.ones((len(fold.validation.queries), 1), np.float32)
                return fold.validation.per_user_ndcg(ones, decayed_counts(fold.inputs.train, **candidate)[:, None])

            return folds.value(per_user)

        start = {name: values[0] for name, values in space.items()}
        chosen = search(space, score, start, [("half_life",), ("reading",)], folds.users, trials)
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Logarithms of the decayed counts, at unit deviation over the catalogue."""
        return self._of(decayed_counts(inputs.train, chosen.get("half_life", 0.0), reading_of(chosen)), inputs)

    def from_sums(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Of counts that do not decay."""
        return self._of(np.maximum(sums.counts, 0.0).astype(np.float32), inputs)

    def _of(self, counts: Floats, inputs: FitInputs) -> ProfileBlock:
        logs = np.log1p(counts.astype(np.float64))
        deviation = logs.std() or 1.0
        items = ((logs - logs.mean()) / deviation).astype(np.float32)[:, None]  # (I, 1)
        return ProfileBlock(self.name, users=np.ones((inputs.train.n_users, 1), np.float32), items=items, prior=1)

"""The `bpr` block: factors that rank what was taken above what was not, by `implicit`."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Space, held, reading_of
from graphrec.blocks.search import Chosen
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, IntList, PositiveList, Section
from graphrec.types import Floats


class BPRSettings(Section):
    """Factors trained on pairs. Several values: the best on validation data is taken."""

    factors: IntList = (32, 64, 128)
    learning_rate: PositiveList = (0.01, 0.03, 0.1)
    regularisation: FloatList = (0.001, 0.01, 0.03, 0.1)
    iterations: IntList = (50, 100, 200)
    ridge: float = Field(default=1.0, gt=0)  # of the map from a history to the factors of its owner


class BPR(Block[BPRSettings]):
    """The `bpr` block: matrix factorisation on pairs (Rendle et al., BPR, UAI 2009).

    New people are read by a ridge regression of the users' factors on their histories; what it leaves unsaid of a user
    is their own part.
    """

    name = "bpr"
    words = Words("you and it were found to suit each other", "how you and it were found to suit each other")
    Settings = BPRSettings
    readings = ("alike", "liked")  # a pair is taken or not

    def space(self, inputs: FitInputs) -> Space:
        names = ("factors", "learning_rate", "regularisation", "iterations")
        readings = held(inputs.train.events.readings, self.readings)
        return {**{name: getattr(self.settings, name) for name in names}, "reading": readings}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Train by implicit; the fold-in is a ridge regression of the users' factors on their histories."""
        from implicit.bpr import BayesianPersonalizedRanking  # a second to import
        from sklearn.linear_model import Ridge

        reading = reading_of(chosen)
        rows = inputs.train.learning(reading)  # (U, I)
        model = BayesianPersonalizedRanking(
            factors=chosen["factors"],
            learning_rate=chosen["learning_rate"],
            regularization=chosen["regularisation"],
            iterations=chosen["iterations"],
            random_state=inputs.runtime.seed,
            num_threads=1,  # lock-free updates of several threads differ from run to run
            use_gpu=False,
        )
        model.fit(rows, show_progress=False)
        users, items = (
            np.asarray(model.user_factors),
            np.asarray(model.item_factors),
        )  # (U, d), (I, d)
        ridge = Ridge(self.settings.ridge, fit_intercept=False, solver="sparse_cg").fit(rows, users)
        history: Floats = np.asarray(ridge.coef_.T, np.float32)  # (I, d)
        own = users - inputs.ties.taste(reading) @ history  # (U, d)
        own[np.diff(rows.indptr) == 0] = 0
        return ProfileBlock(self.name, users[:0], items, history=history, own=own, reading=reading).fitted(inputs.ties)

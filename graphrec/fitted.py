"""A model of data by the way that its settings ask for: from rows, from sums with noise, or like an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphrec.budget import within
from graphrec.data.dataset import Dataset
from graphrec.data.numbering import numbered_as
from graphrec.data.split import Split
from graphrec.errors import ConfigError
from graphrec.fit import Fitting, carved, choose, learn, whole
from graphrec.model.made import inherited
from graphrec.model.model import Model
from graphrec.private import fitted
from graphrec.profile.shards import check
from graphrec.settings import RuntimeConfig


def of_data(
    data: Dataset,
    fitting: Fitting,
    chosen: Mapping[str, Any] | None = None,
    like: Model | None = None,
    resume: bool = False,
) -> Model:
    """The model of all that may be fitted; for the arguments and errors see ``Recommender.fit``."""
    with within(fitting.config.runtime.memory_gb, fitting.watch) as fitting.watch:
        return _of_data(data, fitting, chosen, like, resume)


def _of_data(
    data: Dataset, fitting: Fitting, chosen: Mapping[str, Any] | None, like: Model | None, resume: bool
) -> Model:
    config = fitting.config
    if (ranks := fitting.runtime.ranks) is not None:
        own = RuntimeConfig(memory_gb=config.runtime.memory_gb)  # what else is in it may be another on each machine
        settings = config.model_copy(update={"runtime": own}).fingerprint()
        ranks.alike({"settings": settings, "data": data.digest(), "earlier models": like.version if like else ""})
    if like is not None:
        data = numbered_as(data, like.data.users, like.data.items)
    if config.privacy.epsilon:
        if chosen is not None:
            raise ConfigError(
                "choices that are handed over were made with people; with privacy.epsilon give like=MODEL"
            )
        return fitted(data, fitting, like)
    if like is not None:
        chosen = inherited(like.chosen, like.version)
    if chosen is not None:
        before = {b.name: b for b in like.profiles.blocks} if like is not None and resume else None
        data = whole(data, config)
        check(data.n_items, config.retrieve, 1 if like is None else like.profiles.width)
        return learn(data, chosen, fitting, before)
    data, folds = carved(data, config)
    return learn(data, choose(folds, fitting), fitting)


def of_split(split: Split, fitting: Fitting) -> Model:
    """The model of train and valid, chosen on ``split.folds``. # No leakage. ``split.test`` is not looked at."""
    with within(fitting.config.runtime.memory_gb, fitting.watch) as fitting.watch:
        if fitting.config.privacy.epsilon:
            return fitted(split.fit_data, fitting)
        return learn(split.fit_data, choose(split.folds, fitting), fitting)

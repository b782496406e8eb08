"""The stages of fitting, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graphrec import fitted
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.features.encoder import TextEncoder
from graphrec.fit import Fitting, carved, choose, learn
from graphrec.ranks import Ranks
from graphrec.runtime import Runtime
from tests.worlds import two_tastes


def _no_texts() -> TextEncoder:
    raise AssertionError("nothing is to be read")


def test_stages_and_blocks_are_watched_while_they_are_done() -> None:
    names = ("popularity", "spectral")
    config = Config.load(None, [f"blocks={','.join(names)}", "features.enabled=false", "spectral.rank=4"])
    seen: list[str] = []

    @contextmanager
    def watch(stage: str) -> Iterator[None]:
        seen.append(f"{stage} begins")
        yield
        seen.append(f"{stage} ends")

    fitting = Fitting(config, Runtime(device="cpu", progress=False), _no_texts, watch=watch)
    data, folds = carved(two_tastes(), config)
    chosen = choose(folds, fitting)
    learn(data, chosen, fitting)
    searched = ["kg", "features"] * len(folds) + [*names, "weights", "content", "weights"]
    learned = ["kg", "features", *names, "index"]
    assert seen == [f"{stage} {what}" for stage in searched + learned for what in ("begins", "ends")]


def test_an_index_that_the_memory_holds_not_is_refused_before_anything_is_learned_for_it() -> None:
    data = two_tastes()
    config = Config.load(None, ["blocks=popularity,spectral", "features.enabled=false", "spectral.rank=4"])
    seen: list[str] = []

    @contextmanager
    def watch(stage: str) -> Iterator[None]:
        seen.append(stage)
        yield

    def chosen(numbers: float) -> None:
        """With memory for so many numbers of each item."""
        little = config.with_(retrieve={"memory_gb": 4 * numbers * data.n_items / 2**30})
        folds = carved(data, little)[1]
        choose(folds, Fitting(little, Runtime(device="cpu", progress=False), _no_texts, watch=watch))

    with pytest.raises(ConfigError, match="in 1 dimensions"):
        chosen(0.9)
    assert seen == []
    with pytest.raises(ConfigError, match=r"retrieve.memory_gb: .* items in [2-5] dimensions"):
        chosen(1.1)
    assert seen[-1] == "weights", "as soon as it is known which blocks count"
    chosen(5.1)


class _First(Ranks):
    """The first of two processes."""

    def data(self, raw: bytes, source: int = 0) -> bytes:
        _First.told = raw  # type: ignore[attr-defined]
        return raw

    def largest(self, values: Sequence[int]) -> list[int]:
        return list(values)


class _Second(_First):
    """The other one, which hears what the first one was told."""

    def data(self, raw: bytes, source: int = 0) -> bytes:
        return bytes(_First.told)  # type: ignore[attr-defined]


def test_processes_that_would_fit_other_models_are_refused() -> None:
    config, data = Config.load(None, ["blocks=popularity", "features.enabled=false"]), two_tastes()
    nothing: dict[str, Any] = {"popularity": {}}  # is refused after they agreed

    def fit(kind: type[Ranks], config: Config, given: Dataset = data) -> str:
        ranks = kind(0, 2, 0, None)
        with pytest.raises(ConfigError) as told:
            fitted.of_data(given, Fitting(config, Runtime(device="cpu", ranks=ranks), _no_texts), nothing)
        return str(told.value)

    assert "nothing is chosen" in fit(_First, config)
    assert "nothing is chosen" in fit(_Second, config.with_(runtime={"device": "cpu", "threads": 1}))
    assert "not fit the same model: settings of one differ from the first's" in fit(_Second, config.with_(seed=1))
    texts = np.full(data.n_items, "other", object)
    assert "same model: data of one differ" in fit(_Second, config, replace(data, item_text=texts))
    less = data.subset(data.events.user_nums > 0)
    assert "settings and data of one differ" in fit(_Second, config.with_(seed=1), less)

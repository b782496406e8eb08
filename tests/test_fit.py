"""The stages of fitting, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graphrec.config import Config
from graphrec.features.encoder import TextEncoder
from graphrec.fit import Fitting, carved, choose, learn
from graphrec.runtime import Runtime
from tests.worlds import two_tastes


def test_stages_and_blocks_are_watched_while_they_are_done() -> None:
    names = ("popularity", "spectral")
    config = Config.load(None, [f"blocks={','.join(names)}", "features.enabled=false", "spectral.rank=4"])
    seen: list[str] = []

    @contextmanager
    def watch(stage: str) -> Iterator[None]:
        seen.append(f"{stage} begins")
        yield
        seen.append(f"{stage} ends")

    def no_texts() -> TextEncoder:
        raise AssertionError("nothing is to be read")

    fitting = Fitting(config, Runtime(device="cpu", progress=False), no_texts, watch=watch)
    data, folds = carved(two_tastes(), config)
    chosen = choose(folds, fitting)
    learn(data, chosen, fitting)
    searched = ["kg", "features"] * len(folds) + [*names, "weights"]
    learned = ["kg", "features", *names, "index"]
    assert seen == [f"{stage} {what}" for stage in searched + learned for what in ("begins", "ends")]

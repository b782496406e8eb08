"""One of two processes that train together; what `test_ranks.py` starts. Argument: a folder."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.blocks import dealt, kept
from graphrec.blocks._network_run import Run
from graphrec.blocks.api import Block, Folds
from graphrec.blocks.graph import Graph, GraphSettings
from graphrec.blocks.popularity import Popularity
from graphrec.blocks.sequence import Sequence, SequenceSettings
from graphrec.blocks.spectral import Spectral
from graphrec.errors import GraphrecError
from graphrec.evaluate.validation import Validation
from graphrec.profile.api import FittedBlock
from graphrec.ranks import Ranks, joined
from graphrec.train.checkpoint import Checkpoint
from tests import worlds

PLAIN = GraphSettings(
    dim=8, max_epochs=6, batch_size=128, evaluations=3, temperature=(0.2,), contrast=0.05, init="random"
)
PAPER = GraphSettings(
    dim=8, max_epochs=3, batches="pairs", batch_size=61, steps=0, temperature=(0.2,), negatives=9, propagation="history"
)
CAUSAL = SequenceSettings(dim=8, layers=1, heads=1, max_epochs=2, dropout=(0.0,), pilot=False, batch_size=7)
BLOCKS: dict[str, Block[Any]] = {
    "popularity": Popularity(),
    "graph": Graph(PLAIN),
    "paper": Graph(PAPER),
    "sequence": Sequence(CAUSAL),
    "spectral": Spectral(),
}
FALLS_OVER = 4  # the epoch in which one of two is killed


def folds(work: Path | None = None, ranks: Ranks | None = None) -> Folds:
    """What is learned from."""
    parts = worlds.given(worlds.two_tastes())
    plain = worlds.inputs(parts.train)
    there = replace(plain, runtime=replace(plain.runtime, work=work, ranks=ranks))
    return Folds.of(there, Validation(parts.train, parts.valid))


def tuned(found: Folds) -> dict[str, kept.Tuned]:
    """All blocks."""
    return dealt.tuned(BLOCKS, found, lambda name, of: BLOCKS[name].tune(of))


def rows(block: FittedBlock) -> dict[str, np.ndarray[Any, Any]]:
    """What it consists of."""
    return block.arrays()[0]


def graph(
    work: Path, ranks: Ranks | None = None, killed: Any = None
) -> tuple[dict[str, np.ndarray[Any, Any]], list[int]]:
    """The network, kept after each epoch, and the epochs that were run; ``killed`` is called in epoch
    ``FALLS_OVER``."""
    epoch, run = Run.epoch, []

    def dying(self: Run, number: int, rate: float) -> float:
        if number == FALLS_OVER and killed is not None:
            killed()
        run.append(number)
        return epoch(self, number, rate)

    setattr(Run, "epoch", dying)  # noqa: B010
    setattr(Checkpoint, "due", lambda _: True)  # noqa: B010
    try:
        return rows(BLOCKS["graph"].tune(folds(work, ranks))[0][0]), run
    finally:
        setattr(Run, "epoch", epoch)  # noqa: B010


def main(folder: Path) -> None:
    """All that two processes do together; then one of them dies."""
    with joined() as ranks:
        assert ranks is not None
        found = tuned(folds(ranks=ranks))
        went_on, epochs = graph(folder / "of one", ranks)
        if ranks.first:
            arrays: dict[str, Any] = {
                f"{name}.{k}": v for name, (blocks, _) in found.items() for k, v in rows(blocks[0]).items()
            }
            arrays |= {f"went on.{k}": v for k, v in went_on.items()}
            np.savez(folder / "found.npz", **arrays)
            chosen = {name: choice for name, (_, choice) in found.items()} | {"epochs": epochs}
            (folder / "chosen.json").write_text(json.dumps(chosen), "utf-8")
        graph(folder / "of two", ranks, (lambda: None) if ranks.first else lambda: os._exit(9))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except GraphrecError as error:
        print(f"graphrec: {error}", file=sys.stderr)
        os._exit(2)

"""What a fit will cost, before it runs: two pilots on parts of the data, and the law by which each stage grows.

    y(D) = a + b D,   a, b ≥ 0                    through both pilots, and then to the whole

D is what a stage grows with. Of a block's seconds it is what the block says (``Block.grows``): what people's scores
take, an inverse of I items, the parts of a decomposition; a pilot's budgets are smaller by as much as its people and
items are (``pilots.scaled``), so that holds for them too. Of weights it is the scores, of all other stages, of memory
and of what is saved it is U + I, the rows of both sides. Beside these stand ``OF_EVENT`` bytes of a pair, and of each
fold's training part, and what matrices of items by items take (``Block.holds``). What starting takes does not grow.
What reading takes is measured on the whole source; for a shape it is measured on generated data, and grows with E.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphrec import pilots
from graphrec.blocks.api import PERSON, Block
from graphrec.config import Config
from graphrec.errors import ProcessError
from graphrec.pilots import START, Pilot, Shape

OF_EVENT = 100  # bytes of a pair in memory, and as many of each fold's training part: docs/capacity.md
WEIGHTS = "weights"  # the stage of them
SECONDS, MEMORY = (0.5, 2.0), (0.7, 1.3)  # parts of what is foretold that a fit may take: benchmarks/plan.py


@dataclass(frozen=True)
class Stage:
    """Core-seconds of a stage and the most memory that the process holds in it, in MB."""

    seconds: float
    mb: float


@dataclass(frozen=True)
class Plan:
    """What is foretold: each stage, the saved model and its index in MB, the blocks that sit out on so many items, and
    the core-seconds that foretelling took."""

    shape: Shape
    stages: Mapping[str, Stage]
    disk_mb: float
    index_mb: float
    left_out: Mapping[str, str]
    spent: float

    @property
    def seconds(self) -> float:
        """Core-seconds of all stages."""
        return sum(stage.seconds for stage in self.stages.values())

    @property
    def peak(self) -> tuple[str, float]:
        """The stage that holds most, and how much, in MB."""
        name = max(self.stages, key=lambda one: self.stages[one].mb)
        return name, self.stages[name].mb


def line(first: tuple[float, float], second: tuple[float, float], at: float) -> float:
    """y(``at``) of the line through two points (x, y) whose slope is that between them, at least 0 and at most y / x of
    the second, so that its offset is no less than 0 either."""
    (x1, y1), (x2, y2) = first, second
    slope = min(max((y2 - y1) / (x2 - x1), 0.0), y2 / x2) if x2 > x1 else 0.0
    return y2 + slope * (at - x2)


def whole(small: Pilot, large: Pilot, shape: Shape, blocks: Mapping[str, Block[Any]]) -> dict[str, Stage]:
    """Each stage of a fit of data of that shape, but for those that are measured on it."""
    of_pair = OF_EVENT * (1 + max(shape.folds, 1)) / 2**20
    found = {}
    for name, after in large.stages.items():
        if name == START:
            found[name] = Stage(after["s"], 0.0)
            continue
        block, before, shapes = blocks.get(name), small.stages.get(name, after), (small.shape, large.shape, shape)
        few, more, at = (_of_seconds(one, name, block) for one in shapes)
        seconds = line((few, before["s"]), (more, after["s"]), at)
        dense = None if block is None or block.too_large(shape.items) else block.holds
        held = [one.events * of_pair + (dense(one.items) / 2**20 if dense else 0.0) for one in shapes]
        few, more, at = map(_rows, shapes)
        mb = line((few, before["mb"] - held[0]), (more, after["mb"] - held[1]), at) + held[2]
        found[name] = Stage(seconds, mb)
    return found


def _of_seconds(shape: Shape, name: str, block: Block[Any] | None) -> float:
    """What the seconds of a block, or of another stage, grow with."""
    if name == WEIGHTS:
        return float(shape.users) * (shape.items + PERSON)
    return _rows(shape) if block is None else block.grows(shape.users, shape.items, shape.events)


def _rows(shape: Shape) -> float:
    """Of both sides."""
    return float(shape.users + shape.items)


def plan_source(
    source: Path, config: Config, allow_bad: float | None = None, say: Callable[[str], None] = lambda _: None
) -> Plan:
    """What a fit of a source will cost; it is read as the fit reads it. Raises DataError, ConfigError, ProcessError."""
    shape, read, large, told = _alone(pilots.read, source, allow_bad, config)
    say(told)
    (people, items), _ = shape.sizes()
    small = pilots.part(large, people, items, config.seed)
    measured = {name: Stage(stage["s"], stage["mb"]) for name, stage in read.items()}
    return _plan(shape, config, (small, large), measured, say)


def plan_shape(shape: Shape, config: Config, say: Callable[[str], None] = lambda _: None) -> Plan:
    """What a fit of generated data of this shape will cost. Raises ConfigError, ProcessError."""
    say(f"reads generated files of at most {max(pilots.READ):,} events")
    (fewer, before), (more, after) = _alone(pilots.reading, shape, config)
    measured = {
        name: Stage(*(line((fewer, before[name][of]), (more, after[name][of]), shape.events) for of in ("s", "mb")))
        for name in after
    }
    small, large = (pilots.made(shape, people, items, config.seed) for people, items in shape.sizes())
    return _plan(shape, config, (small, large), measured, say)


def _plan(
    shape: Shape,
    config: Config,
    parts: tuple[Any, Any],
    measured: dict[str, Stage],
    say: Callable[[str], None],
) -> Plan:
    run = []
    for part in parts:
        say(f"a fit of {part.n_users:,} users and {part.n_items:,} items, {len(part.events):,} events")
        run.append(_alone(pilots.piloted, part, config, shape))
    blocks = {name: config.block(name) for name in config.blocks}
    stages = measured | whole(run[0], run[1], shape, blocks)
    few, more = (_rows(one.shape) for one in run)
    disk = line((few, run[0].disk_mb), (more, run[1].disk_mb), _rows(shape))
    index = line((few, run[0].index_mb), (more, run[1].index_mb), _rows(shape))
    left_out = {name: why for name, block in blocks.items() if (why := block.too_large(shape.items))}
    spent = sum(stage["s"] for one in run for stage in one.stages.values()) + sum(s.seconds for s in measured.values())
    return Plan(shape, stages, disk, index, left_out, spent)


def _alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives in a process of its own. Raises what it raises, ProcessError where the process dies."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(work, *arguments).result()
        except BrokenProcessPool:
            raise ProcessError(
                "the process of a pilot was killed, as the system does where memory ends; close what else runs, or "
                "leave the larger blocks out (--set blocks=popularity,spectral)"
            ) from None

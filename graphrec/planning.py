"""What a fit will cost, before it runs: pilots on parts of the data, and the law by which each stage grows.

    y(D) = a + b D,   a, b ≥ 0                    through both pilots, and then to the whole

D is what a stage grows with. Of a block's seconds it is what the block says (``Block.grows``): pairs, an inverse of I
items, the parts of a decomposition, what a budget is in proportion to. The seconds in which people judge (``JUDGING``)
are measured apart and grow with the scores of these: of N people over I items, ``BLOCK`` at a time, and with ``PERSON``
for each. N is at most what the settings ask for, and at most as large a part of the people as in the larger pilot. Of
sides from content, which are of items, the rest grows with I; of all other stages, of memory and of what is saved it is
U + I, the rows of both sides. Beside these stand ``OF_EVENT`` bytes of a pair, and of each fold's training part, and
what matrices of items by items take (``Block.holds``). What starting takes does not grow. What reading takes is
measured on the whole source; for a shape it is measured on generated data, and grows with E.

Where one pilot of half the people is all (``Shape.sizes``), a stage takes on the whole y at least and y D / D₁ at most,
and its geometric mean √(D / D₁) y is foretold, which is off by that factor at most; of memory beyond what the process
begins with.

Texts that the caches lack are counted, and read beforehand by pilots as far as these have them (``pilots.texts``). What
is left takes a fit its part of what that took, by characters, beside loading the models; a fit that finds all has none
of it.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphrec import pilots
from graphrec.blocks.api import Block, Size
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, ProcessError
from graphrec.evaluate.content import ASKED
from graphrec.evaluate.ranking import BLOCK
from graphrec.evaluate.validation import asked
from graphrec.fit import BLENDED
from graphrec.pilots import LOADED, START, Pilot, Shape, Texts
from graphrec.profile.shards import check
from graphrec.stages import core_seconds

PERSON = 5_000  # items whose scores take as long as all else that is done for one person who judges
OF_EVENT = 100  # bytes of a pair in memory, and as many of each fold's training part: docs/capacity.md
WEIGHTS, CONTENT = "weights", "content"  # stages that are no block's
TEXTS = "texts"  # reading and embedding those that the caches lack
NOTHING = {"s": 0.0, "mb": 0.0}
HELD = ("kg", "features")  # the stages that do so
SECONDS, MEMORY = (0.5, 2.0), (0.7, 1.3)  # parts of what is foretold that a fit may take: benchmarks/plan.py


@dataclass(frozen=True)
class Stage:
    """Core-seconds of a stage and the most memory that the process holds in it, in MB."""

    seconds: float
    mb: float


@dataclass(frozen=True)
class Plan:
    """What is foretold: each stage, the saved model and its index in MB, the blocks that sit out on so many items, the
    core-seconds that foretelling took, and why ``retrieve.memory_gb`` holds no index, "" where it does."""

    shape: Shape
    stages: Mapping[str, Stage]
    disk_mb: float
    index_mb: float
    left_out: Mapping[str, str]
    spent: float
    no_index: str = ""

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


def grown(points: Sequence[tuple[float, float]], at: float, base: float = 0.0) -> float:
    """y(``at``) of the line through two points (x, y). Of a single one, the geometric mean of y and y ``at`` / x, where
    ``base`` is the part of y that surely does not grow."""
    if len(points) == 1:
        (x, y), part = points[0], min(base, points[0][1])
        return part + (y - part) * math.sqrt(max(at / x, 1.0) if x else 1.0)
    return line(points[0], points[1], at)


def whole(run: Sequence[Pilot], shape: Shape, blocks: Mapping[str, Block[Any]], most: int) -> dict[str, Stage]:
    """Each stage of a fit of data of that shape, but for those that are measured on it.

    Args:
        run: the pilots, the largest one last. most: people at most who judge what a block tries.
    """
    there = run[-1].people * shape.users / run[-1].shape.users
    entities = grown([(one.shape.items, one.entities) for one in run], shape.items)
    of_pair = OF_EVENT * (1 + max(shape.folds, 1)) / 2**20
    found = {}
    base = run[-1].stages.get(START, NOTHING)["mb"]
    for name, largest in run[-1].stages.items():
        if name == LOADED:
            continue
        if name == START:
            found[name] = Stage(largest["s"], 0.0)
            continue
        block = blocks.get(name)
        took = [(one.shape, one.stages.get(name, largest)) for one in run]
        sits_out = block is None or name in run[-1].left_out or block.too_large(shape.items)
        dense = None if block is None or sits_out else block.holds

        def held(one: Shape, dense: Callable[[int], float] | None = dense) -> float:
            return one.events * of_pair + (dense(one.items) / 2**20 if dense else 0.0)

        judging, rest = [], []
        for one, (_, y) in zip(run, took, strict=True):
            own, who = one.judging.get(name, 0.0), _judges(name, one.asked, one.people)
            judging.append((_judging(one.shape, who, shape.folds), own))
            rest.append((_of_seconds(one.shape, one.entities, name, block), max(y["s"] - own, 0.0)))
        seconds = grown(judging, _judging(shape, _judges(name, most, there), shape.folds))
        seconds += grown(rest, _of_seconds(shape, round(entities), name, block))
        mb = grown([(_rows(of), y["mb"] - held(of)) for of, y in took], _rows(shape), base) + held(shape)
        found[name] = Stage(seconds, mb)
    return found


def left(texts: Texts | None, unread: int, stages: Mapping[str, Stage]) -> dict[str, Stage]:
    """What reading the texts takes of which the caches hold nothing when the pilots are done; nothing where there are
    none.

    Args:
        unread: characters that the caches lacked before. stages: of the whole, by pilots with the models loaded.
    """
    if texts is None or unread <= texts.characters:
        return {}
    held = max((stages[name].mb for name in HELD if name in stages), default=0.0)
    return {TEXTS: Stage(texts.loading + texts.of_each * (unread - texts.characters), held)}


def _of_seconds(shape: Shape, entities: int, name: str, block: Block[Any] | None) -> float:
    """What the seconds of a block, or of another stage, grow with, but for those in which people judge."""
    if name == CONTENT:
        return float(shape.items)
    return _rows(shape) if block is None else block.grows(Size(shape.users, shape.items, shape.events, entities))


def _judges(name: str, asked: int, there: float) -> float:
    """How many judge in a stage, of so many whom what a block tries is asked of, and so many who are there."""
    return min({WEIGHTS: BLENDED * asked, CONTENT: min(BLENDED * asked, ASKED)}.get(name, asked), there)


def _judging(shape: Shape, people: float, folds: int) -> float:
    """What the seconds in which so many people judge grow with."""
    return BLOCK * max(math.ceil(people / BLOCK), folds) * shape.items + people * PERSON


def _rows(shape: Shape) -> float:
    """Of both sides."""
    return float(shape.users + shape.items)


def plan_source(
    source: Path, config: Config, allow_bad: float | None = None, say: Callable[[str], None] = lambda _: None
) -> Plan:
    """What a fit of a source will cost; it is read as the fit reads it. Raises DataError, ConfigError, ProcessError."""
    since = core_seconds()
    found = _alone(pilots.read, source, allow_bad, config)
    say(found.told)
    texts = None
    if found.examples is not None:
        say(f"reads texts that are in no cache: {found.unread:,} characters are not")
        texts = _alone(pilots.texts, found.examples, config)
    sizes = found.shape.sizes()
    parts = [*(pilots.part(found.sample, users, items, config.seed) for users, items in sizes[:-1]), found.sample]
    measured = {name: Stage(stage["s"], stage["mb"]) for name, stage in found.stages.items()}
    return _plan(found.shape, config, parts, measured, say, since, texts, found.unread)


def plan_shape(shape: Shape, config: Config, say: Callable[[str], None] = lambda _: None) -> Plan:
    """What a fit of generated data of this shape will cost. Raises ConfigError, ProcessError."""
    since = core_seconds()
    say(f"reads generated files of at most {max(pilots.READ):,} events")
    (fewer, before), (more, after) = _alone(pilots.reading, shape, config)
    measured = {
        name: Stage(*(line((fewer, before[name][of]), (more, after[name][of]), shape.events) for of in ("s", "mb")))
        for name in after
    }
    parts = [pilots.made(shape, *size, config.seed) for size in shape.sizes()]
    return _plan(shape, config, parts, measured, say, since)


def _plan(
    shape: Shape,
    config: Config,
    parts: Sequence[Dataset],
    measured: dict[str, Stage],
    say: Callable[[str], None],
    since: float,
    texts: Texts | None = None,
    unread: int = 0,
) -> Plan:
    reads = texts is not None and unread > texts.characters
    run = []
    for part in parts:
        say(f"a fit of {part.n_users:,} users and {part.n_items:,} items, {len(part.events):,} events")
        run.append(_alone(pilots.piloted, part, config, shape, reads))
    blocks = {name: config.block(name) for name in config.blocks}
    stages = measured | whole(run, shape, blocks, asked(config, shape.items))
    stages |= left(texts, unread, stages)
    disk, index = (
        grown([(_rows(one.shape), getattr(one, what)) for one in run], _rows(shape)) for what in ("disk_mb", "index_mb")
    )
    left_out = {name: why for name, block in blocks.items() if (why := block.too_large(shape.items))}
    return Plan(shape, stages, disk, index, left_out, core_seconds() - since, _no_index(run[-1], shape, config))


def _no_index(pilot: Pilot, shape: Shape, config: Config) -> str:
    """Why none is built of as many dimensions as the pilot's, which a fit has at least where ranks are as high."""
    try:
        check(shape.items, config.retrieve, max(pilot.width, 1))
    except ConfigError as error:
        return str(error)
    return ""


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

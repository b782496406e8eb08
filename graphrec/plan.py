"""What a fit will cost before it runs: the very fit on a few of the people, measured, and scaled up.

How much is searched (readings, friends, triples, folds) decides more than how large data is, so no curve of sizes alone
foretells a fit: over ten public sets one that was fitted to generated data was off by factors of .1 to 7. A pilot
searches what the fit will search. Of each stage, seconds and memory of two pilots lie on a line over the work that the
stage has by its own account (``Block.work``, ``Block.holds``), and the line is followed to the whole.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.blocks.api import Block
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import of_users
from graphrec.errors import EmptyDataError
from graphrec.evaluate.validation import judges
from graphrec.experiment import peak_rss_mb
from graphrec.fit import Fitting, carved, choose, learn
from graphrec.profile import engines
from graphrec.recommender import Recommender
from graphrec.runtime import give_back
from graphrec.samples.planted import generated

PAIRS = (300, 1_500, 5_000)  # of the pilots: one to load all that is used, two that are measured
REST = "all else"
RANKED = 500  # items that are ranked for somebody in the time that one pair takes
RANGE = (0.5, 2.0)  # seconds that a fit may take, in parts of those foretold; kept by the few runs that were
# compared (benchmarks/plan.py), which is no promise
DOUBT = 0.3  # of the memory, on top; what was compared held less than foretold


@dataclass(frozen=True)
class Size:
    """How large data is: users, items, and distinct pairs of both."""

    users: int
    items: int
    pairs: int

    @classmethod
    def of(cls, data: Dataset) -> Size:
        """That of a data set."""
        return cls(data.n_users, data.n_items, len(data.interactions))

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.items:,} items, {self.pairs:,} pairs"


@dataclass
class Measured:
    """Core-seconds and the most memory (MiB, of the process) of each stage of one fit."""

    size: Size
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    memory: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """What happens inside is of this stage."""
        _forget_peak()
        busy = _busy()
        yield
        self.seconds[stage] += _busy() - busy
        self.memory[stage] = max(self.memory[stage], _peak())


@dataclass(frozen=True)
class Cost:
    """Of one stage: core-seconds, and the most memory in GiB that the process holds in it."""

    stage: str
    seconds: float
    memory_gb: float


@dataclass(frozen=True)
class Plan:
    """What a fit costs. ``pilots``: seconds that finding out took. ``disk_gb``: of the model. ``index``: its kind."""

    size: Size
    stages: tuple[Cost, ...]
    disk_gb: float
    index: str
    pilots: float

    @property
    def seconds(self) -> float:
        """Of one core."""
        return sum(cost.seconds for cost in self.stages)

    @property
    def memory_gb(self) -> float:
        """Of the stage that takes most."""
        return max(cost.memory_gb for cost in self.stages)

    @property
    def between(self) -> tuple[float, float]:
        """Core-seconds, least and most."""
        return RANGE[0] * self.seconds, RANGE[1] * self.seconds


def measured(data: Dataset, config: Config) -> tuple[Measured, float, int]:
    """A fit of the data, measured, GiB of what it learned, and the width of its index."""
    give_back()
    model = Recommender(config)
    found = Measured(Size.of(data))
    busy = _busy()
    fitting = Fitting(config, model.runtime, lambda: model.encoder, watch=found)
    whole, folds = carved(data, config)
    made = learn(whole, choose(folds, fitting), fitting)
    found.seconds[REST] = max(0.0, _busy() - busy - sum(found.seconds.values()))
    found.memory[REST] = max(found.memory.values())
    rows = sum(np.asarray(part).nbytes for block in made.profiles.blocks for part in block.arrays()[0].values())
    return found, (rows + made.index.items.nbytes) / 2**30, made.index.width


def planned(size: Size, sample: Callable[[float], Dataset], config: Config) -> Plan:
    """The costs of ``Recommender(config).fit`` on data of this size.

    ``sample``: about this share of it. Raises EmptyDataError where even a sample is too small to be fitted.
    """
    start = time.perf_counter()
    shares = sorted({min(1.0, pairs / size.pairs) for pairs in PAIRS})
    runs = []
    for share in shares:
        try:
            runs.append(measured(sample(share), config))
        except EmptyDataError:
            if share == shares[-1]:
                raise
    pilots, disks, width = [run for run, _, _ in runs[-2:]], [disk for _, disk, _ in runs[-2:]], runs[-1][2]
    stages = tuple(
        Cost(name, _scaled(_work, name, size, config, seconds), _scaled(_holds, name, size, config, memory) / 1024)
        for name in pilots[-1].seconds
        for seconds, memory in [
            ([(p.size, p.seconds[name]) for p in pilots], [(p.size, p.memory[name]) for p in pilots])
        ]
    )
    disk = _line([float(p.size.users + p.size.items) for p in pilots], disks, float(size.users + size.items))
    kind = engines.chosen(size.items, width, config.retrieve)
    return Plan(size, stages, disk, kind, time.perf_counter() - start)


def _scaled(
    of: Callable[[str, Size, Config], float], name: str, size: Size, config: Config, told: Sequence[tuple[Size, float]]
) -> float:
    return _line([of(name, one, config) for one, _ in told], [cost for _, cost in told], of(name, size, config))


def _line(work: Sequence[float], costs: Sequence[float], at: float) -> float:
    """The cost at so much work on the line a + b x, a ≥ 0, through one or two costs (the second of more work)."""
    (x, y), (first, low) = (work[-1], costs[-1]), (work[0], costs[0])
    if not at:
        return 0.0
    if x <= first or not x:
        return y * at / x if x else y
    slope = (y - low) / (x - first)
    slope = min(max(slope, 0.0), y / x)  # no less than nothing where there is no work
    return y + slope * (at - x)


def _work(stage: str, size: Size, config: Config) -> float:
    ranked = min(judges(config.blend.users, size.items), size.users) * size.items / RANKED
    if stage in config.blocks:
        block: Block[Any] = config.block(stage)
        return block.work(size.users, size.items, size.pairs, ranked)
    return size.pairs + ranked


def _holds(stage: str, size: Size, config: Config) -> float:
    if stage in config.blocks:
        return config.block(stage).holds(size.users, size.items, size.pairs)
    return float(size.users + size.items + size.pairs)


def sample_of(data: Dataset, seed: int = 0) -> Callable[[float], Dataset]:
    """Samples of the people of a data set, with all that is known of them and of what they took."""
    place = np.random.default_rng(seed).random(data.n_users)  # (U,)
    return lambda share: data if share >= 1 else of_users(data, place < share)


def sample_like(size: Size, seed: int = 0) -> Callable[[float], Dataset]:
    """Samples of generated data of a size, of interactions alone."""

    def sample(share: float) -> Dataset:
        of = generated(max(1, int(share * size.pairs)), max(1, int(share * size.users)), size.items, seed)
        return Dataset.from_frames(of, name="generated")

    return sample


def _busy() -> float:
    """Core-seconds of this process and its finished children."""
    return sum(os.times()[:4])


def _forget_peak() -> None:
    """The peak counts from here, where the system can."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _peak() -> float:
    """The most memory that the process held since, in MiB; where the system tells no more, since it began."""
    if sys.platform == "linux":
        return int(Path("/proc/self/status").read_text("ascii").split("VmHWM:")[1].split()[0]) / 1024
    return peak_rss_mb()

"""What the stages of a fit take, measured on a part of the data: small people-wise samples of it, all else as it is.

A pilot is a scale model of the fit. Of f of the people and g of the items it takes the same settings, with the budgets
that the settings set smaller by as much: f of the validation users who judge, f g of the minutes of a training. Blocks
that sit out on the whole catalogue sit out here. Everything else runs as it would: searches, learning, index and
saving, in a process of its own whose core-seconds and peak of memory are the pilot's alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.csv

from graphrec.budget import status_bytes
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.show import facts
from graphrec.data.split import renumbered
from graphrec.errors import DataError
from graphrec.features.encoder import TextEncoder, load_encoder
from graphrec.fit import Fitting, carved, choose, learn, something_fits
from graphrec.fitted import of_data
from graphrec.model import files
from graphrec.runtime import Runtime
from graphrec.samples.many import generated

EVENTS, PEOPLE, ITEMS = 30_000, 300, 2_000  # of the larger pilot: events about, people at least, items at most
READ = (100_000, 1_000_000)  # events of the generated files whose reading is measured, at most
SMALLER = 3  # times fewer people and items has the smaller one
READING, SPLIT, START, BETWEEN, SAVING = (
    "door",
    "split",
    "start",
    "between",
    "save",
)  # beside what ``Fitting.watch`` names


class Stages:
    """Core-seconds of each stage by name, what it was entered for added up, and the peak of memory within it.

    Core-seconds are of all threads and ended children: what else the machine does makes them no longer. Where the
    system does not tell the peak of a part of a run (it is not Linux) it is that of the process so far.
    """

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = defaultdict(lambda: {"s": 0.0, "mb": 0.0})

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._peak(BETWEEN)
        busy = core_seconds()
        yield
        self._peak(name)
        self.found[name]["s"] = round(self.found[name]["s"] + core_seconds() - busy, 2)

    def _peak(self, name: str) -> None:
        """The peak since the last call is of this stage."""
        if sys.platform == "linux":
            peak = status_bytes("VmHWM") / 2**20
            Path("/proc/self/clear_refs").write_text("5")
        else:
            import resource  # not on Windows

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
        self.found[name]["mb"] = round(max(self.found[name]["mb"], peak))

    def ended(self, since: float = 0.0) -> dict[str, dict[str, float]]:
        """All stages, with the core-seconds of the process from ``since`` on that lay between them."""
        self._peak(BETWEEN)
        named = sum(stage["s"] for name, stage in self.found.items() if name != BETWEEN)
        self.found[BETWEEN]["s"] = round(max(core_seconds() - since - named, 0.0), 2)
        return {name: dict(stage) for name, stage in self.found.items()}


def core_seconds() -> float:
    """Of this process so far, all threads and ended children."""
    return sum(os.times()[:4])


@dataclass(frozen=True)
class Shape:
    """How large a source is, of what may be fitted: events are distinct pairs. ``folds`` it is chosen on; 0: as many as
    a part of it asks for. Raises DataError for what cannot be."""

    users: int
    items: int
    events: int
    folds: int = 0

    def __post_init__(self) -> None:
        for what in ("users", "items", "events"):
            if getattr(self, what) < 1:
                raise DataError(f"--{what} {getattr(self, what)}: nothing is learned from none; give 1 at least")
        if self.events > (pairs := self.users * self.items):
            raise DataError(
                f"--events {self.events}: {self.users:,} users and {self.items:,} items have {pairs:,} pairs; give as "
                "many events at most, or more users or items"
            )

    def sizes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """People and items of both pilots, the smaller one first."""
        items = min(self.items, ITEMS)
        of_each = max(self.events / self.users * items / self.items, 1.0)
        people = min(max(int(EVENTS / of_each), PEOPLE), max(self.users // 2, 1))
        return (max(people // SMALLER, 1), max(items // SMALLER, 1)), (people, items)


@dataclass(frozen=True)
class Pilot:
    """How large a pilot was, core-seconds (``s``) and peak (``mb``) of each of its stages, and the MB of the model that
    it saved and of its index."""

    shape: Shape
    stages: dict[str, dict[str, float]]
    disk_mb: float
    index_mb: float


def read(source: Path, allow_bad: float | None, config: Config) -> tuple[Shape, dict[str, Any], Dataset, str]:
    """A source as a fit reads it: its shape, what each stage took, and the part of it that the larger pilot takes, and
    what is in it, in one line. For a process of its own."""
    stage, since = Stages(), core_seconds()
    with stage(READING):
        data = Dataset.load(source, allow_bad)
    told = f"{data.name}: {' · '.join(facts(data.counts()))}"
    with stage(SPLIT):
        data, folds = carved(data, config)
    shape = Shape(data.n_users, data.n_items, len(data.events.last_of_pair), len(folds))
    found = stage.ended(since)
    return shape, {name: found[name] for name in (READING, SPLIT)}, part(data, *shape.sizes()[1], config.seed), told


def part(data: Dataset, people: int, items: int, seed: int) -> Dataset:
    """So many people, drawn, with all that is theirs; of a larger catalogue so many items, drawn too. By the seed
    alone, so that a smaller part of a part is one of the whole."""
    of = [_drawn(data.n_users, people, seed), _drawn(data.n_items, items, seed)]
    events = data.events
    return renumbered(data.subset(of[0][events.user_nums] & of[1][events.item_nums]), *of)


def _drawn(n: int, among: int, seed: int) -> npt.NDArray[np.bool_]:
    """A mask (n,) of ``among`` places, or of all."""
    drawn = np.zeros(n, bool)
    drawn[np.random.default_rng(seed).permutation(n)[:among]] = True
    return drawn


def made(shape: Shape, people: int, items: int, seed: int) -> Dataset:
    """Generated data as dense as that shape, of so many people and items."""
    events = max(round(shape.events * people / shape.users * items / shape.items), people)
    return Dataset.from_frames(generated(events, people, items, seed), name="generated data")


def reading(shape: Shape, config: Config) -> list[tuple[int, dict[str, Any]]]:
    """Distinct pairs of two generated files, and what reading each takes. For a process of its own."""
    found = []
    for most in READ:
        events, stage = min(most, shape.events), Stages()
        people = max(shape.users * events // shape.events, 1)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "generated.csv"
            pyarrow.csv.write_csv(generated(events, people, shape.items, config.seed), file)
            with stage(READING):
                data = Dataset.load(file)
        with stage(SPLIT):
            carved(data, config)
        found.append((len(data.events.last_of_pair), {name: stage.found[name] for name in (READING, SPLIT)}))
    return found


def piloted(data: Dataset, config: Config, shape: Shape) -> Pilot:
    """A whole fit of a part of the data, up to the saved model. For a process of its own. Raises what a fit raises."""
    stage = Stages()
    stage.found[START]["s"] = round(core_seconds(), 2)
    config = scaled(config, shape, data.n_users / shape.users, data.n_items / shape.items)
    runtime = Runtime.of(config.runtime, config.seed)
    runtime.set_threads()

    @cache
    def encoder() -> TextEncoder:
        return load_encoder(config.features, data.report.languages, None, runtime.engine)

    fitting = Fitting(config, runtime, encoder, watch=stage)
    if config.privacy.epsilon:
        model = of_data(data, fitting)
    else:
        known, folds = carved(data, config)
        model = learn(known, choose(folds[: shape.folds or len(folds)], fitting), fitting)
    with tempfile.TemporaryDirectory() as folder, stage(SAVING):
        files.save(Path(folder) / "model", model)
        sizes = {file.name: file.stat().st_size / 2**20 for file in Path(folder).rglob("*") if file.is_file()}
    pairs = len(data.events.last_of_pair)
    return Pilot(
        Shape(data.n_users, data.n_items, pairs),
        stage.ended(),
        sum(sizes.values()),
        sum(mb for name, mb in sizes.items() if "index" in name),
    )


def scaled(config: Config, shape: Shape, people: float, items: float) -> Config:
    """The settings of a pilot: budgets in proportion to its part, and only blocks that the whole catalogue allows.
    Raises ConfigError where it allows none."""
    blocks = {name: config.block(name) for name in config.blocks}
    something_fits(blocks, shape.items)
    changed: dict[str, Any] = {"blocks": tuple(n for n, block in blocks.items() if not block.too_large(shape.items))}
    for name in changed["blocks"]:
        if minutes := getattr(blocks[name].settings, "minutes", 0.0):
            changed[name] = {"minutes": minutes * people * items}
    judges = max(round(config.blend.users * people), 1)
    return config.at_home().with_(**changed, blend={"users": judges}, split={"k_core": 0})

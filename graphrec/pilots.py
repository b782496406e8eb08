"""What the stages of a fit take, measured on a part of the data: small people-wise samples of it, all else as it is.

A pilot is a scale model of the fit. Of f of the people and g of the items it takes the same settings, with the budgets
that the settings set smaller by as much: f of the validation users who judge, but ``JUDGES`` at least, who are ranked
for in one go, f of those whom the search for weights resamples, f g of the minutes of a training. Blocks that sit out
on the whole catalogue sit out here. Everything else runs as it would: searches, learning, index and saving, in a
process of its own whose core-seconds and peak of memory are the pilot's alone.

What the caches do not hold of its texts is read before, and measured by itself (``texts``): a pilot then finds all of
its texts, and where some of the others are left to the fit it has the models loaded that read these, as the fit has.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow.csv

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.show import facts
from graphrec.data.split import renumbered
from graphrec.errors import DataError
from graphrec.evaluate.ranking import BLOCK
from graphrec.evaluate.validation import asked
from graphrec.features.encoder import TextEncoder, load_encoder
from graphrec.fit import Fitting, as_read, carved, choose, learn, learn_from
from graphrec.fitted import of_data
from graphrec.graph.names import ITEM, USER
from graphrec.knowledge.unread import Unread, read_few, unread
from graphrec.limits import something_fits
from graphrec.model import files
from graphrec.robust import trusted
from graphrec.runtime import Runtime
from graphrec.samples.many import generated
from graphrec.stages import Stages, core_seconds, held_mb

Mask: TypeAlias = npt.NDArray[np.bool_]
Masks: TypeAlias = tuple[Mask, Mask]  # of people (U,) and of items (I,)
EVENTS, PEOPLE, ITEMS = 30_000, 300, 2_000  # of the larger pilot: events about, people at least, items at most
JUDGES = BLOCK  # of what a block tries, at least where there are as many
READ = (100_000, 1_000_000)  # events of the generated files whose reading is measured, at most
SMALLER = 3  # times fewer people and items has the smaller one
EXAMPLES = 300  # events whose texts are read to see what that takes, where there are so many
READING, SPLIT, START, LOADED, SAVING = "door", "split", "start", "loaded", "save"  # beside those of ``Fitting.watch``


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

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """People and items of the pilots, the smaller one first: of two, or of one alone where it is of half the people
        with all items."""
        half = max(self.users // 2, 1)
        items = min(self.items, max(ITEMS, ITEMS * PEOPLE // half))  # of fewer people more
        of_each = max(self.events / self.users * items / self.items, 1.0)
        people = min(max(int(EVENTS / of_each), PEOPLE), half)
        if people == half and items == self.items:
            return ((people, items),)
        return (max(people // SMALLER, 1), max(items // SMALLER, 1)), (people, items)


@dataclass(frozen=True)
class Pilot:
    """How large a pilot was, core-seconds (``s``) and peak (``mb``) of each of its stages, the part of the seconds in
    which people judge, how many are asked of what a block tries, how many there are to judge weights, entities of the
    graph of knowledge, blocks that sat out, dimensions of the index, and the MB of the saved model and of its index.
    """

    shape: Shape
    stages: dict[str, dict[str, float]]
    judging: dict[str, float]
    asked: int
    people: int
    entities: int
    left_out: frozenset[str]
    width: int
    disk_mb: float
    index_mb: float


@dataclass(frozen=True)
class Source:
    """A source as a fit reads it.

    ``stages``: what reading it took. ``sample``: what the larger pilot takes of it. ``told``: what is in it, in a line.
    ``unread``: characters of texts that the caches lack. ``examples``: the part of it by which it is seen what reading
    these takes: the sample, and others where the caches hold most of its texts; None where nothing is lacking.
    """

    shape: Shape
    stages: dict[str, dict[str, float]]
    sample: Dataset
    told: str
    unread: int
    examples: Dataset | None


def read(source: Path, allow_bad: float | None, config: Config) -> Source:
    """A source as a fit reads it. For a process of its own."""
    stage, since = Stages(), core_seconds()
    with stage(READING):
        data = Dataset.load(source, allow_bad)
    told = f"{data.name}: {' · '.join(facts(data.counts()))}"
    with stage(SPLIT):
        data, folds = carved(data, config)
    shape = Shape(data.n_users, data.n_items, len(data.events.last_of_pair), len(folds))
    found = stage.ended(since)
    lacking = _unread(data, fitting_of(data, config, Stages()))
    masks = _drawn_sides(data, *shape.sizes()[-1], config.seed)
    examples = _examples(data, masks, lacking, config.seed) if lacking.characters else None
    stages = {name: found[name] for name in (READING, SPLIT)}
    return Source(shape, stages, _among(data, *masks), told, lacking.characters, examples)


def _unread(data: Dataset, fitting: Fitting) -> Unread:
    config = fitting.config
    embeds = config.features.enabled and any(block.uses_text for block in fitting.blocks().values())
    return unread(data, config.kg, fitting.encoder().id if embeds else None, config.features.user_text)


def _examples(data: Dataset, masks: Masks, lacking: Unread, seed: int) -> Dataset:
    """The part, and of what is unread beside it as much as makes ``EXAMPLES`` events."""
    users, items = masks
    kept = users[data.events.user_nums] & items[data.events.item_nums]
    others = np.flatnonzero(lacking.events & ~kept)
    wanted = max(EXAMPLES - int((lacking.events & kept).sum()), 0)
    kept[np.random.default_rng(seed).permutation(others)[:wanted]] = True
    found = data.subset(kept)
    counts = (
        np.bincount(nums, minlength=n)
        for nums, n in ((found.events.user_nums, data.n_users), (found.events.item_nums, data.n_items))
    )
    return renumbered(found, *(of | (count > 0) for of, count in zip(masks, counts, strict=True)))


@dataclass(frozen=True)
class Texts:
    """What reading texts takes: core-seconds of loading what reads them, and of each character; and how many
    characters were read to see that."""

    loading: float
    of_each: float
    characters: int


def texts(examples: Dataset, config: Config) -> Texts:
    """Load what reads texts, and read what the caches lack of the texts of a part. For a process of its own.

    What is done anew by each fit, whose texts are cached or not, is done once more and taken off.
    """
    fitting = fitting_of(examples, config, Stages())
    lacking, took = _unread(examples, fitting).characters, [core_seconds()]
    read_few(examples, config.kg, fitting.encoder() if config.features.enabled else None)
    took.append(core_seconds())
    for _ in ("read", "cached"):
        learn_from(trusted(as_read(examples, config), config), fitting)
        took.append(core_seconds())
    loading, first, second = np.diff(took).tolist()
    read = lacking - _unread(examples, fitting).characters
    return Texts(loading, max(first - second, 0.0) / max(read, 1), read)


def part(data: Dataset, people: int, items: int, seed: int) -> Dataset:
    """So many people, drawn, with all that is theirs; of a larger catalogue so many items, drawn too. By the seed
    alone, so that a smaller part of a part is one of the whole."""
    return _among(data, *_drawn_sides(data, people, items, seed))


def _drawn_sides(data: Dataset, people: int, items: int, seed: int) -> Masks:
    return _drawn(data.n_users, people, seed), _drawn(data.n_items, items, seed)


def _among(data: Dataset, users: Mask, items: Mask) -> Dataset:
    """What is of these people (U,) and items (I,)."""
    events = data.events
    return renumbered(data.subset(users[events.user_nums] & items[events.item_nums]), users, items)


def _drawn(n: int, among: int, seed: int) -> Mask:
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


def piloted(data: Dataset, config: Config, shape: Shape, reads: bool = False) -> Pilot:
    """A whole fit of a part of the data, up to the saved model; ``reads``: with the models loaded that read texts. For
    a process of its own. Raises what a fit raises."""
    stage = Stages()
    stage.found[START] = {"s": round(core_seconds(), 2), "mb": held_mb()}
    config = scaled(config, shape, data.n_users / shape.users, data.n_items / shape.items)
    fitting = fitting_of(data, config, stage)
    if reads:
        with stage(LOADED):
            read_few(data, config.kg, fitting.encoder() if config.features.enabled else None)
    if config.privacy.epsilon:
        model = of_data(data, fitting)
    else:
        known, folds = carved(data, config)
        model = learn(known, choose(folds[: shape.folds or len(folds)], fitting), fitting)
    with tempfile.TemporaryDirectory() as folder, stage(SAVING):
        files.save(Path(folder) / "model", model)
        written = [file for file in Path(folder).rglob("*") if file.is_file()]
        sizes = {str(file.relative_to(folder)): file.stat().st_size / 2**20 for file in written}
    pairs, people = len(data.events.last_of_pair), model.chosen.get("validation", {}).get("users", 0)
    return Pilot(
        Shape(data.n_users, data.n_items, pairs),
        stage.ended(),
        dict(stage.judging),
        asked(config, data.n_items),
        people,
        int((~model.graph.entities["type"].isin((USER, ITEM))).sum()),
        frozenset(name for name in config.blocks if "left_out" in model.chosen.get(name, {})),
        model.profiles.width,
        sum(sizes.values()),
        sum(mb for name, mb in sizes.items() if "index" in name),
    )


def fitting_of(data: Dataset, config: Config, stage: Stages) -> Fitting:
    """What a fit of the data shares, with its stages measured."""
    config = config.at_home()
    runtime = Runtime.of(config.runtime, config.seed)
    runtime.set_threads()

    @cache
    def encoder() -> TextEncoder:
        return load_encoder(config.features, data.report.languages, None, runtime.engine)

    return Fitting(config, runtime, encoder, watch=stage)


def scaled(config: Config, shape: Shape, people: float, items: float) -> Config:
    """The settings of a pilot: budgets in proportion to its part, and only blocks that the whole catalogue allows.
    Raises ConfigError where it allows none."""
    blocks = {name: config.block(name) for name in config.blocks}
    something_fits(blocks, shape.items)
    changed: dict[str, Any] = {"blocks": tuple(n for n, block in blocks.items() if not block.too_large(shape.items))}
    for name in changed["blocks"]:
        if minutes := getattr(blocks[name].settings, "minutes", 0.0):
            changed[name] = {"minutes": minutes * people * items}
    most = asked(config, shape.items)
    blend = {
        "users": min(max(round(most * people), JUDGES), most),
        "resampled": round(config.blend.resampled * people),
    }
    return config.at_home().with_(**changed, blend=blend, split={"k_core": 0}, retrieve={"memory_gb": 0.0})

"""Small worlds with planted answers: whoever reads interactions, times, friends, brands or texts finds the tastes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import pandas as pd

import kg.graph
from graphrec.blocks.api import FitInputs, Folds
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.evaluate.validation import Validation
from graphrec.features.text import TextFeatures
from graphrec.graph.hetero import hetero_graph
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.settings import KGConfig
from graphrec.types import Floats, Ints

TASTES = 4
DAY = 86_400
SEASON = 300  # days
OLD, NEW, HELD = 5, 2, 2  # items of each season that a user takes in training, and new ones that they take then
STRAY = 4  # items of other tastes that a user takes: one that they like, and where dislikes are told three that not
STARS = Kind("review", values="rating", scale=(1, 5))
NOBODY, NEWCOMER, SHELF = "nobody", "newcomer", "shelf"  # ids of whom and of what nothing or little is known
SIGNAL, NUISANCE = 6, 2  # text dimensions
LOUD = 4  # times the signal
K = 10  # of the NDCG


@dataclass(frozen=True, eq=False)
class World:
    """Training and validation part of planted data, and what blocks get of them. ``text``: of the items, (I, F)."""

    train: Dataset
    valid: Dataset
    text: Floats | None = None

    @cached_property
    def inputs(self) -> FitInputs:
        """All that a block may learn from."""
        graph = kg.graph.empty()
        if len(self.train.item_attributes):
            from graphrec.knowledge.adapter import knowledge_graph

            graph = knowledge_graph(self.train, KGConfig())
        text = None
        if self.text is not None:
            width = self.text.shape[1]
            others = [np.zeros((n, width), np.float32) for n in (self.train.n_users, len(graph.entities))]
            text = TextFeatures(others[0], self.text, others[1])
        return FitInputs(Ties(self.train), hetero_graph(self.train, graph, text), Runtime(device="cpu"))

    @cached_property
    def validation(self) -> Validation:
        """The users who take something after training."""
        return Validation(self.inputs.ties, self.valid, k=K)

    @cached_property
    def folds(self) -> Folds:
        """The one fold that choices are made on."""
        return Folds.of(self.inputs, self.validation)


@cache
def world(n_users: int = 64, n_items: int = 64, *, dislikes: bool = False, bare: bool = False) -> World:
    """Users and items of ``TASTES`` tastes, told by their numbers: who is of a taste takes its items, popular ones
    more often, and of late only new ones; and one item of another.

    Friends (of the first half), brands and places are of one taste; so are texts, beneath a louder part that says
    nothing. One user (``NOBODY``) is known by name alone, one (``NEWCOMER``) by their friends, and one item
    (``SHELF``) nobody took.

    Args:
        dislikes: stars, and of every user a few low ones for other tastes. bare: interactions alone, without times.
    """
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str, float, int, bool]] = []  # user, item, stars, day, held out
    for user in range(n_users):
        mine = np.arange(user % TASTES, n_items, TASTES)
        season = mine // TASTES % 2
        for which, first, n in ((0, 0, OLD), (1, SEASON, NEW + HELD)):
            among = mine[season == which]
            liking = 1 / (1.0 + np.arange(len(among))) ** 0.5
            some = min(n, len(among))
            taken = rng.choice(among, some, replace=False, p=liking / liking.sum()).tolist() if some else []
            for place, item in enumerate(taken):
                held = which == 1 and place >= NEW
                day = 2 * SEASON + place if held else first + int(rng.integers(SEASON))
                rows.append((f"u{user:03d}", f"i{item:03d}", float(rng.choice([4, 5])), day, held))
        others = np.setdiff1d(np.arange(n_items), mine)
        stray = rng.choice(others, min(STRAY, len(others)), replace=False).tolist()
        for place, item in enumerate(stray if dislikes else stray[:1]):
            stars = 4.0 if place == 0 else float(rng.choice([1, 2]))
            rows.append((f"u{user:03d}", f"i{item:03d}", stars, int(rng.integers(SEASON)), False))
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "value", "day", "part"])
    table["timestamp"] = table.pop("day") * DAY
    unused = [*([] if dislikes else ["value"]), *(["timestamp"] if bare else [])]
    friends = [(f"u{u:03d}", f"u{u + TASTES:03d}") for u in range(n_users // 2 - TASTES)]
    friends += [(NEWCOMER, "u000")] if n_users else []
    brands = [(f"i{i:03d}", "brand", f"Brand {i % TASTES}") for i in range(n_items)]
    brands += [(f"i{i:03d}", "place", _place(i)) for i in range(n_items)]
    data = build(
        "planted",
        table.drop(columns=unused),
        kinds=[STARS] if dislikes else (),
        items=pd.DataFrame({"item_id": [*(f"i{i:03d}" for i in range(n_items)), SHELF]}),
        users=pd.DataFrame({"user_id": [NOBODY, NEWCOMER]}),
        friends=None if bare else pd.DataFrame(friends, columns=["user_id", "friend_id"]),
        item_attributes=None if bare else pd.DataFrame(brands, columns=["item_id", "key", "value"]),
    )
    assert data.parts is not None
    later = np.equal(data.parts, 1)
    return World(data.subset(~later), data.subset(later), None if bare else _texts(data.n_items))


def no_one(of: World) -> World:
    """The same without anybody to choose on."""
    return replace(of, valid=of.valid.subset(np.zeros(len(of.valid.events), bool)))


def later(of: World) -> tuple[Ties, Ints]:
    """The training data with a new item, which the first user took, and a new user, who took two old ones; and whose
    rows that changes, int64 (n,): theirs, and of those who hear the first."""
    data, (user, item) = of.train, (of.train.n_users, of.train.n_items)
    log = data.events
    when = None if log.timestamps is None else np.full(3, log.timestamps.max())
    new = replace(
        log,
        user_nums=np.array([0, user, user]),
        item_nums=np.array([item, 3, 8]),
        values=np.full(3, np.nan, np.float32),
        kinds=np.zeros(3, np.uint8),
        timestamps=when,
        order=None if log.order is None else np.full(3, log.order.max(initial=0) + 1),
    )
    nothing = np.array([""], object)
    grown = replace(
        data,
        users=data.users.extended(["later"]),
        items=data.items.extended(["later"]),
        events=replace(log, against=log.norms).joined(new)[0],
        item_titles=np.append(data.item_titles, nothing),
        item_text=np.append(data.item_text, nothing),
        user_text=np.append(data.user_text, nothing),
        parts=None,
    )
    ties = Ties(grown)
    return ties, np.union1d([0, user], ties.friend_mean[:, [0]].nonzero()[0]).astype(np.int64)


def exposed() -> World:
    """A world with dislikes in which whatever is taken is to be found, liked or not."""
    found = world(dislikes=True)
    return replace(found, train=replace(found.train, events=replace(found.train.events, exposure=True)))


def everything_disliked() -> World:
    """A world in which nobody likes anything."""
    found = world(dislikes=True)
    return replace(found, train=found.train.subset(found.train.events.strengths < 0))


def _place(item: int) -> str:
    """Where an item is: each taste has a town of its own, 50 km from the next, and two kilometres across."""
    return f"{48 + 0.45 * (item % TASTES) + 0.001 * (item % 18):.4f},{11 + 0.001 * (item % 26):.4f}"


def _texts(n_items: int) -> Floats:
    """Unit rows, float32 (I, F): a taste's direction, and louder noise beside it. The last item is the shelf."""
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(TASTES, SIGNAL))
    signal = directions[np.arange(n_items) % TASTES] + 0.2 * rng.normal(size=(n_items, SIGNAL))
    rows = np.hstack([signal, LOUD * rng.normal(size=(n_items, NUISANCE))])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

"""Small worlds with planted answers, shared by the tests of blocks and of the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from torch_geometric.data import HeteroData

import kg.graph
from graphrec.blocks.api import FitInputs
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import Split, split
from graphrec.features.text import TextFeatures
from graphrec.graph.hetero import hetero_graph
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.settings import SplitConfig
from graphrec.types import Floats
from kg.graph import KnowledgeGraph


def two_tastes(n_users: int = 60, n_items: int = 40, taken: int = 8, seed: int = 0, friends: bool = False) -> Dataset:
    """Even users take even items, odd users odd ones; one of their items is for validation, one for the test."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        items = random.permutation(np.arange(user % 2, n_items, 2))[:taken]
        parts = [TEST, VALID, *[TRAIN] * (taken - 2)]
        rows += [(f"u{user:03d}", f"i{item:03d}", part) for item, part in zip(items, parts, strict=True)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    pairs = [(f"u{u:03d}", f"u{u + 2:03d}") for u in range(n_users - 2)] if friends else []
    return build("two tastes", events, friends=pd.DataFrame(pairs, columns=["user_id", "friend_id"]))


def heard_by_some(shuffled: bool = False, each: int = 100, seed: int = 0) -> Dataset:
    """People of whom 1, 2, 4, 10 and 30 events are known, ``each`` so many, and one of what they take is held out.

    What they take is of one of four tastes, and friends are two of those with 30 events. But those with 2 events took
    them at random, so that their friends alone, who are of their taste, tell what they take next; and nobody else's
    friends are chosen by taste. ``shuffled``: theirs neither.
    """
    random, tastes, n_items = np.random.default_rng(seed), 4, 240
    rows, pairs, by_taste = [], [], [f"u30-{n}" for n in range(each)]
    for known in (30, 1, 2, 4, 10):
        for n in range(each):
            mine = np.arange(n % tastes, n_items, tastes)
            others = np.arange(n_items) if known == 2 else mine
            taken = random.choice(others, known, replace=False)
            held = random.choice(np.setdiff1d(mine, taken), 2, replace=False)
            parts = [VALID, TEST, *[TRAIN] * known]
            rows += [(f"u{known}-{n}", f"i{i:03d}", part) for i, part in zip([*held, *taken], parts, strict=True)]
            theirs = known == 2 and not shuffled
            among = [f for f in range(each) if f % tastes == n % tastes] if theirs else np.arange(each)
            pairs += [(f"u{known}-{n}", by_taste[f]) for f in random.choice(among, 2, replace=False)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    return build("heard", events, friends=pd.DataFrame(pairs, columns=["user_id", "friend_id"]), directed=True)


def known_by_some(shuffled: bool = False, n_users: int = 400, seed: int = 0) -> tuple[Dataset, list[list[int]]]:
    """People of four tastes, 40 items that many took and 640 that one or two or nobody did; and the items of 16 brands.

    Of what somebody takes 6 are of the many's, of their taste, and 2 of the others, of their brand; two more of the
    many's and one of the others are held out for validation, and one for the test. What many took has brands at random;
    ``shuffled``: all.
    """
    random, tastes, brands, head, n_items = np.random.default_rng(seed), 4, 16, 40, 680
    rows = []
    for user in range(n_users):
        many = random.permutation(np.arange(user % tastes, head, tastes))
        few = random.permutation(np.arange(head + user % brands, n_items, brands))
        taken, parts = [*many[:6], *few[:2], *many[6:8], *few[2:4]], [*[TRAIN] * 8, *[VALID] * 3, TEST]
        rows += [(f"u{user:03d}", f"i{i:03d}", part) for i, part in zip(taken, parts, strict=True)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    data = build("known", events, items=pd.DataFrame({"item_id": [f"i{i:03d}" for i in range(n_items)]}))
    brand = (np.arange(n_items) - head) % brands
    some = np.arange(n_items) < (n_items if shuffled else head)
    brand[some] = random.permutation(brand[some])
    return data, [np.flatnonzero(brand == b).tolist() for b in range(brands)]


def given(data: Dataset) -> Split:
    return split(data, SplitConfig(kind="given"))


def inputs(
    train: Dataset, text: TextFeatures | None = None, graph: HeteroData | None = None, seed: int = 42
) -> FitInputs:
    """What a block gets of a training part, without a knowledge graph by default."""
    graph = hetero_graph(train, kg.graph.empty(), text) if graph is None else graph
    return FitInputs(Ties(train), graph, Runtime(device="cpu", seed=seed))


def scores(block: FittedBlock, train: Dataset) -> Floats:
    """Scores of all users of the training data, float32 (U, I)."""
    return block.scores(Queries.stored(Ties(train)))


def stored(train: Dataset, user_num: int) -> Queries:
    """One user as a query."""
    return Queries.stored(Ties(train), np.array([user_num]))


def finds_the_tastes(found: Floats) -> bool:
    """Whether of the two tastes the first two users' own leads, from scores (U, I)."""
    even = np.arange(found.shape[1]) % 2 == 0
    leads = (found[0][even].mean() - found[0][~even].mean(), found[1][~even].mean() - found[1][even].mean())
    return bool(min(leads) > 1)


def shared_brands(train: Dataset, brands: list[list[int]]) -> HeteroData:
    """The graph of the training data with one brand for each list of item numbers, and nothing else known of them."""
    pairs = np.array([(item, brand) for brand, items in enumerate(brands) for item in items])
    entities = pd.DataFrame(
        {
            "entity": [*(f"item:{i}" for i in train.items.ids), *(f"brand:{b}" for b in range(len(brands)))],
            "label": [*train.items.ids, *(f"Brand {b}" for b in range(len(brands)))],
            "type": [*["item"] * train.n_items, *["brand"] * len(brands)],
        }
    )
    triples = np.stack([pairs[:, 0], np.zeros(len(pairs), np.int64), train.n_items + pairs[:, 1]], axis=1)
    ones, none = np.ones(len(pairs), np.float32), kg.graph.empty()
    graph = KnowledgeGraph(entities, ("made_by",), triples, ones, 0 * ones, none.provenance, none.mentions, {})
    return hetero_graph(train, graph)


def brand_lift(fit: Callable[[FitInputs, float], FittedBlock], weight: float, brands: int = 20) -> float:
    """What ``brands`` that items 0 and 1 share do for item 1 with those who took item 0.

    The lead over the other items of item 1's taste with entities at ``weight``, less the lead without.
    """
    train = given(two_tastes()).train
    known = inputs(train, graph=shared_brands(train, [[0, 1]] * brands))
    fans = np.flatnonzero(train.matrix()[:, 0].toarray().ravel())
    lift = []
    for value in (0.0, weight):
        found = scores(fit(known, value), train)[fans]
        odd = np.arange(3, train.n_items, 2)
        lift.append(float((found[:, 1] - found[:, odd].mean(axis=1)).mean()))
    return lift[1] - lift[0]


def trusted_by_some(predicts: str = "trusting", each: int = 150, seed: int = 0) -> Dataset:
    """People of whom two events at random are known, and others of four tastes of whom thirty are; who trusts whom.

    Of the first each trusts three of the others, and three of the others trust them: those of their taste in the
    direction that ``predicts`` (``query.hearing``), anybody in the other, and in both where ``nobody`` does. For
    ``both`` some trust people of their taste, some are trusted by such. Two things of their taste are held out of each.
    """
    random, tastes, n_items = np.random.default_rng(seed), 4, 240
    rows, pairs = [], []
    for name, known in (("full", 30), ("new", 2)):
        for n in range(each):
            mine = np.arange(n % tastes, n_items, tastes)
            taken = random.choice(mine if known > 2 else n_items, known, replace=False)
            held = random.choice(np.setdiff1d(mine, taken), 2, replace=False)
            parts = [VALID, TEST, *[TRAIN] * known]
            rows += [(f"{name}{n}", f"i{i:03d}", part) for i, part in zip([*held, *taken], parts, strict=True)]
    for n in range(each):
        ways = ("trusted", "trusting")
        for way in ways if predicts != "both" else ways[n // tastes % 2 :][:1]:
            among = np.arange(n % tastes, each, tastes) if predicts in (way, "both") else np.arange(each)
            for other in random.choice(among, 3, replace=False):
                pair = (f"new{n}", f"full{other}")
                pairs.append(pair if way == "trusted" else pair[::-1])
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    return build("trusted", events, friends=pd.DataFrame(pairs, columns=["user_id", "friend_id"]), directed=True)

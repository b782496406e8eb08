"""Small worlds with planted answers, shared by the tests of blocks and of the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from torch_geometric.data import HeteroData

import kg.graph
from graphrec.blocks.base import FitInputs
from graphrec.config import Config
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import Split, split
from graphrec.features.text import TextFeatures
from graphrec.graph.hetero import hetero_graph
from graphrec.profile.profiles import ProfileBlock
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


def given(data: Dataset) -> Split:
    return split(data, Config().split.model_copy(update={"kind": "given"}))


def inputs(train: Dataset, config: Config | None = None, text: TextFeatures | None = None) -> FitInputs:
    graph: HeteroData = hetero_graph(train, kg.graph.empty(), text)
    return FitInputs(train, graph, config or Config())


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


def brand_lift(fit: Callable[[FitInputs, float], ProfileBlock], config: Config, weight: float) -> float:
    """What a brand that items 0 and 1 share does for item 1 with those who took item 0, against the other items of item
    1's taste: the lead with entities at ``weight``, less the lead without."""
    train = given(two_tastes()).train
    known = FitInputs(train, shared_brands(train, [[0, 1]] * 20), config)
    fans = np.flatnonzero(train.matrix()[:, 0].toarray().ravel())
    lift = []
    for value in (0.0, weight):
        found = fit(known, value).scores(fans)
        odd = np.arange(3, train.n_items, 2)
        lift.append(float((found[:, 1] - found[:, odd].mean(axis=1)).mean()))
    return lift[1] - lift[0]


def fitted_twice(fit: Callable[[FitInputs], ProfileBlock], config: Config) -> list[ProfileBlock]:
    """The same fit two times over, on a world in which nothing is known of user 0."""
    train = given(two_tastes()).train
    bare = train.subset(train.interactions.user_nums != 0)
    return [fit(inputs(bare, config)) for _ in range(2)]

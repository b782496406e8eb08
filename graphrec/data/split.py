"""Cuts a Dataset into training, validation and test parts over the same vocabularies.

================  ==================================================================================================
kind              what is held out
================  ==================================================================================================
``given``         what the source itself holds out; without a validation part, as large a share of each user's training
                  rows as the test part has of all: the last ones where the test rows are the last of nearly every
                  user; else rows at random of half the users, whole groups of related items of the others
``temporal``      the latest ``test`` of all interactions, and the ``valid`` before them; one timestamp, one side
``leave-last``    each user's last interaction (test) and the one before (valid); under three, all stay in training
``random``        ``test`` and ``valid`` of each user's interactions, drawn with the seed
``cold-user``     all events of ``test`` of the users, who are asked with their first few (``data.cold``)
``cold-item``     ``test`` and ``valid`` of the items with all their events; they stay in the catalogue
``auto``          given where the source brings a test part, temporal where it has times, else random
================  ==================================================================================================

What is held out are pairs of user and item, each with all its events: a pair of which anything stays in training is no
test answer where only what is new is recommended. A pair has the time of its latest event, so a re-order is held out
together with the orders before it, as if this person had never taken the item; ``cut`` counts these. Where re-orders
count (``repeats``: set where ``seen`` allows what is known), single events are held out.

What is known of items from everybody's behaviour (``BEHAVIOUR``) was shaped by held-out events as well, and no cut of
the events undoes that: every part is without it, unless ``behaviour`` is set. A fit that measures nothing uses it.

A share of one user's rows is rounded up or down at random, so that its expectation is exact, and leaves the user a
training row. Where a validation part comes out empty, one row of the user with the most training rows is taken;
where a global time cut leaves no room for validation (two distinct timestamps), it is drawn per user instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.carve import Carve, further
from graphrec.data.cold import COLD
from graphrec.data.cuts import CUTS, Rows
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.settings import SplitConfig
from graphrec.types import Ints, Vocabulary, frozen
from kg.types import ExternalTriples

BEHAVIOUR = frozenset(  # relations and attributes of items that a shop counts from all purchases and views
    ("also_buy", "also_bought", "also_view", "also_viewed", "bought_together", "buy_after_viewing")
)
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Three Datasets over the same vocabularies, and how they were cut.

    ``ways`` int64 (U,) is how each user's validation rows were held out, ``further`` are more folds of training and
    validation rows where one has too few users to choose on (``carve``). ``cut`` holds seed, k_core, sizes {train,
    valid, test}, for a temporal cut valid_from and test_from (s), and as ``left_out`` how many triples and attributes
    from behaviour are in no part, where there are any.
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    kind: str
    cut: dict[str, Any]
    ways: Ints
    further: tuple[Carve, ...] = ()

    @property
    def folds(self) -> tuple[Carve, ...]:
        """All that is chosen on."""
        return (Carve(self.train, self.valid, self.ways), *self.further)

    @cached_property
    def fit_data(self) -> Dataset:
        """Train and valid as one Dataset: what the chosen configuration is refitted on before the one test."""
        return merge(self.train, self.valid)


def split(data: Dataset, config: SplitConfig, seed: int = 42) -> Split:
    """Cut ``data`` as configured, after the k-core filter where one is set.

    Raises DataError where the kind needs what the data lacks, or a part would be empty; ConfigError where the
    shares leave nothing to train on.
    """
    if config.valid + config.test >= 1:
        raise ConfigError(f"split.valid + split.test = {config.valid + config.test:g}; their sum must be below 1")
    if config.k_core:
        data = k_core(data, config.k_core)
    left_out: dict[str, int] = {}
    if not config.behaviour:
        # No leakage. What is counted from all purchases tells of held-out ones, so no part keeps it.
        data, lost = without_behaviour(data)
        left_out = {"left_out": lost} if lost else {}
    kind = resolve_kind(data, config)
    parts, cut, ways = (CUTS | COLD)[kind](Rows(data, config), config, np.random.default_rng(seed))
    # No leakage. ``subset`` drops the reviews of rows outside its mask, so held-out text is in no other part.
    train, valid, test = (data.subset(parts == part) for part in (TRAIN, VALID, TEST))
    sizes = {"train": len(train.events), "valid": len(valid.events), "test": len(test.events)}
    for part, size in sizes.items():
        if not size:
            raise DataError(
                f"{data.name}: {kind} split of {len(data.events)} events leaves the {part} part empty;"
                " bring more data, or choose another kind with --split or --set split.kind="
            )
    cut = {"seed": seed, "k_core": config.k_core, "sizes": sizes, **cut, **left_out}
    # No leakage. Further folds are made of what may be fitted, without the test part.
    more = further(lambda: merge(train, valid), Carve(train, valid, ways), kind, config, seed)
    return Split(train, valid, test, kind, cut, ways, more)


def without_behaviour(data: Dataset) -> tuple[Dataset, int]:
    """``data`` without triples and attributes of items from behaviour, and how many these are; a warning says so."""
    triples = tuple(triple for triple in data.external.triples if triple[1].lower() not in BEHAVIOUR)
    keys = data.item_attributes["key"]
    told = keys.isin([key for key in keys.unique() if str(key).lower() in BEHAVIOUR]).to_numpy(bool)
    lost = len(data.external) - len(triples) + int(told.sum())
    if not lost:
        return data, 0
    data.report.warn(
        f"{lost:,} triples and attributes tell what is bought or viewed together, counted from held-out events too:"
        " left out of measuring (--set split.behaviour=true keeps them, and the figures are then too good)"
    )
    out = replace(
        data,
        external=replace(data.external, triples=triples),
        item_attributes=data.item_attributes[~told].reset_index(drop=True),
        item_columns=tuple(column for column in data.item_columns if column.name.lower() not in BEHAVIOUR),
    )
    return out, lost


def merge(first: Dataset, second: Dataset) -> Dataset:
    """Two disjoint parts of one Dataset as one Dataset, events and reviews in order of user and item."""
    events, order = first.events.joined(second.events)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))  # where each row of both went
    reviews = pd.concat([first.reviews, second.reviews.assign(event=second.reviews["event"] + len(first.events))])
    reviews = reviews.assign(event=place[reviews["event"].to_numpy(np.int64)]).sort_values("event", kind="stable")
    parts = None if first.parts is None or second.parts is None else np.r_[first.parts, second.parts][order]
    return replace(first, events=events, reviews=reviews.reset_index(drop=True), parts=parts)


def k_core(data: Dataset, k: int) -> Dataset:
    """The largest part of ``data`` in which every user and every item has at least k interactions (new numbering).

    Seidman, Network structure and minimum degree, Social Networks 5 (1983). Raises EmptyDataError where none is left.
    """
    last = data.events.last_of_pair
    users, items = data.events.user_nums[last], data.events.item_nums[last]  # (P,)
    kept = np.ones(len(users), dtype=bool)
    user_degree = np.bincount(users, minlength=data.n_users)  # (U,)
    item_degree = np.bincount(items, minlength=data.n_items)  # (I,)
    while True:
        weak = kept & ((user_degree < k)[users] | (item_degree < k)[items])  # looked up in bits, which caches hold
        gone = np.flatnonzero(weak)
        if not len(gone):
            break
        kept[gone] = False
        user_degree -= np.bincount(users[gone], minlength=data.n_users)
        item_degree -= np.bincount(items[gone], minlength=data.n_items)
    if not kept.any():
        raise EmptyDataError(f"{data.name}: no user and item have {k} interactions each; lower split.k_core")
    return renumbered(data.subset(kept[data.events.pair_of]), user_degree > 0, item_degree > 0)


def resolve_kind(data: Dataset, config: SplitConfig) -> str:
    """The kind that ``auto`` stands for here; any other kind is returned as it is."""
    if config.kind != "auto":
        return config.kind
    if data.parts is not None and (data.parts == TEST).any():
        return "given"
    times = data.events.timestamps
    return "temporal" if times is not None and len(times) and times.min() < times.max() else "random"


def renumbered(data: Dataset, keep_user: Mask, keep_item: Mask) -> Dataset:
    """``data`` without the users and items outside the masks bool (U,), (I,), whose events are gone already."""
    user_new, item_new = np.cumsum(keep_user) - 1, np.cumsum(keep_item) - 1  # old number → new
    e, edges = data.events, data.social_edge_index
    edges = user_new[edges[:, keep_user[edges].all(axis=0)]]
    users = Vocabulary((id_ for id_, kept in zip(data.users.ids, keep_user, strict=True) if kept), data.users.kind)
    items = Vocabulary((id_ for id_, kept in zip(data.items.ids, keep_item, strict=True) if kept), data.items.kind)

    def renumber(frame: pd.DataFrame, column: str, keep: Mask, new: Ints) -> pd.DataFrame:
        out: pd.DataFrame = frame[keep[frame[column].to_numpy(np.int64)]].reset_index(drop=True)
        out[column] = new[out[column].to_numpy(np.int64)]
        return out

    reviews = renumber(renumber(data.reviews, "user_num", keep_user, user_new), "item_num", keep_item, item_new)
    linked = {item: entity for item, entity in data.external.item_entities.items() if item in items}
    return replace(
        data,
        users=users,
        items=items,
        events=replace(e, user_nums=user_new[e.user_nums], item_nums=item_new[e.item_nums]),
        social_edge_index=frozen(edges, np.int64),
        reviews=reviews,
        item_titles=data.item_titles[keep_item],
        item_text=data.item_text[keep_item],
        user_text=data.user_text[keep_user],
        item_attributes=renumber(data.item_attributes, "item_num", keep_item, item_new),
        user_attributes=renumber(data.user_attributes, "user_num", keep_user, user_new),
        external=ExternalTriples(data.external.triples, linked, data.external.labels),
    )

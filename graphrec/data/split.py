"""Cuts a Dataset into training, validation and test parts over the same vocabularies.

================  ==================================================================================================
kind              what is held out
================  ==================================================================================================
``given``         what the source itself holds out; without a validation part, as large a share of each user's training
                  rows as the test part has of all: the last ones; without times, whole groups of related items for
                  one half of the users, rows at random for the other
``temporal``      the latest ``test`` of all interactions, and the ``valid`` before them; one timestamp, one side
``leave-last``    each user's last interaction (test) and the one before (valid); under three, all stay in training
``random``        ``test`` and ``valid`` of each user's interactions, drawn with the seed
``auto``          given where the source brings a test part, temporal where it has times, else random
================  ==================================================================================================

A share of one user's rows is rounded up or down at random, so that its expectation is exact, and leaves the user a
training row. Where a validation part comes out empty, one row of the user with the most training rows is taken;
where a global time cut leaves no room for validation (two distinct timestamps), it is drawn per user instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.config import SplitConfig
from graphrec.data.blocked import grouped_order, item_groups
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.types import Interactions, Ints, Vocabulary, frozen
from kg.types import ExternalTriples

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Three Datasets over the same vocabularies, and how they were cut.

    ``cut`` holds seed, k_core, sizes {train, valid, test}, and for a temporal cut valid_from and test_from (s).
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    kind: str
    cut: dict[str, Any]

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
    kind = resolve_kind(data, config)
    parts, cut = _CUTS[kind](data, config, np.random.default_rng(seed))
    # No leakage. ``subset`` drops the reviews of rows outside its mask, so held-out text is in no other part.
    train, valid, test = (data.subset(parts == part) for part in (TRAIN, VALID, TEST))
    sizes = {"train": len(train.interactions), "valid": len(valid.interactions), "test": len(test.interactions)}
    for part, size in sizes.items():
        if not size:
            raise DataError(
                f"{data.name}: {kind} split of {len(data.interactions)} interactions leaves the {part} part empty;"
                " bring more data, or choose another kind with --split or --set split.kind="
            )
    return Split(train, valid, test, kind, {"seed": seed, "k_core": config.k_core, "sizes": sizes, **cut})


def carve_validation(data: Dataset, config: SplitConfig, seed: int = 42) -> tuple[Dataset, Dataset]:
    """(train, valid) for a production fit, where nothing is kept for a test; cut in the style of the split's kind.

    Rows that the source declares as its test part stay out of both: who brings a test part means to measure with it.
    Raises DataError where no row can be spared for validation.
    """
    kind = resolve_kind(data, config)
    rng = np.random.default_rng(seed)
    if kind == "given":
        parts, _ = _given(data, config, rng)
        # No leakage. The source's test rows are in neither mask.
        return data.subset(parts == TRAIN), data.subset(parts == VALID)
    if kind == "temporal":
        cuts = _time_cuts(_times(data, kind), [config.valid])
        if cuts is None:
            held = _per_user(data, _oldest_first(data), config.valid, rng)
        else:
            held = _times(data, kind) >= cuts[0]
    elif kind == "leave-last":
        place, degree = _from_last(data)
        held = (place == 0) & (degree >= 2)
        if not held.any():
            raise _too_small(data)
    else:
        held = _per_user(data, rng.permutation(len(data.interactions)), config.valid, rng)
    return data.subset(~held), data.subset(held)


def merge(first: Dataset, second: Dataset) -> Dataset:
    """Two disjoint parts of one Dataset as one Dataset, interactions and reviews in order of user and item."""
    a, b = first.interactions, second.interactions
    users, items = np.r_[a.user_nums, b.user_nums], np.r_[a.item_nums, b.item_nums]  # (E,)
    times = None if a.timestamps is None or b.timestamps is None else np.r_[a.timestamps, b.timestamps]
    order = np.lexsort((items, users))
    reviews = pd.concat([first.reviews, second.reviews]).sort_values(["user_num", "item_num"], kind="stable")
    parts = None if first.parts is None or second.parts is None else np.r_[first.parts, second.parts][order]
    interactions = Interactions(users, items, np.r_[a.weights, b.weights], times).take(order)
    return replace(first, interactions=interactions, reviews=reviews.reset_index(drop=True), parts=parts)


def k_core(data: Dataset, k: int) -> Dataset:
    """The largest part of ``data`` in which every user and every item has at least k interactions (new numbering).

    Seidman, Network structure and minimum degree, Social Networks 5 (1983). Raises EmptyDataError where none is left.
    """
    users, items = data.interactions.user_nums, data.interactions.item_nums  # (E,)
    kept = np.ones(len(users), dtype=bool)
    while True:
        user_degree = np.bincount(users[kept], minlength=data.n_users)  # (U,)
        item_degree = np.bincount(items[kept], minlength=data.n_items)  # (I,)
        weak = kept & ((user_degree[users] < k) | (item_degree[items] < k))
        if not weak.any():
            break
        kept &= ~weak
    if not kept.any():
        raise EmptyDataError(f"{data.name}: no user and item have {k} interactions each; lower split.k_core")
    return _renumber(data.subset(kept), user_degree > 0, item_degree > 0)


def resolve_kind(data: Dataset, config: SplitConfig) -> str:
    """The kind that ``auto`` stands for here; any other kind is returned as it is."""
    if config.kind != "auto":
        return config.kind
    if data.parts is not None and (data.parts == TEST).any():
        return "given"
    times = data.interactions.timestamps
    return "temporal" if times is not None and len(times) and times.min() < times.max() else "random"


Parts: TypeAlias = tuple[npt.NDArray[np.uint8], dict[str, Any]]  # part of each row (E,), what to record


def _given(data: Dataset, config: SplitConfig, rng: np.random.Generator) -> Parts:
    if data.parts is None:
        raise DataError(f"{data.name}: the source brings no split of its own; use --split temporal or random")
    parts = data.parts.copy()
    if (parts == VALID).any():
        return parts, {"valid": "given"}
    training = parts == TRAIN
    share = min(max(config.valid, float((parts == TEST).mean())), 0.5)
    if data.has_times:
        order = _oldest_first(data)
    else:
        # No leakage. The groups are made from training rows alone.
        rows = data.interactions.take(training)
        groups = item_groups(rows.matrix(data.n_users, data.n_items), int(rng.integers(2**31)))
        by_group = rng.permutation(data.n_users) % 2 == 0  # (U,)
        users = data.interactions.user_nums
        order = grouped_order(users, np.where(by_group[users], groups[data.interactions.item_nums], -1), rng)
    parts[_per_user(data, order[training[order]], share, rng)] = VALID
    return parts, {
        "valid": "last of each user" if data.has_times else "groups or rows of each user",
        "valid_share": share,
    }


def _temporal(data: Dataset, config: SplitConfig, rng: np.random.Generator) -> Parts:
    times = _times(data, "temporal")
    parts = np.full(len(times), TRAIN, dtype=np.uint8)
    cuts = _time_cuts(times, [config.test + config.valid, config.test])
    if cuts is not None:
        parts[times >= cuts[0]] = VALID
        parts[times >= cuts[1]] = TEST
        return parts, {"valid_from": cuts[0], "test_from": cuts[1]}
    cuts = _time_cuts(times, [config.test])
    if cuts is None:
        raise DataError(f"{data.name}: all interactions have one timestamp, which no cut divides; use --split random")
    parts[times >= cuts[0]] = TEST
    order = _oldest_first(data)
    parts[_per_user(data, order[parts[order] == TRAIN], config.valid, rng)] = VALID
    return parts, {"valid": "last of each user", "test_from": cuts[0]}


def _leave_last(data: Dataset, config: SplitConfig, rng: np.random.Generator) -> Parts:
    place, degree = _from_last(data)
    parts = np.full(len(place), TRAIN, dtype=np.uint8)
    parts[(place == 1) & (degree >= 3)] = VALID
    parts[(place == 0) & (degree >= 3)] = TEST
    return parts, {}


def _random(data: Dataset, config: SplitConfig, rng: np.random.Generator) -> Parts:
    order = rng.permutation(len(data.interactions))
    parts = np.full(len(order), TRAIN, dtype=np.uint8)
    parts[_per_user(data, order, config.test, rng)] = TEST
    order = order[parts[order] == TRAIN]
    parts[_per_user(data, order, config.valid / (1 - config.test), rng)] = VALID
    return parts, {}


_CUTS: dict[str, Callable[[Dataset, SplitConfig, np.random.Generator], Parts]] = {
    "given": _given,
    "temporal": _temporal,
    "leave-last": _leave_last,
    "random": _random,
}


def _times(data: Dataset, kind: str) -> Ints:
    times = data.interactions.timestamps
    if times is None:
        raise DataError(f"{data.name}: a {kind} split needs timestamps and the source has none; use --split random")
    return times


def _oldest_first(data: Dataset) -> Ints:
    """Rows by time, ties by item number (E,)."""
    return np.lexsort((data.interactions.item_nums, _times(data, "timed")))


def _from_last(data: Dataset) -> tuple[Ints, Ints]:
    """Per row (E,): its place from the user's last row (0) backwards, and the user's number of rows."""
    times, users = _times(data, "leave-last"), data.interactions.user_nums
    order = np.lexsort((data.interactions.item_nums, times, users))
    degree = np.bincount(users, minlength=data.n_users)  # (U,)
    place = np.empty(len(users), np.int64)
    place[order] = np.cumsum(degree)[users[order]] - 1 - np.arange(len(users))
    return place, degree[users]


def _time_cuts(times: Ints, shares: list[float]) -> list[int] | None:
    """Distinct timestamps t₁ < t₂ < … at which the latest ``shares`` of all rows begin, as nearly as ties allow.

    ``shares`` descend. None where there are too few distinct timestamps for every part to have one.
    """
    distinct, counts = np.unique(times, return_counts=True)  # (m,)
    if len(distinct) <= len(shares):
        return None
    later = counts[::-1].cumsum()[::-1]  # (m,) rows at or after each timestamp
    cuts: list[int] = []
    first = 1  # the oldest timestamp stays in training
    for n, share in enumerate(shares):
        end = len(distinct) - (len(shares) - 1 - n)  # leaves a timestamp to each later part
        nearest = first + int(np.argmin(np.abs(later[first:end] - share * len(times))))
        cuts.append(int(distinct[nearest]))
        first = nearest + 1
    return cuts


def _per_user(data: Dataset, order: Ints, share: float, rng: np.random.Generator) -> Mask:
    """The last ``share`` of each user's rows in ``order`` (row positions), as a mask over all rows (E,)."""
    users = data.interactions.user_nums
    order = order[np.argsort(users[order], kind="stable")]
    degree = np.bincount(users[order], minlength=data.n_users)  # (U,)
    taken = np.minimum(np.floor(degree * share + rng.random(data.n_users)), degree - 1)
    if taken.max(initial=0) < 1:
        if degree.max(initial=0) < 2:
            raise _too_small(data)
        taken[np.argmax(degree)] = 1
    place = np.cumsum(degree)[users[order]] - 1 - np.arange(len(order))  # 0 is the user's last row
    mask = np.zeros(len(users), dtype=bool)
    mask[order] = place < taken[users[order]]
    return mask


def _too_small(data: Dataset) -> EmptyDataError:
    return EmptyDataError(
        f"{data.name}: no user has an interaction to spare for a held-out part among {len(data.interactions)};"
        " bring users with at least two interactions"
    )


def _renumber(data: Dataset, keep_user: Mask, keep_item: Mask) -> Dataset:
    """``data`` without the users and items outside the masks (U,), (I,), whose interactions are gone already."""
    user_new, item_new = np.cumsum(keep_user) - 1, np.cumsum(keep_item) - 1  # old number → new
    i, edges = data.interactions, data.social_edge_index
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
        interactions=Interactions(user_new[i.user_nums], item_new[i.item_nums], i.weights, i.timestamps),
        social_edge_index=frozen(edges, np.int64),
        reviews=reviews,
        item_titles=data.item_titles[keep_item],
        item_text=data.item_text[keep_item],
        user_text=data.user_text[keep_user],
        item_attributes=renumber(data.item_attributes, "item_num", keep_item, item_new),
        user_attributes=renumber(data.user_attributes, "user_num", keep_user, user_new),
        external=ExternalTriples(data.external.triples, linked, data.external.labels),
    )

"""Item groups follow what is taken together, and whole groups are held out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from graphrec.data.blocked import grouped_order, item_groups
from graphrec.data.dataset import TEST, TRAIN, Dataset, build
from graphrec.data.split import split
from graphrec.settings import SplitConfig


def _albums(n_users: int = 80, n_albums: int = 8, songs: int = 8) -> Dataset:
    """Each user takes three whole albums, and holds out two songs for the test."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(n_users):
        for album in random.permutation(n_albums)[:3]:
            rows += [(f"u{user}", f"{album}-{song}", TRAIN) for song in range(songs)]
        rows[-1] = (*rows[-1][:2], TEST)
        rows[-9] = (*rows[-9][:2], TEST)
    return build("albums", pd.DataFrame(rows, columns=["user_id", "item_id", "part"]))


def test_groups_are_the_planted_albums() -> None:
    data = _albums()
    groups = item_groups(data.matrix(), seed=0)
    albums = np.array([id_[0] for id_ in data.items.ids])
    pure = [len(set(albums[groups == g])) == 1 for g in set(groups)]
    assert np.mean(pure) >= 0.7


def test_rows_of_a_group_stand_together() -> None:
    users, groups = np.array([0, 0, 0, 0, 1, 1]), np.array([5, 7, 5, 7, 5, 7])
    order = grouped_order(users, groups, np.random.default_rng(0))
    assert list(users[order]) == [0, 0, 0, 0, 1, 1]
    first = groups[order][:4]
    assert first[0] == first[1]
    assert first[2] == first[3]


def test_a_validation_part_without_times_holds_out_whole_groups() -> None:
    data = _albums()
    parts = split(data, SplitConfig(kind="given", valid=0.33))
    held = parts.valid.interactions
    albums = np.array([id_[0] for id_ in data.items.ids])[held.item_nums]
    touched = np.array([len(set(albums[held.user_nums == user])) for user in set(held.user_nums)])
    assert 0.3 < (touched < 3).mean() < 0.8  # a random third of 22 rows touches all three: the other half of the users


def test_groups_do_not_depend_on_test_rows() -> None:
    data = _albums()
    moved = np.where(data.parts == TEST, 0, data.interactions.item_nums)
    assert (moved != data.interactions.item_nums).any()
    first = split(data, SplitConfig(kind="given"))
    assert not set(map(tuple, _pairs(first.valid))) & set(map(tuple, _pairs(first.test)))
    again = split(data, SplitConfig(kind="given"))
    assert _pairs(first.valid) == _pairs(again.valid)


def _pairs(data: Dataset) -> list[list[int]]:
    pairs: list[list[int]] = np.stack([data.interactions.user_nums, data.interactions.item_nums], 1).tolist()
    return pairs


def test_a_tiny_catalogue_is_one_group() -> None:
    data = build("tiny", pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]}))
    assert item_groups(data.matrix(), 0).tolist() == [0, 0]

"""A refit keeps numbers: the same data, under the numbers of an earlier model."""

from __future__ import annotations

import numpy as np

from graphrec.data.numbering import numbered_as
from graphrec.samples import generate
from graphrec.types import Vocabulary


def test_it_is_the_same_data_under_other_numbers() -> None:
    data = generate(n_users=60, n_items=60, n_reviews=400)
    shuffled = np.random.default_rng(0).permutation(np.array(data.users.ids, object)).tolist()
    users = Vocabulary([*shuffled[:40], "gone"], "user", ordered=True)
    items = Vocabulary(reversed(data.items.ids), "item", ordered=True)
    moved = numbered_as(data, users, items)
    assert moved.users.ids[:41] == users.ids
    assert moved.items.ids == items.ids
    back = numbered_as(moved, data.users, data.items)
    kept = back.events.user_nums < data.n_users
    assert kept.all()
    assert (back.events.item_nums == data.events.item_nums).all()
    assert (back.events.user_nums == data.events.user_nums).all()
    assert back.reviews.equals(data.reviews)
    assert back.item_attributes.equals(data.item_attributes)
    assert np.array_equal(back.social_edge_index, data.social_edge_index)
    assert back.item_titles.tolist() == data.item_titles.tolist()
    first = moved.reviews.iloc[0]
    same = data.reviews[data.reviews["review_id"] == first["review_id"]].iloc[0]
    assert moved.users.ids[first["user_num"]] == data.users.ids[same["user_num"]]
    assert moved.events.user_nums[first["event"]] == first["user_num"]

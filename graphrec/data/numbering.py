"""The same data under the numbers of an earlier vocabulary, so that what was numbered keeps its number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.types import Ints, Vocabulary, frozen


def numbered_as(data: Dataset, users: Vocabulary, items: Vocabulary) -> Dataset:
    """The data with the numbers of these vocabularies, and after them those of ids that they lack. Ids of which the
    data knows nothing are users and items without events."""
    users, items = users.extended(data.users.ids), items.extended(data.items.ids)
    user, item = users.numbers(data.users.ids), items.numbers(data.items.ids)  # old number → new
    e = data.events
    user_nums, item_nums = user[e.user_nums], item[e.item_nums]
    order = np.lexsort((*(() if e.timestamps is None else (e.timestamps,)), item_nums, user_nums))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    events = replace(
        e,
        user_nums=user_nums[order],
        item_nums=item_nums[order],
        values=e.values[order],
        kinds=e.kinds[order],
        timestamps=None if e.timestamps is None else e.timestamps[order],
        places=None if e.places is None else e.places[order],
        order=None if e.order is None else e.order[order],
    )
    reviews = data.reviews
    written = {"user_num": user, "item_num": item, "event": place}
    edges = user[data.social_edge_index]
    return replace(
        data,
        users=users,
        items=items,
        events=events,
        parts=None if data.parts is None else data.parts[order],
        reviews=reviews.assign(**{name: new[reviews[name].to_numpy(np.int64)] for name, new in written.items()}),
        social_edge_index=frozen(edges[:, np.lexsort(edges[::-1])], np.int64),
        item_titles=_moved(data.item_titles, item, len(items)),
        item_text=_moved(data.item_text, item, len(items)),
        user_text=_moved(data.user_text, user, len(users)),
        item_attributes=_renumbered(data.item_attributes, "item_num", item),
        user_attributes=_renumbered(data.user_attributes, "user_num", user),
    )


def _moved(texts: npt.NDArray[np.object_], new: Ints, n: int) -> npt.NDArray[np.object_]:
    out = np.full(n, "", object)
    out[new] = texts
    return out


def _renumbered(table: pd.DataFrame, column: str, new: Ints) -> pd.DataFrame:
    out = table.assign(**{column: new[table[column].to_numpy(np.int64)]})
    return out.sort_values([column, "key", "value"], kind="stable", ignore_index=True)

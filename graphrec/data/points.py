"""Where items are: coordinates in degrees, from their attributes, else from the events at them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.dataset import Dataset

NUMBER = r"[+-]?\d{1,3}(?:\.\d+)?(?:[eE][+-]?\d+)?"
PAIR = rf"^[(\[]?\s*({NUMBER})\s*[,; ]\s*({NUMBER})\s*[)\]]?$"  # "48.137,11.575"


def item_points(data: Dataset) -> npt.NDArray[np.float64]:
    """Latitude and longitude of every item, float64 (I, 2), NaN where they are not known.

    Known are attributes of type point with both; of an item without one the median of the places of its events is
    taken. What is out of range counts as unknown.
    """
    out = np.full((data.n_items, 2), np.nan)
    events = data.events
    if events.places is not None and len(events):
        known = ~np.isnan(events.places).any(axis=1)
        at = pd.DataFrame(events.places[known].astype(np.float64)).groupby(events.item_nums[known]).median()
        out[at.index.to_numpy(np.int64)] = at.to_numpy()
    keys = {column.name for column in data.item_columns if column.type == "point"}
    rows = data.item_attributes[data.item_attributes["key"].isin(keys).to_numpy()]
    if len(rows):
        pairs = rows["value"].astype(str).str.extract(PAIR).astype(np.float64)
        told = pairs.notna().all(axis=1).to_numpy()
        out[rows["item_num"].to_numpy(np.int64)[told]] = pairs.to_numpy()[told]
    out[(np.abs(out[:, 0]) > 90) | (np.abs(out[:, 1]) > 180)] = np.nan
    return out

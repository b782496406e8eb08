"""A small shop whose attributes are of every type, and the naive reading of each item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from graphrec.data.attributes import AttributeType, Column
from graphrec.data.dataset import Dataset, build
from graphrec.rerank import AttributeTable, Candidates
from graphrec.types import Floats, Ints

Item: TypeAlias = Mapping[str, Sequence[Any]]  # key → its values; title too

TYPES: dict[str, AttributeType] = {
    "price": "number",
    "Preis in €": "number",
    "released": "date",
    "organic": "boolean",
    "category": "list",
    "brand": "category",
    "note": "text",
}


def dataset(items: Sequence[Item]) -> Dataset:
    """Items i00, i01, … with these attributes, of the types above."""
    width = max(2, len(str(len(items))))
    ids = [f"i{n:0{width}}" for n in range(len(items))]
    rows = [(i, key, str(v)) for i, item in zip(ids, items, strict=True) for key in TYPES for v in item.get(key, ())]
    columns = tuple(Column(name, kind) for name, kind in TYPES.items())
    data = build(
        "shop",
        pd.DataFrame({"user_id": "u", "item_id": ids}),
        items=pd.DataFrame({"item_id": ids, "title": [next(iter(item.get("title", ())), "") for item in items]}),
        item_attributes=pd.DataFrame(rows, columns=["item_id", "key", "value"]),
        item_columns=columns,
    )
    return replace(data, item_columns=columns)  # also those of which no value is known


BRANDS: list[Item] = [
    {"brand": ["A"], "price": [5]},
    {"brand": ["A"], "price": [50]},
    {"brand": ["A", "B"], "price": [50]},
    {"brand": ["B"], "price": [8]},
    {"price": [50]},
    {"brand": ["B"], "price": [9]},
]
TABLE = AttributeTable(dataset(BRANDS))


def candidates(
    scores: list[float],
    profiles: Floats | None = None,
    nums: list[int] | None = None,
    table: AttributeTable = TABLE,
    score: Callable[[Ints], Floats] | None = None,
) -> Candidates:
    """Items 0, 1, … with these scores, and profiles that are all different."""
    found = np.eye(len(table.items), dtype=np.float32) if profiles is None else profiles
    item_nums = np.arange(len(scores)) if nums is None else np.array(nums, np.int64)
    return Candidates(item_nums, np.array(scores, np.float32), table, lambda n: found[n], score)


def shown(found: Candidates) -> list[int]:
    return [int(n) for n in found.item_nums]

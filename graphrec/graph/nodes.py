"""Attributes as nodes: categories and lists as they are, numbers in bins, dates in years or months, truths by name.

Two things share a node where they are alike, not where they happen to hold the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.attributes import AttributeType, Column, truth
from graphrec.data.values import dates, numbers
from graphrec.types import Floats

BINS = 5  # of a number, at most
DIGITS = 2  # significant ones of a bound between bins
MONTHS_WITHIN = 731  # days between the first and the last date up to which months are told apart, not years
AS_THEY_ARE: tuple[AttributeType, ...] = ("category", "list")
FARTHEST = 3.0  # standard deviations of a number feature


def nodes(table: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The rows of a long table that become nodes, in its order, with their labels as values.

    Args:
        table: DataFrame of number (of the item or user), key, value.
        columns: what its keys are; keys that are none of them stay as they are.
    """
    of = {column.name: column for column in columns}
    dropped = {name for name, c in of.items() if c.why_not or c.type not in (*AS_THEY_ARE, *_LABELLED)}
    labelled = {name: c for name, c in of.items() if c.type in _LABELLED and name not in dropped}
    out = table[~table["key"].isin(dropped)]
    if labelled:
        values = out["value"].astype(object).copy()
        for name, rows in out[out["key"].isin(set(labelled))].groupby("key"):
            values[rows.index] = labels(rows["value"], labelled[str(name)])
        out = out.assign(value=values)
        out = out[out["value"].notna()].drop_duplicates()
    return out.reset_index(drop=True)


def labels(values: pd.Series[str], column: Column) -> pd.Series[str]:
    """Each value's label, missing where it has none: ``price 10 to 25``, ``released 2019``, ``organic``."""
    if column.type in _LABELLED:
        return _LABELLED[column.type](values, column.name.replace("_", " ").strip())
    return values.astype(object)


def _numbers(values: pd.Series[str], name: str) -> pd.Series[str]:
    found = numbers(values)
    known = found.dropna()
    distinct = known.unique()
    if len(distinct) < 2:
        return pd.Series(None, index=values.index, dtype=object)
    if len(distinct) <= BINS:
        return found.map(lambda x: f"{name} {_plain(x)}", na_action="ignore").astype(object)
    bounds = _bounds(known.to_numpy(np.float64))
    place = np.searchsorted(bounds, found.to_numpy(np.float64), side="right")
    words = _words(name, bounds)
    out = pd.Series([words[p] for p in place], index=values.index, dtype=object)
    return out.where(found.notna(), None)


def _bounds(known: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Bounds between bins of about equally many values, in few digits, ascending; a value at a bound is above it."""
    known = np.sort(known)
    exact = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="nearest"))
    for digits in range(DIGITS, 18):  # as few as keep the bins apart
        rounded = np.unique([float(f"{x:.{digits}g}") for x in exact])
        inside = rounded[(rounded > known.min()) & (rounded <= known.max())]
        if len(inside) == min(len(exact), (exact > known.min()).sum()):
            break
    counts = np.bincount(np.searchsorted(inside, known, side="right"), minlength=len(inside) + 1)
    bounds: npt.NDArray[np.float64] = inside[counts[1:] > 0] if len(inside) else known[known > known.min()][:1]
    return bounds


def _words(name: str, bounds: npt.NDArray[np.float64]) -> list[str]:
    shown = [_plain(b) for b in bounds]
    between = [f"{name} {low} to {high}" for low, high in pairwise(shown)]
    return [f"{name} below {shown[0]}", *between, f"{name} from {shown[-1]}"]


def _plain(x: float) -> str:
    """A number as people write it: 1,500, 0.25, 3."""
    return f"{x:,.0f}" if float(x).is_integer() and abs(x) < 1e15 else f"{x:.15g}"


def _dates(values: pd.Series[str], name: str) -> pd.Series[str]:
    found = dates(values, name)
    days = (found.max() - found.min()).days if found.notna().any() else 0
    form = "%Y-%m" if days <= MONTHS_WITHIN and not _are_years(values) else "%Y"
    return (name + " " + found.dt.strftime(form)).astype(object).where(found.notna(), None)


def _are_years(values: pd.Series[str]) -> bool:
    return bool(values.str.len().max() == 4)


def _truths(values: pd.Series[str], name: str) -> pd.Series[str]:
    return pd.Series(name, index=values.index, dtype=object).where(truth(values), None)


_LABELLED: dict[AttributeType, Callable[[pd.Series[str], str], pd.Series[str]]] = {
    "number": _numbers,
    "date": _dates,
    "boolean": _truths,
}


def number_features(table: pd.DataFrame, columns: Sequence[Column], size: int) -> Floats:
    """Number columns as features, float32 (size, F), F of them: mean 0, deviation 1, a missing value is the median.

    What lies farther than FARTHEST deviations out is brought there, so that one wrong price does not drown the rest.
    """
    used = [c.name for c in columns if c.type == "number" and not c.why_not]
    out = np.zeros((size, len(used)), np.float32)
    owner = table.columns[0]
    for place, name in enumerate(used):
        rows = table[table["key"] == name].drop_duplicates(owner)
        found = numbers(rows["value"])
        if not found.notna().any():
            continue
        values = np.full(size, found.median())
        known = found.notna().to_numpy(bool)
        values[rows[owner].to_numpy(np.int64)[known]] = found[known]
        values /= max(np.abs(values).max(), 1e-300)  # the square of the largest float is none
        deviation = values.std()
        if deviation > 0:
            out[:, place] = np.clip((values - values.mean()) / deviation, -FARTHEST, FARTHEST)
    return out

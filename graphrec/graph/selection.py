"""Which attributes say something: those whose values two things that people take together share.

A column is judged by the mutual information of its values (in bins, for numbers) on two items that one person took, or
on two people who took one item, against the same with the values dealt out anew: an attribute by which nobody chooses,
such as what is in stock, stands out from no dealing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import mutual_info_score

from graphrec.data.attributes import SENSITIVE, AttributeType, Column, Owner, columns_of
from graphrec.data.dataset import Dataset
from graphrec.graph.nodes import labels
from graphrec.types import Ints

# Types that are judged, of one value each. Categories of items stay: a brand in common is worth saying even where few
# choose by it, and names in texts are linked to it.
JUDGED: dict[Owner, tuple[AttributeType, ...]] = {
    "items": ("number", "date", "boolean"),
    "users": ("category", "number", "date", "boolean"),
}
LEAST = 50, 500  # things with a value that were taken, and interactions with them; with fewer, all columns stay
PAIRS = 50_000  # looked at, at most
ORDERS = 8  # of each history that pairs are taken from, where there are few
DEALS = 99  # of the values, to see what chance does
CHANCE = 0.02  # what part of the deals may say as much

WHY_NOT = {
    "items": "says nothing: items that one person took are no more alike in it than chance makes them",
    "users": "says nothing: people who took the same are no more alike in it than chance makes them",
}


def selected(train: Dataset, allow: Collection[str] = (), seed: int = 0) -> Dataset:
    """The same data, with its columns that say nothing about what is taken marked by ``why_not``.

    Args:
        train: the training part.
        allow: names of sensitive columns that may be learned from.
    """
    taken = train.matrix()  # (U, I) # No leakage. Of the training interactions, whatever else the source holds.
    items = columns_of(train.item_attributes, train.n_items, train.item_columns, of="items")
    users = columns_of(train.user_attributes, train.n_users, train.user_columns, of="users")
    users = tuple(replace(c, why_not="") if c.why_not == SENSITIVE and c.name in allow else c for c in users)
    return replace(
        train,
        item_columns=_judged(train.item_attributes, items, taken, "items", seed),
        user_columns=_judged(train.user_attributes, users, sp.csr_matrix(taken.T), "users", seed),
    )


def _judged(
    table: pd.DataFrame, columns: Sequence[Column], taken: sp.csr_matrix, of: Owner, seed: int
) -> tuple[Column, ...]:
    """``taken``: what is judged as columns, what takes them together as rows."""
    if not any(_open(c, of) for c in columns):
        return tuple(columns)
    random = np.random.default_rng(seed)
    pairs = _pairs(taken, random)  # (2, P)
    out = []
    for column in columns:
        if _open(column, of):
            codes = _codes(table[table["key"] == column.name], column, taken.shape[1])
            enough = taken[:, codes >= 0].nnz >= LEAST[1]
            if enough and not _tells(codes, pairs, random):
                column = replace(column, why_not=WHY_NOT[of])
        out.append(column)
    return tuple(out)


def _open(column: Column, of: Owner) -> bool:
    return not column.why_not and column.type in JUDGED[of]


def _codes(rows: pd.DataFrame, column: Column, size: int) -> Ints:
    """The number of each thing's label, int64 (size,), -1 without one; what has several keeps the first."""
    rows = rows.drop_duplicates(rows.columns[0])
    values = rows["value"].str.casefold() if column.type == "boolean" else labels(rows["value"], column)
    out = np.full(size, -1, np.int64)
    out[rows.iloc[:, 0].to_numpy(np.int64)] = pd.factorize(values)[0]
    return out


def _pairs(taken: sp.csr_matrix, random: np.random.Generator) -> Ints:
    """Pairs of different columns that a row holds, int64 (2, P): the neighbours in each row's random orders."""
    rows = np.repeat(np.arange(taken.shape[0]), np.diff(taken.indptr))
    found = [np.zeros((2, 0), np.int64)]
    for _ in range(int(np.clip(PAIRS // max(len(rows), 1), 1, ORDERS))):
        order = np.lexsort((random.random(len(rows)), rows))
        columns = taken.indices[order].astype(np.int64)
        together = rows[order][1:] == rows[order][:-1]
        found.append(np.stack([columns[:-1][together], columns[1:][together]]))
    pairs = np.concatenate(found, axis=1)
    return pairs[:, random.permutation(pairs.shape[1])[:PAIRS]]


def _tells(codes: Ints, pairs: Ints, random: np.random.Generator) -> bool:
    """Whether pairs share a column's values more than when these are dealt out anew; so too where none can tell."""
    pairs = pairs[:, (codes[pairs] >= 0).all(axis=0)]
    things, ends = np.unique(pairs, return_inverse=True)
    ends = ends.reshape(pairs.shape)
    values = codes[things]
    if len(things) < LEAST[0]:
        return True
    observed = _information(values, ends)
    as_much = sum(_information(random.permutation(values), ends) >= observed for _ in range(DEALS))
    return bool((1 + as_much) / (1 + DEALS) <= CHANCE)


def _information(values: Ints, ends: Ints) -> float:
    """Mutual information, in nats, of the values at both ends of the pairs, either end first."""
    a, b = values[ends]
    size = int(values.max()) + 1
    ones = np.ones(2 * len(a))
    table = sp.csr_matrix((ones, (np.r_[a, b], np.r_[b, a])), shape=(size, size))
    return float(mutual_info_score(None, None, contingency=table))

"""Who and what is told apart when it is measured whom a system serves worse, and what it shows too seldom.

People are grouped by any attribute with one value each, sensitive ones too, which are read for measuring only, and by
``activity``, how much training knows of them; items by any attribute and by ``popularity``, as training knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from graphrec.data.attributes import Column, Owner
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.types import Ints

OWN: dict[Owner, str] = {"users": "activity", "items": "popularity"}  # groups that any data has
MOST = 12  # groups of one kind; the smaller ones are put together
FEWEST = 10  # people in a group of their own
OTHERS, UNKNOWN = "others", "not told"
ENDS = 0.2  # share of all events that the head and the tail of the items take (Abdollahpouri et al., UMAP 2021)


@dataclass(frozen=True)
class Grouping:
    """What is told apart by one name.

    ``member``: who or what is in which group, CSR float32 (n, G), of n users or items. ``put``: what was put together,
    a line; "" where nothing was.
    """

    of: Owner
    name: str
    labels: tuple[str, ...]
    member: sp.csr_matrix
    put: str = ""

    def label_of(self, nums: Ints) -> Ints:
        """The group of each, int64 (m,), where nobody is in two."""
        return np.asarray(self.member[nums].argmax(axis=1), np.int64).ravel()


def grouping(name: str, known: Dataset, told: Dataset | None = None, tested: Ints | None = None) -> Grouping:
    """What ``name`` tells apart: ``activity``, ``popularity``, or an attribute, ``users.NAME`` or ``items.NAME`` where
    both have it.

    Args:
        known: what training knows; groups are numbered as its users and items are.
        told: where attributes are, under ids of its own; else ``known``.
        tested: numbers of the people who are measured, among whom groups must be large enough; else all.

    Raises ConfigError for a name that there is not, or that tells nobody apart.
    """
    of, key, told = _owner(name, known, told)
    everyone = np.arange(known.n_users if of == "users" else known.n_items)
    counted = everyone if tested is None or of == "items" else tested
    if key == OWN[of]:
        # No leakage. What training knows tells how active somebody is and how popular a thing is, nothing later.
        counts = np.asarray(known.seen().sum(axis=1 if of == "users" else 0), np.int64).ravel()
        labels, place = _bands(counts, counted) if of == "users" else _popular(counts)
        member = sp.csr_matrix((np.ones(len(place), np.float32), (everyone, place)), (len(everyone), len(labels)))
        return Grouping(of, key, labels, member)
    return _told(of, key, known, told, counted)


def _owner(name: str, known: Dataset, told: Dataset | None) -> tuple[Owner, str, Dataset]:
    """Whose groups a name means, and which data tells them."""
    found: list[tuple[Owner, str, Dataset]] = []
    there: list[str] = []
    side, _, rest = name.partition(".")
    for of in OWN:
        keys = {OWN[of]: known}
        for data in (known, *([told] if told is not None else [])):
            keys |= {c.name: data for c in (data.user_columns if of == "users" else data.item_columns)}
        wanted = {name, rest} if side == of else {name}
        found += [(of, key, keys[key]) for key in sorted(wanted) if key in keys]
        there.append(f"of {of}: {', '.join(keys)}")
    if not found:
        raise ConfigError(f"--by {name}: there is no such group; there are, {'; '.join(there)}")
    if len(found) > 1:
        raise ConfigError(f"--by {name}: both people and items have it; say users.{name} or items.{name}")
    return found[0]


def _column(of: Owner, key: str, told: Dataset) -> Column:
    """The attribute. Raises ConfigError for one that puts nobody into one group."""
    column = next(c for c in (told.user_columns if of == "users" else told.item_columns) if c.name == key)
    if column.type in ("text", "point", "image") or (column.type == "list" and of == "users"):
        raise ConfigError(f"--by {key}: is of type {column.type}, which puts nobody into one group; name another")
    return column


def _told(of: Owner, key: str, known: Dataset, told: Dataset, counted: Ints) -> Grouping:
    """Groups by an attribute."""
    column = _column(of, key, told)
    table = told.user_attributes if of == "users" else told.item_attributes
    rows = table[(table["key"] == key).to_numpy()]
    here = known.users if of == "users" else known.items
    there = told.users if of == "users" else told.items
    number = here.numbers(there.ids, missing="-1")
    nums = number[rows["user_num" if of == "users" else "item_num"].to_numpy()]  # (R,)
    values = rows["value"].astype(str).to_numpy(object)
    values, nums = values[nums >= 0], nums[nums >= 0]
    names = sorted(set(values), key=_size if column.type == "number" else None)
    if column.type in ("number", "date") and len(names) > MOST:
        values, names = _thirds(values, column.type)
        values, nums = values[values != ""], nums[values != ""]
    place = np.asarray(pd.Index(names).get_indexer(pd.Index(values)), np.int64)
    member = sp.csr_matrix((np.ones(len(nums), np.float32), (nums, place)), (len(here), len(names)))
    member.data[:] = 1
    if of == "users":  # who told two things has told neither
        member = sp.csr_matrix(sp.diags((np.asarray(member.sum(axis=1)).ravel() == 1).astype(np.float32)) @ member)
    return _large(of, key, names, member, counted)


def _large(of: Owner, key: str, names: list[str], member: sp.csr_matrix, counted: Ints) -> Grouping:
    """The largest groups, the others put together, and those of whom nothing is told."""
    sizes = np.asarray(member[counted].sum(axis=0)).ravel()
    order = np.lexsort((np.arange(len(names)), -sizes))
    least = FEWEST if of == "users" else 1
    kept = [int(g) for g in order[:MOST] if sizes[g] >= least]
    rest = [int(g) for g in order if int(g) not in kept and sizes[g]]
    sides, labels = [member[:, sorted(kept)]], [names[g] for g in sorted(kept)]
    others, unknown = (_beside(label, labels) for label in (OTHERS, UNKNOWN))
    if rest:
        sides.append(sp.csr_matrix((member[:, rest].sum(axis=1) > 0).astype(np.float32)))
        labels.append(others)
    silent = (np.asarray(member.sum(axis=1)).ravel() == 0).astype(np.float32)
    if silent[counted].any():
        sides.append(sp.csr_matrix(silent[:, None]))
        labels.append(unknown)
    if len(labels) < 2:
        who = "people" if of == "users" else "items"
        raise ConfigError(f"--by {key}: all {who} are in one group ({', '.join(labels)}), so nothing is told apart")
    few = f"fewer than {FEWEST} people each, or beyond the {MOST} largest" if of == "users" else f"beyond {MOST}"
    put = f"{key}: {len(rest):,} small groups ({few}) are counted as {others!r}" if rest else ""
    return Grouping(of, key, tuple(labels), sp.csr_matrix(sp.hstack(sides, format="csr")), put)


def _size(text: str) -> tuple[float, str]:
    """Where a number stands among others; last what is none."""
    read = float(pd.to_numeric(text, errors="coerce"))
    return (read if np.isfinite(read) else np.inf, text)


def _beside(label: str, labels: Sequence[str]) -> str:
    """A name for what is put together that none of the groups has."""
    return _beside(f"({label})", labels) if label in labels else label


def _bands(counts: Ints, counted: Ints) -> tuple[tuple[str, ...], Ints]:
    """Thirds of the people by how much is known of them: names, and the place of each."""
    cuts = np.unique(np.quantile(counts[counted], [1 / 3, 2 / 3], method="lower"))
    cuts = cuts[cuts < counts[counted].max()] if len(counted) else cuts
    place = np.searchsorted(cuts, counts).astype(np.int64)
    ends = [int(cut) for cut in cuts]
    names = [_between(a, b) for a, b in zip([None, *ends], [*ends, None], strict=True)]
    if len(names) < 2:
        raise ConfigError(f"--by {OWN['users']}: of everybody as much is known, so nothing is told apart")
    return tuple(names), place


def _between(low: int | None, high: int | None) -> str:
    if low is None:
        return f"up to {high} item{'' if high == 1 else 's'}"
    if high is None:
        return f"{low + 1} items or more"
    return f"{low + 1} to {high} items" if low + 1 < high else f"{high} items"


def _popular(counts: Ints) -> tuple[tuple[str, ...], Ints]:
    """Head, middle and tail of the items: those that take the first and the last fifth of all events."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]  # events of those that are more popular
    share = before / max(counts.sum(), 1)
    place = np.empty(len(counts), np.int64)
    place[order] = np.where(share < ENDS, 0, np.where(share < 1 - ENDS, 1, 2))
    return ("head", "middle", "tail"), place


def _thirds(values: npt.NDArray[Any], kind: str) -> tuple[npt.NDArray[Any], list[str]]:
    """Numbers or dates as thirds of them, named by their ends, "" for what is neither; and the names in order."""
    texts = pd.Series(values)
    if kind == "date":
        read = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed").dt.strftime("%Y-%m-%d").to_numpy(object)
        fits = np.array([isinstance(value, str) for value in read], bool)
    else:
        read = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
        fits = np.isfinite(read)
    ordered = np.unique(read[fits])
    cuts = ordered[[len(ordered) // 3, 2 * len(ordered) // 3]]
    said = [value if kind == "date" else f"{value:.12g}" for value in cuts]
    names = [f"up to {said[0]}", f"above {said[0]}, up to {said[1]}", f"above {said[1]}"]
    out = np.full(len(read), "", object)
    out[fits] = np.array(names, object)[np.searchsorted(cuts, read[fits])]
    return out, names


def groupings(known: Dataset, told: Dataset | None = None) -> list[str]:
    """Everything that people and items can be told apart by, but for sensitive attributes: names for ``grouping``."""
    names = []
    for of, own in OWN.items():
        data = [known, *([told] if told is not None else [])]
        columns = [c for d in data for c in (d.user_columns if of == "users" else d.item_columns) if not c.sensitive]
        for key in dict.fromkeys([own, *(c.name for c in columns)]):
            with suppress(ConfigError):
                grouping(f"{of}.{key}", known, told)
                names.append(f"{of}.{key}")
    return names


def check(names: Sequence[str], known: Dataset, told: Dataset | None = None) -> None:
    """Raises ConfigError for names of groups that there are not, or that are named twice."""
    if len(set(names)) < len(names):
        raise ConfigError(f"--by {','.join(names)}: name each group once")
    for name in names:
        of, key, data = _owner(name, known, told)
        if key != OWN[of]:
            _column(of, key, data)

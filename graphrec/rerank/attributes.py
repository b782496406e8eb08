"""The attributes of a catalogue in columns, for whoever filters or counts by them."""

from __future__ import annotations

import keyword
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal, TypeAlias
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.attributes import AttributeType, truth, untruth
from graphrec.data.dataset import Dataset
from graphrec.data.values import dates, numbers
from graphrec.errors import ConfigError
from graphrec.types import Ints, Vocabulary

Mask: TypeAlias = npt.NDArray[np.bool_]
Kind: TypeAlias = Literal["number", "date", "boolean", "text", "values"]  # how a type is compared
OWN: dict[str, AttributeType] = {"title": "text", "item_id": "category"}  # what an item has beside its attributes
NAMED = 30  # attributes that an error lists
KEPT = 16  # masks that a table remembers


@dataclass(frozen=True)
class Attribute:
    """One attribute: n values, of which an item may have none or several.

    Shapes:
        item_nums: int64 (n,), ascending: whose value it is. codes: int64 (n,), which of the ``names``.
        values: (n,), float64 of numbers, int64 microseconds since 1970 of dates, bool of booleans, else the codes.
        names: the distinct values as they were written. size: number of items I.

    What cannot be read as its type (a price "on request") is missing.
    """

    name: str
    type: AttributeType
    kind: Kind
    item_nums: Ints
    codes: Ints
    values: npt.NDArray[Any]
    names: pd.Index[Any]
    size: int

    def where(self, rows: Mask) -> Mask:
        """Items with a value under a mask over the values (n,), bool (I,)."""
        out = np.zeros(self.size, np.bool_)
        out[self.item_nums[rows]] = True
        return out

    @cached_property
    def known(self) -> Mask:
        """Items with any value, bool (I,)."""
        return self.where(np.ones(len(self.item_nums), np.bool_))

    @cached_property
    def folded(self) -> list[str]:
        """The names without regard to case."""
        return [name.casefold() for name in self.names]

    def codes_of(self, item_num: int) -> Ints:
        """The values of one item, int64."""
        start, end = np.searchsorted(self.item_nums, [item_num, item_num + 1])
        return self.codes[start:end]


class AttributeTable:
    """All attributes of the items of a Dataset; each becomes a column when it is first asked for.

    Beside them ``title`` and ``item_id``, which win over attributes of the same name.
    """

    def __init__(self, data: Dataset) -> None:
        table = data.item_attributes
        self.items: Vocabulary = data.items
        self._titles = data.item_titles
        codes, keys = pd.factorize(table["key"])
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(keys) + 1))
        self._rows = {str(key): order[bounds[n] : bounds[n + 1]] for n, key in enumerate(keys)}
        self._item_nums = table["item_num"].to_numpy(np.int64)
        self._values = table["value"].to_numpy(object)
        declared: dict[str, AttributeType] = {c.name: c.type for c in data.item_columns}
        self.types: dict[str, AttributeType] = {**dict.fromkeys(sorted(self._rows), "category"), **declared, **OWN}
        self._columns: dict[str, Attribute] = {}
        self._masks: OrderedDict[object, Mask] = OrderedDict()

    @property
    def size(self) -> int:
        """Number of items I."""
        return len(self.items)

    def __getitem__(self, name: str) -> Attribute:
        """Raises ConfigError that names the nearest attribute where there is none of this name."""
        if name not in self.types:
            composed = [key for key in self.types if normalize("NFKC", key) == name]  # as Python reads a name
            if len(composed) != 1:
                raise ConfigError(f"{name!r} is no attribute of the items; {nearest(name, self.types)}")
            name = composed[0]
        if name not in self._columns:
            self._columns[name] = self._column(name)
        return self._columns[name]

    def reads(self, name: str, value: str) -> bool:
        """Whether a value can be read as what the attribute is; any can where there is none of this name yet."""
        kind = self.types.get(name)
        return kind is None or bool(_read(pd.Series([value], dtype=object), kind, name)[2].all())

    def remembered(self, key: object, make: Callable[[], Mask]) -> Mask:
        """A mask over the items, bool (I,), read-only, made once while it is among the last few asked for."""
        found = self._masks.get(key)
        if found is None:
            found = make()
            found.setflags(write=False)
            self._masks[key] = found
            with suppress(KeyError):  # another thread was faster
                while len(self._masks) > KEPT:
                    self._masks.popitem(last=False)
        return found

    def _column(self, name: str) -> Attribute:
        if name == "item_id":
            item_nums, texts = np.arange(self.size), np.array(self.items.ids, dtype=object)
        elif name == "title":
            item_nums = np.flatnonzero(self._titles != "")
            texts = self._titles[item_nums]
        else:
            rows = self._rows.get(name, np.zeros(0, np.int64))
            rows = rows[np.argsort(self._item_nums[rows], kind="stable")]
            item_nums, texts = self._item_nums[rows], self._values[rows]
        found, distinct = pd.factorize(texts)
        codes, names, kind = found.astype(np.int64), pd.Index(distinct, dtype=object), self.types[name]
        how, each, fits = _read(pd.Series(names), kind, name)
        kept = fits[codes]
        codes = codes[kept]
        return Attribute(name, kind, how, item_nums[kept], codes, each[codes], names, self.size)


def _read(names: pd.Series[Any], kind: AttributeType, name: str) -> tuple[Kind, npt.NDArray[Any], Mask]:
    """How a type is compared, each distinct value as that, and which of them can be read so."""
    if kind in ("number", "point"):  # half a point, a latitude, is a number
        found = numbers(names).to_numpy(np.float64)
        fits = ~np.isnan(found)
        if kind == "number" or fits.all():
            return "number", found, fits
    elif kind == "date":
        times = dates(names, name)
        return "date", times.astype("datetime64[us, UTC]").astype(np.int64).to_numpy(), times.notna().to_numpy(bool)
    elif kind == "boolean":
        yes, no = truth(names.astype(str)).to_numpy(bool), untruth(names.astype(str)).to_numpy(bool)
        return "boolean", yes, yes | no
    return "text" if kind == "text" else "values", np.arange(len(names)), np.ones(len(names), np.bool_)


def written(name: str) -> str:
    """A name as a filter writes it."""
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return name if plain else f"attribute({name!r})"


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest of the known attributes, else what is known."""
    names = list(known)
    folded = {key.casefold(): key for key in reversed(names)}
    near = get_close_matches(name.casefold(), list(folded), 1)
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"did you mean {written(folded[near[0]])}?" if near else f"known are {_listed(names)}{rest}"


def _listed(names: list[str]) -> str:
    return ", ".join(written(name) for name in names[:NAMED])

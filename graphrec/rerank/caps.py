"""Caps: no brand, artist or category takes the whole list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from graphrec.errors import ConfigError
from graphrec.rerank.api import Candidates

SPARE = 50  # candidates beyond k, or as many as k


@dataclass(frozen=True)
class Cap:
    """At most ``most`` items of each value of an attribute, the first ones; the order stays.

    An item of several values counts for each of them, one without any for none. States ``dropped``: value → how many
    items it cost a place that they would have had among the k.
    """

    attribute: str
    most: int

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ConfigError(f"cap: found {self.most} items of a value; at least 1 is wanted")

    def __str__(self) -> str:
        return f"cap={self.attribute}:{self.most}"

    @classmethod
    def read(cls, argument: str) -> Cap:
        """From ``ATTRIBUTE:MOST``. Raises ConfigError."""
        name, _, most = argument.rpartition(":")
        if not name.strip() or not most.strip().isdecimal():
            raise ConfigError(f"cap: found {argument!r}; an attribute and how many of a value are wanted: cap=brand:2")
        return cls(name.strip(), int(most))

    def beyond(self, k: int) -> int:
        return max(SPARE, k)

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """Pass over items whose values are full. Raises ConfigError for an attribute that there is not."""
        attribute = candidates.attributes[self.attribute]
        counts: Counter[int] = Counter()
        dropped: Counter[str] = Counter()
        kept: list[int] = []
        for place, item_num in enumerate(candidates.item_nums.tolist()):
            if len(kept) == k:
                break
            codes = set(attribute.codes_of(item_num).tolist())
            full = [code for code in codes if counts[code] >= self.most]
            if not full:
                counts.update(codes)
                kept.append(place)
            elif place < k:
                dropped.update(str(attribute.names[code]) for code in full)
        return candidates.take(np.array(kept, np.int64), self, k, dropped=dict(sorted(dropped.items())))

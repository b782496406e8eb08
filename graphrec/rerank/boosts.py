"""Boosts and pins: what a shop wants seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphrec.errors import ConfigError
from graphrec.rerank.api import Candidates, deviation, number
from graphrec.rerank.filters import Filter, tree

SPARE = 100  # candidates beyond k, or as many as k


@dataclass(frozen=True)
class Boost:
    """Scores change where a filter holds, and the candidates are sorted anew; it stands before what orders otherwise.

    Only candidates are boosted: an item far below them stays there. States ``boosted``, how many candidates the filter
    holds for.

    Args:
        filter: see ``graphrec.rerank.filters``.
        amount: added, in standard deviations of the candidates' scores (1 where they are all alike); below 0 it lowers.
        factor: what scores are multiplied by, above 0. Negative scores are divided, so that above 1 always raises.
    """

    filter: str
    amount: float = 0.0
    factor: float = 1.0

    def __post_init__(self) -> None:
        tree(self.filter)
        number(str(self.amount), "boost", -np.inf)
        if number(str(self.factor), "boost", 0) == 0:
            raise ConfigError("boost: found a factor of 0; a filter leaves items out")

    def __str__(self) -> str:
        return f"boost={self.filter}:" + (f"*{self.factor!r}" if self.factor != 1 else repr(self.amount))

    @classmethod
    def read(cls, argument: str) -> Boost:
        """From ``FILTER:AMOUNT`` or ``FILTER:*FACTOR``. Raises ConfigError."""
        text, _, amount = argument.rpartition(":")
        if not text.strip():
            raise ConfigError(
                f"boost: found {argument!r}; a filter and a number are wanted: boost=price < 10:0.5 adds half a "
                "deviation, boost=price < 10:*2 doubles"
            )
        if amount.strip().startswith("*"):
            return cls(text.strip(), factor=number(amount.strip()[1:], "boost", 0))
        return cls(text.strip(), number(amount, "boost", -np.inf))

    def beyond(self, k: int) -> int:
        return max(SPARE, k)

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """Raise or lower the score of what passes the filter. Raises ConfigError for a filter that cannot be read."""
        holds = Filter.parse(self.filter, candidates.attributes).mask[candidates.item_nums]  # (n,)
        scores = candidates.scores.astype(np.float64)
        scores[holds] *= np.where(scores[holds] >= 0, self.factor, 1 / self.factor)
        scores[holds] += self.amount * deviation(candidates.scores)
        order = np.argsort(-scores, kind="stable")
        changed = scores.astype(np.float32)
        return candidates.shown(candidates.item_nums[order], changed[order], self, k, boosted=int(holds.sum()))


@dataclass(frozen=True)
class Pin:
    """Items at the top, in this order, with their own scores; the others follow.

    What must not come back (taken, filtered out) is not pinned, nor what is no candidate where only candidates have
    scores. States ``pinned`` and ``left_out``, item ids. Raises UnknownIdError for an item that the data does not hold.
    """

    item_ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.item_ids or not all(self.item_ids) or len(set(self.item_ids)) < len(self.item_ids):
            raise ConfigError(f"pin: found {','.join(self.item_ids)!r}; different item ids are wanted: pin=B001,B002")

    def __str__(self) -> str:
        return f"pin={','.join(self.item_ids)}"

    @classmethod
    def read(cls, argument: str) -> Pin:
        """From item ids with commas between them."""
        return cls(tuple(item_id.strip() for item_id in argument.split(",")))

    def beyond(self, k: int) -> int:
        return 0

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """The pinned items first, in their order, if they may be recommended. Raises UnknownIdError."""
        nums = candidates.attributes.items.numbers(self.item_ids)
        own = dict(zip(candidates.item_nums.tolist(), candidates.scores.tolist(), strict=True))
        absent = np.array([n for n in nums.tolist() if n not in own], np.int64)
        if candidates.score is not None and len(absent):
            scores = candidates.score(absent)
            own |= {n: s for n, s in zip(absent.tolist(), scores.tolist(), strict=True) if s > -np.inf}
        top = np.array([n for n in nums.tolist() if n in own], np.int64)[:k]
        rest = ~np.isin(candidates.item_nums, top)
        scores = np.append(np.array([own[n] for n in top.tolist()], np.float32), candidates.scores[rest])
        shown = set(top.tolist())
        said = {
            "pinned": [i for i, n in zip(self.item_ids, nums.tolist(), strict=True) if n in shown],
            "left_out": [i for i, n in zip(self.item_ids, nums.tolist(), strict=True) if n not in shown],
        }
        return candidates.shown(np.append(top, candidates.item_nums[rest]), scores, self, k, **said)

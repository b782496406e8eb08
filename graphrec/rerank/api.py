"""Re-rankers: what becomes of the best candidates before they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np

from graphrec.errors import ConfigError, DataError
from graphrec.rerank.attributes import AttributeTable
from graphrec.types import Floats, Ints, Move, frozen

Change: TypeAlias = Mapping[str, Any]
MORE = 4  # times as many candidates are asked for where too few were left


@dataclass(frozen=True)
class Candidates:
    """What one query may be answered with, n items in the order in which they would be shown.

    Args:
        item_nums: int64 (n,). scores: float32 (n,), what retrieval gave them; need not descend.
        attributes: those of the catalogue.
        profiles: item numbers → float32 (n, d), what items are compared by; without the dimensions that say nothing but
            how popular an item is.
        score: item numbers → float32 (n,), this query's scores of any items, -inf where one must not come back; None
            where only the candidates have scores.
        prices: what each item of the catalogue costs that is shown often, float32 (I,); None where no price is known.
        liked: what the person took and likes, item numbers int64.
        changes: what the re-rankers so far did, each a dict that begins with ``reranker``, how it is written.
    """

    item_nums: Ints
    scores: Floats
    attributes: AttributeTable
    profiles: Callable[[Ints], Floats]
    score: Callable[[Ints], Floats] | None = None
    prices: Floats | None = None
    liked: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "item_nums", frozen(self.item_nums, np.int64))
        object.__setattr__(self, "scores", frozen(self.scores, np.float32))
        if self.item_nums.shape != self.scores.shape or self.item_nums.ndim != 1:
            raise DataError(
                f"{self.item_nums.shape} item numbers with {self.scores.shape} scores; one for each is needed"
            )

    def __len__(self) -> int:
        return len(self.item_nums)

    def take(self, places: Ints, reranker: object, k: int, **said: Any) -> Candidates:
        """The candidates at these places, in that order, and what changed against the first k: who came, who went."""
        return self.shown(self.item_nums[places], self.scores[places], reranker, k, **said)

    def shown(self, item_nums: Ints, scores: Floats, reranker: object, k: int, **said: Any) -> Candidates:
        """Other items and scores instead, at most k, and what changed against the first k."""
        item_nums, scores, before = item_nums[:k], scores[:k], self.item_nums[:k]
        change: dict[str, Any] = {"reranker": str(reranker)}
        change["came"] = item_nums[~np.isin(item_nums, before)].tolist()
        change["went"] = before[~np.isin(before, item_nums)].tolist()
        return replace(self, item_nums=item_nums, scores=scores, changes=(*self.changes, change | said))


@runtime_checkable
class Reranker(Protocol):
    """Reorders, drops or adds. Immutable; ``str()`` is how it is written, ``name=argument``.

    One of another package is found by the entry point group ``graphrec.rerankers``, under its name.
    """

    @classmethod
    def read(cls, argument: str) -> Self:
        """From what is written behind ``name=``. Raises ConfigError."""
        ...

    def beyond(self, k: int) -> int:
        """How many candidates it needs beyond the k that it returns."""
        ...

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """The best k of them, fewer where no more are left, with what it changed appended to ``changes``.

        The plain answer is the first k candidates. Raises ConfigError where the catalogue has not what it asks for.
        """
        ...


def wanted(chain: Sequence[Reranker], k: int) -> int:
    """How many candidates a chain needs for k items."""
    return _steps(chain, k)[0]


def apply(chain: Sequence[Reranker], candidates: Candidates, k: int) -> Candidates:
    """Re-rankers one after the other; each returns as many as those after it need."""
    return _stages(chain, candidates, k)[-1]


def answer(chain: Sequence[Reranker], retrieve: Callable[[int], Candidates], k: int) -> Candidates:
    """The k items that a chain makes of what is retrieved; of more candidates where too few are left of these.

    ``retrieve``: the best n candidates, fewer only where there are no more.
    """
    return _answered(chain, retrieve, k)[-1]


def moves(chain: Sequence[Reranker], retrieve: Callable[[int], Candidates], k: int, item_num: int) -> tuple[Move, ...]:
    """What each re-ranker of ``answer`` did to one item, where it changed its rank; of a list of k none is below it.

    A rank beyond the list that a re-ranker returns is none, and so is that of an item that was no candidate.
    """
    out = []
    stages = _answered(chain, retrieve, k)
    shown = bool((stages[-1].item_nums == item_num).any())
    for reranker, before, after in zip(chain, stages, stages[1:], strict=False):
        was, now = (int(np.append(np.flatnonzero(one.item_nums == item_num), -1)[0]) + 1 for one in (before, after))
        if was == now or (was > k and not (now and shown)):
            continue
        own = (before.scores[was - 1] if was else after.scores[now - 1]) if was or now else 0.0
        stood = before.scores[min(now, len(before)) - 1] if now and len(before) else own
        out.append(Move(str(reranker), was, now, float(stood) - float(own)))
    return tuple(out)


def _answered(chain: Sequence[Reranker], retrieve: Callable[[int], Candidates], k: int) -> list[Candidates]:
    """What there is before each re-ranker, and in the end."""
    n = wanted(chain, k)
    while True:
        candidates = retrieve(n)
        found = _stages(chain, candidates, k)
        if len(found[-1]) >= k or len(candidates) < n:
            return found
        n *= MORE


def _stages(chain: Sequence[Reranker], candidates: Candidates, k: int) -> list[Candidates]:
    out = [candidates]
    for reranker, n in zip(chain, _steps(chain, k)[1:], strict=True):
        out.append(reranker.rerank(out[-1], n))
    last = out[-1]
    out[-1] = replace(last, item_nums=last.item_nums[:k], scores=last.scores[:k])
    return out


def _steps(chain: Sequence[Reranker], k: int) -> list[int]:
    """How many items there are before each re-ranker, and after the last."""
    steps = [k]
    for reranker in reversed(chain):
        steps.append(steps[-1] + reranker.beyond(steps[-1]))
    return steps[::-1]


def deviation(scores: Floats) -> float:
    """The standard deviation of scores, 1 where they are all alike."""
    found = float(scores.astype(np.float64).std()) if len(scores) else 0.0
    return found if found > 0 else 1.0


def number(text: str, what: str, low: float, high: float = np.inf) -> float:
    """A number of a re-ranker's argument. Raises ConfigError where it is none or not from low to high."""
    try:
        found = float(text)
    except ValueError:
        found = np.nan
    if not low <= found <= high or not np.isfinite(found):
        limits = f"from {low:g} to {high:g}" if np.isfinite(high) else f"of at least {low:g}"
        limits = "" if low == -np.inf else f" {limits}"
        raise ConfigError(f"{what}: found {text!r}; a number{limits} is wanted")
    return found

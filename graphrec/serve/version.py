"""One model that is served: what it heard, which of its items are shown, and its views under other weights."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from graphrec.errors import ArtifactError, ConfigError
from graphrec.explain.names import Names
from graphrec.model.answers import found_of
from graphrec.model.asked import Asked
from graphrec.model.live import Live
from graphrec.model.model import Model
from graphrec.model.retrieve import Found
from graphrec.model.slid import slid
from graphrec.model.veil import veiled
from graphrec.model.worded import liking_of
from graphrec.query.query import NONE, Queries
from graphrec.query.ties import row
from graphrec.types import Ints, model_of

log = logging.getLogger("graphrec.serve")
DEPTH = 64  # items of a list that is ready
LISTS = 50_000  # lists that are, at most
TOGETHER = 64  # users whose lists are made at once
VIEWS = 16  # models under other weights that are kept ready


@dataclass(frozen=True)
class Shown:
    """What is out of answers: items that are hidden, and people who are forgotten, digest → the number under which they
    were, the latest; ``epoch``: the number of the last change."""

    hidden: frozenset[str] = frozenset()
    gone: Mapping[str, int] = field(default_factory=dict)
    epoch: int = 0


@dataclass(frozen=True)
class _Unnamed(Names):
    """Names without people who are forgotten."""

    is_gone: Callable[[str], bool] = field(default=lambda other: False, compare=False)

    def named(self, other: str, friend: bool) -> bool:
        return super().named(other, friend) and not self.is_gone(other)


@dataclass(eq=False)
class Version:
    """A model that answers. ``artifact``: the folder's name. ``made``: when it was written, seconds. ``learned``: up to
    which event of the store. ``held``: ids of users whom it was learned with, and who were erased since."""

    live: Live
    artifact: str = ""
    made: float | None = None
    learned: int = 0
    loaded: float = field(default_factory=time.time)
    base: str = ""  # its name before anything was said of items, with which all its later names begin
    upto: tuple[int, int] = (0, 0)  # the last of what was told of items, and of people, when it was made ready
    refused: frozenset[str] = frozenset()  # items of which what was said could not be taken in
    is_gone: Callable[..., bool] = field(default=lambda name, learned: False, repr=False)
    lists: OrderedDict[int, Found] = field(default_factory=OrderedDict, repr=False)  # of users as they are stored
    held: frozenset[str] = field(default=frozenset(), repr=False)
    _digests: Any = field(default=None, repr=False)
    _views: OrderedDict[Any, Model] = field(default_factory=OrderedDict, repr=False)
    _barred: tuple[int, Ints] = (-1, NONE)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.base = self.base or self.name

    @property
    def of(self) -> str:
        """The model that it is of, whatever it was told of items and whoever was taken out of it."""
        return model_of(self.base)

    @property
    def model(self) -> Model:
        """As it was learned."""
        return self.live.model

    @property
    def name(self) -> str:
        """The version of the model."""
        return self.live.model.version

    def barred(self, shown: Shown) -> Ints:
        """Numbers of the hidden items, int64 (n,) ascending."""
        if self._barred[0] != shown.epoch:
            found = self.model.data.items.numbers(sorted(shown.hidden), missing="-1")
            self._barred = shown.epoch, np.unique(found[found >= 0]).astype(np.int64)
        return self._barred[1]

    def view(self, shown: Shown, weights: Mapping[str, float] | None = None) -> Model:
        """The model that names nothing hidden and nobody forgotten, under these weights. Raises ConfigError."""
        if not weights and not shown.hidden and not shown.gone:
            return self.model
        key = _key(shown, weights)
        with self._lock:
            if key in self._views:
                self._views.move_to_end(key)
                return self._views[key]
        model = slid(self.model, weights) if weights else self.model
        if shown.hidden or shown.gone:
            model = veiled(model, self.barred(shown).tolist())
            names = self.model.names
            model.__dict__["names"] = _Unnamed(names.which, names.agreed, partial(self.is_gone, learned=self.learned))
        with self._lock:
            self._views[key] = model
            while len(self._views) > VIEWS:
                self._views.popitem(last=False)
        return model

    def viewed(self, shown: Shown) -> bool:
        """Whether ``view`` under the model's own weights is ready."""
        return (not shown.hidden and not shown.gone) or _key(shown) in self._views

    def grown(self, items: Collection[Mapping[str, Any]]) -> Version:
        """The same with items that are new, or of which something else is said. New ones have no place by their texts
        where the encoder does not work. Raises DataError, and what a block raises that cannot grow."""
        rows = list(items)
        try:
            model = self.model.updated(items=rows)
        except Exception as error:
            bare = self.model.updated(items=[{"item_id": row["item_id"]} for row in rows])
            model = bare.updated(items=rows)  # without texts it can: the encoder it was
            log.error("fault", extra={"told": {"what": "encoder", "kind": type(error).__name__}})
        if model is not self.model:  # the same model, of other items
            model = replace(model, version=f"{self.base}.{model.version[:12]}")
        out = replace(
            self,
            live=self.live.grown(model),
            lists=OrderedDict(),
            _views=OrderedDict(),
            _barred=(-1, NONE),
            _lock=threading.RLock(),
        )
        if model.profiles is self.model.profiles:  # nothing ranks otherwise
            out.lists = OrderedDict(self.lists)
        out.warm()
        return out

    def told(self, items: Sequence[Mapping[str, Any]]) -> Version:
        """``grown`` by all of the items that can be taken in; the others are in ``refused``."""
        try:
            out = self.grown(items)
            out.refused = self.refused.difference(row["item_id"] for row in items)
            return out
        except Exception as error:
            if len(items) > 1:
                half = len(items) // 2
                return self.told(items[:half]).told(items[half:])
            log.error("fault", extra={"told": {"what": "items", "kind": type(error).__name__}})
            return replace(self, refused=self.refused | {items[0]["item_id"]})

    def hold(self, erased: Collection[str], digest: Callable[[str], str]) -> None:
        """Find out which users these digests are of: all are digested at the first erasure, once, 8 bytes each."""
        ids = self.model.data.users.ids
        if not erased:
            return
        if self._digests is None:
            self._digests = np.array([int(digest(id_)[:16], 16) for id_ in ids], np.uint64)
        some = np.isin(self._digests, np.array([int(each[:16], 16) for each in erased], np.uint64))
        self.held |= {ids[n] for n in np.flatnonzero(some).tolist() if digest(ids[n]) in erased}

    def listed(self, user_num: int, wanted: int, barred: Ints) -> Found | None:
        """The list of a user as they are stored, without what is barred; None where it is not ready, or too short."""
        found = self.lists.get(user_num)
        if found is None:
            return None
        whole = len(found.nums) < DEPTH
        if len(barred):
            shown = ~np.isin(found.nums, barred)
            found = replace(found, nums=found.nums[shown], scores=found.scores[shown])
        return found if whole or len(found.nums) >= wanted else None

    def keep(self, user_num: int, found: Found) -> None:
        """Have the ``DEPTH`` best items of a user as they are stored ready; the oldest go."""
        self.lists[user_num] = replace(found, nums=found.nums[:DEPTH], scores=found.scores[:DEPTH])
        while len(self.lists) > LISTS:
            self.lists.popitem(last=False)

    def fill(self, most: int) -> None:
        """Make lists of as many users ready, those who took most; none where every list is re-ranked at its length."""
        model = self.model
        if model.mends:
            return
        busy = np.argsort(-model.ties.activity, kind="stable")[:most].astype(np.int64)
        for start in range(0, len(busy), TOGETHER):
            some = busy[start : start + TOGETHER]
            queries = Queries.stored(model.ties, some)
            asked = Asked([model.data.users.ids[n] for n in some], queries, DEPTH, model.config.seen, NONE)
            for number, found in zip(some.tolist(), found_of(model, asked, np.arange(len(some))), strict=True):
                self.keep(number, found)

    def warm(self) -> None:
        """All that is built at the first question is built now. Raises ArtifactError for a model that cannot answer."""
        model = self.model
        if not model.data.n_items or not model.data.n_users:
            raise ArtifactError(f"{self.artifact or 'the model'}: it has no items or no users; fit it on data that has")
        for part in ("ties", "popular", "attributes", "likeness", "item_ids", "names", "spoken", "described"):
            getattr(model, part)
        model.ties.taken  # noqa: B018
        someone = np.array([int(model.ties.activity.argmax())])
        question = Asked(["somebody"], Queries.stored(model.ties, someone), 10, model.config.seen, NONE)
        found = found_of(model, question, np.arange(1))[0]
        if not len(found.nums) or not np.isfinite(found.scores).all():
            raise ArtifactError(f"{self.artifact or 'the model'}: it gives no scores to rank by; fit it anew")
        model.explainer.links, model.explainer.lifts  # noqa: B018
        who, best = model.data.users.ids[int(someone[0])], model.data.items.ids[int(found.nums[0])]
        basket = [model.data.items.ids[n] for n in row(model.ties.matrix, int(someone[0]))[:3].tolist()]
        if basket:
            model.recommend(history=basket, k=1)
        try:
            model.explain(who, best)
            if basket:
                model.explain(None, best, history=basket)
        except Exception as error:  # lists need no reasons: each answer says that it has none
            log.error("fault", extra={"told": {"what": "explanation", "kind": type(error).__name__}})

    def listen(self) -> None:
        """What words are heard by is loaded now, not at the first question in words; without it they are not heard."""
        model = self.model
        if model.profiles.of_texts is None or not model.config.features.enabled:
            return
        try:
            liking_of(model, "words")
        except ConfigError:
            return  # without texts there is nothing to hear them by; a question in words is told so
        except Exception as error:
            log.error("fault", extra={"told": {"what": "encoder", "kind": type(error).__name__}})


def _key(shown: Shown, weights: Mapping[str, float] | None = None) -> Any:
    return shown.epoch, len(shown.gone), tuple(sorted((weights or {}).items()))

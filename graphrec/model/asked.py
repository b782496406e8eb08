"""What is asked: who, what is known of them beside the training data, and what may come back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.errors import DataError
from graphrec.explain.say import marked, number
from graphrec.model.learned import Learned
from graphrec.query.further import further
from graphrec.query.query import NONE, STRANGER, Queries, Query, query_of
from graphrec.rerank.api import Reranker
from graphrec.rerank.filters import Filter
from graphrec.rerank.registry import parse
from graphrec.types import Ints, Vocabulary

Seen: TypeAlias = Literal["exclude", "allow", "only"]
LEFT = {
    "exclude": marked("{n} of {k} items are left that this user has not taken{filtered}"),
    "allow": marked("{n} of {k} items are left in the catalogue{filtered}"),
    "only": marked("{n} of {k} items are left that this user took{filtered}"),
}
LATEST = 4_102_444_800  # seconds, the year 2100
SECONDS = r"-?\d{9,}(\.\d+)?"  # as a text; of fewer digits a date is meant, as 20260131
CONTEXT = ("now", "place", "friends", "attributes")
SOMEBODY = "somebody"  # the user_id of a history without one; never that of a user


@dataclass(frozen=True)
class Asked:
    """One call for recommendations.

    Args:
        user_ids: whom each row is for, (B,). queries: what is known of them. k: how many items each gets.
        seen: what is done with what they took. exclude: item numbers that nobody gets.
        allowed: bool (I,), what may come back, or None: everything. rerank: what re-orders the lists, in this order.
        notes: what of the question is left unheard, a line each.
    """

    user_ids: Sequence[str]
    queries: Queries
    k: int
    seen: Seen
    exclude: Ints
    allowed: npt.NDArray[np.bool_] | None = None
    rerank: tuple[Reranker, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        model: Learned,
        users: Any = None,
        k: int = 10,
        *,
        history: Sequence[Any] = (),
        histories: Any = None,
        query: str | None = None,
        exclude: Sequence[Any] = (),
        include: Sequence[Any] | None = None,
        seen: Seen | None = None,
        context: Mapping[str, Any] | None = None,
        filter: str | None = None,
        rerank: Any = (),
        told: Query | None = None,
    ) -> Asked:
        """What ``Recommender.recommend`` was asked. ``told``: what is known of the one user who asks, in place of what
        the training data holds. Raises DataError, UnknownIdError (an item)."""
        k = checked(k)
        mode = seen or model.config.seen
        if mode not in LEFT:
            raise DataError(f"seen = {mode!r}; it is one of {', '.join(LEFT)}")
        ids, taken = _people(users, histories)
        items = model.data.items
        added = [items.numbers(_ids((*_ids(history), *own))) for own in taken]
        known = {"words": (query or "").strip(), **_context(model, context or {})}
        numbers = model.data.users.numbers(ids, missing="-1")
        if users is None and not isinstance(histories, Mapping):  # a user may be called that too
            numbers[:] = STRANGER
        folded = [_new(model, n, own) for n, own in zip(numbers.tolist(), added, strict=True)]
        queries = _queries(model, numbers, folded, known) if told is None else _heard(model, told, added[0], known)
        allowed = None if not filter or not filter.strip() else Filter.parse(filter, model.attributes).mask
        if include is not None:
            named = np.zeros(len(items), bool)
            named[items.numbers(_ids(include))] = True
            allowed = named if allowed is None else named & allowed
        wished = [rerank] if isinstance(rerank, str) else rerank or ()
        chain = (*model.mends, *(parse(r) if isinstance(r, str) else r for r in wished))
        unwanted, notes = np.unique(items.numbers(_ids(exclude))), unheard(model, context or {})
        return cls(ids, queries, k, mode, unwanted, allowed, chain, notes)

    def barred(self, place: int) -> Ints:
        """Item numbers that the query at a place must not get, beside those that are not allowed."""
        if self.seen == "allow":
            return self.exclude
        seen = self.queries.seen
        taken = seen.indices[slice(*seen.indptr[place : place + 2])].astype(np.int64)
        if self.seen == "only":
            others = np.ones(seen.shape[1], bool)
            others[taken] = False
            taken = np.flatnonzero(others)
        return np.union1d(taken, self.exclude) if len(self.exclude) else taken


def one(
    model: Learned,
    user_id: Any,
    history: Sequence[Any] = (),
    query: str | None = None,
    told: Query | None = None,
    **context: Any,
) -> Queries:
    """The query of one person, as ``Asked.of`` has it."""
    number = int(model.data.users.numbers([as_id(user_id)], missing="-1")[0]) if user_id is not None else STRANGER
    folded = _new(model, number, model.data.items.numbers(_ids(history)))
    known = {"words": (query or "").strip(), **_context(model, context)}
    if told is not None:
        return _heard(model, told, model.data.items.numbers(_ids(history)), known)
    return _queries(model, np.array([number]), [folded], known)


def _heard(model: Learned, told: Query, history: Ints, known: Mapping[str, Any]) -> Queries:
    """The query of somebody of whom more is known than the training data holds, with what a question says."""
    return Queries.of(model.ties, [further(model.ties, told, history, **known)])


def _queries(model: Learned, user_nums: Ints, folded: Sequence[Ints], known: Mapping[str, Any]) -> Queries:
    """Stored users where nothing is known beside the training data, else a query each."""
    plain = not known["words"] and len(known) == 1 and not any(map(len, folded))
    if plain and (user_nums >= 0).all():
        return Queries.stored(model.ties, user_nums)
    pairs = zip(user_nums.tolist(), folded, strict=True)
    return Queries.of(model.ties, [query_of(model.ties, n, own, **known) for n, own in pairs])


def _new(model: Learned, user_num: int, history: Ints) -> Ints:
    """What of a history is not liked already: what is known must not be answered by a second encoding."""
    if user_num == STRANGER or not len(history):
        return history
    return np.setdiff1d(history, model.ties.history(user_num))


def at_most(limit: Any) -> int:
    """How many pieces are told of. Raises DataError unless it is a whole number of at least 0."""
    if not isinstance(limit, int | np.integer) or isinstance(limit, bool) or limit < 0:
        raise DataError(f"limit = {limit!r} is no number of pieces; give a whole number from 0 on, such as limit=5")
    return int(limit)


def checked(k: Any) -> int:
    """How many items are asked for. Raises DataError unless it is a whole number of at least 1."""
    if not isinstance(k, int | np.integer) or isinstance(k, bool):
        raise DataError(f"k = {k!r} is no whole number; ask for so many items, such as k=10")
    if k < 1:
        raise DataError(f"k = {k}; ask for at least 1 item")
    return int(k)


def as_id(value: Any) -> str:
    """An external id. Whole numbers, as tables hold them, are written as in a file. Raises DataError for others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_) or value is None:
        raise DataError(f"{value!r} is no id; give a text or a whole number")
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    raise DataError(f"{value!r} is no id; give a text or a whole number")


def listed(texts: Sequence[str], ids: Vocabulary) -> list[str]:
    """Ids given one at a time or as comma lists: ``["A", "B,C"]`` is A, B and C; "B,C" where that is an id itself."""
    parts = [[text] if text in ids else text.split(",") for text in texts]
    return [part.strip() for each in parts for part in each if part.strip()]


def _people(users: Any, histories: Any) -> tuple[list[str], Sequence[Sequence[Any]]]:
    """Ids (B,), and what is known of each beside the training data."""
    if isinstance(users, pd.DataFrame):
        if "user_id" not in users:
            raise DataError(f"a table of users needs the column user_id; it has {', '.join(map(str, users.columns))}")
        if "item_id" in users:
            histories = {key: rows.tolist() for key, rows in users.groupby("user_id", sort=False)["item_id"]}
            users = list(histories)
        else:
            users = users["user_id"].tolist()
    if isinstance(histories, Mapping):
        table = {as_id(key): _ids(items) for key, items in histories.items()}
        ids = list(table) if users is None else _ids(users)
        return ids, [table.get(id_, ()) for id_ in ids]
    if histories is not None:
        taken = [_ids(items) for items in histories]
        ids = [SOMEBODY] * len(taken) if users is None else _ids(users)
        if len(ids) != len(taken):
            raise DataError(f"{len(ids)} users and {len(taken)} histories; give one history for each user")
        return ids, taken
    ids = [SOMEBODY] if users is None else _ids(users)
    return ids, [()] * len(ids)


def _ids(given: Any) -> list[str]:
    """One id or many, as text."""
    values = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [as_id(values)]
    return [as_id(value) for value in values]


def moment(now: Any, called: str = "context: now =") -> int:
    """The second of a question. Raises DataError for what is no time, or one after ``LATEST``: no seconds, then."""
    how = "give seconds since 1970, a datetime or '2026-01-31 12:00'"
    try:
        if isinstance(now, bool):
            raise TypeError
        dated = not re.fullmatch(SECONDS, now.strip()) if isinstance(now, str) else isinstance(now, date)
        found = int(pd.Timestamp(now).timestamp()) if dated else int(float(now))
    except (ValueError, TypeError, OverflowError):
        raise DataError(f"{called} {now!r} is no time; {how}") from None
    if abs(found) > LATEST:
        raise DataError(f"{called} {now!r} is no second between 1840 and 2100; {how}, milliseconds divided by 1000")
    return found


def _context(model: Learned, context: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a query. Raises DataError for one that there is not."""
    if unknown := [name for name in context if name not in CONTEXT]:
        raise DataError(f"context: {unknown[0]!r} is nothing that is known; there are {', '.join(CONTEXT)}")
    known = {name: value for name, value in context.items() if value is not None}
    if "now" in known:
        known["now"] = moment(known["now"])
    if "place" in known:
        known |= {"place": position(known.pop("place"))}
    if "attributes" in known:
        _check_attributes(model, known["attributes"])
    if "friends" in known:
        found = model.data.users.numbers(_ids(known["friends"]), missing="-1")
        # No leakage. A private answer is made of the asker's own history alone, of which no friend is a part.
        known["friends"] = np.unique(found[found >= 0]) if len(found) and not model.config.privacy.epsilon else NONE
    return known


def unheard(model: Learned, context: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a context is of no use, a line each: friends whom the model does not know, a place or moment that nothing
    hears."""
    out: list[str] = []
    hearing = [block for block in model.profiles.heard if block.hears_place()]
    if (place := context.get("place")) is not None and not hearing:
        out.append(model.reason("place", "where somebody is now is not heard: no block of this model knows places"))
    elif place is not None and not any(block.hears_place(position(place)) for block in hearing):
        out.append(
            model.reason("place", "where somebody is now is not heard: no item is near it; the latitude comes first")
        )
    if context.get("now") is not None and model.data.events.timestamps is None:
        out.append(
            model.reason("now", "when somebody asks is not heard: the events that were learned from have no times")
        )
    ids = [] if context.get("friends") is None else _ids(context["friends"])
    if ids and model.config.privacy.epsilon:
        return (*out, model.reason("friends", "friends are not heard: what this model tells of others is private"))
    strange = int((model.data.users.numbers(ids, missing="-1") < 0).sum())
    if strange and len(ids) == 1:
        out.append(model.reason("unknown_friends", "the id is of nobody the model knows"))
    elif strange:
        counted = {"n": number(strange), "of": number(len(ids))}
        out.append(model.reason("unknown_friends", "{n} of {of} ids are of nobody the model knows", **counted))
    return tuple(out)


def position(place: Any, called: str = "context: place =") -> tuple[float, float]:
    """Latitude and longitude in degrees. Raises DataError."""
    how = "give latitude and longitude in degrees, such as 48.1 and 11.6"
    try:
        latitude, longitude = map(float, () if isinstance(place, str) else place)
    except (TypeError, ValueError):
        raise DataError(f"{called} {place!r} is no place; {how}") from None
    for name, value, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not abs(value) <= most:
            raise DataError(f"{called} {place!r}: the {name} {value:g} is not between -{most} and {most}; {how}")
    return latitude, longitude


def _check_attributes(model: Learned, attributes: Any) -> None:
    """Raises DataError for what is no mapping, or names an attribute that was not learned from."""
    if not isinstance(attributes, Mapping):
        raise DataError(f"context: attributes = {attributes!r}; give a mapping, such as {{'city': 'Berlin'}}")
    known = sorted({key for key, _ in model.described[1]})
    for name in attributes:
        if name not in known:
            why = next((f" ({c.why_not})" for c in model.data.user_columns if c.name == name and c.why_not), "")
            there = f"those are {', '.join(known)}" if known else "there are none"
            raise DataError(f"context: {name!r} is no attribute of people that was learned from{why}; {there}")

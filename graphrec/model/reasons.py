"""Why an item scores as it does, why it is not recommended, and why another scores higher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from graphrec.explain.contrast import Contrast
from graphrec.explain.moves import move_said
from graphrec.explain.names import public, public_contrast
from graphrec.explain.phrases import together
from graphrec.explain.say import speaking
from graphrec.explain.why_not import WhyNot
from graphrec.model.answers import moved
from graphrec.model.asked import SOMEBODY, Asked, as_id, at_most, checked, one, unheard
from graphrec.model.learned import Learned
from graphrec.model.retrieve import decided
from graphrec.model.standing import standing_of
from graphrec.profile.standing import PLAIN, Standing
from graphrec.query.query import Queries
from graphrec.types import Explanation, Floats, Move


def explain(
    model: Learned, user_id: Any, item_id: Any, limit: int, rerank: Any = (), k: int = 10, **known: Any
) -> Explanation:
    """Why an item scores as it does for one person: the score is that of ``recommend``. What re-ranks every answer of
    the model, and ``rerank`` beside, is told of where it moves the item in the list of k."""
    item, limit = model.data.items.number(as_id(item_id)), at_most(limit)
    query, whom, standing, score, of_all = _asked(model, user_id, item, known)
    place, seen = 0, model.config.seen
    taken = seen == "exclude" and item in query.seen.indices
    if score <= 0 and not taken:
        scores = of_all()
        may = np.ones(len(scores), bool)
        if seen != "allow":
            may[query.seen.indices] = False
        may = ~may if seen == "only" else may
        may[sorted(model.explainer.hidden)] = False
        before = (scores > scores[item]) | ((scores == scores[item]) & (np.arange(len(scores)) < item))
        place = 1 + int((may & before).sum())
    with speaking(model.spoken):
        found = model.explainer.explain(query, whom, item, limit, standing, place, seen)
        again = model.reason("taken", "it was taken already, and what was taken is not recommended again")
        own = (again,) if taken else ()
        degraded = (*standing.degraded, *own, *unheard(model, known))
        moves = _moved(model, user_id, item, rerank, k, known)
        found = public(found, model.names)
        text = together((found.text, *map(move_said, moves)))
        return replace(found, text=text, moved=moves, degraded=degraded)


def _moved(model: Learned, user_id: Any, item: int, rerank: Any, k: int, known: dict[str, Any]) -> tuple[Move, ...]:
    """What re-rankers did to an item in the list of k."""
    if not rerank and not model.mends:
        return ()
    own = {name: known[name] for name in ("history", "query", "told") if name in known}
    context = {name: value for name, value in known.items() if name not in own}
    hidden = [model.data.items.ids[n] for n in sorted(model.explainer.hidden)]
    asked = Asked.of(model, user_id, k, **own, context=context, rerank=rerank, exclude=hidden)
    return moved(model, asked, item)


def why_not(model: Learned, user_id: Any, item_id: Any, k: int, **known: Any) -> WhyNot:
    """Why an item is not among the k recommended."""
    item = model.data.items.number(as_id(item_id))
    query, whom, standing, _, of_all = _asked(model, user_id, item, known)
    scores = of_all()
    hidden, k = sorted(model.explainer.hidden - {item}), checked(k)
    if hidden:
        scores = np.asarray(scores, np.float32).copy()
        scores[hidden] = -np.inf
        k = max(1, min(k, len(np.setdiff1d(np.flatnonzero(scores > -np.inf), [item]))))
    with speaking(model.spoken):
        return model.explainer.why_not(query, whom, item, k, scores, standing, model.config.seen)


def contrast(model: Learned, user_id: Any, pair: tuple[Any, Any], **known: Any) -> Contrast:
    """Why one item scores higher or lower than another."""
    first, second = model.data.items.numbers([*map(as_id, pair)]).tolist()
    query, whom, standing, *_ = _asked(model, user_id, first, known)
    with speaking(model.spoken):
        return public_contrast(model.explainer.contrast(query, whom, (first, second), standing), model.names)


class _Question(NamedTuple):
    """A query, whom it is for, how it is ranked, the score of the item that is asked about, and when they are wanted
    the scores float32 (I,), by which an item has the place that it is recommended at."""

    query: Queries
    whom: str
    standing: Standing
    score: float
    scores: Callable[[], Floats]


def _asked(model: Learned, user_id: Any, item_num: int, known: dict[str, Any]) -> _Question:
    """A user whom nothing is known of is one without a history, as in ``recommend``. The catalogue is scored where that
    decides anything: of a million items it takes longer than the reasons."""
    query = one(model, user_id, **known)
    profile, sparse, personal = model.profiles.encode(query)
    own = None if sparse is None else sparse[0]

    @cache
    def of_profile() -> Floats:
        out: Floats = model.index.products(profile[0]) + (0 if own is None else own)
        return out

    def scores() -> Floats:
        if standing.plain:
            return model.index.settled(profile[0], of_profile(), item_num, own)
        return standing.scores(of_profile())

    whom = SOMEBODY if user_id is None else as_id(user_id)
    if decided(model, query, profile[0], own, personal):
        standing = PLAIN
        score = float(model.index.exact(profile[0], np.array([item_num]))[0] + (0 if own is None else own[item_num]))
    else:
        standing = standing_of(model, query, of_profile(), bool(personal[0]), asker=user_id is not None)
        score = float(scores()[item_num])
    return _Question(query, whom, standing, score, scores)

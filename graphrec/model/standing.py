"""What stands in for a profile that is not known, or beside one: peers, popularity, and words that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from graphrec.explain.say import number
from graphrec.model.learned import Learned, unit_deviation
from graphrec.model.worded import Liking, liking_of
from graphrec.profile.standing import PLAIN, Standing
from graphrec.query.query import NONE, Queries
from graphrec.types import Floats, Ints

ASKED_FOR = 3.0  # what is asked for now, against the whole profile
LAST = 0.3  # what is popular with everyone, beside words of somebody of whom nothing is known
FLAT_SCORES = 1e-6  # relative spread of scores up to which they tell nothing apart
MOST_ALIKE = 1000  # people whose histories stand in for one that is not known


def standing_of(
    model: Learned,
    query: Queries,
    of_profile: Floats,
    personal: bool,
    liking: Callable[[str], Liking] | None = None,
    asker: bool = True,
) -> Standing:
    """How one query (B = 1) is ranked.

    Args:
        of_profile: scores of the catalogue by the profile alone, float32 (I,). personal: whether it is more than what
            is said of everybody. liking: ``liking_of`` this model, remembered where many ask in the same words.
        asker: whether the question is somebody's, who then is to be known; else it is anybody's.

    Raises ConfigError for words where nothing places texts.
    """
    out = _without_words(model, query, of_profile, personal, asker)
    words = query.asked[0].words if query.asked else ""
    if not words:
        return out
    wanted = liking_of(model, words) if liking is None else liking(words)
    why = out.degraded
    if wanted.vague:
        why += (model.reason("words", "no text here is any more like these words than like words without a meaning"),)
    deviation = float(out.scores(of_profile).std()) or 1.0
    alone = out.factor == 0 and set(out.extra) == {"popularity"}
    rest = {name: part * np.float32((LAST if alone else 1.0) / deviation) for name, part in out.extra.items()}
    extra = {**rest, "words": np.float32(ASKED_FOR) * wanted.scores}
    return replace(out, factor=out.factor / deviation, extra=extra, degraded=why)


def _without_words(model: Learned, query: Queries, of_profile: Floats, personal: bool, asker: bool) -> Standing:
    worded = bool(query.asked and query.asked[0].words)
    known = int(query.user_nums[0]) >= 0
    if query.liked.nnz and personal:
        if _flat(of_profile, query):
            why = model.reason("popularity", "nothing tells the items apart for this user")
            return Standing(0.0, {"popularity": popular_now(model, query)}, degraded=(why,))
        return PLAIN
    degraded = []
    if not query.liked.nnz:
        if known:
            degraded.append(model.reason("no_history", "nothing this user took and liked is known"))
        elif asker:
            degraded.append(model.reason("unknown_user", "no history is known of this user"))
        what, peers = peers_of(model, query)
        if len(peers):
            theirs = np.asarray(model.ties.matrix[peers].mean(axis=0), np.float32).ravel()  # (I,)
            n = number(len(peers))
            degraded.append(
                model.reason(what, "beside the words ranked by what {n} of them took", n=n)
                if worded
                else model.reason(what, "ranked by what {n} of them took", n=n)
            )
            factor = 1 / (float(of_profile.std()) or 1.0) if personal else 0.0
            own = {} if personal else {"popularity": popular_now(model, query)}
            return Standing(factor, {**own, what: unit_deviation(theirs)}, peers, tuple(degraded))
    if personal:
        return Standing(degraded=tuple(degraded))
    if not worded:
        degraded.append(model.reason("popularity", "ranked by what is popular with everyone"))
    elif asker:
        degraded.append(model.reason("popularity", "beside the words ranked by what is popular with everyone"))
    return Standing(0.0, {"popularity": popular_now(model, query)}, degraded=tuple(degraded))


def popular_now(model: Learned, query: Queries) -> Floats:
    """What is popular with everyone, float32 (I,) at unit deviation, and beside it what is at the moment of asking, by
    what each counts for in the blend."""
    moments = [b for b in model.profiles.heard if b.momentary]
    if not moments:
        return model.popular
    always = model.profiles.of_everybody
    usual = 1.0 if always is None or always.momentary else always.weight or 1.0
    parts = [np.float32(b.weight / usual) * b.scores(query)[0] for b in moments]
    return unit_deviation(np.sum([model.popular, *parts], axis=0, dtype=np.float32))


def peers_of(model: Learned, query: Queries) -> tuple[str, Ints]:
    """For somebody without a history: friends who have one, else the people with a history who share most attributes,
    at most ``MOST_ALIKE``, and as many as may be told of (``Ties.together``) or none; int64 (n,)."""
    friends = query.friends.indices.astype(np.int64)
    friends = np.sort(friends[~model.ties.cold[friends]])
    if len(friends):
        return "friends", friends
    described, place = model.described
    user = int(query.user_nums[0])
    row = described[user].toarray().ravel() if user >= 0 else np.zeros(described.shape[1], np.float32)
    for key, values in (query.asked[0].attributes if query.asked else {}).items():
        for value in _several(values):
            if (key, value) in place:
                row[place[key, value]] = 1.0
    shared = np.asarray(described @ row, np.float32)  # (U,)
    shared[model.ties.cold] = 0.0
    best = np.flatnonzero(shared == shared.max(initial=0.0)) if shared.any() else NONE
    return "attributes", best[: MOST_ALIKE if model.ties.enough(best) else 0].astype(np.int64)


def _several(values: Any) -> list[str]:
    """One value or many, as texts; None is not known."""
    many = values if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    return [str(value) for value in many if value is not None]


def _flat(scores: Floats, query: Queries) -> bool:
    """Whether the scores (I,) of what is not taken differ by no more than rounding."""
    others = np.delete(scores, query.seen.indices)
    if len(others) < 2:
        return False
    return float(others.max() - others.min()) <= FLAT_SCORES * float(np.abs(scores).max(initial=0.0))

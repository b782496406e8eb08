"""From what is asked to what the model is asked: who, what is known of them by now, what may come back, which page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphrec.errors import ConfigError, DataError, GraphrecError
from graphrec.evaluate.standing import MOST as MOST_EXPLORED
from graphrec.model.asked import SOMEBODY, Asked, listed
from graphrec.model.model import Model
from graphrec.model.slid import unmoved
from graphrec.query.query import STRANGER, Queries, Query
from graphrec.serve.cursor import Cursor, CursorGone
from graphrec.serve.schemas import MOST_K, Ask, Contrast, Known, Supposed, Why, WhyNot
from graphrec.serve.state import State
from graphrec.serve.times import seconds_of
from graphrec.serve.version import DEPTH, Shown, Version

POOL = 10  # times as many items as are asked for may be explored
LEAST_POOL = 100


@dataclass(frozen=True)
class Question:
    """One question, ready to be answered. ``group``: those that have the same are answered by one search. ``offset``:
    how many items are on pages before. ``wanted``: how many are looked for."""

    id: str
    ask: Ask
    version: Version
    shown: Shown
    model: Model
    asked: Asked
    offset: int
    wanted: int
    heard: int
    first: str
    group: Any
    plain: bool = False  # of a user as they are stored, and nothing else

    @property
    def asker(self) -> bool:
        """Whether it is somebody's question, who then is to be known."""
        return self.ask.user_id is not None


def question_of(
    state: State, ask: Ask, id_: str, at: tuple[Version, Shown] | None = None, upto: int | None = None
) -> Question:
    """What ``ask`` asks of the model that answers now, or of one at another moment.

    Raises ConfigError, DataError and UnknownIdError for what cannot be asked; CursorGone for a page of a model that
    is not kept any more."""
    cursor = Cursor.read(ask.cursor, ask) if ask.cursor else None
    ask = _with_scenario(state, ask)
    shown = state.shown if cursor is None else state.shown_at(cursor.epoch)
    version = state.version_for(ask.user_id) if cursor is None else state.version(cursor.version)
    if at is not None and cursor is None:
        version, shown = at
    if version is None:
        raise CursorGone("cursor: its model is not kept any more; begin with the first page")
    if ask.explore and ask.explore > state.settings.explore:
        raise ConfigError(
            f"explore: {ask.explore:g} is more than {state.settings.explore:g}, which this service allows"
        )
    if ask.explore and ask.k > MOST_EXPLORED:
        raise ConfigError(f"explore: a list of {ask.k} places is too long to explore; ask for k up to {MOST_EXPLORED}")
    model = version.view(shown, ask.weights)
    chain = chain_of(ask, model)
    offset = 0 if cursor is None else cursor.offset
    if cursor is not None and (chain or ask.explore):
        raise ConfigError("cursor: lists that are re-ranked or explored have one page; ask for a larger k")
    wanted = ask.k if chain else max(min(offset + ask.k, MOST_K) + 1, DEPTH)
    if ask.explore:
        wanted = max(LEAST_POOL, POOL * ask.k)
    heard = version.live.count(ask.user_id) if ask.user_id is not None else 0
    heard = heard if cursor is None else min(heard, cursor.heard)
    heard = heard if upto is None else min(heard, upto)
    asked = _asked(state, ask, version, shown, model, chain, wanted, heard)
    if ask.weights and (notes := unmoved(model, ask.weights)):
        asked = replace(asked, notes=(*asked.notes, *notes))
    allowed = None if asked.allowed is None else id(asked.allowed)  # the mask of a filter is remembered
    stored = asked.queries.asked is None
    group = (id(model), asked.seen, asked.exclude.tobytes(), allowed, chain and (chain, wanted), stored)
    first = id_ if cursor is None else cursor.first
    plain = stored and not ask.weights and asked.allowed is None and not chain and asked.seen == model.config.seen
    plain = plain and asked.exclude is version.barred(shown)
    return Question(id_, ask, version, shown, model, asked, offset, wanted, heard, first, group, plain)


def questions_of(state: State, ask: Ask, id_: str) -> list[Question]:
    """One question, or two to be interleaved: of the model that answers, and of the one on trial. Pages and lists that
    are explored are of one model. Raises as ``question_of``."""
    trial = state.trial
    if trial is None or not trial.interleaved or ask.cursor or not trial.has(ask.user_id, state.settings.salt):
        return [question_of(state, ask, id_)]
    shown = state.shown
    first = question_of(state, ask, id_, at=(state.current, shown))
    if first.ask.explore:
        return [first]
    try:
        return [first, question_of(state, ask, id_, at=(trial.version, shown))]
    except GraphrecError:
        note = "interleave: the model on trial cannot be asked this, so this list is of the other one alone"
        return [replace(first, asked=replace(first.asked, notes=(*first.asked.notes, note)))]


def told_of(
    state: State, version: Version, user_id: str | None, suppose: Sequence[Supposed] = (), upto: int | None = None
) -> Query | None:
    """What is known of somebody beside what the model learned from; None where that is all. Raises DataError,
    UnknownIdError."""
    gone = state.is_gone(user_id, version.learned)
    supposed = [
        {"item_id": e.item_id, "kind": e.type, "value": e.value, "timestamp": seconds_of(e.time, f"suppose.{n}.time")}
        for n, e in enumerate(suppose)
    ]
    for n, event in enumerate(supposed):
        try:
            said = {name: value for name, value in event.items() if value is not None}
            version.live.checked([{"user_id": SOMEBODY, **said}])
        except DataError as error:
            raise DataError(f"suppose.{n}: {str(error).removeprefix('updated: ')}") from None
    if user_id is None:
        return version.live.query(SOMEBODY, supposed, 0, strange=True) if supposed else None
    if not gone and not supposed and not (version.live.count(user_id) if upto is None else upto):
        return None
    return version.live.query(user_id, supposed, upto, strange=gone)


def known_of(state: State, version: Version, known: Why | WhyNot | Contrast) -> dict[str, Any]:
    """What ``Model.explain`` and its like take beside the user. Raises ConfigError where it is about nobody."""
    items = listed(known.history, version.model.data.items)
    words = (known.query or "").strip()
    if known.user_id is None and not items and not words and not known.suppose and not known.friends:
        raise ConfigError("for whom? Give user_id, or history, or a query")
    out: dict[str, Any] = {"history": items, "query": words or None, **context_of(state, version, known)}
    if (told := told_of(state, version, known.user_id, known.suppose)) is not None:
        out["told"] = told
    if isinstance(known, Why):
        out |= {"rerank": tuple(known.rerank), "k": known.k}
    return out


def context_of(state: State, version: Version, known: Known) -> dict[str, Any]:
    """What else is known now. A friend who is forgotten is nobody."""
    friends = ["" if state.is_gone(one, version.learned) else one for one in listed_plain(known.friends)]
    said = {"now": known.now, "place": known.place, "friends": friends}
    attributes = getattr(known, "attributes", None)
    return {name: value for name, value in {**said, "attributes": attributes}.items() if value not in (None, [], {})}


def listed_plain(texts: Sequence[str]) -> list[str]:
    """Ids given one at a time or as comma lists."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def chain_of(ask: Ask, model: Model) -> tuple[str, ...]:
    """The re-rankers of a question, as they are written: those of every answer of the model, boosts, and pins last."""
    out = [*map(str, model.mends), *(f"boost={text}" for text in ask.boost)]
    out += list(ask.rerank)
    if ask.diversity:
        out.append(f"diversity={ask.diversity!r}")
    if ask.pin:
        out.append(f"pin={','.join(listed(ask.pin, model.data.items))}")
    return tuple(out)


def _with_scenario(state: State, ask: Ask) -> Ask:
    if ask.scenario is None:
        return ask
    known = state.settings.scenarios
    if ask.scenario not in known:
        raise ConfigError(f"scenario: there is no {ask.scenario!r}; there are {', '.join(known) or 'none'}")
    return Ask.model_validate({**known[ask.scenario], **ask.model_dump(exclude_unset=True)})


def _asked(
    state: State, ask: Ask, version: Version, shown: Shown, model: Model, chain: Sequence[str], k: int, heard: int
) -> Asked:
    data, barred = model.data, version.barred(shown)
    context, words = context_of(state, version, ask), (ask.query or "").strip()
    told = told_of(state, version, ask.user_id, ask.suppose, heard)
    plain = not (ask.history or ask.exclude or ask.include or ask.filter or chain or context or words)
    if plain and ask.user_id is not None:
        number = int(data.users.numbers([ask.user_id], missing="-1")[0])
        if told is not None:
            queries = Queries.of(model.ties, [told])
        elif number == STRANGER:
            queries = Queries.of(model.ties, [Query()])
        else:
            queries = Queries.stored(model.ties, np.array([number]))
        return Asked([ask.user_id], queries, k, ask.seen or model.config.seen, barred)
    history = listed(ask.history, data.items)
    if ask.user_id is None and not history and not words and not ask.suppose and not context.get("friends"):
        raise ConfigError("for whom? Give user_id, or history, or a query")
    asked = Asked.of(
        model,
        ask.user_id,
        k,
        history=history,
        query=ask.query,
        exclude=listed(ask.exclude, data.items),
        include=listed(ask.include, data.items) if ask.include else None,
        seen=ask.seen,
        context=context,
        filter=ask.filter,
        rerank=chain[len(model.mends) :],  # which ``Asked.of`` adds itself
        told=told,
    )
    if not len(barred):
        return asked
    return Asked(**{**vars(asked), "exclude": np.union1d(asked.exclude, barred).astype(np.int64)})

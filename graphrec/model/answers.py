"""The line from a question to a table: encode → retrieve → filters → re-rankers → table, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from graphrec.cluster.engine import LOCAL, Engine
from graphrec.explain.say import marked, number, say, speaking
from graphrec.model.asked import LEFT, Asked, as_id, checked
from graphrec.model.learned import Learned
from graphrec.model.retrieve import Found, ranked, retrieve, scores
from graphrec.query.ties import row
from graphrec.rerank.api import Candidates, Change, answer, moves, wanted
from graphrec.types import Floats, Ints, Move

BATCH = 512  # people answered at once
COLUMNS = ("user_id", "item_id", "score", "rank", "title")
_BY_TEXT = (  # of what nobody took, and of what somebody did
    marked("nobody is known to like this item, so it is compared by its text"),
    marked("nothing that was learned compares it, so it is compared by its text"),
)
_BY_POPULARITY = (
    marked("nobody is known to like this item, and no text of it is known"),
    marked("nothing that was learned compares it, and no text of it is known"),
)
Answers: TypeAlias = list[tuple[str, Found]]


def batches(model: Learned, asked: Asked) -> Iterator[tuple[pd.DataFrame, Answers]]:
    """Recommendations, ``BATCH`` people at a time: each a table, and what it was made of."""
    for start in range(0, len(asked.user_ids), BATCH):
        rows = np.arange(start, min(start + BATCH, len(asked.user_ids)))
        whom = [asked.user_ids[n] for n in rows.tolist()]
        found = [told(model, each, asked) for each in found_of(model, asked, rows)]
        yield _table(model, whom, found), list(zip(whom, found, strict=True))


def found_of(model: Learned, asked: Asked, rows: Ints) -> list[Found]:
    """What the queries at ``rows`` are answered with, before it becomes a table."""
    return _reranked(model, asked, rows) if asked.rerank else retrieve(model, asked, rows, asked.k)


def joined(model: Learned, parts: Iterable[tuple[pd.DataFrame, Answers]], reranked: bool) -> pd.DataFrame:
    """``batches`` as the one table of ``Recommender.recommend``."""
    tables: list[pd.DataFrame] = []
    found: Answers = []
    for table, whom in parts:
        tables.append(table)
        found += whom
    out = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    why = {user: list(each.why) for user, each in found if each.why}
    changes = {user: [by_id(model, c) for c in each.changes] for user, each in found if each.changes}
    alone = found[0][0] if len(found) == 1 else None
    out.attrs["degraded"] = why if alone is None else why.get(alone, [])
    if reranked:
        out.attrs["changes"] = changes if alone is None else changes.get(alone, [])
    return out


@dataclass(frozen=True)
class Answering:
    """Work: ``batches`` for some people, user ids with their histories."""

    model: Learned
    k: int
    options: Mapping[str, Any]

    def __call__(self, people: tuple[Sequence[str], Any]) -> list[tuple[pd.DataFrame, Answers]]:
        ids, histories = people
        return list(batches(self.model, Asked.of(self.model, ids, self.k, histories=histories, **self.options)))


def streamed(
    model: Learned, people: Iterable[tuple[Sequence[str], Any]], k: int, engine: Engine = LOCAL, **options: Any
) -> Iterator[tuple[pd.DataFrame, Answers]]:
    """``batches`` for any number of people, of whom only a part is held at a time.

    Args:
        people: user ids with their histories, or None where nothing is known beside the training data.
        engine: answers the parts. options: as ``Recommender.recommend`` takes them.
    """
    for part in engine.map(Answering(model, k, options), people):
        yield from part


def _reranked(model: Learned, asked: Asked, rows: Ints) -> list[Found]:
    """What the re-rankers make of what is retrieved for the queries at ``rows``."""
    chain = asked.rerank
    first = wanted(chain, asked.k)
    retrieved = retrieve(model, asked, rows, first)
    out = []
    for place, found in zip(rows.tolist(), retrieved, strict=True):
        shown = answer(chain, _fetching(model, asked, place, {first: found}), asked.k)
        out.append(replace(found, nums=shown.item_nums, scores=shown.scores, changes=shown.changes))
    return out


def moved(model: Learned, asked: Asked, item_num: int) -> tuple[Move, ...]:
    """What the re-rankers of the first query did to an item of its list."""
    return moves(asked.rerank, _fetching(model, asked, 0, {}), asked.k, item_num) if asked.rerank else ()


def _fetching(model: Learned, asked: Asked, place: int, known: Mapping[int, Found]) -> Callable[[int], Candidates]:
    """The best n candidates of the query at a place; those of some n are ``known``."""
    score, liked = partial(_scores_of, model, asked, place), row(asked.queries.liked, place)

    def fetch(n: int) -> Candidates:
        best = known[n] if n in known else retrieve(model, asked, np.array([place]), n)[0]
        return Candidates(best.nums, best.scores, model.attributes, model.likeness.rows, score, model.prices, liked)

    return fetch


def _scores_of(model: Learned, asked: Asked, place: int, item_nums: Ints) -> Floats:
    """One query's scores of any items, float32 (n,), -inf where they must not come back."""
    out = scores(model, asked.queries[np.array([place])])[0]
    out[asked.barred(place)] = -np.inf
    if asked.allowed is not None:
        out[~asked.allowed] = -np.inf
    of_these: Floats = out[item_nums]
    return of_these


def told(model: Learned, found: Found, asked: Asked) -> Found:
    """What was found, with a line for what of the question was left unheard, and where there are fewer items than were
    asked for."""
    if asked.notes:
        found = replace(found, why=(*found.why, *asked.notes))
    if len(found.nums) >= asked.k:
        return found
    if asked.allowed is not None and not asked.allowed.any():
        of = number(len(asked.allowed))
        line = model.reason("fewer_items", "none of {of} items passes the filter", of=of)
    else:
        with speaking(model.spoken):
            filtered = say(" and the filters allow") if asked.allowed is not None or asked.rerank else ""
            filtered += say(" and `exclude` does not name") if len(asked.exclude) else ""
        line = model.reason("fewer_items", LEFT[asked.seen], n=len(found.nums), k=asked.k, filtered=filtered)
    return replace(found, why=(*found.why, line))


def similar(model: Learned, item_id: Any, k: int) -> pd.DataFrame:
    """The k items nearest to one by ``Likeness``; where that says nothing of it, by its text alone."""
    k = checked(k)
    number, degraded = model.data.items.number(as_id(item_id)), list[str]()
    taken = bool(model.ties.taken[number]) or not model.ties.tell_none  # that nobody took it is told of others as well
    likeness = model.likeness.to(number) if taken else model.popular
    if not taken or not np.delete(likeness, number).any():
        text = model.profiles.of_texts
        items = np.zeros((model.data.n_items, 1), np.float32) if text is None else np.asarray(text.items)
        lengths = np.maximum(np.linalg.norm(items, axis=1), 1e-12)
        by_text = bool(items[number].any())
        likeness = items @ items[number] / (lengths * lengths[number]) if by_text else model.popular
        why = _BY_TEXT if by_text else _BY_POPULARITY
        degraded.append(model.reason("text" if by_text else "popularity", why[taken]))
    nums, found = ranked(np.asarray(likeness, np.float32), k, np.array([number]))
    out = _table(model, [""], [Found(nums, found)]).drop(columns="user_id")
    out.attrs["degraded"] = degraded
    return out


def _table(model: Learned, user_ids: Sequence[str], found: Sequence[Found]) -> pd.DataFrame:
    counts = [len(each.nums) for each in found]
    nums = np.concatenate([each.nums for each in found]).astype(np.int64)
    return pd.DataFrame(
        {
            "user_id": np.repeat(np.array(user_ids, object), counts),
            "item_id": model.item_ids[nums],
            "score": np.concatenate([each.scores for each in found]).astype(np.float64),
            "rank": np.concatenate([np.arange(1, n + 1) for n in counts]).astype(np.int64),
            "title": model.data.item_titles[nums].astype(str),
        }
    )


def by_id(model: Learned, change: Change) -> dict[str, Any]:
    """What a re-ranker changed, with item ids for numbers."""
    return {**change, **{what: [model.data.items.ids[n] for n in change[what]] for what in ("came", "went")}}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON objects."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]

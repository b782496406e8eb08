"""How questions are answered by a model, many at once; and by what of it works where a part fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphrec.model import answers
from graphrec.model.asked import Asked
from graphrec.model.retrieve import Found, ranked, scores
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.serve.questions import Question


def ready(question: Question) -> Found | None:
    """A list that is ready, for a question that it answers."""
    if not question.plain:
        return None
    wanted = question.wanted if question.ask.explore else question.offset + question.ask.k + 1
    return question.version.listed(int(question.asked.queries.user_nums[0]), wanted, question.asked.exclude)


def search(questions: Sequence[Question]) -> list[Found]:
    """What questions of one group are answered with; of plain ones the lists stay ready."""
    found = _searched(questions)
    for question, each in zip(questions, found, strict=True):
        if question.plain and not len(question.asked.exclude):
            question.version.keep(int(question.asked.queries.user_nums[0]), each)
    return found


def _searched(questions: Sequence[Question]) -> list[Found]:
    first = questions[0]
    if len(questions) == 1:
        return answers.found_of(first.model, first.asked, np.arange(1))
    stored = first.asked.queries.asked is None
    ties, k = first.model.ties, max(question.wanted for question in questions)
    if stored:
        queries = Queries.stored(ties, np.concatenate([q.asked.queries.user_nums for q in questions]))
    else:
        queries = Queries.of(ties, [q.asked.queries.asked[0] for q in questions])  # type: ignore[index]
    ids = [q.asked.user_ids[0] for q in questions]
    asked = replace(first.asked, user_ids=ids, queries=queries, k=k, notes=())
    found = answers.found_of(first.model, asked, np.arange(len(questions)))
    return [
        replace(each, nums=each.nums[: q.wanted], scores=each.scores[: q.wanted])
        for each, q in zip(found, questions, strict=True)
    ]


def words_of(question: Question) -> str:
    asked = question.asked.queries.asked
    return asked[0].words if asked else ""


def wordless(question: Question) -> Question:
    asked = question.asked
    known = [replace(query, words="") for query in asked.queries.asked or ()]
    return replace(question, asked=replace(asked, queries=Queries.of(asked.queries.ties, known)))


def exact(question: Question) -> Found:
    """By scores of everything, without the index."""
    asked = question.asked
    nums, values = ranked(scores(question.model, asked.queries)[0], question.wanted, asked.barred(0), asked.allowed)
    return Found(nums, values)


def popular(question: Question) -> Found:
    """By what is popular, of which no more is needed than how many people took what."""
    model, asked = question.model, question.asked
    try:
        popular = model.popular
    except Exception:
        counts = np.bincount(model.data.interactions.item_nums, minlength=model.data.n_items)
        popular = np.log1p(counts).astype(np.float32)
    return Found(*ranked(popular, question.wanted, _barred(asked), asked.allowed))


def _barred(asked: Asked) -> Any:
    try:
        return asked.barred(0)
    except Exception:
        number = int(asked.queries.user_nums[0])
        taken = row(asked.queries.ties.known, number) if number >= 0 else asked.exclude[:0]
        return np.union1d(taken, asked.exclude).astype(np.int64)

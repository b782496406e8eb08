"""Answers to questions, as documents: many by one search, and something even where a part of the model fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphrec.errors import GraphrecError, MissingModelError
from graphrec.evaluate.standing import standing
from graphrec.model import answers
from graphrec.model.asked import Asked
from graphrec.model.parts import parts
from graphrec.model.retrieve import Found, ranked, scores
from graphrec.query.query import NONE, Queries
from graphrec.query.ties import row
from graphrec.serve.cursor import Cursor, fingerprint
from graphrec.serve.faults import close, lost
from graphrec.serve.pool import Outcome
from graphrec.serve.questions import Question, question_of
from graphrec.serve.schemas import MOST_K, Ask
from graphrec.serve.state import State
from graphrec.types import Floats

log = logging.getLogger("graphrec.serve")


class Answering:
    """Answers of a service. ``failed`` is told of every part that fails; ``answered`` of every answer, its question
    and the item numbers."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.failed: Callable[[str], None] = lambda what: None
        self.answered: Callable[[Question, dict[str, Any], Any], None] = lambda question, document, nums: None

    def together(self, asks: Sequence[tuple[Ask, str]]) -> list[Outcome]:
        """For each question its document, or the exception that it raises: those alike are answered by one search."""
        out: list[Outcome] = [(None, None)] * len(asks)
        questions: list[Question] = []
        places: list[int] = []
        for place, (ask, id_) in enumerate(asks):
            try:
                questions.append(question_of(self.state, ask, id_))
                places.append(place)
            except Exception as error:
                out[place] = None, error
        for place, outcome in zip(places, self.answered_of(questions), strict=True):
            out[place] = outcome
        return out

    def answered_of(self, questions: Sequence[Question]) -> list[Outcome]:
        """For each question its document, or the exception that it raises."""
        out: list[Outcome] = [(None, None)] * len(questions)
        groups: dict[Any, list[int]] = {}
        for place, question in enumerate(questions):
            groups.setdefault(question.group, []).append(place)
        for group in groups.values():
            for place, found in zip(group, self._found([questions[n] for n in group]), strict=True):
                if isinstance(found, BaseException):
                    out[place] = None, found
                    continue
                try:
                    document, nums = self.document(questions[place], found)
                    self.answered(questions[place], document, nums)
                    out[place] = document, None
                except Exception as error:
                    out[place] = None, error
        return out

    def verify(self, id_: str, answer: Mapping[str, Any] | None) -> tuple[bool | None, list[str]]:
        """Whether an answer that was recorded is what its model says, asked again; None where that is not known any
        more, with why."""
        if answer is None or answer.get("kind", "recommend") != "recommend":
            return None, ["no list of this id is kept (any more)"]
        version = self.state.version(str(answer["model_version"]))
        if version is None:
            return None, [f"the model {answer['model_version']} is not kept any more"]
        said = dict(answer["request"])
        heard, epoch = int(said.pop("heard", 0)), int(said.pop("epoch", 0))
        if self.state.is_gone(said.get("user_id")):
            return None, ["nothing of this user is kept any more"]
        at = version, self.state.shown_at(epoch)
        question = question_of(self.state, Ask.model_validate(said), id_, at=at, upto=heard)
        now = self.document(question, _search([question])[0])[0]["items"]
        problems = []
        if [item["item_id"] for item in now] != [item["item_id"] for item in answer["items"]]:
            problems.append("the items, or their order, are others")
        scores_ = [(float(a["score"]), float(b["score"])) for a, b in zip(now, answer["items"], strict=False)]
        if not all(close(a, b, a) for a, b in scores_):
            problems.append("scores are others")
        return not problems, problems

    def _found(self, questions: Sequence[Question]) -> Sequence[Found | BaseException]:
        ready = [_ready(question) for question in questions]
        left = [question for question, found in zip(questions, ready, strict=True) if found is None]
        coming = iter(self._searched(left) if left else ())
        return [next(coming) if found is None else found for found in ready]

    def _searched(self, questions: Sequence[Question]) -> Sequence[Found | BaseException]:
        try:
            return _search(questions)
        except Exception:
            return [self._alone(question) for question in questions]

    def _alone(self, question: Question) -> Found | BaseException:
        """What one question is answered with, by what of the model works."""
        try:
            return _search([question])[0]
        except MissingModelError:
            return self._less("encoder", question, lambda: self._alone(_wordless(question)))
        except GraphrecError as error:
            return error  # a mistake of the question
        except Exception as error:
            if _words(question):
                return self._less("encoder", question, lambda: self._alone(_wordless(question)))
            first = error
        try:
            return self._less("index", question, lambda: _exact(question), first)
        except Exception as error:
            return self._less("popularity", question, lambda: _popular(question), error)

    def _less(
        self, what: str, question: Question, do: Callable[[], Any], error: BaseException | None = None
    ) -> Found | BaseException:
        log.error("fault", extra={"told": {"what": what, "kind": type(error).__name__}})
        found: Found | BaseException = do()
        self.failed(what)
        return found if isinstance(found, BaseException) else replace(found, why=(*found.why, lost(what)))

    def document(self, question: Question, found: Found) -> tuple[dict[str, Any], Any]:
        """The document of /recommend, and the item numbers int64 (n,)."""
        ask, model = question.ask, question.model
        page = slice(question.offset, min(question.offset + ask.k, MOST_K))
        more = len(found.nums) > page.stop and page.stop < MOST_K and not ask.explore
        named = question.asked.exclude if ask.exclude else NONE  # what is hidden nobody asked for
        enough = replace(question.asked, k=question.offset + ask.k, exclude=named)
        told = answers.told(model, replace(found, nums=found.nums[: page.stop]), enough)
        propensities: Any = None
        nums, values = found.nums[page], found.scores[page]
        if ask.explore:
            nums, values, propensities = explored(found, ask.k, ask.explore, question.id)
        if question.offset and self.state.shown.epoch != question.shown.epoch:
            shown = ~np.isin(nums, question.version.barred(self.state.shown))
            nums, values = nums[shown], values[shown]
        degraded = [*told.why, *self.state.faults.values()]
        titles = model.data.item_titles
        ids = model.data.items.ids
        items: list[dict[str, Any]] = [
            {"item_id": ids[n], "score": float(s), "rank": question.offset + at, "title": str(titles[n])}
            for at, (n, s) in enumerate(zip(nums.tolist(), values.tolist(), strict=True), 1)
        ]
        if propensities is not None:
            for item, propensity in zip(items, propensities.tolist(), strict=True):
                item["propensity"] = propensity
        if ask.blocks:
            try:
                found_parts = parts(model, question.asked.queries, nums, question.asker)
                for at, item in enumerate(items):
                    item["blocks"] = {name: float(part[at]) for name, part in found_parts.items()}
            except Exception as error:
                log.error("fault", extra={"told": {"what": "blocks", "kind": type(error).__name__}})
                degraded.append(lost("blocks"))
                self.failed("blocks")
        if more:
            where = question.version.name, question.heard, question.shown.epoch, page.stop, question.first
            cursor = str(Cursor(*where, fingerprint(self.asked_first(ask))))
        out = {
            "recommendation_id": question.id,
            "model_version": model.version,
            "degraded": degraded,
            "user_id": ask.user_id,
            "scenario": ask.scenario,
            "items": items,
            "next_cursor": cursor if more else None,
        }
        if question.asked.rerank:
            out["changes"] = [answers.by_id(model, change) for change in found.changes]
        return out, nums

    def asked_first(self, ask: Ask) -> Ask:
        """A question as it came, before its scenario was put into it."""
        if ask.scenario is None:
            return ask
        fields = self.state.settings.scenarios[ask.scenario]
        own = {name: value for name, value in ask.model_dump(exclude_unset=True).items() if fields.get(name) != value}
        return Ask.model_validate({**own, "scenario": ask.scenario})


def explored(found: Found, k: int, share: float, seed: str) -> tuple[Any, Floats, Any]:
    """k of the items found, each place filled with the best that is left, or with ``share`` with one drawn evenly from
    all that are: numbers, scores, and the propensity float64 (k,) with which each comes to its place, whatever stands
    before it."""
    random = np.random.default_rng(int.from_bytes(seed.encode()[-8:], "big"))
    left = list(range(len(found.nums)))
    taken: list[int] = []
    while left and len(taken) < k:
        at = int(random.integers(len(left))) if random.random() < share else 0
        taken.append(left.pop(at))
    places = np.array(taken, np.int64)
    propensities = standing(len(found.nums), k, share)[np.minimum(places, k), np.arange(len(places))]
    return found.nums[places], found.scores[places], propensities


def _ready(question: Question) -> Found | None:
    """A list that is ready, for a question that it answers."""
    if not question.plain:
        return None
    return question.version.listed(int(question.asked.queries.user_nums[0]), question.wanted, question.asked.exclude)


def _search(questions: Sequence[Question]) -> list[Found]:
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


def _words(question: Question) -> str:
    asked = question.asked.queries.asked
    return asked[0].words if asked else ""


def _wordless(question: Question) -> Question:
    asked = question.asked
    known = [replace(query, words="") for query in asked.queries.asked or ()]
    return replace(question, asked=replace(asked, queries=Queries.of(asked.queries.ties, known)))


def _exact(question: Question) -> Found:
    """By scores of everything, without the index."""
    asked = question.asked
    nums, values = ranked(scores(question.model, asked.queries)[0], question.wanted, asked.barred(0), asked.allowed)
    return Found(nums, values)


def _popular(question: Question) -> Found:
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

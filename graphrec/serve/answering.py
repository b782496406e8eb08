"""Answers to questions, as documents: many by one search, and something even where a part of the model fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from graphrec.errors import GraphrecError, MissingModelError
from graphrec.evaluate.standing import standing
from graphrec.model import answers
from graphrec.model.parts import parts
from graphrec.model.retrieve import Found
from graphrec.query.query import NONE
from graphrec.serve.cursor import Cursor, fingerprint
from graphrec.serve.faults import close, lost
from graphrec.serve.pool import Outcome
from graphrec.serve.questions import Question, question_of, questions_of
from graphrec.serve.schemas import MOST_K, Ask
from graphrec.serve.searching import exact, popular, ready, search, wordless, words_of
from graphrec.serve.state import State
from graphrec.serve.trial import merged
from graphrec.types import Floats

log = logging.getLogger("graphrec.serve")

Said: TypeAlias = tuple[dict[str, Any], Any]  # a document, and its item numbers int64 (n,)
PLAIN = frozenset({"user_id", "k"})  # fields of a question that a list which is ready may answer
KINDS = ("recommend", "interleave")  # of answers that are lists


class Answering:
    """Answers of a service. ``failed`` is told of every part that fails; ``answered`` of every answer, its question
    (two that are interleaved) and the item numbers."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.failed: Callable[[str], None] = lambda what: None
        self.answered: Callable[[Sequence[Question], dict[str, Any], Any], None] = lambda questions, document, nums: (
            None
        )

    def listed(self, ask: Ask) -> bool:
        """Whether it asks for nothing but somebody's best items, and a list of these is ready."""
        state = self.state
        if ask.user_id is None or not ask.model_fields_set <= PLAIN or state.trial is not None:
            return False
        version, shown = state.current, state.shown
        heard = version.live.count(ask.user_id) or state.is_gone(ask.user_id, version.learned)
        if heard or not version.viewed(shown):
            return False
        number = int(version.model.data.users.numbers([ask.user_id], missing="-1")[0])
        return version.listed(number, ask.k + 1, version.barred(shown)) is not None

    def together(self, asks: Sequence[tuple[Ask, str]]) -> list[Outcome]:
        """For each question its document, or the exception that it raises: those alike are answered by one search."""
        out: list[Outcome] = [(None, None)] * len(asks)
        questions: list[Question] = []
        spans: dict[int, slice] = {}
        for place, (ask, id_) in enumerate(asks):
            try:
                some = questions_of(self.state, ask, id_)
                spans[place] = slice(len(questions), len(questions) + len(some))
                questions += some
            except Exception as error:
                out[place] = None, error
        found = self._documents(questions)
        for place, span in spans.items():
            out[place] = self._said(questions[span], found[span])
        return out

    def answered_of(self, questions: Sequence[Question]) -> list[Outcome]:
        """For each question its document, or the exception that it raises."""
        found = self._documents(questions)
        return [self._said([question], [each]) for question, each in zip(questions, found, strict=True)]

    def _said(self, questions: Sequence[Question], found: Sequence[Said | BaseException]) -> Outcome:
        """The document of one question, or of two that are interleaved."""
        try:
            whole = [each for each in found if not isinstance(each, BaseException)]
            if isinstance(found[0], BaseException):
                raise found[0]
            if len(whole) < len(found):
                lone = "interleave: the model on trial fails, so this list is of the other one alone"
                whole = [({**whole[0][0], "degraded": [*whole[0][0]["degraded"], lone]}, whole[0][1])]
            document, nums = whole[0] if len(whole) == 1 else merged([q.version for q in questions], whole)
            self.answered(questions[: len(whole)], document, nums)
            return document, None
        except Exception as error:
            return None, error

    def _documents(self, questions: Sequence[Question]) -> list[Said | BaseException]:
        """Of each question its document and the item numbers, or the exception that it raises."""
        out: list[Said | BaseException] = [LookupError()] * len(questions)
        groups: dict[Any, list[int]] = {}
        for place, question in enumerate(questions):
            groups.setdefault(question.group, []).append(place)
        for group in groups.values():
            for place, found in zip(group, self._found([questions[n] for n in group]), strict=True):
                try:
                    out[place] = found if isinstance(found, BaseException) else self.document(questions[place], found)
                except Exception as error:
                    out[place] = error
        return out

    def verify(self, id_: str, answer: Mapping[str, Any] | None) -> tuple[bool | None, list[str]]:
        """Whether an answer that was recorded is what its model says, asked again; None where that is not known any
        more, with why."""
        if answer is None or answer.get("kind", "recommend") not in KINDS:
            return None, ["no list of this id is kept (any more)"]
        said = dict(answer["request"])
        heard, epoch = int(said.pop("heard", 0)), int(said.pop("epoch", 0))
        of = [(str(answer["model_version"]), heard), *map(tuple, said.pop("interleaved", ()))]
        questions = []
        for name, upto in of:
            if (version := self.state.version(name)) is None:
                return None, [f"the model {name} is not kept here (any more)"]
            if self.state.is_gone(said.get("user_id"), version.learned):
                return None, ["nothing of this user is kept any more"]
            at = version, self.state.shown_at(epoch)
            questions.append(question_of(self.state, Ask.model_validate(said), id_, at=at, upto=int(upto)))
        documents = [self.document(question, search([question])[0]) for question in questions]
        now = (documents[0] if len(of) == 1 else merged([q.version for q in questions], documents))[0]["items"]
        problems = []
        if [item.get("team") for item in now] != [item.get("team") for item in answer["items"]]:
            problems.append("items are of another model")
        if [item["item_id"] for item in now] != [item["item_id"] for item in answer["items"]]:
            problems.append("the items, or their order, are others")
        scores_ = [(float(a["score"]), float(b["score"])) for a, b in zip(now, answer["items"], strict=False)]
        if not all(close(a, b, a) for a, b in scores_):
            problems.append("scores are others")
        return not problems, problems

    def _found(self, questions: Sequence[Question]) -> Sequence[Found | BaseException]:
        found = [ready(question) for question in questions]
        left = [question for question, each in zip(questions, found, strict=True) if each is None]
        coming = iter(self._searched(left) if left else ())
        return [next(coming) if each is None else each for each in found]

    def _searched(self, questions: Sequence[Question]) -> Sequence[Found | BaseException]:
        try:
            return search(questions)
        except Exception:
            return [self._alone(question) for question in questions]

    def _alone(self, question: Question) -> Found | BaseException:
        """What one question is answered with, by what of the model works."""
        try:
            return search([question])[0]
        except MissingModelError:
            return self._less("encoder", question, lambda: self._alone(wordless(question)))
        except GraphrecError as error:
            return error  # a mistake of the question
        except Exception as error:
            if words_of(question):
                return self._less("encoder", question, lambda: self._alone(wordless(question)))
            first = error
        try:
            return self._less("index", question, lambda: exact(question), first)
        except Exception as error:
            return self._less("popularity", question, lambda: popular(question), error)

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

"""Why, as documents: explanations with a graph to draw and a receipt, why not, contrasts, what receipts are worth."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphrec.errors import DataError, GraphrecError, MissingModelError
from graphrec.explain.check import check
from graphrec.explain.explainer import Explainer
from graphrec.explain.names import public
from graphrec.model.asked import SOMEBODY, listed, one
from graphrec.model.model import Model
from graphrec.model.parts import parts
from graphrec.model.slid import unmoved
from graphrec.serve.faults import close, lost
from graphrec.serve.questions import known_of, told_of
from graphrec.serve.schemas import Contrast, Why, WhyNot
from graphrec.serve.state import State
from graphrec.serve.version import Shown, Version
from graphrec.types import Evidence, Explanation, Source, Step
from kg.graph import empty

log = logging.getLogger("graphrec.serve")


class Reasons:
    """Reasons of a service. ``failed`` is told of every part that fails."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.failed: Callable[[str], None] = lambda what: None

    def explain(self, why: Why, id_: str) -> dict[str, Any]:
        """The document of /explain. Raises UnknownIdError, DataError, ConfigError."""
        state, moment = self.state, time.time()
        timed = [e if e.time is not None else e.model_copy(update={"time": moment}) for e in why.suppose]
        why = why.model_copy(update={"suppose": timed})  # the receipt supposes them at the same moment
        version, shown = state.version_for(why.user_id), state.shown
        state.visible(why.item_id)
        known = known_of(state, version, why)
        model = version.view(shown, why.weights)
        found, degraded = self._explained(model, why, known)
        found_document = found.to_json()
        receipt = {
            "recommendation_id": id_,
            "model_version": model.version,
            "heard": 0 if why.user_id is None else version.live.count(why.user_id),
            "asked": why.model_dump(exclude_defaults=True, mode="json"),
            "score": found.score,
            "blocks": dict(found.blocks),
            "evidence": found_document["evidence"],
        }
        return {
            "recommendation_id": id_,
            "model_version": model.version,
            **found_document,
            "user_id": why.user_id,
            "degraded": [*found.degraded, *unmoved(model, why.weights), *degraded, *state.faults.values()],
            "graph": graph_of(found),
            "receipt": receipt,
        }

    def why_not(self, asked: WhyNot, id_: str) -> dict[str, Any]:
        """The document of /why_not. Raises as ``explain``."""
        version, shown = self.state.version_for(asked.user_id), self.state.shown
        self.state.visible(asked.item_id)
        known = known_of(self.state, version, asked)
        model = version.view(shown, asked.weights)
        found, degraded = self._worded(
            known, lambda known: model.why_not(asked.user_id, asked.item_id, asked.k, **known)
        )
        return self._carried(model, id_, asked, found.to_json(), degraded)

    def contrast(self, asked: Contrast, id_: str) -> dict[str, Any]:
        """The document of /contrast. Raises as ``explain``."""
        version, shown = self.state.version_for(asked.user_id), self.state.shown
        for item_id in (asked.item_id, asked.other_id):
            self.state.visible(item_id)
        known = known_of(self.state, version, asked)
        model = version.view(shown, asked.weights)
        found, degraded = self._worded(
            known, lambda known: model.contrast(asked.user_id, asked.item_id, asked.other_id, **known)
        )
        return self._carried(model, id_, asked, found.to_json(), degraded)

    def verify(self, receipt: Mapping[str, Any]) -> tuple[bool | None, list[str]]:
        """Whether a receipt of an explanation holds, computed anew from its model: and what of it does not, or why that
        is not known any more."""
        try:
            asked = Why.model_validate(receipt["asked"])
            name, heard, score = str(receipt["model_version"]), int(receipt["heard"]), float(receipt["score"])
            blocks = {str(block): float(part) for block, part in receipt["blocks"].items()}
            evidence = tuple(_evidence(each) for each in receipt["evidence"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError("receipt: it is none; give the receipt of an explanation as it came") from None
        version = self.state.version(name)
        if version is None:
            return None, [f"the model {name} is not kept here (any more)"]
        if self.state.is_gone(asked.user_id, version.learned):
            return None, ["nothing of this user is kept any more"]
        if heard < 0 or (asked.user_id is not None and heard > version.live.count(asked.user_id)):
            return None, ["what this user did by then is not kept any more"]
        now = self._again(version, asked, heard)
        problems = []
        if not close(score, now.score):
            problems.append(f"the score was {now.score:.6g}, not {score:.6g}")
        for block in sorted({*blocks, *now.blocks}):
            if not close(blocks.get(block, 0.0), now.blocks.get(block, 0.0), score):
                problems.append(f"{block} adds {now.blocks.get(block, 0.0):.6g}, not {blocks.get(block, 0.0):.6g}")
        told = Explanation(asked.user_id or SOMEBODY, asked.item_id, score, blocks, evidence, "")
        taken = [*listed(asked.history, version.model.data.items), *self._items(version, asked, heard)]
        problems += check(told, version.model.data, version.model.graph, taken)
        return not problems, problems

    def _again(self, version: Version, asked: Why, heard: int) -> Explanation:
        known = known_of(self.state, version, asked)
        told = told_of(self.state, version, asked.user_id, asked.suppose, heard)
        known.pop("told", None)
        if told is not None:
            known["told"] = told
        return version.view(Shown(), asked.weights).explain(asked.user_id, asked.item_id, 1, **known)

    def _items(self, version: Version, asked: Why, heard: int) -> list[str]:
        supposed = [event.item_id for event in asked.suppose]
        if asked.user_id is None:
            return supposed
        query = version.live.query(asked.user_id, (), heard)
        return [*supposed, *(version.model.data.items.ids[n] for n in query.items.tolist())]

    def _explained(self, model: Model, why: Why, known: dict[str, Any]) -> tuple[Explanation, list[str]]:
        def asked(known: dict[str, Any]) -> Explanation:
            return model.explain(why.user_id, why.item_id, why.limit, **known)

        try:
            return self._worded(known, asked)
        except GraphrecError:
            raise
        except Exception as error:
            self._lost("knowledge", error)
        query = one(model, why.user_id, **{name: what for name, what in known.items() if name not in ("rerank", "k")})
        whom, item = why.user_id or SOMEBODY, model.data.items.number(why.item_id)
        try:
            found = Explainer(model.profiles, model.ties, empty()).explain(query, whom, item, why.limit)
            return public(found, model.names), [lost("knowledge")]
        except Exception as error:
            self._lost("evidence", error)
        adds = parts(model, query, np.array([item]), why.user_id is not None)
        blocks = {name: float(part[0]) for name, part in adds.items()}
        title = str(model.data.item_titles[item])
        found = Explanation(whom, why.item_id, sum(blocks.values()), blocks, (), "", title)
        return found, [lost("evidence")]

    def _worded(self, known: dict[str, Any], do: Callable[[dict[str, Any]], Any]) -> tuple[Any, list[str]]:
        """What is asked, without its words where the encoder does not work."""
        try:
            return do(known), []
        except GraphrecError as error:
            if not known.get("query") or not isinstance(error, MissingModelError):
                raise
            self._lost("encoder", error)
        except Exception as error:
            if not known.get("query"):
                raise
            self._lost("encoder", error)
        return do({**known, "query": None}), [lost("encoder")]

    def _lost(self, what: str, error: BaseException) -> None:
        log.error("fault", extra={"told": {"what": what, "kind": type(error).__name__}})
        self.failed(what)

    def _carried(
        self, model: Model, id_: str, asked: WhyNot | Contrast, found: dict[str, Any], degraded: list[str]
    ) -> dict[str, Any]:
        why = [*found.get("degraded", ()), *unmoved(model, asked.weights), *degraded, *self.state.faults.values()]
        carried = {"recommendation_id": id_, "model_version": model.version, "degraded": why}
        return {**found, "user_id": asked.user_id, **carried}


def graph_of(found: Explanation) -> dict[str, Any]:
    """The evidence of an explanation as nodes and edges, each once; an edge names the evidence that it is of."""
    nodes: dict[str, dict[str, Any]] = {}
    edges: dict[tuple[str, str, str], dict[str, Any]] = {}
    for n, evidence in enumerate(found.evidence):
        for step in evidence.path:
            for id_, label in ((step.head, step.head_label), (step.tail, step.tail_label)):
                kind, colon, rest = id_.partition(":")
                nodes.setdefault(id_, {"id": id_, "label": label or rest or id_, "kind": kind if colon else "entity"})
            edge = {"source": step.head, "target": step.tail, "relation": step.relation, "evidence": []}
            told = edges.setdefault((step.head, step.relation, step.tail), edge)["evidence"]
            if n not in told:
                told.append(n)
    return {"nodes": list(nodes.values()), "edges": list(edges.values())}


def _evidence(document: Mapping[str, Any]) -> Evidence:
    source = document["source"]
    return Evidence(
        float(document["share"]),
        str(document["kind"]),
        tuple(Step(**{str(name): str(value) for name, value in step.items()}) for step in document["path"]),
        None if source is None else Source(str(source["review_id"]), str(source["quote"])),
    )

"""What another model would have shown in answers that a store holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from graphrec.model.live import Live
from graphrec.model.model import Model
from graphrec.serve.answering import Answering
from graphrec.serve.erased import hear
from graphrec.serve.journal import Heard, Memory
from graphrec.serve.questions import question_of
from graphrec.serve.schemas import Ask
from graphrec.serve.state import State
from graphrec.serve.version import Version
from graphrec.store import Store, StoredAnswer

OWN = (
    "heard",
    "epoch",
    "explore",
    "cursor",
    "scenario",
    "blocks",
    "interleaved",
)  # of the question, what is about the old model
AT_ONCE = 64


def learned_until(model: Model) -> float:
    """When the last event happened that a model was fitted on, seconds since 1970; -inf where it has no times."""
    times = model.data.events.timestamps
    return float("-inf") if times is None or not len(times) else float(times.max())


def replayed(model: Model, store: Store, answers: Sequence[StoredAnswer]) -> list[list[str] | None]:
    """For each answer the items that the model puts there, asked the same with what was known then; None where it
    cannot be asked."""
    learned = store.learned(model.version)
    version = Version(Live(model, keeps=False), "", None, learned)
    state = State(version, Memory())
    times: dict[str, list[float]] = {}
    after = learned
    while events := store.since(after, 1000):
        for event in events:
            said = {"kind": event.type, "value": event.value, "timestamp": event.time}
            before = version.live.count(event.user_id)
            known = {name: value for name, value in said.items() if value is not None}
            hear([version], Heard(int(event.sequence or 0), event.user_id, event.item_id, known))
            if version.live.count(event.user_id) > before:
                times.setdefault(event.user_id, []).append(float(event.received or 0))
        after = int(events[-1].sequence or 0)
    out: list[list[str] | None] = [None] * len(answers)
    answering = Answering(state)
    questions, places = [], []
    for place, given in enumerate(answers):
        said = {name: value for name, value in given.request.items() if name not in OWN}
        # No leakage. What somebody did after the answer is not known when it is asked again.
        upto = bisect_right(times.get(given.user_id or "", []), given.time)
        try:
            questions.append(question_of(state, Ask.model_validate(said), f"{place:024d}", upto=upto))
            places.append(place)
        except Exception:  # this model does not know what was asked; it is counted
            continue
    for start in range(0, len(questions), AT_ONCE):
        some = answering.answered_of(questions[start : start + AT_ONCE])
        for place, (document, _) in zip(places[start : start + AT_ONCE], some, strict=True):
            found: Any = document
            if found is not None:
                out[place] = [item["item_id"] for item in found["items"]]
    return out

"""Who may be named in an answer that others read, and its public form, in which nobody else is.

What ``Explainer`` makes is internal: its paths name the people they lead over. ``public`` takes away whom the reader
may not see named:

    user:u17, who took both              user:somebody-1   "somebody"
    user:u23, a friend                   user:friend-1     "a friend of yours"
    r5be0…, a review by somebody else    review-1          (its id is a hash of writer and item: one could try)

A mark is one person, or review, throughout one answer and nothing in the next. A friend met as a stranger, on a path
over people who took the same, is marked as a stranger. Marks are numbered in the order of the evidence, then by share,
not by id. ``check.check`` holds for either form. What stays: whoever has one friend knows who "a friend of yours" is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from graphrec.data.attributes import truth
from graphrec.data.dataset import Dataset
from graphrec.data.tables import review_id
from graphrec.errors import ConfigError
from graphrec.explain.contrast import Contrast
from graphrec.explain.phrases import unnamed
from graphrec.explain.say import marked, say
from graphrec.settings import ExplainConfig
from graphrec.types import Evidence, Explanation, Source, Step

USER = "user:"
STRANGER, FRIEND = "somebody", "friend"  # what a mark begins with
LABELS = {STRANGER: marked("somebody"), FRIEND: marked("a friend of yours")}


@dataclass(frozen=True)
class Names:
    """Who may be named to whom: oneself, and of the others

    ``own``      friends who agreed (``agreed``, ids)
    ``friends``  every friend
    ``all``      everybody; for people who own the data
    """

    which: Literal["own", "friends", "all"] = "own"
    agreed: frozenset[str] = field(default=frozenset())

    @staticmethod
    def of(config: ExplainConfig, data: Dataset) -> Names:
        """What the settings say. Raises ConfigError where ``explain.agreed`` is no attribute of the users."""
        if not config.agreed:
            return Names(config.names)
        rows = data.user_attributes
        if config.agreed not in {*rows["key"], *(column.name for column in data.user_columns)}:
            known = ", ".join(sorted(rows["key"].unique())) or "none"
            raise ConfigError(f"explain.agreed: users have no attribute {config.agreed!r}; they have {known}")
        rows = rows[(rows["key"] == config.agreed).to_numpy()]
        said = rows["user_num"][truth(rows["value"]).to_numpy()]
        return Names(config.names, frozenset(data.users.ids[n] for n in said))

    def named(self, other: str, friend: bool) -> bool:
        """Whether somebody else, a friend of the reader or not, may be named."""
        return self.which == "all" or (friend and (self.which == "friends" or other in self.agreed))


def public(explanation: Explanation, names: Names) -> Explanation:
    """The explanation as its user may read it: nobody is named but they themselves and whom ``names`` allows.

    Its text must be that of ``words.describe``, not yet rewritten. Scores, shares and items stay as they are.
    """
    if names.which == "all":
        return explanation
    friends = {key.removeprefix(USER) for key in explanation.shares if key.startswith(USER)}
    friends |= {e.path[0].tail.removeprefix(USER) for e in explanation.evidence if e.kind == "friend"}
    marks = _Marks(explanation.user_id, {f for f in friends if names.named(f, friend=True)})
    return replace(
        explanation,
        evidence=tuple(marks.evidence(e, explanation.item_id) for e in explanation.evidence),
        text=unnamed(explanation.text, friends - marks.named),
        shares=marks.shares(explanation.shares),
    )


def public_contrast(contrast: Contrast, names: Names) -> Contrast:
    """The same of a Contrast, whose text names nobody."""
    if names.which == "all":
        return contrast
    friends = {key.removeprefix(USER) for key in contrast.shares if key.startswith(USER)}
    marks = _Marks(contrast.user_id, {f for f in friends if names.named(f, friend=True)})
    return replace(contrast, shares=marks.shares(contrast.shares))


class _Marks:
    """The marks given in one answer to ``reader``; ``named`` are the others who keep their ids."""

    def __init__(self, reader: str, named: set[str]) -> None:
        self.reader, self.named = reader, named
        self._given: dict[tuple[str, str], str] = {}

    def evidence(self, evidence: Evidence, item_id: str) -> Evidence:
        role = FRIEND if evidence.kind == "friend" else STRANGER
        path = tuple(self._step(step, role) for step in evidence.path)
        source = evidence.source
        if source is None:
            return replace(evidence, path=path)
        items = [node for step in path for node in (step.head, step.tail) if node.startswith("item:")]
        own = {review_id(self.reader, node.removeprefix("item:")) for node in (*items, f"item:{item_id}")}
        if source.review_id.partition("-")[0] not in own:  # a second review of a pair is "r5be0…-2"
            source = Source(self._mark("review", source.review_id), source.quote)
        return replace(evidence, path=path, source=source)

    def shares(self, shares: Mapping[str, float]) -> dict[str, float]:
        """People come last, those who add most first."""
        people = sorted((key for key in shares if key.startswith(USER)), key=lambda key: -shares[key])
        others = {key: share for key, share in shares.items() if not key.startswith(USER)}
        return others | {self._node(key, FRIEND): shares[key] for key in people}

    def _step(self, step: Step, role: str) -> Step:
        head, tail = self._node(step.head, role), self._node(step.tail, role)
        return Step(
            head,
            step.relation,
            tail,
            step.head_label if head == step.head else say(LABELS[role]),
            step.tail_label if tail == step.tail else say(LABELS[role]),
        )

    def _node(self, node: str, role: str) -> str:
        id_ = node.removeprefix(USER)
        if not node.startswith(USER) or id_ == self.reader or id_ in self.named:
            return node
        return USER + self._mark(role, id_)

    def _mark(self, what: str, id_: str) -> str:
        number = 1 + sum(known == what for known, _ in self._given)
        return self._given.setdefault((what, id_), f"{what}-{number}")

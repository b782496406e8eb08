"""What answers hold, for the OpenAPI document. Nothing is checked against it at run time; the tests do."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Reply(BaseModel):
    """What every answer carries."""

    model_config = ConfigDict(extra="allow")
    recommendation_id: str = Field(
        description="Of this answer; events may name it.", examples=["b2f1c0d4e5a6978812345678"]
    )
    model_version: str = Field(
        description="The model, and behind a point what it was told of items since.",
        examples=["1f0c9d2e3b4a-7c6d5e4f", "1f0c9d2e3b4a-7c6d5e4f.5d4c3b2a1908"],
    )
    degraded: list[str] = Field(description="Why the answer is less than it could be, a line each, a code before it.")


class Fault(Reply):
    """A refusal, in one line."""

    detail: str = Field(examples=["there is no item 'x7'"])


class Item(BaseModel):
    """One item of a list."""

    model_config = ConfigDict(extra="allow")
    item_id: str
    score: float
    rank: int
    title: str


class Recommended(Item):
    """One item that is recommended."""

    blocks: dict[str, float] | None = Field(None, description="What each adds; they sum to the score.")
    team: str | None = Field(None, description="Whose it is in an interleaved list: a, the model that answers, or b.")
    model_version: str | None = Field(None, description="Of the model whose it is; in an interleaved list.")
    propensity: float | None = Field(None, description="With which it came to its place; where some is explored.")


class Recommendations(Reply):
    """Answer of /recommend."""

    user_id: str | None
    scenario: str | None
    items: list[Recommended]
    next_cursor: str | None = Field(description="Where the next page begins; none where it ends.")
    changes: list[dict[str, Any]] = Field([], description="What re-rankers changed.")
    interleaved: dict[str, str] | None = Field(None, description="Which two models it is of, as they were loaded.")


class Similar(Reply):
    """Answer of /similar."""

    item_id: str
    items: list[Item]


class Graph(BaseModel):
    """Evidence as a graph to draw."""

    nodes: list[dict[str, Any]] = Field(examples=[[{"id": "user:u1", "label": "u1", "kind": "user"}]])
    edges: list[dict[str, Any]] = Field(
        examples=[[{"source": "user:u1", "target": "item:i3", "relation": "interacted", "evidence": [0]}]]
    )


class Explained(Reply):
    """Answer of /explain."""

    user_id: str | None
    item_id: str
    title: str
    score: float
    blocks: dict[str, float] = Field(description="They sum to the score.")
    text: str
    evidence: list[dict[str, Any]]
    attention: list[dict[str, Any]] = Field([], examples=[[{"item_id": "i1", "title": "Strings", "share": 0.4}]])
    moved: list[dict[str, Any]] = Field(
        [], examples=[[{"reranker": "exposure=0.5", "from": 14, "to": 9, "price": 0.02}]]
    )
    graph: Graph
    receipt: dict[str, Any] = Field(description="Give it to /verify later.")


class NotRecommended(Reply):
    """Answer of /why_not."""

    user_id: str | None
    item_id: str
    rank: int
    of: int
    score: float
    needed: float
    needed_by: str
    text: str


class Contrasted(Reply):
    """Answer of /contrast."""

    item_id: str
    other_id: str
    difference: float
    text: str


class Accepted(Reply):
    """Answer of POST /events."""

    accepted: int
    duplicates: int


class ItemReply(Reply):
    """An item as it is known."""

    item_id: str
    title: str
    hidden: bool
    attributes: dict[str, list[str]]


class Profile(Reply):
    """All that is known of one person, for them."""

    user_id: str | None
    events: int
    interests: list[dict[str, Any]]


class Forgotten(Reply):
    """Receipt of a deletion."""

    user_id: str
    removed: dict[str, Any]
    done: list[str] = Field(description="What holds nothing of them any more, a line each.")
    pending: list[str] = Field(description="What holds something of them still, and how it goes, a line each.")
    remains: list[str] = Field(description="What no service reaches.")


class Verified(Reply):
    """Answer of POST /verify."""

    verified: bool | None = Field(description="Null: it cannot be known any more.")
    why: list[str]


class Told(Reply):
    """What the service says of itself."""

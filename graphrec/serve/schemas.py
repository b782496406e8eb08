"""What may be asked: the bodies and parameters of requests, each checked at the door. Unknown names are refused."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST_K = 1000  # items in one answer, and down to which pages lead
LONGEST_ID = 512  # characters of an id
LONGEST_TEXT = 2000  # characters of words, or of a filter


def no_truth(value: Any) -> Any:
    """The value. Raises ValueError for true and false, which would count as the seconds 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no time; give seconds since 1970, or ISO 8601")
    return value


def no_number(value: Any) -> Any:
    """The value. Raises ValueError for true and false, which would count as the numbers 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no number; give one")
    return value


def halves(value: Any) -> Any:
    """A place, which a parameter may hold as one text: ["48.1,11.6"] is [48.1, 11.6]. Anything else as it came."""
    one = value[0] if isinstance(value, list) and len(value) == 1 else None
    return one.split(",") if isinstance(one, str) else value


def value_of(value: Any) -> Any:
    """What is said of an attribute, as it came. Raises ValueError for what is no text, number or truth, and no list
    of these."""
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, bool | int | float | str) or (isinstance(each, float) and not math.isfinite(each)):
            found = "null" if each is None else "an object" if isinstance(each, dict) else repr(each)[:50]
            raise ValueError(
                f"{found} is no value; give a text, a number, true or false, or a list of them; [] for none"
            )
    return value


def clean(text: str) -> str:
    """An id, as it came. Raises ValueError for what no store can hold."""
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("an id is text of UTF-8 without the character 0")
    return text


Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(clean)]
Ids = Annotated[
    list[Annotated[str, Field(max_length=100 * LONGEST_ID), AfterValidator(clean)]], Field(max_length=MOST_K)
]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(clean)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(no_number)]
Count = Annotated[int, BeforeValidator(no_number)]
Value = Annotated[bool | str | float | list[bool | str | float], BeforeValidator(value_of)]
When = Annotated[int | float | Text | None, BeforeValidator(no_truth)]
Place = Annotated[list[Number], Field(min_length=2, max_length=2)]


class Body(BaseModel):
    """What is asked: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(Body):
    """Who asks, and what is known of them now."""

    user_id: Id | None = Field(None, description="Who asks. Somebody unknown is answered by what else is known.")
    history: Ids = Field([], description="Item ids taken beside what is known, or a basket: repeated, or a comma list.")
    query: Text | None = Field(None, description="Free text to rank by, beside the profile.")
    now: Annotated[int | Text | None, BeforeValidator(no_truth)] = Field(
        None, description="The moment of the question: seconds, or ISO 8601."
    )
    place: Annotated[list[Number] | None, Field(min_length=2, max_length=2), BeforeValidator(halves)] = Field(
        None, description="Where they are: latitude and longitude in degrees; as a parameter told twice, or 48.1,11.6."
    )
    friends: Ids = Field([], description="Ids of people whom they hear.")


class AskBase(Known):
    """A question for recommendations, as parameters hold it."""

    k: Count = Field(10, ge=1, le=MOST_K, description="How many items, or how many a page.")
    filter: Text | None = Field(None, description='Which items may come back: price < 50 and brand == "Acme".')
    exclude: Ids = Field([], description="Item ids that do not come back.")
    include: Ids = Field([], description="The only item ids that may come back; all where none is named.")
    pin: Ids = Field([], description="Item ids at the top, in this order, if they may be recommended.")
    boost: list[Text] = Field([], max_length=20, description='FILTER:AMOUNT in deviations, as brand == "Acme":0.5')
    rerank: list[Text] = Field([], max_length=20, description="Re-rankers by name: cap=brand:2, diversity=0.3.")
    diversity: Number | None = Field(None, ge=0, le=1, description="0 the best items, 1 the most different ones.")
    seen: Literal["exclude", "allow", "only"] | None = Field(None, description="What of what they took comes back.")
    explore: Number | None = Field(
        None,
        ge=0,
        description="Share of places given to an item drawn evenly, up to what the service allows (`explore` of its"
        " settings, 0.2 by default); its propensity is recorded.",
    )
    scenario: Text | None = Field(None, description="Settings by name, as the service was started with.")
    cursor: Text | None = Field(None, description="next_cursor of the page before; all else asked as before.")
    blocks: bool = Field(False, description="With each item, what each block adds to its score.")


class Supposed(Body):
    """An event as if it had happened."""

    item_id: Id
    type: Id | None = Field(None, description="Its kind, such as like or dislike; the model's first by default.")
    value: Number | None = Field(None, ge=-1e30, le=1e30, description="A rating or count.")
    time: When = Field(None, description="When: seconds or ISO 8601; now by default.")


class InQuery(Body):
    """What parameters hold beside who asks."""

    weights: list[Text] = Field([], max_length=50, description="BLOCK:WEIGHT in place of the model's, repeated.")


class InBody(Body):
    """What a body holds beside who asks."""

    attributes: dict[str, str | list[str]] = Field({}, max_length=50, description="What is known of the person.")
    weights: dict[str, Number] = Field({}, max_length=50, description="Weights of blocks in place of the model's.")
    suppose: list[Supposed] = Field([], max_length=100, description="Answer as if these had been heard; none is kept.")


class AskQuery(AskBase, InQuery):
    """Parameters of GET /recommend."""


class Ask(AskBase, InBody):
    """Body of POST /recommend."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "u17", "k": 5, "filter": "price < 50", "blocks": True}]}
    )


class AskMany(Body):
    """Body of POST /recommend/batch."""

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=100_000)] = Field(examples=[["u1", "u2"]])
    k: Count = Field(10, ge=1, le=MOST_K)
    filter: Text | None = None
    exclude: Ids = []
    seen: Literal["exclude", "allow", "only"] | None = None


class WhyBase(Known):
    """Why an item scores as it does, as parameters hold it."""

    item_id: Id = Field(description="The item that is asked about.")
    limit: Count = Field(5, ge=1, le=50, description="Pieces of evidence at most.")
    rerank: list[Text] = Field([], max_length=20, description="Re-rankers of the list, which say where they moved it.")
    k: Count = Field(10, ge=1, le=MOST_K, description="How long that list is.")


class WhyQuery(WhyBase, InQuery):
    """Parameters of GET /explain."""


class Why(WhyBase, InBody):
    """Body of POST /explain."""


class WhyNotBase(Known):
    """Why an item is not recommended, as parameters hold it."""

    item_id: Id = Field(description="The item that is missed.")
    k: Count = Field(10, ge=1, le=MOST_K, description="How long the list is.")


class WhyNotQuery(WhyNotBase, InQuery):
    """Parameters of GET /why_not."""


class WhyNot(WhyNotBase, InBody):
    """Body of POST /why_not."""


class ContrastBase(Known):
    """Why one item scores higher or lower than another, as parameters hold it."""

    item_id: Id
    other_id: Id = Field(description="The item that it is compared with.")


class ContrastQuery(ContrastBase, InQuery):
    """Parameters of GET /contrast."""


class Contrast(ContrastBase, InBody):
    """Body of POST /contrast."""


class SimilarQuery(Body):
    """Parameters of GET /similar."""

    item_id: Id
    k: Count = Field(10, ge=1, le=MOST_K)


class Event(Body):
    """Something that somebody did."""

    event_id: Id | None = Field(None, description="Unique within its source: sent twice, it is counted once.")
    source: Id = Field("api", description="Who sends it.")
    user_id: Id
    item_id: Id
    type: Id | None = Field(
        None, description="Its kind: purchase, view, like, dislike …; the model's first by default."
    )
    value: Number | None = Field(None, ge=-1e30, le=1e30, description="A rating or count.")
    time: When = Field(None, description="Seconds since 1970, or ISO 8601; now by default.")
    place: Place | None = None
    recommendation_id: Id | None = Field(None, description="Of the answer that led to it.")
    position: Count | None = Field(None, ge=1, le=MOST_K, description="The item's rank there.")
    propensity: Number | None = Field(None, gt=0, le=1, description="With which it was shown there.")


class EventBatch(Body):
    """Body of POST /events."""

    events: list[Event] = Field(
        min_length=1,
        max_length=10_000,
        examples=[[{"event_id": "e1", "user_id": "u17", "item_id": "i3", "type": "like"}]],
    )


class ItemChange(Body):
    """Body of PUT and PATCH /items/{id}."""

    title: Text | None = None
    text: Annotated[str, Field(max_length=100_000)] | None = Field(None, description="A description.")
    attributes: dict[Id, Value] = Field({}, max_length=200, examples=[{"brand": "Acme"}])


class Receipt(Body):
    """Body of POST /verify: the receipt of an explanation, as it came with it; or the id of an answer."""

    recommendation_id: Id | None = None
    receipt: dict[str, Any] | None = Field(None, max_length=50)


class Reload(Body):
    """Body of POST /admin/reload."""

    artifact: Id | None = Field(None, description="A folder's name beside the one that is served; none: it anew.")
    canary: Number = Field(0.0, ge=0, lt=1, description="Share of users that it answers; 0: it takes over.")
    interleave: Number = Field(
        0.0, ge=0, le=1, description="Share of users for whom its lists are merged with those of the one that answers."
    )

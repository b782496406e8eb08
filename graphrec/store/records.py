"""What the store holds, checked before it is written: events, impressions, answers, changes of items, keys, erasures.

Ids are any text that UTF-8 can hold but the NUL character, which PostgreSQL cannot store, up to ``LONGEST`` bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.functional_validators import AfterValidator

from graphrec.errors import DataError

LONGEST = 1000  # bytes of an id in UTF-8: two of them fit into one entry of PostgreSQL's index
Scope: TypeAlias = Literal["read", "events", "admin"]
Action: TypeAlias = Literal["add", "change", "hide"]


def checked_id(value: str) -> str:
    """The id as it is. Raises ValueError for an empty one, NUL, a lone surrogate, or more than ``LONGEST`` bytes."""
    if not value:
        raise ValueError("an empty text is no id; leave the record out")
    if "\0" in value:
        raise ValueError("an id has the character NUL, which PostgreSQL cannot hold; give it without")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("an id has half a surrogate pair, which is no text in UTF-8; give it whole") from None
    if size > LONGEST:
        raise ValueError(f"an id has {size:,} bytes in UTF-8, more than {LONGEST:,}; give a shorter one")
    return value


Id = Annotated[str, AfterValidator(checked_id)]
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=-1e11, le=1e11)]  # since 1970; milliseconds are refused
Number = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """What all records share: frozen, and nothing that is not named is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Any:
        """A record from a mapping. Raises DataError in one line, without the values of the record."""
        try:
            return cls.model_validate(row)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{cls.__name__}: {where + ': ' if where else ''}{first['msg']}") from None


class StoredEvent(Record):
    """One event. ``source`` and ``event_id`` together are what makes it the same event when it comes again.

    Args:
        type: the name of its kind; None is the first kind of the model.
        time: when it happened, seconds since 1970; None: when it was received.
        recommendation_id, position, propensity: of the answer that it comes from: which, at which rank (from 1), and
            with which probability the item stood there.
        sequence, received: set by the store, whatever is given.
    """

    source: Id = "api"
    event_id: Id
    user_id: Id
    item_id: Id
    type: Id | None = None
    value: Number | None = None
    time: Seconds | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    recommendation_id: Id | None = None
    position: Annotated[int, Field(ge=1)] | None = None
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None
    sequence: int | None = None
    received: Seconds | None = None

    @model_validator(mode="after")
    def _whole_place(self) -> StoredEvent:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("a place is latitude and longitude; give both or neither")
        return self


class Impression(Record):
    """One item that one answer showed to somebody; ``user_id`` is None for somebody unknown."""

    recommendation_id: Id
    user_id: Id | None = None
    item_id: Id
    position: Annotated[int, Field(ge=1)]
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None
    scenario: Id | None = None
    model_version: Id
    time: Seconds


class StoredAnswer(Record):
    """An answer as it was given, so that it can be verified later.

    Args:
        kind: what was asked: recommend, similar, explain, …
        request, answer: as they were, whatever JSON can say.
        named: ids of users whom the answer names beside the one who asked (friends in a reason); when one of them is
            erased, the answer goes too.
    """

    recommendation_id: Id
    user_id: Id | None = None
    kind: Id = "recommend"
    model_version: Id
    scenario: Id | None = None
    time: Seconds
    request: dict[str, Any]
    answer: dict[str, Any]
    named: tuple[Id, ...] = ()


class ItemChange(Record):
    """What is told of an item: ``add`` (what is told in place of what was known, the attributes as a whole; shown),
    ``change`` (some of its attributes; what is hidden stays hidden) or ``hide``. ``attributes`` holds title and text
    too; null or an empty list takes an attribute away. ``sequence`` is set by the store."""

    item_id: Id
    action: Action
    attributes: dict[str, Any] = {}
    time: Seconds | None = None
    sequence: int | None = None


class Key(Record):
    """A key as it is kept, without its secret."""

    key_id: Id
    name: Id
    scopes: tuple[Scope, ...]
    created: Seconds
    revoked: Seconds | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether it may do what ``scope`` may; ``admin`` may do everything."""
        return self.revoked is None and (scope in self.scopes or "admin" in self.scopes)


class Erased(Record):
    """A receipt of an erasure, which names nobody.

    Args:
        receipt: its number. user_hash: HMAC-SHA256 of the id under the salt of the store (``Store.hash_of``).
        time: when. rows: table → rows deleted. scrubbed: when the bytes were gone from the files too, None: not yet
            (a reader held the file); the next erasure, ``Store.scrub`` or the next opening does it.
        how: what was done to the files, and what is left to do outside.
        sequence: its place in the log, so that other processes hear of it (``Store.erased_since``).
    """

    receipt: Id
    user_hash: str
    time: Seconds
    rows: dict[str, int] = {}
    scrubbed: Seconds | None = None
    how: str = ""
    sequence: int

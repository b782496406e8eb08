"""A piece of evidence with what is needed to put it in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphrec.types import Evidence


@dataclass(frozen=True)
class Finding:
    """A piece of evidence with what is needed to put it in words.

    ``via`` is the title of the history item or the id of the friend that it goes through. ``relations`` (in words),
    ``tones`` and ``reviews`` (how many stand behind it) are those of the near (via's or the user's) and the far (the
    item's) triple. A quote is from a review of the item.
    ``item`` is the number of that history item, -1 where there is none.
    ``takers`` is how many others took both items. ``worth`` says how much a reader learns from it; ``theirs``: the
    quote is by one of those who took both; ``tells``: it has a sentence, or a lift of TELLING.
    ``also``: relation (in words) and entity of another thing that the two items share. ``praised``: what the quote, or
    with none reviewers, praise of the item, where that is not ``entity``. ``ends``: what ``Words.like`` is if taken
    last.
    """

    evidence: Evidence
    via: str = ""
    entity: str = ""
    relations: tuple[str, str] = ("", "")
    tones: tuple[int, int] = (0, 0)
    reviews: tuple[int, int] = (0, 0)
    quote_is_yours: bool = False
    takers: int = 0
    worth: float = 0.0
    theirs: bool = False
    tells: bool = True
    item: int = -1
    also: tuple[str, str] | None = None
    praised: str = ""
    ends: Mapping[str, str] = field(default_factory=dict)

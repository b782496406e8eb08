"""What goes into a knowledge graph, and what comes out of an extractor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]  # texts → unit vectors, float32 (texts, F)

TYPES = ("brand", "product", "aspect", "attribute", "person", "place", "work", "organisation", "event", "use")
VERDICT = "verdict"  # type of what judges the thing as a whole ("不错"); it has a polarity and becomes no entity
PLAIN = frozenset({"aspect", "attribute", "use"})  # types that are said in common words, not in names


@dataclass(frozen=True, slots=True)
class Span:
    """What an extractor found in one text: ``text[start:end]`` is the surface form, verbatim.

    ``label`` is the surface form with its last word in the singular where it is a plural; forms that differ in case,
    hyphens or spaces are merged later. ``type`` is one of TYPES, or a label of the model in use that is none of them.
    ``polarity`` in [-1, 1] comes from the words around it; 0 is neutral or unknown. ``cues`` other than 0 make it a
    candidate, in the first of two passes: what the reader saw around it, in bits (kg.extract.termhood), and the
    opinion word that judges it.
    """

    start: int
    end: int
    label: str
    type: str
    polarity: float = 0.0
    cues: int = 0
    said: str = ""


class Extractor(Protocol):
    """Finds spans in texts. ``id`` names code, model and version, so that results can be cached under it."""

    id: str

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start, and apart but for candidates."""
        ...


@runtime_checkable
class Settling(Protocol):
    """An extractor that looks once more at all that it found, when it has read every text."""

    def settle(self, found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """The spans of each text, as all texts together settle them; never cached."""
        ...


@runtime_checkable
class Judging(Protocol):
    """An extractor that looks at what is said of an aspect only once it is known to be one."""

    def judged(
        self, found: Mapping[str, list[Span]], ratings: Mapping[str, float], embed: Embed | None
    ) -> dict[str, list[Span]]:
        """The spans of each text, aspects with their polarity, as all texts and their ratings together tell it."""
        ...


class BytesCache(Protocol):
    """Where extracted spans are kept between runs. Keys are hexadecimal digests of extractor and text."""

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that are known."""
        ...

    def put_many(self, values: Mapping[str, bytes]) -> None:
        """Keep these values; they must survive a killed process."""
        ...


@dataclass(frozen=True, slots=True)
class Review:
    """One training review. ``user_id`` and ``item_id`` are external ids; ``text`` is stored and quoted verbatim.

    ``rating``: what its writer gave, on a scale that all reviews share; None where nothing is known.
    """

    review_id: str
    user_id: str
    item_id: str
    text: str
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue. ``attributes`` are (key, value) pairs such as ("brand", "Fender")."""

    item_id: str
    title: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """What is known of a user, beside their reviews. ``attributes`` are pairs such as ("city", "Hamburg")."""

    user_id: str
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """An item and the entity of an external graph that its title names. ``confidence`` in (0, 1]; used from LINKED on.

    ``candidates`` counts the entities that the title fits equally well.
    """

    item_id: str
    title: str
    entity: str
    label: str
    confidence: float
    candidates: int = 1


@dataclass(frozen=True)
class ExternalTriples:
    """Triples from outside (DBpedia, Freebase, …) over string entity ids.

    ``item_entities`` maps an item id to its entity id; ``labels`` names entities and relations for people. ``links``
    lists how items were found in a dump by their titles, those too uncertain to be used included.
    """

    triples: tuple[tuple[str, str, str], ...] = ()
    item_entities: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    def __len__(self) -> int:
        return len(self.triples)


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity at a place in a review: ``review.text[start:end]`` names it. ``polarity`` in [-1, 1].

    ``how`` the words were linked to the entity (kg.link.forms), and the ``confidence`` in [0, 1] that they mean it.
    """

    entity: str
    label: str
    type: str
    review_id: str
    start: int
    end: int
    polarity: float
    how: str = "same"
    confidence: float = 1.0

"""Names found in text become entities of an external graph: by label, and by what is said around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kg.build import build, links
from kg.types import ExternalTriples, Item, Review, Span

TEXTS = ["Paris sings better than ever on this album.", "I bought the Paris song and the Paris concert."]
REVIEWS = [Review(f"r{n}", f"u{n}", "album", text) for n, text in enumerate(TEXTS)]
EXTERNAL = ExternalTriples(
    triples=(
        ("dbr:Paris", "capital_of", "dbr:France"),
        ("dbr:Paris_(singer)", "artist_of", "dbr:Song"),
        ("dbr:Strat", "designer", "dbr:Song"),
    ),
    item_entities={"guitar": "dbr:Strat"},
    labels={"dbr:Paris": "Paris", "dbr:Paris_(singer)": "PARIS", "dbr:France": "France", "dbr:Song": "song"},
)


class Names:
    id = "names"

    def extract(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[Span(t.index("Paris"), t.index("Paris") + 5, "Paris", "person")] for t in texts]


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Music in one direction, geography in the other."""
    music = [sum(word in t.lower() for word in ("song", "sing", "album", "concert", "artist")) for t in texts]
    place = [sum(word in t.lower() for word in ("capital", "france")) for t in texts]
    rows = np.array([music, place], np.float32).T + 1e-6
    out: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return out


def test_the_context_chooses_between_two_of_one_name() -> None:
    graph = build([Item("album")], REVIEWS, EXTERNAL, extractor=Names(), embed=embed)  # type: ignore[arg-type]
    assert graph.has("item:album", "mentions_person", "dbr:Paris_(singer)")
    assert not [t for t in graph.named() if t[2] == "dbr:Paris"]
    (choice,) = links([Item("album")], REVIEWS, EXTERNAL, extractor=Names(), embed=embed)  # type: ignore[arg-type]
    assert (choice.form, choice.entity, choice.how, choice.mentions) == ("Paris", "dbr:Paris_(singer)", "external", 3)
    assert 0.9 < choice.confidence <= 1


def test_a_strange_context_links_nothing() -> None:
    def against(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([[1, 0] if t in TEXTS else [0, 1] for t in texts], np.float32)

    graph = build([Item("album")], REVIEWS, EXTERNAL, extractor=Names(), embed=against)  # type: ignore[arg-type]
    assert graph.has("item:album", "mentions_person", "person:paris")


def test_without_context_only_what_has_one_meaning() -> None:
    graph = build([Item("album")], REVIEWS, EXTERNAL, extractor=Names())  # type: ignore[arg-type]
    assert graph.has("item:album", "mentions_person", "person:paris")
    one = ExternalTriples(EXTERNAL.triples[:1], {}, EXTERNAL.labels)
    graph = build([Item("album")], REVIEWS, one, extractor=Names())  # type: ignore[arg-type]
    assert graph.has("item:album", "mentions_person", "dbr:Paris")

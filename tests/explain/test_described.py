"""What an item without a title is called: planted kinds, aspects and brands."""

from __future__ import annotations

import numpy as np

from graphrec.explain.described import Described
from tests.explain.world import Fact, graph_of

SHELVES = {  # item: its categories
    "capo": ("Music", "Strings and more", "Own"),
    "strings": ("Music", "Strings and more"),
    "cable": ("Music", "Strings and more", "Cables"),
    "tuner": ("Music",),
    "stand": ("Music", "Cables"),
    "pick": ("Music", "Strings and more", "Cables"),
    "drum": ("Drums",),
    "cymbal": ("Drums",),
}


def test_an_item_is_called_by_the_rarest_kind_that_several_are_of_what_is_said_of_it_and_its_brand() -> None:
    facts = [Fact(f"item:{item}", "has_category", f"category:{of}") for item, shelf in SHELVES.items() for of in shelf]
    facts += [Fact("item:capo", "has_aspect", "aspect:grip"), Fact("item:capo", "made_by", "brand:acme")]
    labels = {f"category:{of}": of for shelf in SHELVES.values() for of in shelf}
    graph = graph_of(facts, {}, labels | {"aspect:grip": "grip", "brand:acme": "Acme"})
    nodes = [int(np.flatnonzero(graph.entities["entity"] == f"item:{item}")[0]) for item in SHELVES]
    described = Described(graph, np.array(nodes), list(SHELVES))
    assert [described.of(n) for n in range(len(SHELVES))] == [
        "capo (Strings and more; grip; by Acme)",  # "Own" may be a name, and Music is what most of them are
        "strings (Strings and more)",
        "cable (Cables)",
        "tuner",
        "stand (Cables)",
        "pick (Cables)",
        "drum",  # of two
        "cymbal",
    ]

"""A small shop that is quick to fit: two tastes, reviews, friends, and people of whom little is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import numpy as np
import pandas as pd

import graphrec as gr
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.recommender import Recommender
from kg.types import Span
from tests.conftest import two_folds
from tests.features.test_encoder import CountingEncoder

LINKS: dict[str, Any] = {"friends": [0.1], "smoothing": [0.0], "knowledge": [0.3], "fading": [0.0]}
QUICK = gr.Config().with_(  # one value of what is searched elsewhere: ``tests/blocks`` see to the searches
    graph={"dim": 8, "max_epochs": 5},
    season={"late": [30.0], "year": [1.0], "week": [1.0], "day": [1.0], "few": [3.0]},
    spectral={**LINKS, "rank": [8], "alpha": [0.4], "beta": [0.4], "power": [0.4]},
    neighbours={**LINKS, "alpha": [0.25], "beta": [0.2]},
    ease={**LINKS, "regularisation": [30.0]},
    ials={"alpha": [3.0], "regularisation": [10.0], "knowledge": [0.3], "factors": [8]},
    transitions={"decay": [1.0], "pause": [0.0], "backward": [0.3], "source": [0.5], "target": [0.2], "shape": [0.5]}
    | {"power": [0.75], "half_life": [0.0]},
    circle={"beta": [0.25], "gamma": [0.5], "half_life": [0.0], "attention": [2.0]},
    kin={"alpha": [0.5], "gamma": [1.0], "takers": [1.0]},
)
WORDS = ("strings", "tone", "neck", "case")


class WordExtractor:
    """Finds four words; remembers what it read."""

    id = "words"

    def __init__(self) -> None:
        self.read: list[str] = []

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            self.read.append(text)
            found = [(text.find(word), word) for word in WORDS]
            yield [Span(at, at + len(w), w, "aspect", 0.5) for at, w in sorted(found) if at >= 0]


def shop(reviews: bool = True, seed: int = 0) -> Dataset:
    """Two tastes, with reviews that name an aspect of the item, friends, titles, brands and times."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(40):
        for turn, item in enumerate(random.permutation(np.arange(user % 2, 30, 2))[:7]):
            text = f"I bought it in spring. The {WORDS[item % 4]} of this one is good. Would buy again."
            rows.append((f"u{user}", f"i{item}", 5.0, 1_600_000_000 + 86_400 * (10 * turn + user), text))
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp", "text"])
    if not reviews:
        events = events.drop(columns="text")
    items = pd.DataFrame({"item_id": [f"i{i}" for i in range(30)], "title": [f"Thing {i}" for i in range(30)]})
    brands = pd.DataFrame({"item_id": items["item_id"], "key": "brand", "value": [f"B{i % 2}" for i in range(30)]})
    friends = pd.DataFrame({"user_id": [f"u{u}" for u in range(38)], "friend_id": [f"u{u + 2}" for u in range(38)]})
    return build("shop", events, items=items, item_attributes=brands, friends=friends)


def town() -> Dataset:
    """Two tastes by city, of ratings, and of people of whom little is known: ``pal`` has a friend and nothing else,
    ``new`` a city, ``hater`` dislikes alone, ``lone`` took what nobody else knows, ``bare`` is known by name.

    Everybody agrees to be named but those of u1's city. A user is called "somebody".
    """
    rows = [(f"u{u}", f"i{(u % 2) + 2 * ((u * 5 + n) % 8)}", 5.0 - n % 2) for u in range(24) for n in range(4)]
    rows += [("hater", f"i{n}", 1.0) for n in range(3)] + [("lone", "unheard", 5.0), ("somebody", "i1", 5.0)]
    rows += [("u2", "i1", 1.0), ("u3", "i0", 2.0)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value"])
    events["text"] = [f"The {WORDS[n % 4]} is good." for n in range(len(rows))]
    people = [f"u{u}" for u in range(24)]
    known = [(u, "city", f"c{n % 2}") for n, u in enumerate(people)] + [("new", "city", "c0")]
    known += [(u, "shares_name", "no" if n % 2 else "yes") for n, u in enumerate(people)]
    items = pd.DataFrame({"item_id": [f"i{i}" for i in range(16)], "title": [f"Thing {i} [red]" for i in range(16)]})
    return build(
        "town",
        events,
        kinds=[Kind("review", values="rating", scale=(1, 5))],
        items=items,
        users=pd.DataFrame({"user_id": ["bare"]}),
        friends=pd.DataFrame({"user_id": ["pal", "u0", "u1"], "friend_id": ["u0", "u2", "u2"]}),
        user_attributes=pd.DataFrame(known, columns=["user_id", "key", "value"]),
    )


def anew(data: Dataset, config: gr.Config = QUICK) -> Recommender:
    with two_folds():  # whoever asks for it
        return Recommender(config, encoder=CountingEncoder(), extractor=WordExtractor()).fit(data)


_FITTED: dict[tuple[str, str], Recommender] = {}


def fitted(data: Dataset, config: gr.Config = QUICK) -> Recommender:
    """As ``anew``, but fitted once in a process: models never change, and each caller gets a recommender of its own."""
    key = (data.digest(), config.to_toml())
    if key not in _FITTED:
        _FITTED[key] = anew(data, config)
    return copy(_FITTED[key])


def rated(stars: float, n_users: int = 20, n_items: int = 12) -> Dataset:
    """Everybody rates six items with the same stars of five."""
    rows = [(f"u{u}", f"i{(u + 2 * n) % n_items}", stars) for u in range(n_users) for n in range(6)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value"])
    return build("rated", events, kinds=[Kind("review", values="rating", scale=(1, 5))])

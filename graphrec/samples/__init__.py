"""A small synthetic shop of music gear: invented makers, products, people and reviews. Nothing in it is real.

Four signals are planted, each in one source alone, so that a test can show whether a recommender finds it:

=============  ====================================================================================================
``behaviour``  taste groups: their followers take the same items, which have nothing else in common
``text``       a theme that shows only in the words of descriptions and reviews, never in titles or attributes
``kg``         a manufacturer behind several brands, only an attribute; so few follow each that co-use hardly shows it
``social``     followers take what their friends took before, else anything
=============  ====================================================================================================

The users are shared out evenly among the signals that are on; without any, all choose at random. What is off is
there all the same (metadata, texts, friendships) but moves nobody. A shuffled signal moves its followers as before,
but the data to find it in is permuted: friendships between users, attributes between items, texts between items,
or for ``behaviour`` the items between its followers. Counts stay as they were.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.samples.edges import generate_edges
from graphrec.samples.shop import ITEM, META, SHUFFLE, SIGNALS, WORDS, Shop, open_shop, stream
from graphrec.samples.themes import THEMES
from graphrec.samples.words import BRANDS, COLOURS, PRODUCTS, WORKS_FIRST, WORKS_LAST
from graphrec.samples.writer import Facts, describe, review
from graphrec.types import Ints

__all__ = ["NAME", "SIGNALS", "Planted", "generate", "generate_edges", "planted", "write"]

NAME = "synthetic-music-shop"


@dataclass(frozen=True)
class Planted:
    """The answers behind a sample.

    user_signal: user_id → "behaviour", "text", "kg", "social", or "" for users who follow none.
    followed: the (user_id, item_id) pairs that a signal chose; the rest are noise.
    item_taste, item_theme, item_manufacturer: item_id → group number, theme name, manufacturer (before any shuffling).
    theme_cues: theme name → the words that show it.
    """

    user_signal: dict[str, str]
    followed: frozenset[tuple[str, str]]
    item_taste: dict[str, int]
    item_theme: dict[str, str]
    item_manufacturer: dict[str, str]
    theme_cues: dict[str, tuple[str, ...]]


def generate(
    n_users: int = 600,
    n_items: int = 400,
    n_reviews: int = 6000,
    seed: int = 7,
    signals: Collection[str] = SIGNALS,
    shuffle: Collection[str] = (),
) -> Dataset:
    """The sample as a Dataset. Equal arguments give equal data. Raises ConfigError where they make no sense."""
    shop = open_shop(n_users, n_items, n_reviews, seed, signals, shuffle)
    tables = _tables(shop, seed, shuffle)
    return build(
        NAME,
        tables.events,
        kinds=[Kind("review", values="rating", scale=(1.0, 5.0))],
        items=tables.items,
        friends=tables.friends,
        item_attributes=tables.attributes,
    )


def write(
    folder: str | Path,
    n_users: int = 600,
    n_items: int = 400,
    n_reviews: int = 6000,
    seed: int = 7,
    signals: Collection[str] = SIGNALS,
    shuffle: Collection[str] = (),
) -> Path:
    """The sample as files with the fields of Amazon 2018, for ``Dataset.load(folder)``; returns the folder.

    reviews.json.gz (reviewerID, asin, reviewText, summary, overall, unixReviewTime), meta_reviews.json.gz (asin, title,
    brand, category, description, details) and friends.csv (user_id, friend_id).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shop = open_shop(n_users, n_items, n_reviews, seed, signals, shuffle)
    tables = _tables(shop, seed, shuffle)
    fields = {"user_id": "reviewerID", "item_id": "asin", "text": "reviewText", "summary": "summary"}
    fields |= {"value": "overall", "timestamp": "unixReviewTime"}
    of = {key: rows.groupby("item_id")["value"].agg(list) for key, rows in tables.attributes.groupby("key")}
    known = pd.DataFrame(of).loc[tables.items["item_id"]]  # lists of values
    details = known[["material", "color", "manufacturer"]].map(lambda values: values[0])
    meta = pd.DataFrame(
        {
            "asin": tables.items["item_id"],
            "title": tables.items["title"],
            "brand": known["brand"].str[0].to_numpy(),
            "category": known["category"].to_numpy(),
            "description": [[text] for text in tables.items["text"]],
            "details": details.to_dict("records"),
        }
    )
    for name, table in {"reviews": tables.events.rename(columns=fields), "meta_reviews": meta}.items():
        table.to_json(
            folder / f"{name}.json.gz",
            orient="records",
            lines=True,
            force_ascii=False,
            compression={"method": "gzip", "mtime": 0},
        )
    tables.friends.to_csv(folder / "friends.csv", index=False, lineterminator="\n")
    return folder


def planted(
    n_users: int = 600,
    n_items: int = 400,
    n_reviews: int = 6000,
    seed: int = 7,
    signals: Collection[str] = SIGNALS,
    shuffle: Collection[str] = (),
) -> Planted:
    """What is hidden in ``generate`` with the same arguments."""
    shop = open_shop(n_users, n_items, n_reviews, seed, signals, shuffle)
    users, items = _ids("shopper", n_users), _ids("gear", n_items)
    pairs = zip(shop.user_nums[shop.followed].tolist(), shop.item_nums[shop.followed].tolist(), strict=True)
    return Planted(
        user_signal={u: shop.signals[g] if g >= 0 else "" for u, g in zip(users, shop.group.tolist(), strict=True)},
        followed=frozenset((users[u], items[i]) for u, i in pairs),
        item_taste=dict(zip(items, shop.taste.tolist(), strict=True)),
        item_theme={i: THEMES[t].name for i, t in zip(items, shop.theme.tolist(), strict=True)},
        item_manufacturer={i: _manufacturer(m) for i, m in zip(items, shop.manufacturer.tolist(), strict=True)},
        theme_cues={theme.name: theme.cues for theme in THEMES},
    )


@dataclass(frozen=True)
class _Tables:
    events: pd.DataFrame  # user_id, item_id, value, timestamp, summary, text
    items: pd.DataFrame  # item_id, title, text
    attributes: pd.DataFrame  # item_id, key, value
    friends: pd.DataFrame  # user_id, friend_id


def _tables(shop: Shop, seed: int, shuffle: Collection[str]) -> _Tables:
    users, items = _ids("shopper", len(shop.group)), _ids("gear", len(shop.taste))
    n_items = len(items)
    facts = _facts(shop, seed)
    # item i has the texts of item spoken_of[i], and the attributes of item attributes_of[i]
    same = np.arange(n_items)
    spoken_of: Ints = stream(seed, SHUFFLE, 1).permutation(n_items) if "text" in shuffle else same
    attributes_of: Ints = stream(seed, SHUFFLE, 2).permutation(n_items) if "kg" in shuffle else same

    random = Random(f"{seed} {META}")
    descriptions = [describe(fact, random) for fact in facts]
    random = Random(f"{seed} {WORDS}")
    written = [
        review(facts[spoken_of[item]], stars, random)
        for item, stars in zip(shop.item_nums.tolist(), shop.ratings.tolist(), strict=True)
    ]
    events = pd.DataFrame(
        {
            "user_id": [users[u] for u in shop.user_nums],
            "item_id": [items[i] for i in shop.item_nums],
            "value": shop.ratings.astype(float),
            "timestamp": shop.times,
            "summary": [summary for summary, _ in written],
            "text": [text for _, text in written],
        }
    )
    attributes = [
        (item, key, value)
        for item, n in zip(items, attributes_of.tolist(), strict=True)
        for key, value in (
            ("brand", facts[n].brand),
            ("category", facts[n].product.use),
            ("category", facts[n].product.noun),
            ("material", facts[n].material),
            ("color", facts[n].colour),
            ("manufacturer", _manufacturer(int(shop.manufacturer[n]))),
        )
    ]
    once = shop.friends[:, shop.friends[0] < shop.friends[1]]
    return _Tables(
        events=events,
        items=pd.DataFrame(
            {"item_id": items, "title": [f.title for f in facts], "text": [descriptions[j] for j in spoken_of]}
        ),
        attributes=pd.DataFrame(attributes, columns=["item_id", "key", "value"]),
        friends=pd.DataFrame({"user_id": [users[a] for a in once[0]], "friend_id": [users[b] for b in once[1]]}),
    )


def _facts(shop: Shop, seed: int) -> list[Facts]:
    """Maker, product, material, colour and model of each item; no two titles are alike, nor tied to any preference."""
    random = Random(f"{seed} {ITEM}")
    shelf = [(b, p, m, k) for b in BRANDS for p in PRODUCTS for m in p.materials for k in p.models]
    random.shuffle(shelf)
    facts = []
    for n, theme in enumerate(shop.theme.tolist()):
        brand, product, material, model = shelf[n % len(shelf)]
        edition = f" v{n // len(shelf) + 1}" if n >= len(shelf) else ""
        facts.append(Facts(product, brand, material, random.choice(COLOURS), model + edition, THEMES[theme]))
    return facts


def _manufacturer(number: int) -> str:
    """Northlight Works, Northfield Works, … and in a large shop Northlight Works 2, …"""
    edition, place = divmod(number, len(WORKS_FIRST) * len(WORKS_LAST))
    first, last = divmod(place, len(WORKS_LAST))
    return f"{WORKS_FIRST[first]}{WORKS_LAST[last]} Works" + (f" {edition + 1}" if edition else "")


def _ids(kind: str, n: int) -> list[str]:
    width = max(4, len(str(n - 1)))
    return [f"{kind}-{number:0{width}d}" for number in range(n)]

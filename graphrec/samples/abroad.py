"""The synthetic shop in other languages: the same people, tastes and friends, who write Chinese, or a language each."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pandas as pd

from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.errors import ConfigError
from graphrec.samples.shop import SIGNALS, Shop, open_shop
from graphrec.samples.speech import CHINESE, GERMAN, OTHERS, Speech
from graphrec.samples.themes import THEMES
from graphrec.samples.writer import PLEASED

__all__ = ["LANGUAGES", "chinese", "mixed"]

LANGUAGES = ("en", "de", "zh", *OTHERS)
ENGLISH = (  # the sample in English is ``samples.generate``; these stand among others
    "The sound is great and the finish feels solid. I would buy it again.",
    "The sound is dull and the battery died within a week.",
)


def chinese(n_users: int = 120, n_items: int = 60, n_reviews: int = 900, seed: int = 7) -> Dataset:
    """A shop whose titles, descriptions and reviews are Chinese. Signals are planted as in ``samples.generate``, the
    hidden theme in descriptions and reviews alone. Raises ConfigError where the counts make no sense."""
    shop = open_shop(n_users, n_items, n_reviews, seed, SIGNALS, ())
    random = Random(f"{seed} zh")
    nouns = [CHINESE.nouns[n % len(CHINESE.nouns)] for n in range(n_items)]
    brands = [random.choice(CHINESE.brands) for _ in range(n_items)]
    models = [f"{random.choice('ABCDX')}{n}" for n in range(n_items)]
    items = pd.DataFrame(
        {
            "item_id": [f"gear-{n:04d}" for n in range(n_items)],
            "title": [f"{b}{noun}{m}" for b, noun, m in zip(brands, nouns, models, strict=True)],
            "text": [
                f"{b}出品的{noun}。{CHINESE.themes[t]}。" for b, noun, t in zip(brands, nouns, shop.theme, strict=True)
            ],
        }
    )
    texts = [
        written(CHINESE, nouns[i], brands[i], int(shop.theme[i]), stars, random)
        for i, stars in zip(shop.item_nums.tolist(), shop.ratings.tolist(), strict=True)
    ]
    attributes = [
        (id_, key, value)
        for id_, b, noun in zip(items["item_id"], brands, nouns, strict=True)
        for key, value in (("brand", b), ("category", noun))
    ]
    return _built("synthetic-chinese-shop", shop, items, texts, attributes)


def mixed(
    n_users: int = 80,
    n_items: int = 40,
    n_reviews: int = 560,
    seed: int = 7,
    languages: Sequence[str] = LANGUAGES,
) -> Dataset:
    """A shop in which every user writes one of these languages. Raises ConfigError for one that is not known."""
    if unknown := [code for code in languages if code not in LANGUAGES]:
        raise ConfigError(f"the sample writes no {unknown[0]!r}; it has {', '.join(LANGUAGES)}")
    shop = open_shop(n_users, n_items, n_reviews, seed, SIGNALS, ())
    random = Random(f"{seed} mixed")
    texts = []
    for user, item, stars in zip(shop.user_nums.tolist(), shop.item_nums.tolist(), shop.ratings.tolist(), strict=True):
        code, happy = languages[user % len(languages)], random.random() < PLEASED[stars]
        speech = {"zh": CHINESE, "de": GERMAN}.get(code)
        if speech is not None:
            noun, brand = speech.nouns[item % len(speech.nouns)], speech.brands[item % len(speech.brands)]
            texts.append(written(speech, noun, brand, int(shop.theme[item]), stars, random))
        else:
            texts.append((ENGLISH if code == "en" else OTHERS[code])[0 if happy else 1])
    items = pd.DataFrame({"item_id": [f"gear-{n:04d}" for n in range(n_items)], "title": "", "text": ""})
    return _built("synthetic-shop-of-many-languages", shop, items, texts, [])


def written(speech: Speech, noun: str, brand: str, theme: int, stars: int, random: Random) -> str:
    """One review; its opinions follow the stars."""
    said = [random.choice(speech.openings).format(noun=noun, brand=brand)]
    for aspect in random.sample(sorted(speech.aspects), random.choice((2, 3))):
        praise, complaint = speech.aspects[aspect]
        said.append(praise if random.random() < PLEASED[stars] else complaint)
    if speech.themes:
        said.append(speech.themes[theme % len(THEMES)])
    return speech.stop.join(said) + speech.stop.strip()


def _built(
    name: str, shop: Shop, items: pd.DataFrame, texts: list[str], attributes: list[tuple[str, str, str]]
) -> Dataset:
    once = shop.friends[:, shop.friends[0] < shop.friends[1]]
    events = pd.DataFrame(
        {
            "user_id": [f"shopper-{u:04d}" for u in shop.user_nums],
            "item_id": [f"gear-{i:04d}" for i in shop.item_nums],
            "value": shop.ratings.astype(float),
            "timestamp": shop.times,
            "text": texts,
        }
    )
    return build(
        name,
        events,
        kinds=[Kind("review", values="rating", scale=(1.0, 5.0))],
        items=items,
        friends=pd.DataFrame(
            {"user_id": [f"shopper-{a:04d}" for a in once[0]], "friend_id": [f"shopper-{b:04d}" for b in once[1]]}
        ),
        item_attributes=pd.DataFrame(attributes, columns=["item_id", "key", "value"]),
    )

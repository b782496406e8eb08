"""Writes descriptions and reviews out of the words and phrases."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from graphrec.samples import phrases
from graphrec.samples.themes import Theme
from graphrec.samples.words import BRANDS, Product

PLEASED = {1: 0.05, 2: 0.2, 3: 0.5, 4: 0.85, 5: 0.97}  # chance of praise for an aspect, by stars


@dataclass(frozen=True)
class Facts:
    """What there is to say about one item."""

    product: Product
    brand: str
    material: str
    colour: str
    model: str
    theme: Theme

    @property
    def title(self) -> str:
        """As on the shelf: "Harrow & Finch maple drum sticks 5A"."""
        return f"{self.brand} {self.material} {self.product.noun} {self.model}"


def agreement(product: Product) -> dict[str, str]:
    """Slots that agree with the noun."""
    article = "an " if product.noun[0] in "aeio" else "a "
    if product.plural:
        slots = {"this_": "these", "it": "they", "them": "them", "is": "are", "was": "were", "has": "have"}
        slots |= {"does": "do", "s": "", "article": "", "set": "set "}
    else:
        slots = {"this_": "this", "it": "it", "them": "it", "is": "is", "was": "was", "has": "has"}
        slots |= {"does": "does", "s": "s", "article": article, "set": ""}
    return slots | {"this": slots["this_"].capitalize(), "It": slots["it"].capitalize()}


def describe(facts: Facts, random: Random) -> str:
    """A shop's description: what it is, what it is known for, and three sentences that show the theme."""
    first, second = random.sample(facts.product.aspects[:-1], 2)
    what = f"{facts.product.noun.capitalize()} in {facts.material}, {facts.colour}, by {facts.brand}."
    known = f"Known for {'their' if facts.product.plural else 'its'} {first} and {second}."
    themed = random.sample(facts.theme.description, 3)
    return " ".join([what, themed[0], known, *themed[1:]])


def review(facts: Facts, stars: int, random: Random) -> tuple[str, str]:
    """(summary, text) of one review; its opinions follow the stars."""
    person = random.choice(phrases.PERSONS)
    slots = agreement(facts.product) | {
        "noun": facts.product.noun,
        "brand": facts.brand,
        "material": facts.material,
        "colour": facts.colour,
        "scene": facts.theme.scene,
        "other": random.choice([b for b in BRANDS if b != facts.brand]),
        "person": person,
        "person_cap": person[0].upper() + person[1:],
        "event": random.choice(phrases.EVENTS),
        "time": random.choice(phrases.TIMES),
    }
    happy = stars >= 3
    aspects = random.sample(facts.product.aspects, random.choice((2, 3, 3, 4)))
    opinions = [(a, random.random() < PLEASED[stars]) for a in aspects]
    # the summary names an aspect that deserves it
    named = next((a for a, pleased in opinions if pleased == happy), aspects[0])

    body = [_opinions(opinions[:2], random), *(_opinions([o], random) for o in opinions[2:])]
    if random.random() < 0.9:
        body.append(random.choice(facts.theme.review if happy else phrases.THEME_COMPLAINTS))
    if random.random() < 0.25:
        body.append(random.choice(phrases.COMPARISONS[stars >= 4]))
    if random.random() < 0.4:
        body.append(random.choice(phrases.DETAILS))
    random.shuffle(body)
    if random.random() < 0.8:
        body.insert(0, random.choice(phrases.OPENINGS))
    if random.random() < 0.7 or len(body) < 3:
        body.append(random.choice(phrases.CLOSINGS[stars]))
    summary = random.choice(phrases.SUMMARIES[stars]).format(**slots, aspect=named)
    sentences = [sentence.format(**slots) for sentence in body]
    return summary, " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _opinions(opinions: list[tuple[str, bool]], random: Random) -> str:
    """One or two opinions as a sentence or two."""
    clauses = [random.choice(phrases.ASPECTS[aspect][0 if pleased else 1]) for aspect, pleased in opinions]
    if len(clauses) == 1:
        sentence = f"{clauses[0]}."
    else:
        frames = phrases.AGREE if opinions[0][1] == opinions[1][1] else phrases.DIFFER
        sentence = random.choice(frames).replace("{a}", clauses[0]).replace("{b}", clauses[1])
    prefix = "" if sentence.startswith("Although") else random.choice(phrases.PREFIXES)
    return prefix + sentence

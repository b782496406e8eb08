"""The vocabulary of the synthetic music shop: makers and products. All names are invented."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """A kind of product: what it is called, what it is made of, what reviewers talk about."""

    noun: str
    use: str
    materials: tuple[str, ...]
    models: tuple[str, ...]
    aspects: tuple[str, ...]

    @property
    def plural(self) -> bool:
        """Whether the noun takes a plural verb."""
        return self.noun.endswith("s")


BRANDS = (
    *("Harrow & Finch", "Osterhall", "Tamber Lane", "Nordhollow", "Corvane", "Lutmere", "Fennimore Audio"),
    *("Sablewood", "Wexcombe", "Arrowby", "Dunmarrow", "Hollin Row", "Larkstead", "Merrow Bay", "Pennyroyal Works"),
    *("Ridgeby", "Thistlecroft", "Umberline", "Yarrowgate", "Quillon & Daughters"),
)

COLOURS = (
    "black",
    "natural",
    "sunburst",
    "ivory",
    "walnut brown",
    "navy blue",
    "cherry red",
    "forest green",
    "grey",
)

WORKS_FIRST = ("North", "Ember", "Silver", "Stone", "Winter", "Cobalt", "Amber", "Iron", "Willow", "Raven")
WORKS_LAST = ("light", "field", "gate", "crest", "fall", "line")

PRODUCTS = (
    Product(
        "drum sticks", "drums", ("maple", "hickory", "oak"), ("5A", "5B", "7A", "2B"),
        ("grip", "balance", "rebound", "durability", "finish", "weight", "price"),
    ),
    Product(
        "acoustic strings", "guitar", ("phosphor bronze", "nickel", "silk and steel"), ("10-47", "11-52", "12-53"),
        ("tone", "tuning stability", "feel", "durability", "packaging", "price", "sustain"),
    ),
    Product(
        "capo", "guitar", ("aluminium", "steel", "zinc"), ("One", "Slim", "Pro", "Mk II"),
        ("grip", "intonation", "finish", "weight", "price", "padding", "size"),
    ),
    Product(
        "clip-on tuner", "all instruments", ("ABS", "aluminium"), ("T1", "T2", "Mini", "Chromatic"),
        ("display", "battery", "accuracy", "size", "controls", "price", "durability"),
    ),
    Product(
        "guitar strap", "guitar", ("leather", "cotton", "hemp", "suede"), ("50 mm", "65 mm", "75 mm"),
        ("comfort", "stitching", "buckle", "length", "finish", "price", "padding"),
    ),
    Product(
        "instrument cable", "all instruments", ("copper", "braided nylon", "PVC"), ("3 m", "5 m", "6 m", "10 m"),
        ("connectors", "shielding", "durability", "length", "weight", "price", "packaging"),
    ),
    Product(
        "dynamic microphone", "voice", ("steel", "aluminium", "zinc"), ("D40", "D55", "D70", "D90"),
        ("clarity", "shielding", "durability", "weight", "connectors", "price", "tone"),
    ),
    Product(
        "microphone stand", "voice", ("steel", "aluminium"), ("Boom", "Straight", "Low", "Tripod"),
        ("stability", "height", "weight", "finish", "hardware", "price", "instructions"),
    ),
    Product(
        "keyboard stand", "keyboard", ("steel", "birch", "aluminium"), ("X1", "X2", "Z", "Column"),
        ("stability", "height", "hardware", "weight", "instructions", "size", "price"),
    ),
    Product(
        "overdrive pedal", "guitar", ("aluminium", "steel"), ("OD-1", "OD-2", "OD-7", "Twin"),
        ("tone", "controls", "noise floor", "battery", "finish", "size", "price"),
    ),
    Product(
        "delay pedal", "guitar", ("aluminium", "steel"), ("DL-3", "DL-5", "DL-8", "Echo"),
        ("tone", "controls", "noise floor", "display", "instructions", "size", "price"),
    ),
    Product(
        "practice amplifier", "guitar", ("birch", "poplar", "MDF"), ("5 W", "10 W", "15 W", "20 W"),
        ("tone", "volume", "controls", "noise floor", "weight", "size", "price"),
    ),
    Product(
        "headphones", "all instruments", ("ABS", "aluminium", "bamboo"), ("H20", "H40", "H60", "H80"),
        ("comfort", "clarity", "bass", "padding", "cable", "weight", "price"),
    ),
    Product(
        "ukulele", "strings", ("mahogany", "koa", "spruce", "bamboo"), ("Soprano", "Concert", "Tenor", "Baritone"),
        ("tone", "intonation", "tuning stability", "finish", "feel", "hardware", "price"),
    ),
    Product(
        "violin bow", "strings", ("pernambuco", "brazilwood", "carbon fibre"), ("4/4", "3/4", "Octagonal", "Round"),
        ("balance", "grip", "hair", "weight", "finish", "durability", "price"),
    ),
    Product(
        "harmonica", "wind", ("pearwood", "brass", "ABS"), ("in C", "in G", "in A", "in D"),
        ("tone", "response", "intonation", "comfort", "durability", "packaging", "price"),
    ),
    Product(
        "crash cymbal", "drums", ("B20 bronze", "B8 bronze", "brass"), ("14-inch", "16-inch", "18-inch"),
        ("tone", "response", "volume", "sustain", "finish", "durability", "price"),
    ),
    Product(
        "music stand", "all instruments", ("steel", "beech", "aluminium"), ("Fold", "Desk", "Solo", "Duo"),
        ("stability", "height", "hardware", "weight", "size", "finish", "price"),
    ),
    Product(
        "gig bag", "all instruments", ("nylon", "canvas", "polyester"), ("10 mm", "15 mm", "20 mm", "25 mm"),
        ("padding", "zip", "stitching", "comfort", "size", "weight", "price"),
    ),
    Product(
        "cajon", "drums", ("birch", "beech", "oak"), ("Standard", "Compact", "Deep", "Snare"),
        ("bass", "response", "tone", "comfort", "finish", "weight", "price"),
    ),
)  # fmt: skip

"""The vocabulary of the synthetic music shop: makers, products and themes. All names are invented."""

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


class Theme(NamedTuple):
    """A hidden theme: words that show it, and how descriptions and reviews bring it up (slots as in phrases.py)."""

    name: str
    cues: tuple[str, ...]
    scene: str
    description: tuple[str, ...]
    review: tuple[str, ...]


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

THEMES = (
    Theme(
        "travel", ("travel", "suitcase", "airport", "flight", "hotel"), "travel and hotel rooms",
        (
            "Made to travel: it goes through any airport and into any suitcase.",
            "Small enough for a flight and calm enough for a hotel room.",
            "For musicians who travel light and live out of a suitcase.",
        ),
        (
            "{It} {has} been through every airport from here to Lisbon in my suitcase.",
            "I travel for work and never take a flight without {them}.",
            "In a hotel room after a long flight {it} {is} exactly what I want.",
            "{It} fit{s} the suitcase, and no airport has managed to hurt {them}.",
            "A travel companion that does not mind a hotel wardrobe.",
        ),
    ),
    Theme(
        "vintage", ("vintage", "retro", "1960s", "old-school"), "lovers of retro, vintage things",
        (
            "A vintage design after a 1960s original.",
            "Retro looks with the old-school character that collectors ask for.",
            "True to the 1960s, down to the vintage lettering.",
        ),
        (
            "The retro look fits right in with my 1960s collection.",
            "{It} {has} that vintage character that new gear lacks.",
            "Proper old-school charm, as if straight out of the 1960s.",
            "Friends thought {it} {was} a vintage original.",
            "If you like retro things, here is the old-school spirit.",
        ),
    ),
    Theme(
        "quiet", ("quiet", "neighbours", "apartment", "midnight"), "a quiet apartment",
        (
            "For quiet practice in an apartment, with the neighbours in mind.",
            "Thin walls welcome: made for those who play after midnight.",
            "Keeps the neighbours asleep and the apartment peaceful.",
        ),
        (
            "I live in an apartment with thin walls and the neighbours never complained.",
            "I can play after midnight and nobody wakes up.",
            "For quiet evenings at home {it} {is} ideal.",
            "My neighbours have not knocked once since I got {them}.",
            "{It} suit{s} an apartment, where everything has to stay quiet.",
        ),
    ),
    Theme(
        "stage", ("stage", "audience", "spotlight", "encore"), "the stage and its audience",
        (
            "Built for the stage, from the first song to the encore.",
            "Under the spotlight every detail counts; the audience will notice.",
            "What you want on stage when the audience is waiting.",
        ),
        (
            "{It} went on stage with me the same week and lasted to the encore.",
            "Under the spotlight {it} look{s} as good as {it} work{s}.",
            "The audience asked about {them} after the show.",
            "{It} {is} always with me on stage now.",
            "Three sets and an encore in front of a loud audience, no trouble.",
        ),
    ),
    Theme(
        "recording", ("recording", "studio", "mixing", "demos"), "recording in a home studio",
        (
            "A tool for the home studio, ready for the next recording.",
            "Less mixing afterwards, because the first demos are right.",
            "Engineers keep one in the studio for every recording day.",
        ),
        (
            "I use {them} in my home studio and the recording came out clean.",
            "The first recording was the keeper, and mixing was easy.",
            "For recording demos {it} save{s} me hours of mixing.",
            "{It} {has} earned a place in the studio.",
            "We made two demos the first night and mixing them was a joy.",
        ),
    ),
    Theme(
        "beginner", ("beginner", "lessons", "learner", "teacher"), "a beginner's first lessons",
        (
            "A friendly choice for the beginner and for first lessons.",
            "What a teacher would hand to a new learner.",
            "Forgives the mistakes of every learner.",
        ),
        (
            "I am a beginner and {it} made the first lessons less scary.",
            "My teacher recommended {them} to every learner in the class.",
            "As a late learner I needed something that forgives mistakes.",
            "After ten lessons I still enjoy {them}.",
            "For a beginner {it} ask{s} for nothing but patience.",
        ),
    ),
    Theme(
        "outdoors", ("campfire", "camping", "beach", "trail"), "camping and the beach",
        (
            "For the campfire, the beach and the trail in between.",
            "Goes camping with you and shrugs off sand and dew.",
            "At home around a campfire.",
        ),
        (
            "We had {them} around the campfire all summer.",
            "Sand from the beach did no harm.",
            "{It} came camping with us and survived the rain.",
            "Strapped to my pack on the trail {it} {was} no bother.",
            "A beach, a campfire and {this_} {noun}: what else does one need?",
        ),
    ),
    Theme(
        "choir", ("choir", "chapel", "church", "hymns"), "the church and its choir",
        (
            "At home in the chapel and beside the choir.",
            "Made with church musicians, for Sunday hymns.",
            "Sits gently under a choir.",
        ),
        (
            "I use {them} every Sunday in church and the choir is pleased.",
            "{It} work{s} well in our little chapel.",
            "With the choir behind me, hymns have never been nicer.",
            "Our church has ordered more for the choir.",
            "{It} sat well under the hymns, even in a stone chapel.",
        ),
    ),
    Theme(
        "jazz", ("jazz", "swing", "bebop", "ballads"), "jazz and swing",
        (
            "For jazz players: easy swing and soft ballads.",
            "From bebop to ballads, it follows your hands.",
            "Loved by small jazz combos.",
        ),
        (
            "Our jazz trio swears by {them}.",
            "{It} {has} the swing I was looking for.",
            "From bebop to ballads {it} keep{s} up with me.",
            "On slow ballads {it} shine{s}.",
            "I brought {them} to a jazz evening and stayed with {them}.",
        ),
    ),
    Theme(
        "folk", ("folk", "ceilidh", "pub", "jigs"), "folk nights in the pub",
        (
            "A folk musician's friend, from jigs to slow airs.",
            "Born for the pub corner and the ceilidh floor.",
            "For everyone who knows more jigs than scales.",
        ),
        (
            "I take {them} to the folk night in our pub.",
            "{It} survived a whole ceilidh without a complaint.",
            "Jigs and reels come out just right.",
            "The folk crowd at the pub noticed {them} at once.",
            "After the last ceilidh I ordered another for my sister.",
        ),
    ),
    Theme(
        "busking", ("busking", "street", "pavement", "passers-by"), "busking on the street",
        (
            "Street-proof: made for busking in any weather.",
            "Sets up on the pavement in a minute and stops passers-by.",
            "For busking days on the street.",
        ),
        (
            "I went busking with {them} the same weekend.",
            "Passers-by stop and listen more often than before.",
            "Out on the street {it} hold{s} up well.",
            "Six hours on the pavement and {it} {was} still fine.",
            "For busking you need things that work at once, and {it} {does}.",
        ),
    ),
    Theme(
        "orchestra", ("orchestra", "conductor", "symphony", "concert hall"), "the orchestra",
        (
            "Meets the standards of the orchestra and the concert hall.",
            "Chosen by symphony players; approved by their conductor.",
            "For the back desk of an orchestra and the front row alike.",
        ),
        (
            "I play in an amateur orchestra and {it} {does} the duty without fuss.",
            "Even our conductor had a kind word for {them}.",
            "In the concert hall {it} did not let me down.",
            "A whole symphony later I am still happy with the choice.",
            "Half of our orchestra uses the same one by now.",
        ),
    ),
)  # fmt: skip

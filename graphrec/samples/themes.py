"""The hidden themes of the synthetic music shop: what shows them in descriptions and reviews."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """A hidden theme: words that show it, and how descriptions and reviews bring it up (slots as in phrases.py)."""

    name: str
    cues: tuple[str, ...]
    scene: str
    description: tuple[str, ...]
    review: tuple[str, ...]


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

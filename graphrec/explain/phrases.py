"""What sentences are put together from: names in quotation marks, friends, people counted, percentages."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable
from functools import reduce

from graphrec.explain.say import foreign, listed, marked, say, say_many, say_of

RELATIONS = (  # of common metadata, for the catalogues
    *(marked("brand"), marked("category"), marked("colour"), marked("color"), marked("material"), marked("author")),
    *(marked("manufacturer"), marked("size"), marked("genre"), marked("artist"), marked("tag"), marked("attribute")),
    *(marked("director"), marked("actor"), marked("producer"), marked("composer"), marked("writer"), marked("editor")),
    *(marked("country"), marked("language"), marked("publisher"), marked("price"), marked("series"), marked("label")),
)

UNTOLD = -1  # people, of whom it is not told how many they are
SILENT = -2  # not even whether there are any


def your_friend(user_id: str) -> str:
    """What a friend is called within a sentence."""
    return say("your friend {name}", name=quoted(user_id))


def unnamed(text: str, user_ids: Collection[str]) -> str:
    """A text of ``describe`` without the ids of these friends: each is "a friend of yours", a second one "another"."""
    met: list[str] = []

    def stands_for(found: re.Match[str]) -> str:
        name = found[0][1:]  # without the letter that may be a capital
        if name not in met:
            met.append(name)
        called = say("another friend of yours") if met.index(name) else say("a friend of yours")
        return begun(called) if found[0][0].isupper() else called

    names = sorted((your_friend(id_) for id_ in user_ids), key=len, reverse=True)
    either = [f"(?:{re.escape(name[0])}|{re.escape(name[0].upper())}){re.escape(name[1:])}" for name in names]
    return re.sub("|".join(either), stands_for, text) if names else text


def begun(clause: str) -> str:
    """A clause at the beginning of a sentence."""
    return clause[0].upper() + clause[1:]


def people(count: int) -> str:
    """How many people: "one person", "1,204 people", and where that is not told "some people"."""
    if count == UNTOLD:
        return say("some people")
    return say("one person") if count == 1 else say_many("{n} person", "{n} people", count)


def percent(share: float, whole: float, of_score: bool = True) -> str:
    """A percentage, where one makes sense: a part above the whole (others being negative) has none."""
    if not 0 < share <= whole:
        return ""
    part = 100 * share / whole
    if of_score:
        return say(" ({n} % of the score)", n=f"{part:.0f}") if part >= 1 else say(" (less than 1 % of the score)")
    return say(" ({n} %)", n=f"{part:.0f}") if part >= 1 else say(" (less than 1 %)")


def plain(text: str) -> str:
    """Text on one line, HTML entities read, without control characters."""
    line = " ".join(html.unescape(text).split())
    return "".join(c for c in line if c.isprintable())


def quoted(text: str) -> str:
    """A text in quotation marks, on one line."""
    return say_of("quotation marks", '"{text}"', text=plain(text))


_WITH_STOP = {  # where the quote brings no full stop of its own
    marked("{sentence}: {quote}"): marked("{sentence}: {quote}."),
    marked("{sentence}; {author}: {quote}"): marked("{sentence}; {author}: {quote}."),
}


def ended(message: str, quote: str, **parts: str) -> str:
    """A sentence that ends with a quote."""
    ends = plain(quote).rstrip("\"')]”’」』）").endswith((".", "!", "?", "…", "。", "！", "？", "｡"))
    return say(message if ends else _WITH_STOP[message], quote=quoted(quote), **parts)


def together(sentences: Iterable[str]) -> str:
    """Sentences one after the other."""
    return reduce(listed, sentences)


_WHAT = re.compile(r"(?:has|(?:.* )?(?:by|in|to|of|from|with)) (.+)|.*\.(.+)")  # "starred by actor", "film.film.genre"


def relation(label: str) -> str:
    """What a relation leads to, as a noun: "has colour" to a colour, "directed by director" to a director; one that the
    catalogue does not know stays."""
    name = _noun(label) or label
    return foreign(name) or name


def is_noun(label: str) -> bool:
    """Whether a relation's name says what it leads to: not where it is "also bought" or "sequel of"."""
    return bool(_noun(label))


def _noun(label: str) -> str:
    found = _WHAT.fullmatch(label)
    return (found[1] or found[2]) if found else label * (" " not in label)

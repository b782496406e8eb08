"""The second sentence: what is known of the thing itself, from a finding with a quote or one that tells much."""

from __future__ import annotations

from collections.abc import Sequence

from graphrec.explain.finding import Finding
from graphrec.explain.phrases import begun, ended, is_noun, quoted, relation, your_friend
from graphrec.explain.say import listed, marked, say
from graphrec.types import Source


def detail(found: Sequence[Finding], lead: Finding | None, together: bool) -> str:
    """What is known of the thing itself: a piece of evidence with a quote before all others; of these what the reader
    praised, else the one that the opening names, else the one that tells most.

    ``lead``: what the opening names; ``together``: it says that people took both.
    """
    told = [f for f in found if f.worth > 0]
    more = next((_praise(p.praised, p.evidence.source, p.reviews[1]) for p in found if p.praised), "")
    if not told:
        f = next((f for f in found if f is not lead and f.evidence.kind == "friend"), None)
        return more if f is None else say("{Friend} took it.", Friend=begun(your_friend(f.via)))
    f = max(told, key=lambda f: (f.evidence.source is not None and not f.praised, _own_praise(f), f is lead, f.worth))
    source = None if f.praised else f.evidence.source
    if not source:
        text = say("{sentence}.", sentence=_mention(f) if f.evidence.kind == "mention" else _common(f, known=f is lead))
        return listed(text, more) if more else text
    text = _quoting(f, source, lead, together)
    if not f.also:
        return text
    named = f is lead or f.relations == ("has aspect",) * 2
    return listed(
        text, say("{sentence}.", sentence=_shared(f.also, f.also[0], _via(f, named), _via(f, named, inside=True)))
    )


def _quoting(f: Finding, source: Source, lead: Finding | None, together: bool) -> str:
    """A sentence with a quote."""
    if f.theirs:
        return ended("{sentence}: {quote}", source.quote, sentence=_praised(f, known=f is lead and together))
    if f.evidence.kind in {"knowledge", "history"} and not _both_praised(f):
        praise = _praise(f.entity, source)
        if f.relations != ("has aspect",) * 2:
            return praise
        named = (("has aspect", f.entity), "has aspect", _via(f, f is lead), _via(f, f is lead, inside=True))
        return listed(say("{sentence}.", sentence=_shared(*named)), praise)
    text = _mention(f) if f.evidence.kind == "mention" else _like(f, _via(f, f is lead, inside=True))
    writes = say("you wrote") if f.quote_is_yours else say("a reviewer of it writes")
    return ended("{sentence}; {author}: {quote}", source.quote, sentence=text, author=writes)


def _praise(entity: str, source: Source | None, reviews: int = 1) -> str:
    """What a reviewer praises of the item; without a quote also what several do."""
    one = say("A reviewer praises its {entity}", entity=quoted(entity))
    if source:
        return ended("{sentence}: {quote}", source.quote, sentence=one)
    return say(
        "{sentence}.", sentence=one if reviews == 1 else say("Reviewers praise its {entity}", entity=quoted(entity))
    )


def _own_praise(f: Finding) -> bool:
    """Whether the reader praised what the item is known for."""
    return f.evidence.kind == "mention" and f.tones[0] > 0


def _both_praised(f: Finding) -> bool:
    """Whether reviewers of both items praise the aspect, and do not only name it."""
    return f.tones == (1, 1) and f.relations == ("has aspect",) * 2


def _praised(f: Finding, known: bool) -> str:
    """What one of those who took both praises; ``known``: the sentence before said that they took both."""
    told = {"entity": quoted(f.entity), "title": quoted(f.via)}
    if not known:
        return say("Somebody who took it and {title} praises its {entity}", **told)
    return say("One of them praises its {entity}", **told) if f.takers > 1 else say("They praise its {entity}", **told)


def _via(f: Finding, known: bool, inside: bool = False) -> str:
    """The history item; ``known``: it was said that the user took it. ``inside``: the sentence goes on after it."""
    if known:
        return quoted(f.via)
    if inside:
        return say("{title}, which you took,", title=quoted(f.via))
    return say("{title}, which you took", title=quoted(f.via))


def _common(f: Finding, known: bool) -> str:
    """What the item has in common with a history item; ``known``: the sentence before said that the user took it."""
    via, inside = _via(f, known), _via(f, known, inside=True)
    if not f.entity and f.relations[0] == "compared with":
        return say("Reviews compare it with {via}", via=via)
    if not f.entity and f.relations[0] in _BESIDE:
        return say(_BESIDE[f.relations[0]][0], via=via)
    if not f.entity:
        return say("It is linked to {via} ({relation})", via=via, relation=relation(f.relations[0]))
    if f.also:
        first, second = _thing(f.relations[0], f.entity), _thing(*f.also)
        return say("It shares {first} and {second} with {via}", first=first, second=second, via=via)
    return _like(f, inside) if _both_praised(f) else _shared((f.relations[0], f.entity), f.relations[1], via, inside)


def _like(f: Finding, inside: str) -> str:
    return say("Like {inside} it is praised for {entity}", inside=inside, entity=quoted(f.entity))


def _shared(thing: tuple[str, str], far: str, via: str, inside: str) -> str:
    """One thing that the item shares: relation and entity; ``far``: the relation on the item's side."""
    near, entity = thing
    told = {"entity": quoted(entity), "via": via, "inside": inside}
    if near != far:
        return say("Both it and {inside} are linked to {entity}", **told)
    if near == "made by":
        return say("It is made by {entity}, like {via}", **told)
    if near == "used for":
        return say("Like {inside} it is used for {entity}", **told)
    if near == "compared with":
        return say("Reviews compare both it and {inside} with {entity}", **told)
    if near == "has aspect":
        return say("It shares {entity} with {via}", **told)
    if near in _BESIDE:
        return say(_BESIDE[near][1], **told)
    told["relation"] = relation(near)
    if is_noun(near):
        told["entity"] = quoted(_value(near, entity))
        return say("It shares the {relation} {entity} with {via}", **told)
    return say("It shares {entity} ({relation}) with {via}", **told)


def _value(relation_: str, entity: str) -> str:
    """An entity without the relation's name before it, which is told beside it: "price 19 to 41"."""
    return entity.removeprefix(f"{relation_.removeprefix('has ')} ")


def _thing(relation_: str, entity: str) -> str:
    """One of two things that items share, with what it is."""
    of = say("brand") if relation_ == "made by" else relation(relation_)
    told = {"entity": quoted(_value(relation_, entity)), "relation": of}
    if is_noun(relation_) or relation_ == "made by":
        return say("the {relation} {entity}", **told)
    return say("{entity} ({relation})", **told)


_BOUGHT = marked("People buy it along with {via}"), marked("People buy {entity} along with it, as with {via}")
_VIEWED = marked("People look at it along with {via}"), marked("People look at {entity} along with it, as with {via}")
_BESIDE = {  # what shops count: of the item and a history item, and of a third beside both
    **dict.fromkeys(("also buy", "also bought", "bought together"), _BOUGHT),
    **dict.fromkeys(("also view", "also viewed"), _VIEWED),
}
_YOU = {  # what somebody did themselves, by their tone
    1: marked("You praised {entity}"),
    0: marked("You wrote about {entity}"),
    -1: marked("You criticised {entity}"),
}
_WHEN = {
    1: marked("You praised {entity} when you reviewed it"),
    0: marked("You wrote about {entity} when you reviewed it"),
    -1: marked("You criticised {entity} when you reviewed it"),
}
_NONE = dict.fromkeys((1, 0, -1), marked("this is linked to it"))
_ONE = {
    1: marked("a reviewer of this item praises it"),
    0: marked("a reviewer of this item mentions it"),
    -1: marked("a reviewer of this item criticises it"),
}
_MANY = {
    1: marked("reviewers of this item praise it"),
    0: marked("reviewers of this item mention it"),
    -1: marked("reviewers of this item criticise it"),
}


def _mention(f: Finding) -> str:
    mine, theirs = f.tones
    if f.quote_is_yours:
        return say(_WHEN[mine], entity=quoted(f.entity))
    you = say(_YOU[mine], entity=quoted(f.entity))
    heard = {0: _NONE, 1: _ONE}.get(f.reviews[1], _MANY)
    they = say(heard[theirs])
    if mine * theirs < 0:
        return say("{you}, but {they}", you=you, they=they)
    return say("{you}, and {they}", you=you, they=they)

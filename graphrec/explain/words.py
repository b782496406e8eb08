"""One or two plain sentences from templates. They claim what the numbers and the paths hold, and nothing else.

All words go through ``say``; each template is a whole sentence or a clause, so that another language can order it anew.
A cause is a clause after "because", that word included where a language needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphrec.explain.paths import Finding
from graphrec.explain.phrases import begun, ended, is_noun, people, percent, quoted, relation, your_friend
from graphrec.explain.say import foreign, listed, marked, number, say
from graphrec.explain.shares import Shares
from graphrec.profile.api import Words
from graphrec.profile.standing import PLAIN, Standing

MOSTLY = 0.5  # a cause with more than this part of the score

BLOCKS = {  # what stands in for a profile, or beside it, as a clause after "because"
    "friends": marked("of what your friends took"),
    "attributes": marked("of what people of whom the same is known took"),
    "words": marked("it is what your words ask for"),
    "popularity": marked("of its popularity"),
}
FIRST = {  # what comes first for somebody of whom too little is known, the first that a standing has
    "friends": marked("what your friends took"),
    "attributes": marked("what people of whom the same is known took"),
    "popularity": marked("what is popular with everyone"),
}
AMONG = {  # what an item is ranked among, by what is done with what somebody already took
    "exclude": marked("what you have not taken"),
    "allow": marked("all items"),
    "only": marked("what you took"),
}


def describe(
    found: Sequence[Finding],
    shares: Shares,
    takers: int,
    words: Mapping[str, Words],
    place: int = 0,
    standing: Standing = PLAIN,
    seen: str = "exclude",
) -> str:
    """Why the score is what it is, for a reader.

    Args:
        found: the evidence shown, by share.
        takers: how many people took the item. words: how blocks are put into sentences.
        place: of the item among what may be recommended, from 1; 0 where it is not known.
        standing: what stands in for the profile, or beside it. seen: what is done with what the user took (``AMONG``).
    """
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    known = words.get(block, Words())
    of_block = whole > max(0.0, sum(shares.friends.values())) and not (block in FIRST or known.counted)
    if not shares.history and of_block:
        cause = _block(block, takers, words)
        opening, lead = say("{unknown}; this comes first because {cause}.", unknown=_unknown(shares), cause=cause), None
    elif not shares.history:
        opening, lead = _newcomer(found, shares, takers, _first(standing))
    elif standing.factor == 0 and not of_block:
        opening, lead = _alike(takers, _first(standing)), None
    elif shares.score <= 0:
        opening, lead = _in_spite(found, shares, takers, words, place, say(AMONG[seen]))
    else:
        opening, lead = _because(found, shares, takers, words)
    detail = _detail(found, lead)
    return listed(opening, detail) if detail else opening


def _first(standing: Standing) -> str:
    return say(FIRST[next((name for name in FIRST if name in standing.extra), "popularity")])


def _unknown(shares: Shares) -> str:
    if shares.dislikes:
        return say("Nothing is known yet that you took and liked")
    return say("Nothing is known yet of what you took")


def _alike(takers: int, first: str) -> str:
    """Somebody with a history by which all items score the same."""
    start = say("What you took tells nothing apart here, so {first} comes first", first=first)
    if takers:
        return say("{start}: {people} took this.", start=start, people=people(takers))
    return say("{start}; nobody has taken this yet.", start=start)


def _newcomer(found: Sequence[Finding], shares: Shares, takers: int, first: str) -> tuple[str, Finding | None]:
    """Somebody without a history: friends where one took it, else what they are answered with."""
    friend = next((f for f in found if f.evidence.kind == "friend"), None)
    start = _unknown(shares)
    if friend:
        return say("{start}, but {friend} took this.", start=start, friend=your_friend(friend.via)), friend
    if not takers:
        return say("{start}, and nobody has taken this either.", start=start), None
    counted = people(takers)
    return say("{start}, so {first} comes first: {people} took this.", start=start, first=first, people=counted), None


def _in_spite(
    found: Sequence[Finding], shares: Shares, takers: int, words: Mapping[str, Words], place: int, among: str
) -> tuple[str, Finding | None]:
    """A score that is not above zero: what speaks for the item is told, and that more speaks against it."""
    lead = next((f for f in found if f.evidence.share > 0), None)
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    if lead and lead.evidence.share >= whole:
        cause = _cause(lead)
    elif whole > 0:
        cause = _block(block, takers, words)
    else:
        cause = ""
    opening = say("Not above zero in score")
    if place:
        opening = say("At place {place} of {among}", place=number(place), among=among)
    if place == 1:
        opening = say("The best of {among}", among=among)
    if not cause and place == 1:
        return say("{opening}; less speaks against it than against the rest.", opening=opening), lead
    if not cause:
        return say("{opening}; nothing speaks for it yet.", opening=opening), lead
    if sum(shares.dislikes.values()) >= 0:
        return say("{opening} because {cause}, though more speaks against it.", opening=opening, cause=cause), lead
    return say("{opening} because {cause}, though what you dislike is like it.", opening=opening, cause=cause), lead


def _because(
    found: Sequence[Finding], shares: Shares, takers: int, words: Mapping[str, Words]
) -> tuple[str, Finding | None]:
    """The largest cause of a positive score: what the user took, what friends took, or a block as a whole."""
    score = shares.score
    own, friends = sum(shares.history.values()), sum(shares.friends.values())
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    positive = [f for f in found if f.evidence.share > 0]
    first = next((f for f in positive if f.evidence.kind != "friend"), None)

    if whole >= max(own, friends):
        cause, share = _block(block, takers, words), whole
        lead = next(iter(positive), None)
        more = ""
        if lead:  # two percentages above 100 together (other parts being negative) would puzzle
            rest = score if share + lead.evidence.share <= score else 0.0
            part = percent(lead.evidence.share, rest)
            more = say(", and also because {cause}{percent}", cause=_cause(lead), percent=part)
    elif friends >= own:
        lead = next((f for f in positive if f.evidence.kind == "friend"), None)
        cause, share = (_cause(lead), lead.evidence.share) if lead else (say("of what your friends took"), friends)
        more = ""
    elif first and (first.evidence.share > MOSTLY * score or len(shares.history) == 1):
        lead, cause, share, more = first, _cause(first), first.evidence.share, ""
    else:
        lead, cause, share, more = first, say("of what you took"), own, ""
        if lead:
            of = {"example": _example(lead), "percent": percent(lead.evidence.share, score)}
            most = lead.evidence.share >= max(shares.history.values())
            more = (
                say(", above all {example}{percent}", **of) if most else say(", for example {example}{percent}", **of)
            )
    told = {"cause": cause, "percent": percent(share, score), "more": more}
    if share > MOSTLY * score:
        return say("Recommended mostly because {cause}{percent}{more}.", **told), lead
    return say("Recommended partly because {cause}{percent}{more}.", **told), lead


def _example(f: Finding) -> str:
    """A history item as an example of what the user took."""
    if f.takers < 2:
        return (
            say("{title}, which somebody else took along with it", title=quoted(f.via)) if f.takers else quoted(f.via)
        )
    return say("{title}, which people took along with it", title=quoted(f.via))


def _cause(f: Finding) -> str:
    """What a finding's share was earned by, as a clause after "because"."""
    if f.evidence.kind == "friend":
        return say("{friend} took it", friend=your_friend(f.via))
    if f.takers > 1:
        return say("people who took {title} also took it", title=quoted(f.via))
    if f.takers == 1:
        return say("somebody else who took {title} also took it", title=quoted(f.via))
    if len(f.evidence.path) == 1:
        return say("you already took it")
    return say("you took {title}", title=quoted(f.via))


def _detail(found: Sequence[Finding], lead: Finding | None) -> str:
    """What is known of the thing itself: a piece of evidence with a quote before all others; of these what the reader
    praised, else the one that the opening names, else the one that tells most."""
    told = [f for f in found if f.worth > 0]
    if not told:
        f = next((f for f in found if f is not lead and f.evidence.kind == "friend"), None)
        return "" if f is None else say("{Friend} took it.", Friend=begun(your_friend(f.via)))
    f = max(told, key=lambda f: (f.evidence.source is not None, _own_praise(f), f is lead, f.worth))
    source = f.evidence.source
    if f.theirs and source:
        return ended("{sentence}: {quote}", source.quote, sentence=_praised(f, known=f is lead))
    if source and f.evidence.kind == "knowledge" and not _both_praised(f):
        praises = say("A reviewer praises its {entity}", entity=quoted(f.entity))
        return ended("{sentence}: {quote}", source.quote, sentence=praises)
    text = _mention(f) if f.evidence.kind == "mention" else _common(f, known=f is lead)
    if not source:
        return say("{sentence}.", sentence=text)
    writes = say("you wrote") if f.quote_is_yours else say("a reviewer of it writes")
    return ended("{sentence}; {author}: {quote}", source.quote, sentence=text, author=writes)


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


def _common(f: Finding, known: bool) -> str:
    """What the item has in common with a history item; ``known``: the sentence before said that the user took it."""
    via = quoted(f.via) if known else say("{title}, which you took", title=quoted(f.via))
    near, far = f.evidence.path[1].relation, f.evidence.path[-1].relation
    if not f.entity and near == "compared_with":
        return say("Reviews compare it with {via}", via=via)
    if not f.entity:
        return say("It is linked to {via} ({relation})", via=via, relation=relation(f.relations[0]))
    inside = via if known else say("{title}, which you took,", title=quoted(f.via))  # before the sentence goes on
    told = {"entity": quoted(f.entity), "via": via, "inside": inside}
    if near != far:
        return say("Both it and {inside} are linked to {entity}", **told)
    if near == "made_by":
        return say("It is made by {entity}, like {via}", **told)
    if near == "used_for":
        return say("Like {inside} it is used for {entity}", **told)
    if near == "compared_with":
        return say("Reviews compare both it and {inside} with {entity}", **told)
    if _both_praised(f):
        return say("Like {inside} it is praised for {entity}", **told)
    if near == "has_aspect":
        return say("It shares {entity} with {via}", **told)
    told["relation"] = relation(f.relations[0])
    if is_noun(f.relations[0]):
        return say("It shares the {relation} {entity} with {via}", **told)
    return say("It shares {entity} ({relation}) with {via}", **told)


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


def _block(name: str, takers: int, words: Mapping[str, Words]) -> str:
    """What a block as a whole, or what stands in for one, means, as a clause after "because"."""
    known = words.get(name, Words(BLOCKS.get(name, "")))
    if not known.because:
        return say("the block {name} ranks it high for you", name=quoted(name))
    cause = foreign(known.because) or say("{clause}", clause=known.because)
    if known.counted and takers:
        return say("{cause}: {people} took it", cause=cause, people=people(takers))
    return cause

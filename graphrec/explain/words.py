"""One or two plain sentences from templates. They claim what the numbers and the paths hold, and nothing else.

All words go through ``say``; each template is a whole sentence or a clause, so that another language can order it anew.
A cause is a clause after "because", that word included where a language needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graphrec.explain.details import detail
from graphrec.explain.finding import Finding
from graphrec.explain.phrases import SILENT, people, percent, quoted, your_friend
from graphrec.explain.say import foreign, listed, marked, number, say
from graphrec.explain.shares import Shares
from graphrec.profile.api import NO_WORDS, Words
from graphrec.profile.clearing import CLEARED
from graphrec.profile.standing import PLAIN, Standing

MOSTLY = 0.5  # a cause with more than this part of the score

BLOCKS = {  # what stands in for a profile, or beside it, as a clause after "because"
    "friends": marked("of what your friends took"),
    "attributes": marked("of what people of whom the same is known took"),
    "words": marked("it is what your words ask for"),
    "popularity": marked("of its popularity"),
    CLEARED: marked("what tells a sensitive attribute was taken out of your profile"),
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


@dataclass(frozen=True)
class Lead:
    """The finding that the opening names, and ``Words.like`` of what it is named for; "" where people took both."""

    finding: Finding | None = None
    like: str = ""


NOBODY = Lead()


def describe(
    found: Sequence[Finding],
    shares: Shares,
    takers: int,
    words: Mapping[str, Words],
    place: int = 0,
    standing: Standing = PLAIN,
    seen: str = "exclude",
    last: int = -1,
) -> str:
    """Why the score is what it is, for a reader.

    Args:
        found: the evidence shown, by share.
        takers: how many people took the item. words: how blocks are put into sentences.
        place: of the item among what may be recommended, from 1; 0 where it is not known.
        standing: what stands in for the profile, or beside it. seen: what is done with what the user took (``AMONG``).
        last: the item that they took last, -1 where no order is known.
    """
    ends = {w.like: w.last for w in words.values() if w.last}
    found = [replace(f, ends=ends) if f.item == last >= 0 else f for f in found]
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    known = words.get(block, Words())
    of_block = whole > max(0.0, sum(shares.friends.values())) and not (block in FIRST or known.counted)
    if not shares.history and of_block:
        cause = _block(block, takers, words)
        opening, lead = (
            say("{unknown}; this comes first because {cause}.", unknown=_unknown(shares), cause=cause),
            NOBODY,
        )
    elif not shares.history:
        opening, lead = _newcomer(found, shares, takers, _first(standing))
    elif standing.factor == 0 and not of_block:
        opening, lead = _alike(takers, _first(standing)), NOBODY
    elif shares.score <= 0:
        opening, lead = _in_spite(found, shares, takers, words, place, say(AMONG[seen]))
    else:
        opening, lead = _because(found, shares, takers, words)
    more = detail(found, lead.finding, together=not lead.like)
    return listed(opening, more) if more else opening


def _first(standing: Standing) -> str:
    return say(FIRST[next((name for name in FIRST if name in standing.extra), "popularity")])


def _unknown(shares: Shares) -> str:
    if shares.dislikes:
        return say("Nothing is known yet that you took and liked")
    return say("Nothing is known yet of what you took")


def _alike(takers: int, first: str) -> str:
    """Somebody with a history by which all items score the same."""
    start = say("What you took tells nothing apart here, so {first} comes first", first=first)
    if takers == SILENT:
        return say("{sentence}.", sentence=start)
    if takers:
        return say("{start}: {people} took this.", start=start, people=people(takers))
    return say("{start}; nobody has taken this yet.", start=start)


def _newcomer(found: Sequence[Finding], shares: Shares, takers: int, first: str) -> tuple[str, Lead]:
    """Somebody without a history: friends where one took it, else what they are answered with."""
    friend = next((f for f in found if f.evidence.kind == "friend"), None)
    start = _unknown(shares)
    if friend:
        return say("{start}, but {friend} took this.", start=start, friend=your_friend(friend.via)), Lead(friend)
    if takers == SILENT:
        return say("{start}, so {first} comes first.", start=start, first=first), NOBODY
    if not takers:
        return say("{start}, and nobody has taken this either.", start=start), NOBODY
    counted = people(takers)
    return say("{start}, so {first} comes first: {people} took this.", start=start, first=first, people=counted), NOBODY


def _in_spite(
    found: Sequence[Finding], shares: Shares, takers: int, words: Mapping[str, Words], place: int, among: str
) -> tuple[str, Lead]:
    """A score that is not above zero: what speaks for the item is told, and that more speaks against it."""
    first = next((f for f in found if f.evidence.share > 0), None)
    lead = Lead(first, _carrier(first, shares, words)) if first else NOBODY
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    if first and first.evidence.share >= whole:
        cause = _cause(first, lead.like)
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


def _because(found: Sequence[Finding], shares: Shares, takers: int, words: Mapping[str, Words]) -> tuple[str, Lead]:
    """The largest cause of a positive score: that people took what the user took, what else is like it (its text), what
    friends took, or a block as a whole."""
    score = shares.score
    causes = _causes(shares, words)
    like, own = max(causes.items(), key=lambda kv: kv[1], default=("", 0.0))
    friends = sum(shares.friends.values())
    block, whole = max(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    positive = [f for f in found if f.evidence.share > 0]
    more = ""

    if whole >= max(own, friends):
        cause, share = _block(block, takers, words), whole
        first = next(iter(positive), None)
        lead = Lead(first, _carrier(first, shares, words)) if first else NOBODY
        if first:  # two percentages above 100 together (other parts being negative) would puzzle
            friend = first.evidence.kind == "friend"
            part = first.evidence.share if friend else _part(first.item, lead.like, shares, words)
            told = percent(part, score if share + part <= score else 0.0)
            more = say(", and also because {cause}{percent}", cause=_cause(first, lead.like), percent=told)
    elif friends >= own:
        first = next((f for f in positive if f.evidence.kind == "friend"), None)
        lead = Lead(first)
        cause, share = say("of what your friends took"), friends
        if first and first.evidence.share >= MOSTLY * friends:
            cause, share = _cause(first), first.evidence.share
    else:
        parts = {f.item: _part(f.item, like, shares, words) for f in positive if f.evidence.kind != "friend"}
        first = max((f for f in positive if f.item in parts), key=lambda f: parts[f.item], default=None)
        if first and parts[first.item] <= 0:
            first = None
        lead, part = Lead(first, like), parts[first.item] if first else 0.0
        if first and (part > MOSTLY * score or len(shares.history) == 1):
            cause, share = _cause(first, like), part
        else:
            cause, share = _of_all(like, shares, words)
            if first:
                of = {"example": _example(first, like), "percent": percent(part, score)}
                most = part >= max(_parts(like, shares, words).values())
                more = (
                    say(", above all {example}{percent}", **of)
                    if most
                    else say(", for example {example}{percent}", **of)
                )
    of = {"cause": cause, "percent": percent(share, score), "more": more}
    if share > MOSTLY * score:
        return say("Recommended mostly because {cause}{percent}{more}.", **of), lead
    return say("Recommended partly because {cause}{percent}{more}.", **of), lead


def _causes(shares: Shares, words: Mapping[str, Words]) -> dict[str, float]:
    """How a history adds to the score: ``Words.like`` of its blocks, "" where people took both → what it adds."""
    out: dict[str, float] = {}
    for (_, block), share in shares.parts.items():
        like = words.get(block, NO_WORDS).like
        out[like] = out.get(like, 0.0) + share
    return out


def _part(item: int, like: str, shares: Shares, words: Mapping[str, Words]) -> float:
    """What a history item adds in one of the ways of ``_causes``."""
    blocks = (block for block in shares.blocks if words.get(block, NO_WORDS).like == like)
    return sum(shares.parts.get((item, block), 0.0) for block in blocks)


def _parts(like: str, shares: Shares, words: Mapping[str, Words]) -> dict[int, float]:
    """The same of each history item."""
    out = dict.fromkeys(shares.history, 0.0)
    alike = {block for block in shares.blocks if words.get(block, NO_WORDS).like == like}
    for (item, block), share in shares.parts.items():
        if block in alike:
            out[item] += share
    return out


def _carrier(f: Finding, shares: Shares, words: Mapping[str, Words]) -> str:
    """The way in which the history item of a finding adds most."""
    ways = {words.get(block, Words()).like for block in shares.blocks}
    return max(sorted(ways), key=lambda like: _part(f.item, like, shares, words), default="")


def _of_all(like: str, shares: Shares, words: Mapping[str, Words]) -> tuple[str, float]:
    """What a whole history adds, as a clause after "because", and how much that is."""
    if not like:
        return say("of what you took"), sum(shares.history.values())
    own = _causes(shares, words)[like]
    blocks = [block for block in shares.blocks if words.get(block, Words()).like == like]
    return _block(blocks[0], 0, words, taken=True), own


def _example(f: Finding, like: str) -> str:
    """A history item as an example of what the user took."""
    if like or f.takers < 1:
        return quoted(f.via)
    if f.takers == 1:
        return say("{title}, which somebody else took along with it", title=quoted(f.via))
    return say("{title}, which people took along with it", title=quoted(f.via))


def _cause(f: Finding, like: str = "") -> str:
    """What a finding's share was earned by, as a clause after "because"."""
    if f.evidence.kind == "friend":
        return say("{friend} took it", friend=your_friend(f.via))
    if len(f.evidence.path) == 1 and not f.takers and f.evidence.kind == "history":
        return say("you already took it")
    if like:
        clause = f.ends.get(like, like)
        return (foreign(clause) or clause).format(title=quoted(f.via))
    if f.takers > 1:
        return say("people who took {title} also took it", title=quoted(f.via))
    if f.takers == 1:
        return say("somebody else who took {title} also took it", title=quoted(f.via))
    return say("you took {title}", title=quoted(f.via))


def _block(name: str, takers: int, words: Mapping[str, Words], taken: bool = False) -> str:
    """What a block as a whole, what stands in for one, or its part of what was ``taken`` means, as a clause after
    "because"."""
    known = words.get(name, Words(BLOCKS.get(name, "")))
    if not known.because:
        return say("the block {name} ranks it high for you", name=quoted(name))
    clause = known.because if taken else known.rest or known.because
    cause = foreign(clause) or say("{clause}", clause=clause)
    if known.counted and takers > 0:
        return say("{cause}: {people} took it", cause=cause, people=people(takers))
    return cause

"""One or two plain sentences from templates. They claim what the numbers and the paths hold, and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence

from graphrec.explain.paths import Finding
from graphrec.explain.shares import Shares
from graphrec.profile.api import Words
from graphrec.profile.standing import PLAIN, Standing

MOSTLY = 0.5  # a cause with more than this part of the score

BLOCKS = {  # what stands in for a profile, or beside it, as a clause after "because"
    "friends": "of what your friends took",
    "attributes": "of what people of whom the same is known took",
    "words": "it is what your words ask for",
    "popularity": "of its popularity",
}
FIRST = {  # what comes first for somebody of whom too little is known, the first that a standing has
    "friends": "what your friends took",
    "attributes": "what people of whom the same is known took",
    "popularity": "what is popular with everyone",
}
AMONG = {  # what an item is ranked among, by what is done with what somebody already took
    "exclude": "what you have not taken",
    "allow": "all items",
    "only": "what you took",
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
        opening, lead = f"{_unknown(shares)}; this comes first because {_block(block, takers, words)}.", None
    elif not shares.history:
        opening, lead = _newcomer(found, shares, takers, _first(standing))
    elif standing.factor == 0 and not of_block:
        opening, lead = _alike(takers, _first(standing)), None
    elif shares.score <= 0:
        opening, lead = _in_spite(found, shares, takers, words, place, AMONG[seen])
    else:
        opening, lead = _because(found, shares, takers, words)
    detail = _detail(found, lead)
    return f"{opening} {detail}" if detail else opening


def _first(standing: Standing) -> str:
    return FIRST[next((name for name in FIRST if name in standing.extra), "popularity")]


def _unknown(shares: Shares) -> str:
    return f"Nothing is known yet {'that you took and liked' if shares.dislikes else 'of what you took'}"


def _alike(takers: int, first: str) -> str:
    """Somebody with a history by which all items score the same."""
    start = f"What you took tells nothing apart here, so {first} comes first"
    return f"{start}: {_people(takers)} took this." if takers else f"{start}; nobody has taken this yet."


def _newcomer(found: Sequence[Finding], shares: Shares, takers: int, first: str) -> tuple[str, Finding | None]:
    """Somebody without a history: friends where one took it, else what they are answered with."""
    friend = next((f for f in found if f.evidence.kind == "friend"), None)
    start = _unknown(shares)
    if friend:
        return f"{start}, but {your_friend(friend.via)} took this.", friend
    if not takers:
        return f"{start}, and nobody has taken this either.", None
    return f"{start}, so {first} comes first: {_people(takers)} took this.", None


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
    opening = f"At place {place:,} of {among}" if place else "Not above zero in score"
    if place == 1:
        opening = f"The best of {among}"
    against = (
        "though more speaks against it" if sum(shares.dislikes.values()) >= 0 else "though what you dislike is like it"
    )
    if not cause:
        less = "less speaks against it than against the rest" if place == 1 else "nothing speaks for it yet"
        return f"{opening}; {less}.", lead
    return f"{opening} because {cause}, {against}.", lead


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
            more = f", and also because {_cause(lead)}{percent(lead.evidence.share, rest)}"
    elif friends >= own:
        lead = next((f for f in positive if f.evidence.kind == "friend"), None)
        cause, share = (_cause(lead), lead.evidence.share) if lead else ("of what your friends took", friends)
        more = ""
    elif first and (first.evidence.share > MOSTLY * score or len(shares.history) == 1):
        lead, cause, share, more = first, _cause(first), first.evidence.share, ""
    else:
        lead, cause, share, more = first, "of what you took", own, ""
        if lead:
            most = lead.evidence.share >= max(shares.history.values())
            more = f", {'above all' if most else 'for example'} {_example(lead)}{percent(lead.evidence.share, score)}"
    return f"Recommended {_extent(share, score)} because {cause}{percent(share, score)}{more}.", lead


def _example(f: Finding) -> str:
    """A history item as an example of what the user took."""
    also = {0: "", 1: ", which somebody else took along with it"}.get(f.takers, ", which people took along with it")
    return quoted(f.via) + also


def _cause(f: Finding) -> str:
    """What a finding's share was earned by, as a clause after "because"."""
    if f.evidence.kind == "friend":
        return f"of {your_friend(f.via)}, who took it"
    if f.takers > 1:
        return f"people who took {quoted(f.via)} also took it"
    if f.takers == 1:
        return f"somebody else who took {quoted(f.via)} also took it"
    if len(f.evidence.path) == 1:
        return "you already took it"
    return f"you took {quoted(f.via)}"


def _detail(found: Sequence[Finding], lead: Finding | None) -> str:
    """What is known of the thing itself: a piece of evidence with a quote, else one that the opening does not hold."""
    told = [f for f in found if f.evidence.kind in ("knowledge", "mention")]
    f = next((f for f in told if f.evidence.source), next(iter(told), None))
    if f is None:
        f = next((f for f in found if f is not lead and f.evidence.kind == "friend"), None)
        return "" if f is None else f"{_begun(your_friend(f.via))} took it."
    text = _mention(f) if f.evidence.kind == "mention" else _common(f, known=f is lead)
    if source := f.evidence.source:
        quote = plain(source.quote)
        text += f'; {_author(f)}: "{quote}"' + ("" if quote.endswith((".", "!", "?", "…")) else ".")
    else:
        text += "."
    return text


def _common(f: Finding, known: bool) -> str:
    """What the item has in common with a history item; ``known``: the sentence before said that the user took it."""
    via = quoted(f.via) + ("" if known else ", which you took")
    near, far = f.evidence.path[1].relation, f.evidence.path[-1].relation
    if not f.entity and near == "compared_with":
        return f"Reviews compare it with {via}"
    if not f.entity:
        return f"It is linked to {via} ({f.relations[0]})"
    entity, comma = quoted(f.entity), "" if known else ","
    if near != far:
        return f"Both it and {via}{comma} are linked to {entity}"
    if near == "made_by":
        return f"It is made by {entity}, like {via}"
    if near == "used_for":
        return f"Like {via}{comma} it is used for {entity}"
    if near == "compared_with":
        return f"Reviews compare both it and {via}{comma} with {entity}"
    if near.startswith("mentions_"):
        return f"Like {via}{comma} it is reviewed by people who mention {entity}"
    if near == "has_aspect":
        return f"It shares {entity} with {via}{comma * bool(_reserve(f))}{_reserve(f)}"
    return f"It shares {entity} ({f.relations[0].removeprefix('has ')}) with {via}"


def _reserve(f: Finding) -> str:
    """The complaint that must be told along with something in common."""
    near, far = f.tones
    if far < 0 and f.reviews[1]:
        return f" though {_reviewers(f.reviews[1], 'of this item', 'is', 'are')} critical of that"
    if near < 0 and f.reviews[0]:
        return f" though {_reviewers(f.reviews[0], f'of {quoted(f.via)}', 'is', 'are')} critical of that"
    return ""


def _mention(f: Finding) -> str:
    mine, theirs = f.tones
    verb = {1: "praised", 0: "wrote about", -1: "criticised"}[mine]
    if f.quote_of_item and f.quote_is_yours:
        return f"You {verb} {quoted(f.entity)} when you reviewed it"
    link = "but" if mine * theirs < 0 else "and"
    if not f.reviews[1]:
        return f"You {verb} {quoted(f.entity)}, {link} this is linked to it"
    one, many = {
        1: ("praises it", "praise it"),
        0: ("mentions it", "mention it"),
        -1: ("criticises it", "criticise it"),
    }[theirs]
    return f"You {verb} {quoted(f.entity)}, {link} {_reviewers(f.reviews[1], 'of this item', one, many)}"


def your_friend(user_id: str) -> str:
    """What a friend is called within a sentence."""
    return f"your friend {quoted(user_id)}"


def unnamed(text: str, user_ids: Collection[str]) -> str:
    """A text of ``describe`` without the ids of these friends: each is "a friend of yours", a second one "another"."""
    met: list[str] = []

    def stands_for(found: re.Match[str]) -> str:
        name = found[0][1:]  # without the letter that may be a capital
        if name not in met:
            met.append(name)
        called = "another friend of yours" if met.index(name) else "a friend of yours"
        return _begun(called) if found[0][0].isupper() else called

    names = sorted((re.escape(your_friend(id_)[1:]) for id_ in user_ids), key=len, reverse=True)
    return re.sub(f"[Yy](?:{'|'.join(names)})", stands_for, text) if names else text


def _begun(clause: str) -> str:
    """A clause at the beginning of a sentence."""
    return clause[0].upper() + clause[1:]


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count:,} people"


def _reviewers(count: int, of: str, one: str, many: str) -> str:
    return f"a reviewer {of} {one}" if count <= 1 else f"reviewers {of} {many}"


def _author(f: Finding) -> str:
    if f.quote_is_yours:
        return "you wrote" + (f" of {quoted(f.via)}" if f.via and not f.quote_of_item else "")
    return "a reviewer of it writes" if f.quote_of_item else f"a reviewer of {quoted(f.via)} writes"


def _block(name: str, takers: int, words: Mapping[str, Words]) -> str:
    """What a block as a whole, or what stands in for one, means, as a clause after "because"."""
    known = words.get(name, Words(BLOCKS.get(name, "")))
    if not known.because:
        return f"the block {quoted(name)} ranks it high for you"
    return known.because + (f": {_people(takers)} took it" if known.counted and takers else "")


def _extent(share: float, score: float) -> str:
    return "mostly" if share > MOSTLY * score else "partly"


def percent(share: float, whole: float, of: str = " of the score") -> str:
    """A percentage, where one makes sense: a part above the whole (others being negative) has none."""
    if not 0 < share <= whole:
        return ""
    part = 100 * share / whole
    return f" ({part:.0f} %{of})" if part >= 1 else f" (less than 1 %{of})"


def plain(text: str) -> str:
    """Text on one line, HTML entities read, without control characters."""
    line = " ".join(html.unescape(text).split())
    return "".join(c for c in line if c.isprintable())


def quoted(text: str) -> str:
    """A text in quotation marks, on one line."""
    return f'"{plain(text)}"'

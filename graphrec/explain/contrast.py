"""Why one item scores higher than another for a user: the difference split by block, and by what it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from graphrec.explain.links import Links
from graphrec.explain.phrases import percent, plain, quoted, together
from graphrec.explain.say import decimal, foreign, marked, say
from graphrec.explain.shares import Shares
from graphrec.explain.words import FIRST
from graphrec.profile.api import Words
from graphrec.profile.clearing import CLEARED

MOST = 0.5  # of a whole
MUCH = 0.25  # of a score, from which what speaks against it is told
CAUSES = {  # what stands in for a profile, or beside it, as noun phrases
    **FIRST,
    "words": marked("the words that were asked for"),
    "popularity": marked("popularity"),
    CLEARED: marked("what was taken out of your profile because it tells a sensitive attribute"),
}


@dataclass(frozen=True)
class Contrast:
    """``score`` of an item less that of the ``other``. ``blocks`` sums to the difference, and so does ``shares``: by
    history item (``item:<id>``), friend (``user:<id>``) and what of a block belongs to neither (``block:<name>``)."""

    user_id: str
    item_id: str
    other_id: str
    score: float
    other_score: float
    blocks: Mapping[str, float]
    shares: Mapping[str, float]
    text: str

    @property
    def difference(self) -> float:
        """How much higher the item scores than the other."""
        return self.score - self.other_score

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        """The document of `graphrec explain --versus`."""
        return {**asdict(self), "difference": self.difference}


def contrast(
    user_id: str, pair: tuple[int, int], both: tuple[Shares, Shares], links: Links, words: Mapping[str, Words]
) -> Contrast:
    """The Contrast of two items, given by number and by what their scores are made of."""
    data = links.data
    users, items = data.users.ids, data.items.ids
    first, second = both
    blocks = {block: first.blocks[block] - second.blocks[block] for block in first.blocks}
    history = {j: first.history[j] - second.history[j] for j in first.history}
    disliked = {j: first.dislikes[j] - second.dislikes[j] for j in first.dislikes}
    friends = {f: first.friends[f] - second.friends[f] for f in first.friends}
    rest = {b: first.rest.get(b, 0.0) - second.rest.get(b, 0.0) for b in {**first.rest, **second.rest}}
    sign = 1.0 if first.score >= second.score else -1.0
    titles = [links.title(item) for item in pair]
    scores = [first.score, second.score]
    if sign < 0:
        titles.reverse()
        scores.reverse()
    spoken = {links.title(j): sign * share for j, share in history.items()}
    return Contrast(
        user_id=user_id,
        item_id=items[pair[0]],
        other_id=items[pair[1]],
        score=first.score,
        other_score=second.score,
        blocks=blocks,
        shares={
            **{f"item:{items[j]}": share for j, share in {**history, **disliked}.items()},
            **{f"user:{users[f]}": share for f, share in friends.items()},
            **{f"block:{block}": share for block, share in rest.items()},
        },
        text=_describe(titles, scores, {b: sign * part for b, part in blocks.items()}, spoken, words),
    )


def _describe(
    titles: list[str],
    scores: list[float],
    blocks: Mapping[str, float],
    history: Mapping[str, float],
    words: Mapping[str, Words],
) -> str:
    """Words for a difference; all parts are seen from the higher item, which comes first."""
    high, low = map(quoted, titles)
    gap = scores[0] - scores[1]
    if gap <= 1e-9:
        return say("{high} and {low} score the same for you ({score}).", high=high, low=low, score=decimal(scores[0]))
    sentences = [
        say(
            "{high} scores {gap} higher for you than {low} ({score} against {other}).",
            high=high,
            low=low,
            gap=decimal(gap),
            score=decimal(scores[0]),
            other=decimal(scores[1]),
        )
    ]
    block, part = max(blocks.items(), key=lambda kv: kv[1])
    told = {"cause": cause(block, words), "percent": percent(part, gap, of_score=False)}
    if part > MOST * gap:
        sentences.append(say("Most of the difference comes from {cause}{percent}.", **told))
    else:
        sentences.append(say("The largest part of the difference comes from {cause}{percent}.", **told))
    most, least = (f(history.items(), key=lambda kv: kv[1], default=("", 0.0)) for f in (max, min))
    if most[1] > 0:
        sentences.append(say("Of what you took, {title} speaks most for {high}.", title=quoted(most[0]), high=high))
    if least[1] < 0:
        sentences.append(say("{title}, which you took, speaks rather for {low}.", title=quoted(least[0]), low=low))
    return together(sentences)


def cause(block: str, words: Mapping[str, Words]) -> str:
    """What a block, or what stands in for one, means, as a noun phrase."""
    known = words[block].cause if block in words else CAUSES.get(block, "")
    if known:
        return foreign(known) or known
    return say("the block {name}", name=plain(block))


def against(shares: Shares, words: Mapping[str, Words]) -> str:
    """The block as a whole that makes more than half of what speaks against an item, where that is much: its season,
    how few took it; else ""."""
    block, part = min(shares.rest.items(), key=lambda bs: bs[1], default=("", 0.0))
    own = (*shares.rest.values(), *shares.history.values(), *shares.dislikes.values(), *shares.friends.values())
    down = sum(share for share in own if share < 0)
    much = part < 0 and part <= MOST * down and -part >= MUCH * max(shares.score, 0.0)
    if not much or not (words[block].cause if block in words else CAUSES.get(block)):
        return ""
    return say("What speaks most against it is {cause}.", cause=cause(block, words))

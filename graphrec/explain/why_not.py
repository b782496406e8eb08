"""Why an item was not recommended: its place, the score that was needed, what put it down, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graphrec.explain.contrast import MOST, cause
from graphrec.explain.links import Links
from graphrec.explain.phrases import percent, quoted, together
from graphrec.explain.say import decimal, number, say
from graphrec.explain.shares import Shares
from graphrec.profile.api import Words
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.types import Floats, Ints

SAID = 0.2  # a second block is named where it makes at least this part of the gap


@dataclass(frozen=True)
class WhyNot:
    """The place of an item among ``of`` items that may be recommended. ``taken``: the user took it.

    ``needed`` is the score of ``needed_by``, the item at place k, or at the last where there are fewer. ``blocks``
    splits the gap, needed - score; it is empty for somebody who is answered with what is popular. ``missing`` names
    what is not there, one sentence each.
    """

    user_id: str
    item_id: str
    title: str
    k: int
    taken: bool
    rank: int
    of: int
    score: float
    needed: float
    needed_by: str
    blocks: Mapping[str, float]
    missing: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        """The document of `graphrec explain --why-not`."""
        return asdict(self)


def why_not(
    query: Queries,
    user_id: str,
    item_num: int,
    k: int,
    scores: Floats,
    of: Callable[[int], Shares],
    links: Links,
    words: Mapping[str, Words],
    seen: str = "exclude",
) -> WhyNot:
    """The WhyNot of one item.

    Args:
        k: number of items recommended. scores: float32 (I,), what the user's items are ranked by; ties by item number.
        of: what an item's score is made of. words: how blocks are put into sentences.
        seen: what is done with what the user took: ``exclude`` it, ``allow`` it, or recommend it ``only``.
    """
    data, own, parts = links.data, row(query.seen, 0), of(item_num)
    taken = bool(np.isin(item_num, own))
    nothing: Ints = own[:0]
    out = {"exclude": own, "allow": nothing, "only": np.setdiff1d(np.arange(len(scores)), own)}[seen]
    barred = bool(np.isin(item_num, out))
    ranked = np.lexsort((np.arange(len(scores)), -scores))
    allowed = ~np.isin(ranked, out) & (scores[ranked] > -np.inf)  # no item that is hidden
    ranked = ranked[allowed | (ranked == item_num)]  # the item itself is ranked even where it may not be
    rank = int(np.flatnonzero(ranked == item_num)[0]) + 1
    unseen = ranked[ranked != item_num] if barred else ranked
    place = min(k, len(unseen))
    last = int(unseen[place - 1]) if place else item_num
    needed, score = float(scores[last]), float(scores[item_num])
    threshold = of(last).blocks
    blocks = {block: threshold[block] - part for block, part in parts.blocks.items()}
    size = sum(map(abs, [*threshold.values(), *parts.blocks.values()]))
    if abs(sum(blocks.values()) - (needed - score)) > 1e-4 * max(size, 1.0):
        blocks = {}
    missing = tuple(_missing(query, item_num, links))
    title = links.title(item_num)
    name = quoted(title)
    if barred and not taken:
        text = say("You have not taken {title}, and nothing but what you took is recommended.", title=name)
    elif barred and item_num in row(query.liked, 0):
        text = say("You already took {title}, and what you took is not recommended again.", title=name)
    elif barred:
        text = say(
            "You already took {title} and did not like it, and what you took is not recommended again.", title=name
        )
    elif rank <= k:
        text = say(
            "{title} is recommended to you, at place {rank} of {of}.", title=name, rank=rank, of=number(len(unseen))
        )
    else:
        against = min(parts.history.items(), key=lambda kv: kv[1], default=(-1, 0.0))
        opposed = []
        if against[1] < 0:
            most = quoted(links.title(against[0]))
            opposed = [say("{title}, which you took, speaks most against it.", title=most)]
        where = say(
            "{title} is at place {rank} of {of} for you: its score is {score}, and place {place} takes {needed}.",
            title=name,
            rank=number(rank),
            of=number(len(unseen)),
            score=decimal(score),
            place=place,
            needed=decimal(needed),
        )
        text = together([where, *_blame(blocks, needed - score, words), *missing, *opposed])
    return WhyNot(
        user_id=user_id,
        item_id=data.items.ids[item_num],
        title=title,
        k=k,
        taken=taken,
        rank=rank,
        of=len(unseen),
        score=score,
        needed=needed,
        needed_by=data.items.ids[last],
        blocks=blocks,
        missing=missing,
        text=text,
    )


def _blame(blocks: Mapping[str, float], gap: float, words: Mapping[str, Words]) -> list[str]:
    """The block that puts the item down most, and the next where it matters."""
    worst = sorted(((part, block) for block, part in blocks.items() if part > 0), reverse=True)[:2]
    if not worst or gap <= 0:
        return []
    (part, block), *second = worst
    told = {"cause": cause(block, words), "percent": percent(part, gap, of_score=False), "more": ""}
    if second and second[0][0] >= SAID * gap:
        share = percent(second[0][0], gap, of_score=False) if part <= gap else ""
        told["more"] = say(", then from {cause}{percent}", cause=cause(second[0][1], words), percent=share)
    if part > MOST * gap:
        return [say("Most of the gap comes from {cause}{percent}{more}.", **told)]
    return [say("The largest part of the gap comes from {cause}{percent}{more}.", **told)]


def _missing(query: Queries, item_num: int, links: Links) -> list[str]:
    """What a path from the user to the item would need and the data does not hold, one sentence each."""
    out, ties = [], query.ties
    own, takers, friends = row(query.liked, 0), ties.takers(item_num), query.friends.indices
    takers, others = takers[takers != query.user_nums[0]], own[own != item_num]
    if not len(own):
        liked = say("Nothing is known yet that you took and liked")
        unknown = liked if query.seen.nnz else say("Nothing is known yet of what you took")
        out.append(say("{sentence}.", sentence=unknown))
    if ties.tell_none and not len(takers):
        nobody = say("Nobody has taken it yet.")
        out.append(say("Nobody else has taken it yet.") if item_num in own else nobody)
    elif ties.tell_none and len(others) and not ties.overlap(takers, others):
        out.append(say("Nobody who took something of what you took also took it."))
    if len(others) and len(links.graph) and not len(links.between(others, item_num)):
        out.append(say("None of what you took is linked to it by anything in the knowledge graph."))
    if len(takers) and len(friends) and not np.isin(friends, takers).any():
        out.append(say("None of your friends took it."))
    return out

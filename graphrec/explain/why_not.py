"""Why an item was not recommended: its place, the score that was needed, what put it down, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graphrec.explain.contrast import cause, extent
from graphrec.explain.links import Links
from graphrec.explain.shares import Shares
from graphrec.explain.words import percent, quoted
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
    ranked = ranked[~np.isin(ranked, out) | (ranked == item_num)]  # the item itself is ranked even where it may not be
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
    if barred and not taken:
        text = f"You have not taken {quoted(title)}, and nothing but what you took is recommended."
    elif barred:
        liked = item_num in row(query.liked, 0)
        text = f"You already took {quoted(title)}{'' if liked else ' and did not like it'}, and what you took is not"
        text += " recommended again."
    elif rank <= k:
        text = f"{quoted(title)} is recommended to you, at place {rank} of {len(unseen):,}."
    else:
        against = min(parts.history.items(), key=lambda kv: kv[1], default=(-1, 0.0))
        opposed = (
            [f"{quoted(links.title(against[0]))}, which you took, speaks most against it."] if against[1] < 0 else []
        )
        where = f"{quoted(title)} is at place {rank:,} of {len(unseen):,} for you"
        gap = f"its score is {score:.2f}, and place {place} takes {needed:.2f}."
        text = " ".join([f"{where}: {gap}", *_blame(blocks, needed - score, words), *missing, *opposed])
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
    text = f"{extent(part, gap)} of the gap comes from {cause(block, words)}{percent(part, gap, '')}"
    if second and second[0][0] >= SAID * gap:
        text += f", then from {cause(second[0][1], words)}{percent(second[0][0], gap, '') if part <= gap else ''}"
    return [f"{text}."]


def _missing(query: Queries, item_num: int, links: Links) -> list[str]:
    """What a path from the user to the item would need and the data does not hold, one sentence each."""
    out, ties = [], query.ties
    own, takers, friends = row(query.liked, 0), ties.takers(item_num), query.friends.indices
    takers, others = takers[takers != query.user_nums[0]], own[own != item_num]
    if not len(own):
        what = "that you took and liked" if query.seen.nnz else "of what you took"
        out.append(f"Nothing is known yet {what}.")
    if not len(takers):
        out.append("Nobody else has taken it yet." if item_num in own else "Nobody has taken it yet.")
    elif len(others) and not ties.overlap(takers, others):
        out.append("Nobody who took something of what you took also took it.")
    if len(others) and len(links.graph) and not len(links.between(others, item_num)):
        out.append("None of what you took is linked to it by anything in the knowledge graph.")
    if len(takers) and len(friends) and not np.isin(friends, takers).any():
        out.append("None of your friends took it.")
    return out

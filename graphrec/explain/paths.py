"""Real paths from a user to an item, each with its exact share of the score and, where there is one, a quote.

    history    user –interacted→ j ←interacted– v –interacted→ i        somebody else took both
    knowledge  user –interacted→ j –relation→ entity ←relation– i       j and i have something in common
    mention    user –mentions→ entity ←relation– i                      the user wrote about it
    friend     user –friend→ f –interacted→ i                           a friend took it

Every step is an interaction or friendship of the training data or a triple of the knowledge graph, in its direction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from graphrec.data.tables import review_id
from graphrec.explain.links import Bridges, Links
from graphrec.explain.shares import Shares
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.types import Evidence, Step

MENTIONS = 2  # mention paths in one explanation, at most


@dataclass(frozen=True)
class Finding:
    """A piece of evidence with what is needed to put it in words.

    ``via`` is the title of the history item or the id of the friend that it goes through. ``relations`` (in words),
    ``tones`` and ``reviews`` (how many stand behind it) are those of the near (via's or the user's) and the far (the
    item's) triple. A quote is from a review of the item, or else of via (or of anything the user wrote about).
    ``takers`` is how many others took both items.
    """

    evidence: Evidence
    via: str = ""
    entity: str = ""
    relations: tuple[str, str] = ("", "")
    tones: tuple[int, int] = (0, 0)
    reviews: tuple[int, int] = (0, 0)
    quote_of_item: bool = False
    quote_is_yours: bool = False
    takers: int = 0


class PathFinder:
    """Finds the evidence for one (user, item) pair."""

    def __init__(self, links: Links, shares: Shares, query: Queries, user_id: str, item_num: int) -> None:
        self.ties = ties = query.ties
        self.data, self.links, self.shares = ties.data, links, shares
        self.user_num, self.item_num = int(query.user_nums[0]), item_num
        self.user, self.item = user_id, self.data.items.ids[item_num]
        own = row(query.liked, 0)
        self.bridges = links.between(own[own != item_num], item_num)
        self.mentioned = links.mentioned(self.user if self.user_num >= 0 else "", item_num)
        self._takers = ties.takers(item_num)

    def find(self, limit: int) -> list[Finding]:
        """The best pieces of evidence, by share; one has a quote wherever any path has one."""
        found = [*self._history(limit), *self._friends(), *self._mentions()]
        found = sorted(found, key=lambda f: -f.evidence.share)[:limit]
        if limit > 0 and not any(f.evidence.source for f in found):
            found = self._with_quote(found, limit)
        return found

    def _history(self, limit: int) -> list[Finding]:
        """One path per history item, for the items that add most to the score; none for those that lower it."""
        starts, first = np.unique(self.bridges.start, return_index=True)
        best = dict(zip(starts.tolist(), self.bridges.quality[first].tolist(), strict=True))
        order = sorted(self.shares.history.items(), key=lambda js: (-js[1], -best.get(js[0], 0.0), js[0]))
        found: list[Finding] = []
        told: set[int] = set()
        for item, share in order:
            if len(found) == limit or share < 0:
                break
            ways = self.bridges.of(item)
            telling = (b for b in ways if self.bridges.node[b] not in told and self.links.telling(self.bridges, b))
            b = next(telling, None)
            finding = self._knowledge(b, share) if b is not None else self._together(item, share)
            if finding is None and len(ways):
                b = ways[0]
                finding = self._knowledge(b, share)
            if b is not None:
                told.add(int(self.bridges.node[b]))
            if finding is not None:
                found.append(finding)
        return found

    def _friends(self) -> list[Finding]:
        """Friends who took the item and do not lower its score."""
        took = set(self._takers.tolist())
        return [self._friend(f, s) for f, s in self.shares.friends.items() if f in took and s >= 0]

    def _mentions(self) -> list[Finding]:
        """What the user wrote about and the item is known for, best first."""
        ways = sorted(range(len(self.mentioned)), key=lambda b: -self.mentioned.quality[b])
        found: dict[int, Finding] = {}
        for b in ways:
            node = int(self.mentioned.node[b])
            if len(found) < MENTIONS and node not in found and self.links.telling(self.mentioned, b):
                found[node] = self._mention(b)
        return list(found.values())

    def _with_quote(self, found: list[Finding], limit: int) -> list[Finding]:
        """The same evidence with one piece that has a quote, if the graph has any for this pair; praise before blame.

        A history item already shown gets a quoted path instead of its own; else the last piece makes room.
        """
        shown = {f.evidence.path[0].tail: n for n, f in enumerate(found) if f.evidence.kind in ("history", "knowledge")}

        def node(b: int) -> str:
            return f"item:{self.data.items.ids[self.bridges.start[b]]}"

        def rank(way: tuple[Bridges, int]) -> tuple[bool, bool, bool, float]:
            bridges, b = way
            mention = bridges is self.mentioned
            new = mention or node(b) not in shown
            return not self.links.pleasant(bridges, b), mention, new, -float(bridges.quality[b])

        both = (self.bridges, self.mentioned)
        quoted = [(bridges, b) for bridges in both for b in self.links.with_quote(bridges).tolist()]
        if not quoted:
            return found
        bridges, b = min(quoted, key=rank)
        if bridges is self.mentioned:
            place, finding = limit - 1, self._mention(b)
        else:
            place = shown.get(node(b), limit - 1)
            finding = self._knowledge(b, self.shares.history[int(bridges.start[b])])
        return sorted([*found[:place], finding, *found[place + 1 :]], key=lambda f: -f.evidence.share)

    def _together(self, item: int, share: float) -> Finding | None:
        """History item → somebody else who took it and the item explained; the one who took fewest items."""
        took, via = self._took(self.user_num, item), self.links.title(item)
        if item == self.item_num:
            return Finding(Evidence(share, "history", (took,)), via)
        both = np.intersect1d(self.ties.takers(item), self._takers, assume_unique=True)
        both = both[both != self.user_num]
        if not len(both):
            return None
        other = int(both[np.argmin(self.ties.activity[both])])
        path = (took, self._took(other, item), self._took(other, self.item_num))
        return Finding(Evidence(share, "history", path), via, takers=len(both))

    def _knowledge(self, b: int, share: float) -> Finding:
        """History item → what it has in common with the item explained."""
        item = int(self.bridges.start[b])
        name = self.data.items.ids[item]
        return self._over(self.bridges, b, "knowledge", share, (self._took(self.user_num, item),), name)

    def _mention(self, b: int) -> Finding:
        """The user's own words → the item explained."""
        return self._over(self.mentioned, b, "mention", 0.0, (), None)

    def _over(
        self, bridges: Bridges, b: int, kind: str, share: float, path: tuple[Step, ...], via: str | None
    ) -> Finding:
        """The finding that a bridge stands for, from history item ``via`` or, with None, from the user's own words."""
        near, far, links = int(bridges.near[b]), int(bridges.far[b]), self.links
        source = links.quote(far)
        of_item = source is not None
        source = source or links.quote(near)
        reviewed = self.item if of_item else via  # None: a review by the user, of whatever
        yours = source is not None and (reviewed is None or source.review_id == review_id(self.user, reviewed))
        path += tuple(map(self._triple, dict.fromkeys((near, far))))
        return Finding(
            Evidence(share, kind, path, source),
            via="" if via is None else path[0].tail_label,
            entity="" if near == far else links.label(int(bridges.node[b])),
            relations=(links.relation(near), links.relation(far)),
            tones=(int(links.tone[near]), int(links.tone[far])),
            reviews=(links.reviews(near), links.reviews(far)),
            quote_of_item=of_item,
            quote_is_yours=yours,
        )

    def _friend(self, friend: int, share: float) -> Finding:
        """Friend → the item explained."""
        name = self.data.users.ids[friend]
        step = Step(f"user:{self.user}", "friend", f"user:{name}", "you", name)
        return Finding(Evidence(share, "friend", (step, self._took(friend, self.item_num))), via=name)

    def _took(self, user_num: int, item_num: int) -> Step:
        own = user_num == self.user_num
        user, item = self.user if own else self.data.users.ids[user_num], self.data.items.ids[item_num]
        label = "you" if own else user
        return Step(f"user:{user}", "interacted", f"item:{item}", label, self.links.title(item_num))

    def _triple(self, triple: int) -> Step:
        step = self.links.step(triple)
        return replace(step, head_label="you") if step.head == f"user:{self.user}" else step

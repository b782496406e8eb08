"""Real paths from a user to an item, each with its exact share of the score and, where there is one, a quote.

    history    user –interacted→ j ←interacted– v –interacted→ i        somebody else took both
               user –interacted→ j ←interacted– v –likes→ aspect ←has_aspect– i      and praised an aspect of i
    knowledge  user –interacted→ j –relation→ entity ←relation– i       j and i have something in common
    mention    user –mentions→ entity ←relation– i                      the user wrote about it
    friend     user –friend→ f –interacted→ i                           a friend took it

Every step is an interaction or friendship of the training data or a triple of the knowledge graph, in its direction.

Of the ways from a history item the one is taken that tells most, by one product:

    worth = lift ^ specificity · fit

with the lift of what is shared among those who took both (``lift``), how much it tells by itself (``Links.tells``), and
how well the sentence of a review fits that judges it (``quotes``; 1 for what no reviewer has to say). The first item
that has such a sentence has it shown, beside it what is worth TELLING. Where nothing is, the best of what is SPECIFIC
and not clearly less usual than by chance is told once, first of the item that adds most; that few have it tells as much
as a lift of TELLING: of two films the director, not the genre. Else it is that people took both. A third item beside
both is told last. What reviewers of either complain of, or the reader does, is nothing that the two have in common.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from graphrec.data.tables import review_id
from graphrec.explain.beside import alike, also, commended, praised
from graphrec.explain.finding import Finding
from graphrec.explain.lift import Lift, Lifts
from graphrec.explain.links import Bridges, Links
from graphrec.explain.phrases import UNTOLD
from graphrec.explain.quotes import LEAST_FIT, SHORT, Said
from graphrec.explain.say import say
from graphrec.explain.shares import Shares
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.types import Evidence, Ints, Step

MENTIONS = 2  # mention paths in one explanation, at most
TELLING = 1.5  # worth from which what two items share is told beside the first sentence
SPECIFIC = 0.5  # Links.tells from which it may be told where nothing is worth that: at most sqrt(I) of I items have it
NOTHING = 1e-3  # of all that history items add and take away: up to this a share adds nothing
USUAL = 0.8  # lift from which it may be: few counts do not tell it from 1
COMMON = 0.1  # Links.tells from which it may be told where there is nothing else to tell: at most I^0.9 of I items
FAINT = 0.5  # what that is worth, times what it tells: less than all else
THING = 0.4  # what praise of the very thing is worth, against praise of a side of it


class PathFinder:
    """Finds the evidence for one (user, item) pair."""

    def __init__(self, links: Links, lifts: Lifts, shares: Shares, query: Queries, user_id: str, item_num: int) -> None:
        self.ties = ties = query.ties
        self.data, self.links, self.lifts, self.shares = ties.data, links, lifts, shares
        self.user_num, self.item_num = int(query.user_nums[0]), item_num
        self.user, self.item = user_id, self.data.items.ids[item_num]
        own = row(query.liked, 0)
        self.bridges = links.between(own[own != item_num], item_num)
        self.mentioned = links.mentioned(self.user if self.user_num >= 0 else "", item_num)
        self._takers = ties.takers(item_num)
        tones = links.tone[self.mentioned.near]
        self._liked, self._disliked = (set(self.mentioned.node[tones == t].tolist()) for t in (1, -1))

    @cached_property
    def _said(self) -> Mapping[int, Sequence[Said]]:
        """Aspect → sentences that praise it of the item, the best first."""
        return self.links.said(self.item_num)

    @cached_property
    def _spoken(self) -> list[Said]:
        """All of them, the best first; of a side of the item before the very thing, of what few items are spoken of for
        before what all are, and no curt one where another says more."""

        def rank(said: Said) -> float:
            return self._fit(said) * (1 + self.links.tells(said.node)) * min(1.0, len(said.source.quote) / SHORT)

        return sorted(
            (s for said in self._said.values() for s in said), key=lambda s: (-rank(s), s.node, s.source.review_id)
        )

    def _side(self, node: int) -> float:
        return THING if self.links.thing(self.item_num, node) else 1.0

    def find(self, limit: int) -> list[Finding]:
        """The best pieces of evidence, by share; one has a quote where any that was found has one."""
        found = sorted([*self._history(limit), *self._friends(), *self._mentions()], key=lambda f: -f.evidence.share)
        shown, rest = found[:limit], [f for f in found[limit:] if f.evidence.source]
        if rest and shown and not any(f.evidence.source for f in shown):
            shown[-1] = max(rest, key=lambda f: f.worth)
        said = next((s for s in self._spoken if s.source.review_id != review_id(self.user, self.item)), None)
        at = next((n for n, f in enumerate(shown) if f.item not in (-1, self.item_num) and f.takers != UNTOLD), None)
        if at is None or any(f.evidence.source for f in shown):
            return shown
        if said:
            shown[at] = praised(self.links, shown[at], said, told=any(f.worth for f in shown))
        elif (aspect := self.links.praised(self.item_num)) is not None:
            shown[at] = commended(self.links, shown[at], aspect)
        return shown

    def _history(self, limit: int) -> list[Finding]:
        """One path per history item, for those that add most to the score; none for what lowers it or adds nothing."""
        starts, first = np.unique(self.bridges.start, return_index=True)
        best = dict(zip(starts.tolist(), self.bridges.quality[first].tolist(), strict=True))
        order = sorted(self.shares.history.items(), key=lambda js: (-js[1], -best.get(js[0], 0.0), js[0]))
        size = sum(map(abs, self.shares.history.values()))
        found: list[Finding] = []
        weak: list[tuple[int, Finding]] = []
        told: set[int] = set()
        for item, share in order:
            if len(found) == limit or share <= NOTHING * size:
                break
            both = self._both(item)
            common = self._common(item, share, both, told, found)
            finding = common if common and common.tells else self._together(item, share, both)
            if common and finding and not common.tells:
                weak.append((len(found), replace(common, item=item)))
            if finding is None:
                ways = (b for b in self.bridges.of(item) if self.links.pleasant(self.bridges, b))
                finding = common or next((self._knowledge(b, share) for b in ways), None)
            if finding is None and self.ties.together > 1:  # whether any took both is not told: only that oneself did
                took = Evidence(share, "history", (self._took(self.user_num, item),))
                finding = Finding(took, self.links.title(item), takers=UNTOLD)
            if finding is not None:
                found.append(replace(finding, item=item))
        if weak and not any(f.worth for f in found):
            at, known = max(weak, key=lambda place: place[1].worth)
            found[at] = known
        return found

    def _both(self, item: int) -> Ints:
        """Who else took a history item and the item explained, int64."""
        both: Ints = np.intersect1d(self.ties.takers(item), self._takers, assume_unique=True)
        both = np.asarray(both[both != self.user_num], np.int64)
        return both if self.ties.enough(both) else both[:0]

    def _common(self, item: int, share: float, both: Ints, told: set[int], found: Sequence[Finding]) -> Finding | None:
        """What tells most about a history item and the item explained; None where nothing does. Of the first one, which
        the reader has just read of, whatever is worth telling tells."""
        more, quoted = bool(found), any(f.evidence.source for f in found)
        at_item = self.bridges.of(item)
        ways = (np.flatnonzero(self._eligible[at_item.start : at_item.stop]) + at_item.start).tolist()
        fresh = [b for b in ways if int(self.bridges.node[b]) not in told | self._disliked]
        nodes = set(self.lifts.user_nodes[both].tolist()) if self._said else set()
        words = [s for s in self._spoken if s.by in nodes and s.node not in told and not self._alike]
        at = [int(self.bridges.node[b]) for b in fresh] + [s.node for s in words]
        lifts = self.lifts.of(at, both, (item, self.item_num))
        worth = [self._worth(b, lift) for b, lift in zip(fresh, lifts, strict=False)]
        worth += [lift.shrunken * self._fit(s) for s, lift in zip(words, lifts[len(fresh) :], strict=True)]
        said = [self._quote(int(self.bridges.node[b]), int(self.bridges.far[b])) is not None for b in fresh]
        said += [True] * len(words)
        known = map(self.links.tells, at)
        rare = [1.0 + known if s else TELLING**known for s, known in zip(said, known, strict=True)]
        rank = [(s and not quoted, more and w >= TELLING, w * r) for s, w, r in zip(said, worth, rare, strict=True)]
        best = max(range(len(rank)), key=rank.__getitem__, default=None)
        if best is None or not worth[best]:
            return None
        tells = (not more and worth[best] >= FAINT) or (said[best] and not quoted) or worth[best] >= TELLING
        if best < len(fresh):
            finding = self._knowledge(fresh[best], share)
            tells = tells or not finding.entity
        else:
            finding = self._words(item, share, words[best - len(fresh)], len(both), worth[best])
        facts = [n for n in range(len(fresh)) if worth[n] and self.lifts.linked(at[n]) is not None]
        others = [fresh[n] for n in sorted(facts, key=lambda n: -rank[n][2])]
        finding = also(self.links, self.bridges, finding, fresh[best] if best < len(fresh) else None, others)
        if tells:
            told.add(at[best])
        return replace(finding, worth=worth[best], tells=tells)

    def _quote(self, node: int, triple: int) -> Said | None:
        """The best sentence behind a triple of the item."""
        return next((s for s in self._said.get(node, ()) if s.triple == triple), None)

    @cached_property
    def _eligible(self) -> npt.NDArray[np.bool_]:
        """Bridges worth telling, and those over what a sentence praises of the item and the history item's reviews name
        without complaint; bool (B,)."""
        praised = [s.triple for those in self._said.values() for s in those]
        named = np.isin(self.bridges.far, praised) & (self.links.tone[self.bridges.near] >= 0)
        return np.asarray(named | self.links.tell(self.bridges), bool)

    @cached_property
    def _alike(self) -> bool:
        return alike(self.links, self.bridges, self._eligible, self.shares.history, self._said, self._disliked)

    def _worth(self, b: int, lift: Lift) -> float:
        """How much a bridge tells; nothing where no sentence speaks for it and its lift speaks against it."""
        near, far, node = int(self.bridges.near[b]), int(self.bridges.far[b]), int(self.bridges.node[b])
        if near == far:
            return math.inf
        if said := self._quote(node, far):
            return lift.shrunken * self._fit(said)
        specific = self.links.tells(node)
        if self.links.is_item(node):  # a third thing, which the reader may not know
            return FAINT * specific * (lift.shrunken >= USUAL)
        worth = float(lift.shrunken**specific) * (LEAST_FIT * self._side(node) if self.links.judged(far) else 1.0)
        if worth >= TELLING or (lift.shrunken >= USUAL and specific >= SPECIFIC):
            return worth
        faint = specific >= COMMON and lift.shrunken >= USUAL and not self.links.judged(far)
        return FAINT * specific if faint else 0.0

    def _fit(self, said: Said) -> float:
        """How well a sentence fits; of a side of the item better than of the very thing."""
        return said.fit * self._side(said.node)

    def _friends(self) -> list[Finding]:
        """Friends who took the item and do not lower its score."""
        return [self._friend(f, s) for f, s in self.shares.friends.items() if s >= 0 and f in self._takers]

    def _mentions(self) -> list[Finding]:
        """What the user wrote about and the item is known for, best first: what they judged and reviewers praise, or
        what the item has by more than reviews."""
        found: dict[int, Finding] = {}
        for b in sorted(range(len(self.mentioned)), key=lambda b: -self.mentioned.quality[b]):
            node, far = int(self.mentioned.node[b]), int(self.mentioned.far[b])
            mine, theirs = int(self.links.tone[self.mentioned.near[b]]), int(self.links.tone[far])
            fits = theirs > 0 and mine if self.links.judged(far) else theirs >= 0 and mine >= 0
            if len(found) < MENTIONS and node not in found and fits and self.links.says(self.mentioned, b):
                found[node] = self._mention(b)
        return list(found.values())

    def _together(self, item: int, share: float, both: Ints) -> Finding | None:
        """History item → somebody else who took it and the item explained; the one who took fewest items."""
        took, via = self._took(self.user_num, item), self.links.title(item)
        if item == self.item_num:
            return Finding(Evidence(share, "history", (took,)), via)
        if not len(both):
            return None
        other = int(both[np.argmin(self.ties.activity[both])])
        path = took, self._took(other, item), self._took(other, self.item_num)
        return Finding(Evidence(share, "history", path), via, takers=len(both))

    def _words(self, item: int, share: float, said: Said, takers: int, worth: float) -> Finding:
        """History item → somebody else who took it and praises an aspect of the item explained."""
        other = self.data.users.number(self.links.ids[said.by].removeprefix("user:"))
        likes = self.links.taste(said.by, said.node)
        took = self._took(self.user_num, item), self._took(other, item)
        path = (*took, self.links.step(likes), self.links.step(said.triple))
        return Finding(
            Evidence(share, "history", path, said.source),
            via=self.links.title(item),
            entity=self.links.label(said.node),
            relations=("", self.links.relation(said.triple)),
            tones=(0, 1),
            reviews=(0, self.links.reviews(said.triple)),
            takers=takers,
            worth=worth,
            theirs=True,
        )

    def _knowledge(self, b: int, share: float) -> Finding:
        """History item → what it has in common with the item explained."""
        took = self._took(self.user_num, item := int(self.bridges.start[b]))
        return self._over(self.bridges, b, "knowledge", share, (took,), self.data.items.ids[item])

    def _mention(self, b: int) -> Finding:
        """The user's own words → the item explained."""
        return replace(self._over(self.mentioned, b, "mention", 0.0, (), None), worth=1.0)

    def _over(
        self, bridges: Bridges, b: int, kind: str, share: float, path: tuple[Step, ...], via: str | None
    ) -> Finding:
        """The finding that a bridge stands for, from history item ``via`` or, with None, from the user's own words."""
        near, far, links = int(bridges.near[b]), int(bridges.far[b]), self.links
        said = self._quote(int(bridges.node[b]), far) if near != far else None
        source = said.source if said else None
        yours = source is not None and source.review_id == review_id(self.user, self.item)
        path += tuple(map(self._triple, dict.fromkeys((near, far))))
        return Finding(
            Evidence(share, kind, path, source),
            via="" if via is None else path[0].tail_label,
            entity="" if near == far else links.label(int(bridges.node[b])),
            relations=(links.relation(near), links.relation(far)),
            tones=(int(links.tone[near]), int(links.tone[far])),
            reviews=(links.reviews(near), links.reviews(far)),
            quote_is_yours=yours,
        )

    def _friend(self, friend: int, share: float) -> Finding:
        """Friend → the item explained."""
        name = self.data.users.ids[friend]
        step = Step(f"user:{self.user}", "friend", f"user:{name}", say("you"), name)
        return Finding(Evidence(share, "friend", (step, self._took(friend, self.item_num))), via=name)

    def _took(self, user_num: int, item_num: int) -> Step:
        own = user_num == self.user_num
        user, item = self.user if own else self.data.users.ids[user_num], self.data.items.ids[item_num]
        label = say("you") if own else user
        return Step(f"user:{user}", "interacted", f"item:{item}", label, self.links.title(item_num))

    def _triple(self, triple: int) -> Step:
        step = self.links.step(triple)
        return replace(step, head_label=say("you")) if step.head == f"user:{self.user}" else step

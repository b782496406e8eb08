"""Why this item for this person: exact shares of the score, real paths, verbatim quotes, plain words."""

from __future__ import annotations

from functools import cached_property

from graphrec.errors import DataError, UnknownIdError
from graphrec.explain.contrast import Contrast, against, contrast
from graphrec.explain.lift import Lifts
from graphrec.explain.links import Links
from graphrec.explain.paths import PathFinder
from graphrec.explain.phrases import SILENT, UNTOLD, together
from graphrec.explain.shares import Shares, shares
from graphrec.explain.why_not import WhyNot, why_not
from graphrec.explain.words import describe
from graphrec.profile.profiles import Profiles
from graphrec.profile.standing import PLAIN, Standing
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Attention, Explanation, Floats
from kg.graph import KnowledgeGraph


class Explainer:
    """Explains scores of fitted profiles. All methods take one query (B = 1), and the standing it is ranked with.

    Args:
        profiles: the blocks that score.
        ties: the training data that they were fitted on: its interactions and friendships are the evidence.
        graph: the knowledge graph made from the same training data; may be ``kg.graph.empty()``.

    Raises DataError where profiles and data are of different numbers of users or items.
    """

    hidden: frozenset[int] = frozenset()  # items that are not shown any more

    def __init__(self, profiles: Profiles, ties: Ties, graph: KnowledgeGraph) -> None:
        data = ties.data
        if (found := profiles.shape) != (data.n_users, data.n_items):
            raise DataError(
                f"the profiles are of {found[0]} users and {found[1]} items, {data.name} has {data.n_users} and "
                f"{data.n_items}; explain with the training data that they were fitted on"
            )
        self.profiles, self.data, self.ties, self.graph = profiles, data, ties, graph
        self.finder: type[PathFinder] = PathFinder

    @cached_property
    def links(self) -> Links:
        """The indices over graph and events, built when they are first needed."""
        return Links(self.graph, self.data)

    @cached_property
    def lifts(self) -> Lifts:
        """How much each entity tells about two items, counted when it is first asked for."""
        return Lifts(self.graph, self.ties)

    def shares(self, query: Queries, item_num: int, standing: Standing = PLAIN) -> Shares:
        """What one score is made of. Raises UnknownIdError for a number that is no item's."""
        if not 0 <= item_num < self.data.n_items:
            raise UnknownIdError(f"unknown item number {item_num}; the data holds items 0 to {self.data.n_items - 1}")
        return shares(self.profiles, query, item_num, standing)

    def why_not(
        self,
        query: Queries,
        user_id: str,
        item_num: int,
        k: int,
        scores: Floats,
        standing: Standing = PLAIN,
        seen: str = "exclude",
    ) -> WhyNot:
        """Why an item is not among the k best by ``scores`` float32 (I,). Raises DataError for k < 1."""
        if k < 1:
            raise DataError(f"k = {k}; ask for at least 1 item")

        def parts(item: int) -> Shares:
            return self.shares(query, item, standing)

        return why_not(query, user_id, item_num, k, scores, parts, self.links, self.profiles.words, seen)

    def contrast(self, query: Queries, user_id: str, pair: tuple[int, int], standing: Standing = PLAIN) -> Contrast:
        """Why one item scores higher or lower than another. Raises DataError for twice the same."""
        if pair[0] == pair[1]:
            raise DataError(f"item {self.data.items.ids[pair[0]]!r} cannot be compared with itself; name another")
        both = self.shares(query, pair[0], standing), self.shares(query, pair[1], standing)
        return contrast(user_id, pair, both, self.links, self.profiles.words)

    def explain(
        self,
        query: Queries,
        user_id: str,
        item_num: int,
        limit: int = 5,
        standing: Standing = PLAIN,
        place: int = 0,
        seen: str = "exclude",
    ) -> Explanation:
        """Explain one score with up to ``limit`` pieces of evidence. The first call builds the indices.

        ``place`` of the item among what may be recommended, from 1; told where the score is not above zero. ``seen``:
        what is done with what the user already took, as in ``Config.seen``.

        ``shares`` of the result accounts for the whole score: ``item:<id>`` for history items and for dislikes, which
        are never among the reasons, ``user:<id>`` for friends, ``block:<name>`` for what of a block belongs to neither.
        """
        users, items = self.data.users.ids, self.data.items.ids
        parts = self.shares(query, item_num, standing)
        found = self.finder(self.links, self.lifts, parts, query, user_id, item_num).find(limit)
        who, said = self.ties.takers(item_num), self.profiles.said(query, item_num)
        takers = len(who) if not len(who) or self.ties.enough(who) else UNTOLD
        takers = takers if self.ties.tell and (takers or self.ties.tell_none) else SILENT
        text = describe(found, parts, takers, said, place, standing, seen, last_of(query))
        return Explanation(
            user_id=user_id,
            item_id=items[item_num],
            score=parts.score,
            blocks=parts.blocks,
            evidence=tuple(f.evidence for f in found),
            text=together(filter(None, (text, against(parts, said)))),
            title=self.links.title(item_num),
            shares={
                **{f"item:{items[item]}": share for item, share in {**parts.history, **parts.dislikes}.items()},
                **{f"user:{users[friend]}": share for friend, share in parts.friends.items()},
                **{f"block:{name}": share for name, share in parts.rest.items()},
            },
            attention=self._attention(query, limit),
        )

    def _attention(self, query: Queries, limit: int) -> tuple[Attention, ...]:
        """Where the blocks that are heard look in a history, most first."""
        found = [item for block in self.profiles.heard for item in block.looks(query).items()]
        most = sorted(found, key=lambda item: (-item[1], item[0]))[:limit]
        return tuple(Attention(self.data.items.ids[n], self.links.title(n), share) for n, share in most)


def last_of(query: Queries) -> int:
    """The item that somebody took last and likes; -1 where the order of what they took is not known."""
    if not query.ties.data.events.ordered:
        return -1
    line = query.ordered(1, liked=True)
    return int(line.items[0, -1]) if line.items.size else -1

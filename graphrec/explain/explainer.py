"""Why this item for this user: exact shares of the score, real paths, verbatim quotes, plain words."""

from __future__ import annotations

from functools import cached_property

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, UnknownIdError
from graphrec.explain.contrast import Contrast, contrast
from graphrec.explain.links import Links
from graphrec.explain.paths import PathFinder
from graphrec.explain.shares import Shares, shares
from graphrec.explain.ties import Ties
from graphrec.explain.why_not import WhyNot, why_not
from graphrec.explain.words import EVERYBODY, describe
from graphrec.profile.profiles import Profiles
from graphrec.types import Explanation, Floats
from kg.graph import KnowledgeGraph


class Explainer:
    """Explains scores of fitted profiles.

    Args:
        profiles: the blocks that score.
        data: the training Dataset that they were fitted on: its interactions and friendships are the evidence.
        graph: the knowledge graph made from the same training data; may be ``kg.graph.empty()``.

    Raises DataError where profiles and data are of different numbers of users or items.
    """

    def __init__(self, profiles: Profiles, data: Dataset, graph: KnowledgeGraph) -> None:
        if (found := profiles.shape) != (data.n_users, data.n_items):
            raise DataError(
                f"the profiles are of {found[0]} users and {found[1]} items, {data.name} has {data.n_users} and "
                f"{data.n_items}; explain with the training data that they were fitted on"
            )
        self.profiles, self.data, self.graph = profiles, data, graph
        self.finder: type[PathFinder] = PathFinder

    @cached_property
    def ties(self) -> Ties:
        return Ties(self.data)

    @cached_property
    def links(self) -> Links:
        return Links(self.graph, self.data)

    def shares(self, user_num: int, item_num: int) -> Shares:
        """What one score is made of. Raises UnknownIdError for numbers out of range."""
        for kind, number, count in (("user", user_num, self.data.n_users), ("item", item_num, self.data.n_items)):
            if not 0 <= number < count:
                raise UnknownIdError(f"unknown {kind} number {number}; the data holds {kind}s 0 to {count - 1}")
        return shares(self.profiles, self.ties, user_num, item_num)

    def why_not(self, user_num: int, item_num: int, k: int, scores: Floats) -> WhyNot:
        """Why an item is not among the k best by ``scores`` float32 (I,). Raises UnknownIdError, DataError (k < 1)."""
        if k < 1:
            raise DataError(f"k = {k}; ask for at least 1 item")
        parts = self.shares(user_num, item_num)
        return why_not(user_num, item_num, k, scores, self.profiles, parts, self.links, self.ties)

    def contrast(self, user_num: int, item_num: int, other_num: int) -> Contrast:
        """Why one item scores higher or lower than another. Raises UnknownIdError, DataError for twice the same."""
        if item_num == other_num:
            raise DataError(f"item {self.data.items.ids[item_num]!r} cannot be compared with itself; name another")
        both = self.shares(user_num, item_num), self.shares(user_num, other_num)
        return contrast(user_num, (item_num, other_num), both, self.links)

    def explain(
        self, user_num: int, item_num: int, limit: int = 5, place: int = 0, first: str = EVERYBODY
    ) -> Explanation:
        """Explain one score with up to ``limit`` pieces of evidence. The first call builds the indices.

        ``place`` of the item among what the user has not taken, from 1; told where the score is not above zero.
        ``first`` is what comes first for a user without a history.

        ``shares`` of the result accounts for the whole score: ``item:<id>`` for history items and for dislikes, which
        are never among the reasons, ``user:<id>`` for friends, ``block:<name>`` for what of a block belongs to neither.
        Raises UnknownIdError for numbers out of range.
        """
        users, items = self.data.users.ids, self.data.items.ids
        parts = self.shares(user_num, item_num)
        found = self.finder(self.ties, self.links, parts, user_num, item_num).find(limit)
        return Explanation(
            user_id=users[user_num],
            item_id=items[item_num],
            score=parts.score,
            blocks=parts.blocks,
            evidence=tuple(f.evidence for f in found),
            text=describe(found, parts, len(self.ties.takers(item_num)), place, first),
            title=self.links.title(item_num),
            shares={
                **{f"item:{items[item]}": share for item, share in {**parts.history, **parts.dislikes}.items()},
                **{f"user:{users[friend]}": share for friend, share in parts.friends.items()},
                **{f"block:{name}": share for name, share in parts.rest.items()},
            },
        )

"""Why this item for this user: exact shares of the score, real paths, verbatim quotes, plain words."""

from __future__ import annotations

from functools import cached_property

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, UnknownIdError
from graphrec.explain.links import Links
from graphrec.explain.paths import PathFinder
from graphrec.explain.shares import shares
from graphrec.explain.ties import Ties
from graphrec.explain.words import describe
from graphrec.profiles import Profiles
from graphrec.types import Explanation
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

    @cached_property
    def _ties(self) -> Ties:
        return Ties(self.data)

    @cached_property
    def _links(self) -> Links:
        return Links(self.graph, self.data)

    def explain(self, user_num: int, item_num: int, limit: int = 5) -> Explanation:
        """Explain one score with up to ``limit`` pieces of evidence. The first call builds the indices.

        ``shares`` of the result accounts for the whole score: ``item:<id>`` for history items, ``user:<id>`` for
        friends, ``block:<name>`` for what of a block belongs to neither. Raises UnknownIdError for numbers out of
        range.
        """
        users, items = self.data.users.ids, self.data.items.ids
        for kind, number, count in (("user", user_num, len(users)), ("item", item_num, len(items))):
            if not 0 <= number < count:
                raise UnknownIdError(f"unknown {kind} number {number}; the data holds {kind}s 0 to {count - 1}")
        parts = shares(self.profiles, self._ties, user_num, item_num)
        found = PathFinder(self._ties, self._links, parts, user_num, item_num).find(limit)
        return Explanation(
            user_id=users[user_num],
            item_id=items[item_num],
            score=parts.score,
            blocks=parts.blocks,
            evidence=tuple(f.evidence for f in found),
            text=describe(found, parts, len(self._ties.takers(item_num))),
            title=self._links.title(item_num),
            shares={
                **{f"item:{items[item]}": share for item, share in parts.history.items()},
                **{f"user:{users[friend]}": share for friend, share in parts.friends.items()},
                **{f"block:{name}": share for name, share in parts.rest.items()},
            },
        )

"""Items that are not shown any more: they count for what they counted, and no explanation names them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from graphrec.explain.explainer import Explainer
from graphrec.explain.finding import Finding
from graphrec.explain.paths import PathFinder
from graphrec.explain.shares import Shares
from graphrec.model.learned import Learned
from graphrec.profile.standing import PLAIN, Standing
from graphrec.query.query import Queries

M = TypeVar("M", bound=Learned)


class _Finder(PathFinder):
    """Paths that lead over nothing hidden."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def find(self, limit: int) -> list[Finding]:
        return [
            f for f in super().find(limit) if not self.hidden & {n for s in f.evidence.path for n in (s.head, s.tail)}
        ]


class Veiled(Explainer):
    """An explainer to which the shares of hidden items belong to the blocks that they come from."""

    def __init__(self, usual: Explainer, hidden: Collection[int]) -> None:
        usual.links, usual.lifts  # noqa: B018 (built once, for all)
        self.__dict__.update(usual.__dict__)
        self.hidden = frozenset(hidden)
        names = frozenset(f"item:{self.data.items.ids[n]}" for n in self.hidden)
        self.finder = type("Finder", (_Finder,), {"hidden": names})

    def shares(self, query: Queries, item_num: int, standing: Standing = PLAIN) -> Shares:
        """See ``Explainer.shares``."""
        found = super().shares(query, item_num, standing)
        if not self.hidden & {*found.history, *found.dislikes}:
            return found
        rest = dict(found.rest)
        for (item, block), share in found.parts.items():
            if item in self.hidden:
                rest[block] = rest.get(block, 0.0) + share
        for item, share in found.dislikes.items():
            if item in self.hidden and share:
                main = max(found.blocks, key=lambda name: abs(found.blocks[name]))
                rest[main] = rest.get(main, 0.0) + share
        return replace(
            found,
            rest=rest,
            history=_shown(found.history, self.hidden),
            dislikes=_shown(found.dislikes, self.hidden),
            parts={key: share for key, share in found.parts.items() if key[0] not in self.hidden},
            pairs={key: share for key, share in found.pairs.items() if key[1] not in self.hidden},
        )


def _shown(shares: Any, hidden: frozenset[int]) -> dict[int, float]:
    return {item: share for item, share in shares.items() if item not in hidden}


def veiled(model: M, hidden: Collection[int]) -> M:
    """The model with an explainer that names none of these items; all else is shared."""
    out = replace(model)
    out.__dict__.update({name: value for name, value in model.__dict__.items() if name not in out.__dict__})
    out.__dict__["explainer"] = Veiled(model.explainer, hidden)
    return out

"""Whether, and how, items that few people took get sides from their content: chosen on items as if nobody took them.

Where whole items are held out (``cold-item``) the validation part asks for such items, and the weights of the blend are
chosen with each candidate. Else a part of the items is taken for new: their sides are told from content, by a map that
the others make, and users are asked for what they were held out among them, with the weights that stand. Either way
all items are ranked. The best is taken that is better than nothing by a standard error and costs what else is held out
``content.cost`` at most: whoever was held out could not take what was not there. Where somebody took everything of
which something is known there is nothing to choose. Then a share of the content in the sides of items with few events
is taken where all that is held out is better by a standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.blocks.blend import blend
from graphrec.blocks.folds import Fold, Folds, worth
from graphrec.config import Config
from graphrec.data.carve import Carve
from graphrec.evaluate.validation import Validation
from graphrec.profile.api import FittedBlock
from graphrec.profile.content import Content, content_of, informed, without
from graphrec.query.query import Queries
from graphrec.types import Floats

PART = 0.2  # of the items, taken for new
LEAST = 30  # users with anything held out among them, below which nothing is chosen
ASKED = 1_000  # users of a fold at most by whom what stands already is judged
Blocks = Mapping[str, Sequence[FittedBlock]]  # of each fold


@dataclass(frozen=True)
class Chosen:
    """``choice``: ridge, spread and few of ``profile.content``, and which blocks keep their ``own`` sides; empty where
    nothing is from content. ``blocks``, and their ``weights`` and ``ndcg`` in the blend."""

    choice: dict[str, Any]
    blocks: Blocks
    weights: dict[str, float]
    ndcg: float = 0.0


def blended(blocks: Blocks, judges: Folds, config: Config) -> Chosen:
    """The blocks as they are blended, with sides of their own."""
    candidates = max(config.blend.candidates, 2 * config.blend.k)
    return Chosen({}, blocks, *blend(list(blocks.values()), judges, candidates, config.blend.resampled))


def with_content(plain: Chosen, judges: Folds, carves: Sequence[Carve], config: Config, cold: bool) -> Chosen:
    """The blocks with sides from content where that is better; ``cold``: whole items are held out.

    # No leakage. All is chosen on validation users, and the map learns from items that training users took.
    """
    blocks = plain.blocks
    contents = [content_of(fold.inputs.ties, fold.inputs.graph) for fold in judges] if config.content.use else []
    if not contents or not all((c.told & (c.counts > 0)).any() for c in contents):
        return plain
    if not cold and not any(_new(*pair).any() for pair in zip(contents, carves, strict=True)):
        return plain

    some = judges if cold else _few(judges)
    asked = [fold.validation.queries.user_nums for fold in some]

    def sides(name: str, choice: dict[str, Any], of: Sequence[Content]) -> Sequence[FittedBlock]:
        if name in choice["own"]:
            return blocks[name]
        how = {key: choice[key] for key in ("ridge", "few", "spread")}
        parts = zip(blocks[name], of, judges, asked, strict=True)
        return [informed(block, content, fold.inputs.ties, users=who, **how) for block, content, fold, who in parts]

    def made(choice: dict[str, Any], of: Sequence[Content] = contents) -> Chosen:
        parts = {name: sides(name, choice, of) for name in blocks}
        return replace(blended(parts, judges, config), choice=choice) if cold else Chosen(choice, parts, plain.weights)

    ways = [{"ridge": r, "spread": s, "few": 0.0} for r in config.content.ridge for s in config.content.spread]
    if cold:
        best = max((made({**way, "own": []}) for way in ways), key=lambda one: one.ndcg)
        for name in (name for name, each in blocks.items() if _tells(each, contents)):
            other = made({**best.choice, "own": [*best.choice["own"], name]})
            best = other if _better(judges, other, best) else best
    else:
        # what a network tells of an item that nobody took is not known without training it anew
        own = [name for name in blocks if config.block(name).uses_text]
        new, parts = _taken_for_new(contents, judges, carves, config)
        asked = [np.union1d(who, fold.validation.queries.user_nums) for who, fold in zip(asked, new, strict=True)]
        blank = {
            name: [without(block, content.counts == 0) for block, content in zip(each, parts, strict=True)]
            for name, each in blocks.items()
        }
        tried = [made({**way, "own": own}, parts) for way in ways]
        tried = [replace(one, blocks={**one.blocks, **{name: blank[name] for name in own}}) for one in tried]
        if new.users < LEAST:
            return plain
        nothing = Chosen({}, blank, plain.weights)
        able = (
            made(one.choice) for one in sorted(tried, key=lambda one: -_worth(new, one)) if _better(new, one, nothing)
        )
        least = _worth(some, plain) * (1 - config.content.cost)
        found = next((one for one in able if _worth(some, one) >= least), None)
        if found is None:
            return plain
        best = found
    if cold and not _better(judges, best, plain):
        return plain
    for few in (few for few in config.content.few if few > 0):
        other = made({**best.choice, "few": few})
        best = other if _better(some, other, best) else best
    if cold:
        return best
    asked = [fold.validation.queries.user_nums for fold in judges]
    return replace(best, ndcg=_worth(judges, made(best.choice)))


def _few(judges: Folds) -> Folds:
    """The same with fewer users: whether a map takes anything from them is soon seen, and each candidate is asked."""
    return Folds(replace(fold, validation=fold.validation.few(ASKED)) for fold in judges)


def _new(content: Content, carve: Carve) -> npt.NDArray[np.bool_]:
    """Items that nobody took, held out or not, and of which something is known, bool (I,)."""
    taken = np.zeros(len(content.counts), bool)
    for part in (carve.train, carve.valid):
        taken[part.events.item_nums] = True
    return content.told & ~taken


def _tells(blocks: Sequence[FittedBlock], contents: Sequence[Content]) -> bool:
    """Whether a block has sides of its own for items that nobody took."""
    pairs = zip(blocks, contents, strict=True)
    return any(not b.places_text and abs(b.items[np.flatnonzero(c.counts == 0)]).sum() > 0 for b, c in pairs)


def _taken_for_new(
    contents: Sequence[Content], judges: Folds, carves: Sequence[Carve], config: Config
) -> tuple[Folds, list[Content]]:
    """Users who were held out items that are taken for new, and contents as if nobody had taken these."""
    rng = np.random.default_rng(config.seed)
    folds, parts = [], []
    for content, fold, carve in zip(contents, judges, carves, strict=True):
        new = (rng.random(len(content.counts)) < PART) & content.told
        held = carve.valid.subset(new[carve.valid.events.item_nums])
        validation = Validation.of(fold.inputs.ties, Carve(carve.train, held, carve.ways), config)
        folds.append(Fold(fold.inputs, validation.few(ASKED)))
        parts.append(replace(content, counts=np.where(new, np.float32(0), content.counts)))
    return Folds(folds), parts


def _per_user(judges: Folds, of: Chosen) -> Floats:
    """NDCG of each user by the blend, float32 (N,)."""
    places = iter(range(len(judges)))

    def scored(fold: Fold) -> Floats:
        n = next(places)
        heard = [(np.float32(weight), of.blocks[name][n]) for name, weight in of.weights.items() if weight]

        def scores(queries: Queries) -> Floats:
            return np.asarray(sum(weight * block.scores(queries) for weight, block in heard), np.float32)

        return fold.validation.per_user_ndcg_of(scores)

    return judges.per_user(scored)


def _worth(judges: Folds, of: Chosen) -> float:
    return worth(_per_user(judges, of), judges.members)


def _better(judges: Folds, one: Chosen, other: Chosen) -> bool:
    """Whether one is better than the other by a standard error."""
    return judges.prefers(_per_user(judges, one), _per_user(judges, other))

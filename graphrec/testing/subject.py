"""The block under test: made small, tuned and fitted once for all tests of it, and asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.blocks.api import Block
from graphrec.blocks.search import Chosen
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries, Query, query_of
from graphrec.testing.planted import NEWCOMER, World, world
from graphrec.types import Floats


class Subject:
    """A block class, settings that make it small, and what ``tune`` may choose beside lists and space."""

    def __init__(
        self, block: type[Block[Any]], settings: Mapping[str, Any], further: Mapping[str, Sequence[Any]]
    ) -> None:
        self.block, self.settings, self.further = block, settings, further
        self._tuned: dict[World, tuple[FittedBlock, Chosen]] = {}
        self._fitted: dict[tuple[World, str], FittedBlock] = {}

    def made(self, changes: Mapping[str, Any] | None = None) -> Block[Any]:
        """The block with changed settings; what is no setting replaces the values of its space."""
        fields = self.block.Settings.model_fields
        values = {**self.settings, **(changes or {})}
        made = self.block(self.block.Settings(**{k: v for k, v in values.items() if k in fields}))
        if others := {k: v for k, v in values.items() if k not in fields}:
            space = made.space
            made.space = lambda inputs: {**space(inputs), **others}  # type: ignore[method-assign]
        return made

    def tuned(self, planted: World | None = None) -> tuple[FittedBlock, Chosen]:
        """The block tuned on a world, once, and what was chosen."""
        planted = planted or world()
        if planted not in self._tuned:
            (block,), chosen = self.made().tune(planted.folds)
            self._tuned[planted] = block, chosen
        return self._tuned[planted]

    def fitted(self, reading: str | None = None, planted: World | None = None) -> FittedBlock:
        """The tuned block; or, with its choices, that of a world with dislikes under a reading of them, fitted once."""
        block, chosen = self.tuned()
        if reading is None:
            return block
        planted = planted or world(dislikes=True)
        if (planted, reading) not in self._fitted:
            self._fitted[planted, reading] = self.made().fit(planted.inputs, {**chosen, "reading": reading})
        return self._fitted[planted, reading]

    def lists(self) -> dict[str, tuple[Any, ...]]:
        """The settings that are lists, and what else the space of the block offers, with several values each."""
        block = self.made()
        found = {name: v for name, v in dict(block.settings).items() if isinstance(v, tuple)}
        found |= {name: tuple(v) for name, v in block.space(world().inputs).items() if name not in found}
        return {name: tuple(dict.fromkeys(v)) for name, v in found.items() if len(set(v)) > 1}

    def candidates(self, planted: World) -> Iterator[Chosen]:
        """What was chosen, and the same with one choice exchanged for each other value that can be chosen."""
        chosen = self.tuned(planted)[1]
        yield chosen
        for name, values in (*self.lists().items(), *self.further.items()):
            yield from ({**chosen, name: value} for value in values if name in chosen)

    def ndcg(self, planted: World, settings: Mapping[str, Any]) -> float:
        """NDCG of the tuned block on validation users; all other lists have one value."""
        single = {name: values[:1] for name, values in self.lists().items()}
        (block,), _ = self.made({**single, **settings}).tune(planted.folds)
        return planted.validation.ndcg_of(block.scores)


def anybody(planted: World) -> Queries:
    """Users as they are known, with another item, and strangers with and without a history, dislikes and friends."""
    ties = planted.inputs.ties
    newcomer = planted.train.users.number(NEWCOMER)
    items, says = np.array([2, 7, 11]), np.array([1, 0.5, -1], np.float32)
    known = [query_of(ties, user) for user in (0, 7, newcomer)]
    strangers = [Query(items=items, strengths=says, friends=np.array([0, 3])), Query(friends=np.array([5])), Query()]
    return Queries.of(
        ties, [*known, query_of(ties, 1, np.array([6])), query_of(ties, -1, np.array([4, 8])), *strangers]
    )


def accounts(block: FittedBlock, queries: Queries, item_num: int) -> list[Any]:
    """The account of one item for each query, to compare."""
    found = [block.effects(queries[np.array([place])], item_num) for place in range(len(queries))]
    return [e and (e.items.tolist(), e.shares.tolist(), sorted(e.friends), e.rest) for e in found]


def prior_part(block: FittedBlock, query: Queries, item_num: int) -> float:
    """What the block says to everybody, within one score."""
    own = block.items.shape[1] - block.prior
    return float(dense(block.encode(query))[0, own:] @ dense(block.items[[item_num]])[0, own:])


def scores(block: FittedBlock, planted: World) -> Floats:
    """Scores of all users, float32 (U, I)."""
    return block.scores(Queries.stored(planted.inputs.ties))


def dense(side: Any) -> npt.NDArray[Any]:
    """A side of a block as an array."""
    return np.asarray(side if isinstance(side, np.ndarray) else side.toarray())


def generators() -> tuple[bytes, ...]:
    """The state of the global generators, which a block leaves alone."""
    import torch

    mersenne = np.random.get_state(legacy=False)  # noqa: NPY002
    return mersenne["state"]["key"].tobytes(), torch.get_rng_state().numpy().tobytes()


def whole(block: FittedBlock, planted: World) -> None:
    """Asserts that a block has the shape of the data, and finite numbers alone."""
    ties = planted.inputs.ties
    strangers = Queries.of(ties, [query_of(ties, -1, np.array([0])), Query()])
    assert block.shape == (planted.train.n_users, planted.train.n_items)
    assert np.isfinite(scores(block, planted)).all()
    assert np.isfinite(block.scores(strangers)).all()


def silent(block: FittedBlock, planted: World) -> None:
    """Asserts that a block says nothing of anybody, and would not be saved."""
    assert block.empty
    assert block.weight == 0
    assert not scores(block, planted).any()

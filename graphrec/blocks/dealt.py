"""The blocks of a fit dealt out to several processes: each learns some of them whole, so that the model is that of one
process. Those that all train ``together`` come first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from graphrec.blocks.api import Block
from graphrec.blocks.folds import FitInputs, Fold, Folds
from graphrec.blocks.kept import Tuned, before, packed, unpacked
from graphrec.profile.api import FittedBlock
from graphrec.ranks import Ranks

T = TypeVar("T")
Blocks = Mapping[str, Block[Any]]


def alone(inputs: FitInputs) -> FitInputs:
    """The same for a block that this process learns by itself."""
    return replace(inputs, runtime=replace(inputs.runtime, ranks=None))


def tuned(blocks: Blocks, folds: Folds, tune: Callable[[str, Folds], Tuned]) -> dict[str, Tuned]:
    """``tune`` of every block; what a process has kept is not chosen again."""
    if (ranks := folds.inputs.runtime.ranks) is None:
        return {name: tune(name, folds) for name in blocks}
    own = Folds(Fold(alone(fold.inputs), fold.validation) for fold in folds)
    inputs = [fold.inputs for fold in folds]
    return _dealt(
        ranks,
        blocks,
        lambda name: tune(name, folds if blocks[name].together else own),
        lambda found: packed(*found),
        lambda name, raw: unpacked(blocks[name], inputs, raw),
        lambda name: before(blocks[name], folds),
    )


def learned(
    blocks: Blocks, ranks: Ranks | None, inputs: FitInputs, learn: Callable[[str, bool], FittedBlock]
) -> dict[str, FittedBlock]:
    """``learn(name, whether together)`` of every block, from ``inputs``."""
    if ranks is None:
        return {name: learn(name, True) for name in blocks}
    return _dealt(
        ranks,
        blocks,
        lambda name: learn(name, blocks[name].together),
        lambda found: packed([found], {}),
        lambda name, raw: unpacked(blocks[name], [inputs], raw)[0][0],
    )


def agreed(ranks: Ranks | None, chosen: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the first process chose, in all of them."""
    if ranks is None or ranks.first:
        if ranks is not None:
            ranks.data(json.dumps(chosen).encode())
        return dict(chosen or {})
    return dict(json.loads(ranks.data(b"")))


def _dealt(
    ranks: Ranks,
    blocks: Blocks,
    work: Callable[[str], T],
    pack: Callable[[T], bytes],
    unpack: Callable[[str, bytes], T],
    kept: Callable[[str], T | None] = lambda _: None,
) -> dict[str, T]:
    """Each process takes the next block that nobody has taken, until none is left; then all hand out what they have."""
    names = list(blocks)
    done = {name: found for name in names if (found := kept(name)) is not None}
    owners = ranks.largest([ranks.rank if name in done else -1 for name in names])
    for name, owner in zip(names, owners, strict=True):
        if owner < 0 and blocks[name].together:
            done[name] = work(name)
    open_: Sequence[int] = [n for n, owner in enumerate(owners) if owner < 0 and not blocks[names[n]].together]
    lots, taken = ranks.lots(), [-1] * len(names)
    while (turn := ranks.take(lots)) < len(open_):
        place = open_[turn]
        done[names[place]] = work(names[place])
        taken[place] = ranks.rank
    owners = ranks.largest([max(pair) for pair in zip(owners, taken, strict=True)])
    for name, owner in zip(names, owners, strict=True):
        if owner >= 0:
            raw = ranks.data(pack(done[name]) if owner == ranks.rank else b"", owner)
            if owner != ranks.rank:
                done[name] = unpack(name, raw)
    return {name: done[name] for name in names}

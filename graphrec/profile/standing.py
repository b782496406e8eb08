"""How one query is ranked: by its profile, and by what stands in for it or beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from graphrec.query.query import NONE
from graphrec.types import Floats, Ints


@dataclass(frozen=True)
class Standing:
    """A score is ``factor`` times the blocks' weighted sum, plus every extra part.

    Args:
        extra: scores of the catalogue by name, each float32 (I,): ``popularity`` or what ``friends`` or people with the
            same ``attributes`` took, for somebody of whom no history is known; ``words`` that were asked for.
        peers: whose histories the part of ``friends`` or ``attributes`` is the mean of, int64 (n,).
        degraded: why the answer is less than it could be, a line each.
    """

    factor: float = 1.0
    extra: Mapping[str, Floats] = field(default_factory=dict)
    peers: Ints = field(default_factory=lambda: NONE)
    degraded: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether the profile alone decides."""
        return self.factor == 1.0 and not self.extra

    def scores(self, of_profile: Floats) -> Floats:
        """Scores of the catalogue, float32 (I,), from those of the profile."""
        out = np.float32(self.factor) * of_profile
        for part in self.extra.values():
            out = out + part
        return np.asarray(out, np.float32)

    def parts(self, blocks: Mapping[str, float], item_num: int) -> dict[str, float]:
        """Every part of one item's score, from the blocks' weighted parts; they sum to it."""
        out = {name: self.factor * part for name, part in blocks.items()}
        for name, scores in self.extra.items():
            out[name] = out.get(name, 0.0) + float(scores[item_num])
        return out


PLAIN = Standing()

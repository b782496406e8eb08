"""Training by several parties that keep their events, written as one of them sees it.

A party is a generator: it yields numbers, and is sent the sum of what all parties yielded at this point. Means are sums
that are divided by a sum, so whoever adds up need see totals alone (``privacy.masking``), and every party takes the
same decisions, since all see the same totals.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]
T = TypeVar("T")


class Told(NamedTuple):
    """What is sent: a name for it, and numbers float64 (n,), as many from each party."""

    what: str
    numbers: Doubles


Rounds: TypeAlias = Generator[Told, Doubles, T]


def told(what: str, *numbers: npt.ArrayLike) -> Told:
    """Arrays of any shapes in a row."""
    return Told(what, np.concatenate([np.asarray(part, np.float64).ravel() for part in numbers]))


def together(parties: Sequence[Rounds[T]], total: Callable[[Sequence[Told]], Doubles]) -> list[T]:
    """What becomes of each party; ``total`` adds up what they yield at one point. All take as many steps."""
    out: list[T] = []
    answer: Doubles | None = None
    while not out:
        sent = []
        for party in parties:
            try:
                sent.append(next(party) if answer is None else party.send(answer))
            except StopIteration as done:
                out.append(done.value)
        if not out:
            answer = total(sent)
    return out

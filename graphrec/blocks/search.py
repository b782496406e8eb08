"""One search of hyper-parameters, for blocks that blend and for models that stand alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, TypeAlias

Chosen: TypeAlias = dict[str, Any]  # the hyper-parameters that validation picked, JSON-ready
READING = "reading"
READING_ERROR = 0.3  # how far two readings differ on one user by chance, as a part of the mean NDCG
ROUNDS = 60  # of a fixed point that is found to the last bit
FEW = 300  # validation users, up to which no more is asked for: chance is then larger than any difference that matters


def margin(users: int) -> float:
    """How many times as good another reading of the strengths must be on so many validation users."""
    return 1 + READING_ERROR / float(max(users, FEW) ** 0.5)


def search(
    space: Mapping[str, Iterable[Any]],
    score: Callable[[Chosen], float],
    start: Chosen | None = None,
    order: Iterable[tuple[str, ...]] | None = None,
    users: int = 0,
    trials: int | None = None,
) -> Chosen:
    """Coordinate search: for each group of names in ``order``, the best combination of their values is kept. A space of
    no more points than ``trials`` is searched whole; in a larger one a quarter of them is spread over the names that
    have no start, and the best of these is the start.

    Scores are remembered, so a repeated group costs only what is new. Ties keep the earlier value. The ``reading`` of
    the strengths is left only for one that is better by a standard error, as it is usual for the number of validation
    ``users`` (the one-standard-error rule: Breiman et al., CART, 1984).

    Args:
        space: the values of each name. start: by default the middle values, and the first reading.
        order: by default one name after another, and again while something changes.
        trials: at most so many points are scored; None: no limit.
    """
    grid = {name: tuple(values) for name, values in space.items()}
    known: dict[tuple[tuple[str, Any], ...], float] = {}

    def scored(candidate: Chosen) -> float | None:
        key = tuple(sorted(candidate.items()))
        if key not in known:
            if trials is not None and len(known) >= trials:
                return None
            known[key] = score(candidate)
        return known[key]

    best = {name: values[0 if name == READING else len(values) // 2] for name, values in grid.items()}
    best |= start or {}
    if all(len(values) == 1 for values in grid.values()):
        return best
    whole = trials is not None and prod(map(len, grid.values())) <= trials
    if trials is not None and not whole:
        free = {name: values for name, values in grid.items() if name not in (start or {}) and name != READING}
        best = max(
            ({**best, **point} for point in spread(free, trials // 4)), key=lambda p: scored(p) or 0.0, default=best
        )
    again = order is None and not whole
    groups = [(name,) for name in grid] if order is None else list(order)
    if whole:
        groups = [tuple(sorted(grid, key=READING.__ne__))]  # one reading after another
    while True:
        before = best
        for names in groups:
            for values in product(*(grid[name] for name in names)):
                candidate = {**best, **dict(zip(names, values, strict=True))}
                found = scored(candidate)
                least = 1.0 if candidate.get(READING) == best.get(READING) else margin(users)
                if found is not None and found > least * (scored(best) or 0.0):
                    best = candidate
        if not again or best == before:
            return best


def spread(grid: Mapping[str, tuple[Any, ...]], n: int) -> Iterator[Chosen]:
    """n points that lie evenly in a space, the first in its middle: ⌊size · (½ + t / φ^j mod 1)⌋ for t < n and name j.

    φ is the root of φ^(d + 1) = φ + 1 for d names, the golden ratio for one (the R sequence: Roberts, 2018).
    """
    root = 2.0
    for _ in range(ROUNDS):
        root = (1 + root) ** (1 / (len(grid) + 1))
    for t in range(n):
        places = [(0.5 + t * root**-j) % 1 for j in range(1, len(grid) + 1)]
        yield {name: values[int(len(values) * p)] for (name, values), p in zip(grid.items(), places, strict=True)}

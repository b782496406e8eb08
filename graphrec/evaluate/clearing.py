"""Profiles cleared of attributes of people: the erasers, learned from everybody of whom the attribute is known.

Whoever names an attribute in ``fair.clear`` allows that it is read for this. Nobody else needs to tell it: the map goes
with the model, and whoever is new is cleared as everybody is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from graphrec.errors import ConfigError, DataError
from graphrec.evaluate.labelled import interactions, surmised
from graphrec.evaluate.leakage import CELLS, labelled
from graphrec.profile.api import Doubles
from graphrec.profile.clearing import Clearing, Eraser, erase
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Ints


def cleared(profiles: Profiles, ties: Ties, names: Sequence[str], seed: int = 0) -> Profiles:
    """The profiles with what tells the attributes ``names`` taken out of each block's part, and what lets them be
    surmised of what people took; as they are without any.

    Raises ConfigError where the data does not tell one of them, as an artifact does not, or tells it of too few.
    """
    if not names:
        return profiles
    users, labels = _known(ties, names)
    some = _some(len(users), ties, seed)
    users, raw = users[some], interactions(ties.matrix[users[some]])
    concept = np.hstack([surmised(raw, of[some], seed) for of in labels])
    return replace(profiles, clearing=Clearing(tuple(names), _erasers(profiles, ties, users, lambda _: concept)))


def recleared(before: Profiles, ties: Ties, profiles: Profiles, later: Ties, users: tuple[Ints, Ints]) -> Profiles:
    """Blocks that were learned anew, cleared of what the erasers ``before`` took out, without anybody's attribute.

        Σ_xt = Σ_xx W Q for t = (x − μ) W Q, so that W Σ_xt = Q where W = Σ_xx^{-1/2}

    What an eraser told of people is the concept that the new one is learned from: of the same profiles it is the same.

    Args:
        ties, later: the data of both. users: the same people's numbers in either, int64 (n,) each.
    """
    if before.clearing is None:
        return profiles
    some = _some(len(users[0]), later, 0)
    then, now = (found[some] for found in users)
    told: dict[str, Doubles] = {}
    for block, part in replace(before, clearing=None).parts(Queries.stored(ties, then)):
        if eraser := before.clearing.erasers.get(block.name):
            told[block.name] = eraser.told(part).astype(np.float64)
    erasers = _erasers(profiles, later, now, told.get)
    return replace(profiles, clearing=replace(before.clearing, erasers=erasers))


def _some(n: int, ties: Ties, seed: int) -> Ints:
    """Places of as many of n people as are looked at."""
    most = max(CELLS // max(ties.data.n_items, 1), 100)
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def _erasers(
    profiles: Profiles, ties: Ties, users: Ints, concept: Callable[[str], Doubles | None]
) -> dict[str, Eraser]:
    """Of each block the map that clears the parts of these people of a concept, float64 (n, K), by block."""
    out = {}
    for block, part in replace(profiles, clearing=None).parts(Queries.stored(ties, users)):
        own = part[:, : part.shape[1] - block.prior].any(axis=1)
        said = concept(block.name)
        if said is not None and own.any() and (eraser := erase(part[own], said[own])) is not None:
            out[block.name] = eraser
    return out


def _known(ties: Ties, names: Sequence[str]) -> tuple[Ints, list[Ints]]:
    """The people of whom all attributes are known, int64 (n,), and their labels of each, int64 (n,)."""
    found = []
    for name in names:
        try:
            found.append(labelled(ties.data, name, allow=names))
        except DataError as error:
            raise ConfigError(
                f"fair.clear={name}: {error}. An artifact holds no sensitive attributes: fit from the source that does"
            ) from None
    users = found[0].users
    for one in found[1:]:
        users = np.intersect1d(users, one.users)
    if not len(users):
        raise ConfigError(f"fair.clear={','.join(names)}: of nobody all are known; name fewer")
    places = [np.argsort(one.users)[np.searchsorted(np.sort(one.users), users)] for one in found]
    return users, [one.labels[at] for one, at in zip(found, places, strict=True)]

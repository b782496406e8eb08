"""An item's side learned from its content, for items that few or nobody took.

    side_i = (n_i · own_i + few · ŝ_i) / (n_i + few),    ŝ = mean + (f_i − mean) M,    M = argmin ‖F M − S‖²_W + λ‖M‖²

What is predicted lies nearer to the mean than what is known, so that whoever is known would outdo whoever is not; with
``spread`` 1 the distance from the mean is multiplied by how much more known sides are spread, with 0 it stays.
n_i users took the item, F are text and attributes of the items and S their sides in a block, both centred; an item
counts by how surely its side is known, W_i = n_i / (n_i + ``SURE``). A map from attributes to factors is that of
Gantner et al. (ICDM 2010); the weight of the own side is that of a mean with ``few`` prior observations. One map is
made for each block, so a score stays the sum that it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from torch_geometric.data import HeteroData

from graphrec.data.dataset import Dataset
from graphrec.graph.names import ITEM
from graphrec.graph.nodes import nodes
from graphrec.linalg.svd import truncated_svd
from graphrec.profile.api import FittedBlock
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints

DIM = 256  # of text, and of attributes
SURE = 10.0  # users at which a side counts half of what it can
TINY = 1e-9  # of a ridge
ENTRIES = 2**25  # of sides made at once
LEAST = 0.25  # share of the content in a side, below which an item keeps its own
Doubles = npt.NDArray[np.float64]


class _Map(NamedTuple):
    """Means of features (d,) and of sides (D,), the map float64 (d, D), and by how much the variance of known sides is
    above that of what is predicted."""

    mean: Doubles
    centre: Doubles
    across: Doubles
    gain: float


@dataclass(frozen=True)
class Content:
    """``features`` float32 (I, d), zero rows where nothing is known of it; ``counts`` float32 (I,): who took it."""

    features: Floats
    counts: Floats
    _made: dict[int, tuple[Any, float, _Map]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def told(self) -> npt.NDArray[np.bool_]:
        """Items of which anything is known, bool (I,)."""
        return np.asarray(self.features.any(axis=1), np.bool_)

    def share(self, few: float) -> Doubles:
        """Of the content in each item's side, float64 (I,); 0 where nothing is known, or enough people took it."""
        n = self.counts.astype(np.float64)
        share = np.where(n > 0, few / np.maximum(n + few, 1e-9), 1.0)
        return np.where(self.told & (share >= LEAST), share, 0.0)

    def map(self, sides: Any, ridge: float, spread: float = 0.0) -> tuple[Doubles, Doubles, Doubles]:
        """What takes features to sides: means of features (d,) and of sides (D,), and the map float64 (d, D).

        Args:
            sides: of all items, (I, D), dense or CSR. ridge: λ in units of the mean eigenvalue. spread: how far what is
                predicted is spread as known sides are.
        """
        held = self._made.get(id(sides))
        if held is None or held[1] != ridge:  # the last map of each table is kept: spreads differ by a factor
            held = self._made[id(sides)] = sides, ridge, self._map(sides, ridge)
        made = held[2]
        return made.mean, made.centre, made.gain ** (spread / 2) * made.across

    def _map(self, sides: Any, ridge: float) -> _Map:
        known = self.told & (self.counts > 0)
        sure = (self.counts[known] / (self.counts[known] + SURE)).astype(np.float64)
        f, s = self.features[known].astype(np.float64), sides[known]
        mean, centre = sure @ f / sure.sum(), np.asarray(s.T @ sure).ravel() / sure.sum()
        f = f - mean
        weighted = f.T * sure  # (d, n), whose product with what is the same for all items is 0
        gram = weighted @ f
        # features that are all the same tell nothing
        least = max(ridge * float(np.trace(gram)) / max(len(gram), 1), TINY)
        ridged = gram + np.eye(len(gram)) * least
        across: Doubles = np.linalg.solve(ridged, np.asarray((s.T @ weighted.T).T, np.float64))
        squared = s.multiply(s) if isinstance(s, sp.csr_matrix) else np.square(s)
        square = np.asarray(squared.sum(axis=1), np.float64).ravel()
        there = float(sure @ square - sure.sum() * (centre @ centre))
        told = float((across * (gram @ across)).sum())
        return _Map(mean, centre, across, there / told if told > 0 and there > 0 else 1.0)

    def predicted(self, sides: Any, rows: npt.NDArray[Any], ridge: float, spread: float = 0.0) -> Doubles:
        """ŝ of some items, float64 (n, D); see ``map``."""
        mean, centre, across = self.map(sides, ridge, spread)
        out: Doubles = centre + (self.features[rows] - mean) @ across
        return out


def content_of(ties: Ties, graph: HeteroData | None) -> Content:
    """What is known of the items of the training data beside who took them: texts, attributes and triples.

    # No leakage. Text and attributes are of the catalogue; of who took what only the training part is counted.
    """
    data = ties.data
    parts = [_attributes(data)]
    if graph is not None and graph.text_width:
        text = graph[ITEM].x[:, : graph.text_width].numpy().astype(np.float32)
        parts.append(_reduced(sp.csr_matrix(text)))
    counts = np.asarray(ties.known.sum(axis=0), np.float32).ravel()
    return Content(np.hstack(parts), counts)


def _attributes(data: Dataset) -> Floats:
    """Attributes and triples of each item, rare ones counting more, in ``DIM`` dimensions at most: float32 (I, d)."""
    table = nodes(data.item_attributes, data.item_columns)
    pairs = list(
        zip(table["item_num"].tolist(), table["key"].astype(str) + "\0" + table["value"].astype(str), strict=True)
    )
    item_of: dict[str, list[int]] = {}
    for item, entity in data.external.item_entities.items():
        item_of.setdefault(entity, []).append(int(data.items.numbers([item])[0]))
    for head, relation, tail in data.external.triples:
        pairs += [(n, f"{relation}\0{tail}") for n in item_of.get(head, ())]
        pairs += [(n, f"rev {relation}\0{head}") for n in item_of.get(tail, ())]
    place = {label: n for n, label in enumerate(dict.fromkeys(label for _, label in pairs))}
    if not place:
        return np.zeros((data.n_items, 0), np.float32)
    rows, columns = np.array([(n, place[label]) for n, label in pairs], np.int64).T
    shape = (data.n_items, len(place))
    found = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)
    found.data[:] = 1.0
    having = np.asarray(found.sum(axis=0)).ravel()
    found.data *= np.log((1 + data.n_items) / having)[found.indices].astype(np.float32)
    return _reduced(found)


def _reduced(matrix: sp.csr_matrix) -> Floats:
    """Rows at unit length in ``DIM`` dimensions at most, float32 (I, d)."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    unit = sp.csr_matrix(sp.diags(np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)) @ matrix)
    if unit.shape[1] <= DIM:
        return np.asarray(unit.toarray(), np.float32)
    rank = min(DIM, *(n - 1 for n in unit.shape))
    _, directions = truncated_svd(sp.csr_matrix(unit, dtype=np.float32), rank)
    return np.asarray(unit @ directions, np.float32)


def informed(
    block: FittedBlock,
    content: Content,
    ties: Ties,
    ridge: float,
    few: float = 0.0,
    spread: float = 0.0,
    users: Ints | None = None,
) -> FittedBlock:
    """The block with sides from content where few people took an item, and the rows of all users, or of some (n,).

    One that places texts itself stays as it is, and so does one whose items have no table of sides.
    """
    share = content.share(few)
    rows = share > 0
    if block.places_text or block.empty or not block.tabled or not rows.any():
        return block
    if not (content.told & (content.counts > 0)).any():
        return block
    held: Any = block.items
    mean, centre, across = (part.astype(np.float32) for part in content.map(held, ridge, spread))
    places, width, out = np.flatnonzero(rows), across.shape[1], block
    size = max(1, ENTRIES // width)
    for some in np.split(places, range(size, len(places), size)):
        part = share[some, None].astype(np.float32)
        own = held[some].toarray() if isinstance(held, sp.csr_matrix) else held[some]
        found: Any = (1 - part) * own + part * (centre + (content.features[some] - mean) @ across)  # (n, D)
        out = out.with_sides(np.isin(np.arange(len(rows)), some), found.astype(np.float32, copy=False))
    return out.fitted(ties, users)


def without(block: FittedBlock, rows: npt.NDArray[np.bool_]) -> FittedBlock:
    """The block as if nothing were known of the items at ``rows`` bool (I,), but their texts where it places these;
    users stay as they are."""
    if block.places_text or not block.tabled:
        return block
    return block.with_sides(rows, np.zeros((int(rows.sum()), block.items.shape[1]), np.float32))

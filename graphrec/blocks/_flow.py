"""Counts of what follows what, as a fitted block: what `transitions` learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.api import FitInputs, reading_of
from graphrec.data.readings import holds_dislikes
from graphrec.linalg.following import following
from graphrec.linalg.item_item import largest
from graphrec.profile.sparse import NeighbourBlock, resized
from graphrec.query.sessions import sessions_of
from graphrec.query.ties import Ties
from graphrec.query.timeline import Timeline
from graphrec.types import Floats, Ints

LINKS = 20_000_000  # 160 MB
ROUNDING = 1e-5  # of a count
HOUR = 3_600.0
PAIRS = 60_000_000  # that are counted, at most: a window is narrower on more events than that


@dataclass(frozen=True)
class FlowBlock(NeighbourBlock):
    """A ``NeighbourBlock`` that learns in an update what a fit would: N_k are sums over users, so those of users with
    new events are taken out and put in anew, and what follows from them is made again.

    ``chosen``: the hyper-parameters. ``counted``: the N_k, of the data ``of``: counted at the first update, kept where
    they are no more than ``LINKS``, and not saved. Whole and half counts are exact in float32; where ``pause`` decays
    them sums agree up to rounding.
    """

    learns: ClassVar[bool] = True
    chosen: Mapping[str, Any] = field(default_factory=dict)
    counted: tuple[sp.csr_matrix, ...] | None = None
    of: Ties | None = None

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> NeighbourBlock:
        if not self.chosen:  # of a model that was saved before they were
            return super().grown(ties, touched, texts)
        windows = {window_of(len(t.data.events), self.chosen) for t in (ties, self.of) if t is not None}
        if self.counted is None or self.of is None or len(windows) > 1:
            found = counts(FitInputs(ties, None), self.chosen)
        else:
            known = touched[touched < self.of.data.n_users]
            parts = (
                self.counted,
                counts(FitInputs(ties, None), self.chosen, touched),
                [-1 * part for part in counts(FitInputs(self.of, None), self.chosen, known)],
            )
            found = added(parts, ties.data.n_items)
        return self._made(found, ties)

    def _made(self, found: Sequence[sp.csr_matrix], ties: Ties) -> FlowBlock:
        """The block of these N_k, of the data of ``ties``."""
        items = sp.csr_matrix(weights(summed(found, self.chosen), self.chosen).T)
        none = sp.csr_matrix(items[:0])
        kept = tuple(found) if sum(part.nnz for part in found) <= LINKS else None
        return replace(self, users=none, items=items, counted=kept, of=ties, spread=0).fitted(ties)

    def among(self, users: Ints) -> FlowBlock:
        return replace(self, users=self.users[users], counted=None, of=None)

    def without(self, ties: Ties, before: Ties, gone: Ints) -> FlowBlock:
        """The block of the data of ``ties``, which is that of ``before`` without the users ``gone`` (n,): N_k are sums
        over users, so theirs are subtracted where they are whole or half counts, and so exact."""
        if self.subtracts(ties, before):
            theirs = counts(FitInputs(before, None), self.chosen, gone)
            found = added((self.counted or (), [-1 * part for part in theirs]), ties.data.n_items)
        else:
            found = counts(FitInputs(ties, None), self.chosen)
        return self._made(found, ties)

    def subtracts(self, ties: Ties, before: Ties) -> bool:
        """Whether it knows the counts of ``before``, those of ``ties`` are within the same window, and none decays."""
        windows = {window_of(len(t.data.events), self.chosen) for t in (ties, before)}
        known = self.counted is not None and self.of is not None and self.of.data is before.data
        return known and len(windows) == 1 and not self.chosen["pause"]

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, told = super().arrays()
        return found, told | ({"chosen": dict(self.chosen)} if self.chosen else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> FlowBlock:
        found: Any = super().from_arrays(arrays, settings)
        out: FlowBlock = replace(found, chosen=settings.get("chosen", {}))
        return out


def counts(inputs: FitInputs, chosen: Mapping[str, Any], users_of: Ints | None = None) -> list[sp.csr_matrix]:
    """N_k of all that is learned from, or of some users (n,), CSR (I, I) each."""
    train = inputs.train
    line = line_of(inputs, chosen)
    sessions, items, times = sessions_of(line, HOUR * chosen.get("session", 0.0)), line.items, line.times
    if users_of is not None:
        kept = np.isin(np.repeat(np.arange(len(line.counts)), line.counts), users_of)
        sessions, items, times = sessions[kept], items[kept], None if times is None else times[kept]
    open_ties = train.events.order is None
    window = window_of(len(train.events), chosen)
    return following(sessions, items, times, train.n_items, window, chosen["pause"], open_ties)


def line_of(inputs: FitInputs, chosen: Mapping[str, Any]) -> Timeline:
    """The histories that what follows what is learned from, as the chosen reading has them."""
    # No leakage. Only what follows in the training part is learned from.
    return inputs.ties.timeline(not holds_dislikes(reading_of(chosen), learning=True, exposure=False))


def window_of(n_events: int, chosen: Mapping[str, Any]) -> int:
    """How many events after one are counted: fewer where there are very many."""
    return int(min(chosen["window"], max(1, PAIRS // max(n_events, 1))))


def added(parts: Iterable[Sequence[sp.csr_matrix]], n_items: int) -> list[sp.csr_matrix]:
    """The sum of several N_k, CSR float32 (I, I) each; what is left of a difference by rounding is none."""
    out: list[sp.csr_matrix] = []
    for part in parts:
        for k, found in enumerate(part):
            found = resized(found, (n_items, n_items))
            if k < len(out):
                out[k] = sp.csr_matrix(out[k] + found, dtype=np.float32)
            else:
                out.append(found)
    for total in out:
        total.data[np.abs(total.data) < ROUNDING] = 0.0
        total.eliminate_zeros()
    return out


def summed(counted: Sequence[sp.csr_matrix], chosen: Mapping[str, Any]) -> sp.csr_matrix:
    """C [before, after], CSR (I, I)."""
    total = sum((2.0 ** (-chosen["decay"] * k) * part for k, part in enumerate(counted[1:], 1)), counted[0])
    if chosen["backward"]:
        total = total + chosen["backward"] * total.T
    return sp.csr_matrix(total, dtype=np.float32)


def weights(total: sp.csr_matrix, chosen: Mapping[str, Any]) -> sp.csr_matrix:
    """T [before, after], CSR float32 (I, I), its n largest of each row, from C."""
    out, into = (
        np.log(np.maximum(np.asarray(total.sum(axis=axis), np.float64).ravel(), 1e-9)).astype(np.float32)
        for axis in (1, 0)
    )
    logs = np.log(total.data) - np.repeat(np.float32(chosen["source"]) * out, np.diff(total.indptr))
    logs -= (np.float32(chosen["target"]) * into)[total.indices]
    values = np.exp(np.float32(chosen["shape"]) * logs)
    links = sp.csr_matrix((values, total.indices, total.indptr), total.shape, dtype=np.float32)
    kept = max(1, min(chosen["n"], LINKS // max(links.shape[0], 1)))
    return largest(links, kept) if kept < links.shape[1] else links

"""What every reader makes: clean tables over external ids. Here they become a Dataset."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from graphrec.data.attributes import AttributeType, Column
from graphrec.data.dataset import Dataset, build
from graphrec.data.events import limits
from graphrec.data.kinds import LONGEST, Kind, scale_of
from graphrec.door import check as door
from graphrec.door.odd import DAY
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from kg.types import ExternalTriples

FEW = 0.05  # of the events, up to which those of the future are of clocks that erred


@dataclass
class Tables:
    """Clean tables, as ``data.dataset.build`` takes them; attributes in long form (id, key, value)."""

    events: pd.DataFrame
    kinds: list[Kind] = field(default_factory=lambda: [Kind()])
    items: pd.DataFrame | None = None
    users: pd.DataFrame | None = None
    friends: pd.DataFrame | None = None
    directed: bool = False
    item_attributes: pd.DataFrame | None = None
    user_attributes: pd.DataFrame | None = None
    item_columns: list[Column] = field(default_factory=list)
    user_columns: list[Column] = field(default_factory=list)
    external: ExternalTriples | None = None
    catalogue: Literal["all", "events"] = "all"
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)  # of the ratings of each file
    words: set[str] = field(default_factory=set)  # for kinds of events, as the files write them


def dataset(name: str, tables: Tables, report: Report) -> Dataset:
    """The Dataset of these tables. The report gets the span of the dates and what the events were understood to say."""
    events = tables.events
    if "timestamp" in events and len(events) and not report.quarantine.order:
        events = _by_now(events)
        report.dates = (int(events["timestamp"].min()), int(events["timestamp"].max()))
    tables.kinds = [_settled(kind, events, number, report) for number, kind in enumerate(tables.kinds)]
    return build(
        name,
        events,
        kinds=tables.kinds,
        items=tables.items,
        users=tables.users,
        friends=tables.friends,
        directed=tables.directed,
        item_attributes=tables.item_attributes,
        user_attributes=tables.user_attributes,
        item_columns=tables.item_columns,
        user_columns=tables.user_columns,
        external=tables.external,
        catalogue=tables.catalogue,
        report=report,
    )


def _by_now(events: pd.DataFrame) -> pd.DataFrame:
    """Events that lie in the future, where they are ``FEW``, come right after the last one that does not, in their
    order: were one of them the newest by years, nothing that happened would count any more beside it."""
    times = events["timestamp"].to_numpy(np.int64)
    ahead = times > time.time() + DAY  # as the door counts them
    if not 0 < ahead.sum() <= FEW * len(times):
        return events
    times, (_, rank) = times.copy(), np.unique(times[ahead], return_inverse=True)
    times[ahead] = times[~ahead].max() + 1 + rank
    return events.assign(timestamp=times)


def _settled(kind: Kind, events: pd.DataFrame, number: int, report: Report) -> Kind:
    """A kind with the scale of its ratings; one whose values are all alike says nothing by them, unless their scale is
    known or they are counts of nothing."""
    mine = events["value"].to_numpy()[events["kind"].to_numpy() == number] if len(events) else np.array([])
    given = mine[~np.isnan(mine)]
    says = f"weight {kind.weight:g}"
    if kind.values != "none":
        distinct = np.unique(given)
        told = kind.scale is not None or (kind.values == "count" and len(distinct) and distinct[0] <= 0)
        if kind.values == "dwell" and not (given > 0).any():
            distinct = np.zeros(min(len(distinct), 1))
        if len(distinct) == 0 or (len(distinct) == 1 and not told):
            what = f"all are {distinct[0]:g}" if len(distinct) else "there are none"
            kind = Kind(kind.name, kind.weight)
            says += f"; its values say nothing: {what}"
        elif kind.values == "rating":
            scale = kind.scale or scale_of(distinct)
            kind = Kind(kind.name, kind.weight, "rating", scale, kind.disliked_to)
            low, high, to = limits(kind)
            to = np.floor(to) if (distinct == np.floor(distinct)).all() else to
            says = f"ratings {low:g} to {high:g}, those up to {to:g} are dislikes"
        elif kind.values == "dwell":
            usual, longest = kind.scale or (float(m := np.median(given[given > 0])), LONGEST * float(m))
            kind = replace(kind, scale=(usual, longest))
            says += (
                f", times the logarithm of the dwell against the usual {usual:g}; above {longest:g} more says no more"
            )
            none = int((given <= 0).sum())
            says += f", and {none:,} of 0 or less say nothing" if none else ""
        else:
            says += f", counts {distinct[0]:g} to {distinct[-1]:g}"
            none = int((given <= 0).sum())
            says += f", of which {none:,} of 0 or less say nothing" if none else ""
    if kind.weight == 0:
        says = "says nothing: no positive"
    report.strength[kind.name] = f"{says}; {len(mine):,} rows"
    return kind


def published(events: pd.DataFrame, quarantine: Quarantine) -> pd.DataFrame:
    """The events of a published split of distinct pairs.

    # No leakage. A pair in two parts stays in the earlier one only, so that a test answer is never a training row.
    """
    if "part" not in events:
        return events
    order = events["part"].to_numpy().argsort(kind="stable")
    repeated = events.iloc[order].duplicated(["user_id", "item_id"]).to_numpy()
    quarantine.merged += int(repeated.sum())
    return events.iloc[np.sort(order[~repeated])].reset_index(drop=True) if repeated.any() else events


def columns_of(types: Mapping[str, AttributeType]) -> list[Column]:
    """Columns whose types are known beforehand."""
    return [Column(name, type_) for name, type_ in types.items()]


def stack(parts: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    """All rows of the tables that are there."""
    there = [p for p in parts if p is not None and len(p)]
    return pd.concat(there, ignore_index=True) if there else None


def checked(
    raw: pd.DataFrame, quarantine: Quarantine, source: str | Path, limits: tuple[float, float] | None = None
) -> pd.DataFrame:
    """``door.check_events`` for events of the first kind."""
    events = door.check_events(raw, quarantine, source, limits)
    return events if "kind" in events else events.assign(kind=np.zeros(len(events), np.int64))

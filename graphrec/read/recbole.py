"""RecBole's atomic files (Zhao et al. 2021, arXiv:2011.01731): tab separated, with a header of ``field:type``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from graphrec.data.dataset import Dataset, build
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.errors import FormatError
from graphrec.read import columns
from graphrec.read.files import head, table
from graphrec.read.source import Source, ending, stem
from kg.types import ExternalTriples

NAME = "recbole"
_TRIPLE = ("head_id", "relation_id", "tail_id")


def matches(source: Source) -> Path | None:
    """A file ``*.inter``."""
    return next((p for p in source.candidates if ending(p) == ".inter" and head(p)), None)


def read(source: Source) -> Dataset:
    """The ``.inter`` file, and the other atomic files of the same name beside it."""
    quarantine = Quarantine()
    path = source.only((p for p in source.candidates if ending(p) == ".inter"), NAME)
    beside = {ending(p): p for p in path.parent.iterdir() if p.is_file() and stem(p) == stem(path)}

    def side(kind: str, *names: str) -> tuple[pd.DataFrame, list[str]]:
        frame, lists = _atomic(beside[kind], quarantine)
        return _checked(frame, quarantine, beside[kind], *names), lists

    raw, _ = _atomic(path, quarantine)
    found = columns.roles(raw.columns.tolist(), source.spec.columns)
    if not {"user_id", "item_id"} <= found.keys():
        fields = ", ".join(raw.columns.drop(["file", "line"]))
        raise FormatError(
            f"{path}:1: needs user_id and item_id; found {fields}; say which is which in a data.toml ([columns])"
        )
    raw = raw[[*found.values(), "file", "line"]].rename(columns={column: role for role, column in found.items()})
    events = door.check_events(raw, quarantine, path, source.spec.rating_range)
    catalogue = set(events["item_id"].cat.categories)

    items = item_attributes = user_attributes = friends = external = None
    if ".item" in beside:
        frame, lists = side(".item", found["item_id"])
        items, item_attributes = columns.describe_items(frame, found["item_id"], lists)
    if ".user" in beside:
        frame, _ = side(".user", found["user_id"])
        public = [c for c in frame.columns.drop([found["user_id"], "file", "line"]) if not columns.is_personal(c)]
        user_attributes = columns.attributes(frame, found["user_id"], "user_id", public, "")
    if ".net" in beside:
        frame, _ = side(".net", "source_id", "target_id")
        friends = frame.rename(columns={"source_id": "user_id", "target_id": "friend_id"})
    if ".kg" in beside:
        frame, _ = side(".kg", *_TRIPLE)
        triples = tuple(zip(*(frame[c].tolist() for c in _TRIPLE), strict=True))
        entities: dict[str, str] = {}
        if ".link" in beside:
            frame, _ = side(".link", found["item_id"], "entity_id")
            links = zip(frame[found["item_id"]].tolist(), frame["entity_id"].tolist(), strict=True)
            entities = {item: entity for item, entity in links if item in catalogue}
        external = ExternalTriples(triples, entities)
    return build(
        stem(path),
        events,
        items=items,
        friends=friends,
        item_attributes=item_attributes,
        user_attributes=user_attributes,
        external=external,
        quarantine=quarantine,
    )


def _atomic(path: Path, quarantine: Quarantine) -> tuple[pd.DataFrame, list[str]]:
    """The table under plain field names, and the fields that hold lists."""
    frame = table(path, quarantine, sep="\t")
    kinds = dict(c.partition(":")[::2] for c in frame.columns.drop(["file", "line"]))
    frame.columns = pd.Index([c.partition(":")[0] for c in frame.columns])
    frame = frame.loc[:, ~frame.columns.duplicated()]
    return frame, [field for field, kind in kinds.items() if kind.endswith("_seq")]


def _checked(frame: pd.DataFrame, quarantine: Quarantine, path: Path, *names: str) -> pd.DataFrame:
    """The rows that have an id in each of these fields. Raises FormatError where a field is missing."""
    if missing := [name for name in names if name not in frame]:
        fields = ", ".join(frame.columns.drop(["file", "line"]))
        raise FormatError(f"{path}:1: needs a field {missing[0]}; found {fields}; rename the field in its header")
    return door.check_ids(frame, quarantine, *names)

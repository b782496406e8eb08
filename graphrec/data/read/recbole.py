"""RecBole's atomic files (Zhao et al. 2021, arXiv:2011.01731): tab separated, with a header of ``field:type``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from graphrec.data import door
from graphrec.data.dataset import Dataset, build
from graphrec.data.quarantine import Quarantine
from graphrec.data.read import columns
from graphrec.data.read.files import head, table
from graphrec.data.read.source import Source, ending, stem
from graphrec.errors import FormatError
from kg.types import ExternalTriples

NAME = "recbole"


def matches(source: Source) -> Path | None:
    """A file ``*.inter``."""
    return next((p for p in source.candidates if ending(p) == ".inter" and head(p)), None)


def read(source: Source) -> Dataset:
    """The ``.inter`` file, and the other atomic files of the same name beside it."""
    quarantine = Quarantine()
    path = source.only((p for p in source.candidates if ending(p) == ".inter"), NAME)
    beside = {ending(p): p for p in path.parent.iterdir() if p.is_file() and stem(p) == stem(path)}

    def side(kind: str) -> tuple[pd.DataFrame, list[str]] | None:
        return _atomic(beside[kind], quarantine) if kind in beside else None

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

    items = item_attributes = user_attributes = friends = None
    if (item := side(".item")) is not None:
        frame, lists = item
        items, item_attributes = columns.describe_items(frame, _field(frame, found["item_id"], beside[".item"]), lists)
    if (user := side(".user")) is not None:
        frame, _ = user
        id_column = _field(frame, found["user_id"], beside[".user"])
        public = [c for c in frame.columns.drop([id_column, "file", "line"]) if not columns.is_personal(c)]
        user_attributes = columns.attributes(frame, id_column, "user_id", public, "")
    if (net := side(".net")) is not None:
        friends = _links(net[0], quarantine, beside[".net"], "source_id", "target_id")
        friends.columns = pd.Index(["user_id", "friend_id"])
    external = None
    if (kg := side(".kg")) is not None:
        triples = _links(kg[0], quarantine, beside[".kg"], "head_id", "relation_id", "tail_id")
        entities: dict[str, str] = {}
        if (link := side(".link")) is not None:
            links = _links(link[0], quarantine, beside[".link"], found["item_id"], "entity_id")
            entities = {i: e for i, e in links.itertuples(index=False) if i in catalogue}
        external = ExternalTriples(tuple(triples.itertuples(index=False, name=None)), entities)
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


def _field(frame: pd.DataFrame, name: str, path: Path) -> str:
    if name not in frame:
        fields = ", ".join(frame.columns.drop(["file", "line"]))
        raise FormatError(f"{path}:1: needs a field {name}; found {fields}; rename the field in its header")
    return name


def _links(frame: pd.DataFrame, quarantine: Quarantine, path: Path, *names: str) -> pd.DataFrame:
    for name in names:
        _field(frame, name, path)
    return door.check_links(frame, quarantine, *names)

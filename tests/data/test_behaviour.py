"""What was counted from everybody's behaviour is in no part that measures."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from graphrec.data.attributes import Column
from graphrec.data.carve import carves
from graphrec.data.dataset import Dataset
from graphrec.data.split import BEHAVIOUR, split
from graphrec.settings import SplitConfig
from kg.types import ExternalTriples
from tests.data.test_split import shop


def _with_behaviour() -> Dataset:
    """A shop with a fact from outside, and with what was bought together, as triples and as an attribute of items."""
    data = shop([(u, i, u * 10 + i) for u in range(6) for i in range(6)])
    facts = (("item:i000", "made_by", "brand:x"), ("item:i000", "also_buy", "item:i001"))
    told = pd.DataFrame({"item_num": [0, 0], "key": ["Bought_Together", "colour"], "value": ["i001", "red"]})
    external = ExternalTriples((*facts, ("item:i001", "Also_View", "item:i000")), {"i000": "item:i000"})
    attributes = pd.concat([data.item_attributes, told], ignore_index=True)
    columns = (*data.item_columns, Column("Bought_Together", "list"), Column("colour", "category"))
    return replace(data, external=external, item_attributes=attributes, item_columns=columns)


def _tells_of_behaviour(data: Dataset) -> bool:
    names = (
        {r for _, r, _ in data.external.triples} | {*data.item_attributes["key"]} | {c.name for c in data.item_columns}
    )
    return bool({name.lower() for name in names} & BEHAVIOUR)


def test_what_was_counted_from_all_events_is_in_no_part() -> None:
    data = _with_behaviour()
    cut = split(data, SplitConfig())
    for part in (cut.train, cut.valid, cut.test, cut.fit_data):
        assert not _tells_of_behaviour(part)
        assert [relation for _, relation, _ in part.external.triples] == ["made_by"]
        assert part.external.item_entities == {"i000": "item:i000"}
        assert "colour" in set(part.item_attributes["key"])
    assert cut.cut["left_out"] == 3
    assert [w for w in data.report.warnings if w.startswith("3 triples and attributes") and "split.behaviour" in w]
    assert _tells_of_behaviour(data)  # the source stays as it is


def test_what_was_counted_from_all_events_stays_where_asked_for_or_nothing_is_measured() -> None:
    data = _with_behaviour()
    kept = split(data, SplitConfig(behaviour=True))
    assert "left_out" not in kept.cut
    first = carves(data, "temporal", SplitConfig(), 42)[0]
    for part in (kept.train, kept.fit_data, first.train, first.valid):
        assert part.external == data.external
        assert part.item_attributes.equals(data.item_attributes)
    assert not data.report.warnings


def test_without_behaviour_nothing_is_said_of_it() -> None:
    data = shop([(u, i, u * 10 + i) for u in range(6) for i in range(6)])
    assert "left_out" not in split(data, SplitConfig()).cut
    assert not data.report.warnings

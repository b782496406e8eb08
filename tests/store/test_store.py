"""The store: one order for everybody, nothing twice, nothing lost, nobody brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.store import Appended, Store, StoredEvent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.db'}")


def event(number: int, user: str = "u", **said: object) -> StoredEvent:
    return StoredEvent.model_validate({"event_id": f"e{number}", "user_id": user, "item_id": "i", "time": 1e9, **said})


def test_an_event_counts_once_whenever_it_comes_again(store: Store) -> None:
    assert store.append([event(1), event(2), event(1, item_id="j")]) == Appended(2, 1)
    assert store.append([event(2), event(3), event(3, source="import")]) == Appended(2, 1)
    found = store.since()
    assert [(e.source, e.event_id, e.item_id) for e in found][:2] == [("api", "e1", "i"), ("api", "e2", "i")]
    assert [e.sequence for e in found] == [1, 2, 3, 4]
    assert store.head() == 4

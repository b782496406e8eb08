"""Erasure: rows, answers that name somebody and bytes are gone, and nothing that comes late brings anybody back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Impression, Store, StoredAnswer, StoredEvent, erasing

NAME = "somebody-åé-1234"


def event(name: str, user: str = NAME, time: float | None = 1e9) -> StoredEvent:
    return StoredEvent(event_id=name, user_id=user, item_id="i", time=time)


def answer(name: str, user: str | None, when: float = 1e9, **said: Any) -> StoredAnswer:
    return StoredAnswer(
        recommendation_id=name, user_id=user, model_version="v", time=when, request={}, answer={}, **said
    )


def fill(store: Store, n: int = 50) -> None:
    store.append([event(f"{NAME}-{i}") for i in range(n)] + [event(f"o{i}", "other") for i in range(n)])
    shown = Impression(recommendation_id="r1", user_id=NAME, item_id="i", position=1, model_version="v", time=1e9)
    store.record(
        [answer("r1", NAME), answer("r2", "other", named=("third", NAME)), answer("r3", "other", named=(f"{NAME}5",))],
        [shown, shown.model_copy(update={"recommendation_id": "r3", "user_id": "other"})],
    )


def in_files(folder: Path, name: str) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [file.name for file in files if name.encode() in file.read_bytes()]


def test_nothing_of_somebody_erased_is_left_and_all_else_is(store: Store) -> None:
    fill(store)
    receipt = store.forget(NAME)
    assert receipt.rows == {"events": 50, "impressions": 1, "answers": 2}
    assert receipt.scrubbed is not None
    assert receipt.how
    assert NAME not in repr(receipt)
    assert receipt.user_hash == store.hash_of(NAME)
    assert store.erased_since() == [receipt]
    assert receipt.sequence == store.head() == 101
    assert [store.answer(r) is None for r in ("r1", "r2", "r3")] == [True, True, False]
    assert store.impressions("r1") == []
    assert len(store.impressions("r3")) == 1
    assert {e.user_id for e in store.since()} == {"other"}
    assert len(store.since()) == 50


def test_no_byte_of_the_id_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        fill(store, 500)
        store.forget("other", scrub=False)  # one of whose answers names somebody of nearly the same name
        assert in_files(tmp_path, NAME), "or the test finds nothing"
        assert store.forget(NAME).scrubbed is not None
        assert in_files(tmp_path, NAME) == []
        store.append([event("late", time=1.0)])
        store.record([answer("late", NAME)])
        assert in_files(tmp_path, NAME) == []
    assert in_files(tmp_path, NAME) == []


def test_no_byte_of_the_id_is_left_in_the_tables_of_postgresql(postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS erased WITH (FORCE)")
        connection.execute("CREATE DATABASE erased")
        where = "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = 'erased'"
        (folder,) = connection.execute(where).fetchone() or ("",)
        with Store.open(postgres.replace("/postgres?", "/erased?")) as store:
            fill(store, 300)
            store.forget("other", scrub=False)  # one of whose answers names somebody of nearly the same name
            connection.execute("CHECKPOINT")
            assert in_files(Path(folder), NAME), "or the test finds nothing"
            assert store.forget(NAME).scrubbed is not None
            connection.execute("CHECKPOINT")
            assert in_files(Path(folder), NAME) == []


def test_what_an_older_transaction_may_still_see_is_not_said_to_be_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows outlast what is written anew; once it has ended they go with the next time."""
    fill(store)
    monkeypatch.setattr(erasing, "PATIENCE", 0.2)
    reader = store._engine.connect()
    if store.url.startswith("sqlite"):
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=200")
    else:
        reader = reader.execution_options(isolation_level="REPEATABLE READ")
    reader.exec_driver_sql("SELECT 1 FROM graphrec_head").fetchall()
    reader.exec_driver_sql("SELECT 1 FROM graphrec_keys").fetchall()
    receipt = store.forget(NAME)
    assert receipt.scrubbed is None
    assert store.erased_since(unscrubbed=True) == [receipt]
    reader.close()
    assert store.scrub()
    (receipt,) = store.erased_since()
    assert receipt.scrubbed is not None


def test_an_erasure_that_was_broken_off_is_ended_at_the_next_opening(url: str) -> None:
    with Store.open(url) as store:
        fill(store)
        store.forget("other", scrub=False)
        assert store.forget(NAME, scrub=False).scrubbed is None
    with Store.open(url) as store:
        _, receipt = store.erased_since()
        assert receipt.scrubbed is not None
        if url.startswith("sqlite"):
            assert in_files(Path(url.removeprefix("sqlite:///")).parent, NAME) == []


def test_what_comes_late_brings_nobody_back_and_who_returns_is_heard(store: Store) -> None:
    fill(store)
    receipt = store.forget(NAME)
    late = [event(f"{NAME}-0"), event("undated", time=None), event("before", time=receipt.time)]
    assert store.append([*late, event("fine", "other")]) == (1, 0, 3)
    store.record([answer("r5", NAME, receipt.time), answer("r6", "other", receipt.time, named=(NAME,))])
    assert [store.answer("r5"), store.answer("r6")] == [None, None]
    assert {e.user_id for e in store.since()} == {"other"}
    assert store.erased([NAME, "other"]) == {NAME: receipt.time}
    again = time.time() + 1
    assert store.append([event("anew", time=again)]).accepted == 1
    store.record([answer("r7", NAME, again)])
    assert store.answer("r7") is not None


def test_an_answer_given_while_somebody_is_erased_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was computed before, looked nobody up that was erased yet, and is written while the erasure runs."""
    looked, gone = threading.Event(), erasing.gone

    def slow(*arguments: Any) -> dict[str, float]:
        out = gone(*arguments)
        if threading.current_thread() is recording:
            looked.set()
            time.sleep(0.3)
        return out

    monkeypatch.setattr(erasing, "gone", slow)
    recording = threading.Thread(target=lambda: store.record([answer("r", NAME)]))
    recording.start()
    assert looked.wait(20)
    store.forget(NAME, scrub=False)
    recording.join()
    assert store.answer("r") is None


def test_somebody_of_whom_nothing_is_known_gets_a_receipt_too(store: Store) -> None:
    receipt = store.forget(NAME)
    assert set(receipt.rows.values()) == {0}
    assert store.append([event("e")]).forgotten == 1

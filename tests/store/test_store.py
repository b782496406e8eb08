"""The store: one order for everybody, nothing twice, nothing missed, and whatever text can be an id."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import DataError, StoreError
from graphrec.store import Appended, Impression, ItemChange, Store, StoredAnswer, StoredEvent, base, turns
from graphrec.store import store as module
from tests.conftest import examples

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


def event(number: int, user: str = "u", **said: Any) -> StoredEvent:
    return StoredEvent.model_validate({"event_id": f"e{number}", "user_id": user, "item_id": "i", "time": 1e9, **said})


def test_an_event_counts_once_whenever_it_comes_again(store: Store) -> None:
    assert store.append([event(1), event(2), event(1, item_id="j")]) == Appended(2, 1)
    assert store.append([event(2), event(3), event(3, source="import")]) == Appended(2, 1)
    found = store.since()
    assert [(e.source, e.event_id, e.item_id) for e in found] == [
        *(("api", name, "i") for name in ("e1", "e2", "e3")),
        ("import", "e3", "i"),
    ]
    assert [e.sequence for e in found] == [1, 2, 3, 4]
    assert store.head() == 4
    assert store.append([]) == Appended(0, 0)
    many = [event(n) for n in range(1, 1203)]
    assert store.append(many) == Appended(1199, 3)
    assert store.append(many) == Appended(0, 1202)


def test_everything_that_an_event_says_is_kept(store: Store) -> None:
    said: dict[str, Any] = {"type": "view", "value": 2.5, "latitude": 48.1, "longitude": 11.5, "recommendation_id": "r"}
    store.append([event(1, **said, position=3, propensity=0.25), event(2, time=None)])
    whole, bare = store.since()
    assert whole.model_dump(exclude={"received"}) == {
        **event(1, **said, position=3, propensity=0.25).model_dump(exclude={"received"}),
        "sequence": 1,
    }
    assert bare.time == bare.received
    assert bare.received == pytest.approx(time.time(), abs=100)
    assert store.of_user("u") == [whole, bare]
    assert store.since(1, 1) == [bare]
    assert store.unseen(1) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"user_id": "a\0b"}, "NUL"),
        ({"event_id": "\ud800"}, "half a surrogate pair"),
        ({"item_id": ""}, "empty text is no id"),
        ({"user_id": "é" * 501}, "1,002 bytes"),
        ({"user_id": 5}, "string"),
        ({"value": float("nan")}, "finite"),
        ({"time": 1.7e12}, "less than or equal to"),
        ({"latitude": 5.0}, "both or neither"),
        ({"propensity": 0.0}, "greater than 0"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_what_is_no_event_is_refused_in_one_line_without_its_values(said: dict[str, object], why: str) -> None:
    row = {"event_id": "e", "user_id": "hidden", "item_id": "i", **said}
    with pytest.raises(DataError, match=why) as told:
        StoredEvent.of(row)
    assert "\n" not in str(told.value)
    assert "hidden" not in str(told.value)


def test_any_text_comes_back_as_it_was(url: str) -> None:
    with Store.open(url) as store:

        @examples(40)
        @given(IDS, IDS, IDS, st.dictionaries(IDS, st.none() | st.booleans() | st.text() | st.floats(allow_nan=False)))
        def check(user: str, item: str, name: str, said: dict[str, Any]) -> None:
            before = store.head()
            store.append([StoredEvent(source=name, event_id=f"{before}", user_id=user, item_id=item, type=name)])
            (found,) = store.since(before)
            assert (found.source, found.user_id, found.item_id, found.type) == (name, user, item, name)
            said = {key: value for key, value in said.items() if value not in (float("inf"), float("-inf"))}
            answer = {"model_version": "v", "time": 1.0, "request": said, "answer": said, "named": (item,)}
            given = StoredAnswer(recommendation_id=f"{before}", user_id=user, **answer)
            store.record([given])
            assert store.answer(f"{before}") == given

        check()


def test_a_reader_misses_nothing_though_a_later_writer_would_be_done_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first writer has its numbers and waits before it commits; a second one comes meanwhile."""
    has_numbers, may_commit, moved = threading.Event(), threading.Event(), base.moved

    def slow(connection: Any, last: int) -> None:
        moved(connection, last)
        if not has_numbers.is_set():
            has_numbers.set()
            may_commit.wait(20)

    monkeypatch.setattr(module, "moved", slow)
    first = threading.Thread(target=lambda: store.append([event(1), event(2)]))
    second = threading.Thread(target=lambda: store.append([event(3)]))
    first.start()
    assert has_numbers.wait(20)
    second.start()
    time.sleep(0.2)
    seen = store.since()  # a reader who goes on from here
    may_commit.set()
    first.join()
    second.join()
    seen += store.since(seen[-1].sequence or 0 if seen else 0)
    assert [(e.event_id, e.sequence) for e in seen] == [("e1", 1), ("e2", 2), ("e3", 3)]


def test_a_reader_beside_many_writers_gets_everything_once_in_order(store: Store) -> None:
    def write(thread: int) -> None:
        for n in range(12):
            store.append([event(1000 * thread + 10 * n + i) for i in range(3)])

    threads = [threading.Thread(target=write, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    seen: list[StoredEvent] = []
    while any(t.is_alive() for t in threads) or store.head() > len(seen):
        seen += store.since(seen[-1].sequence or 0 if seen else 0, 7)
        time.sleep(0.005)
    assert [e.sequence for e in seen] == list(range(1, 4 * 12 * 3 + 1))
    assert len({e.event_id for e in seen}) == len(seen)


def test_processes_hear_of_each_others_events(store: Store, url: str) -> None:
    code = (
        "import sys; from graphrec.store import Store, StoredEvent\n"
        "store = Store.open(sys.argv[1]); sys.stdin.readline()\n"
        "store.append([StoredEvent(event_id='theirs', user_id='u', item_id='i')]); print(store.wait(1, 20))"
    )
    other = subprocess.Popen([sys.executable, "-c", code, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert store.wait(0, 0.05) == 0, "nobody wrote"
    assert other.stdin is not None
    other.stdin.write(b"go\n")
    other.stdin.flush()
    assert store.wait(0, 20) == 1
    assert [e.event_id for e in store.since()] == ["theirs"]
    store.append([event(2)])
    assert other.communicate()[0].strip() == b"2"
    assert store.wait(0, 20) == 2, "what is there already needs no waiting"


def test_answers_and_impressions_are_kept_as_they_were_given(store: Store) -> None:
    shown = [
        Impression(recommendation_id="r", item_id=i, position=n, model_version="v", time=1)
        for i, n in (("b", 2), ("a", 1))
    ]
    said = {"items": [{"item_id": "a", "score": 0.1 + 0.2}], "text": "\ud800 ü"}
    answer = StoredAnswer(recommendation_id="r", model_version="v", time=1, request={"k": 2}, answer=said)
    store.record([answer], shown)
    store.record([answer.model_copy(update={"model_version": "w"})], shown)
    assert store.answer("r") == answer
    assert store.answer("s") is None
    assert [i.item_id for i in store.impressions("r")] == ["a", "b"]
    with pytest.raises(DataError, match="JSON cannot say"):
        store.record([answer.model_copy(update={"recommendation_id": "s", "answer": {"score": float("nan")}})])


def test_changes_of_items_come_in_their_order(store: Store) -> None:
    store.append([event(1)])
    changes = [
        ItemChange(item_id="i", action="add", attributes={"title": "A", "tags": ["x"]}, time=1),
        ItemChange(item_id="i", action="hide", time=2),
        ItemChange(item_id="j", action="change", attributes={"title": None}, time=3),
    ]
    assert store.change_items(changes) == 4
    found = store.items_changed()
    assert [c.sequence for c in found] == [2, 3, 4]
    assert [c.model_copy(update={"sequence": None}) for c in found] == changes
    assert store.items_changed(3) == found[2:]
    assert store.append([event(2)]).accepted == 1
    assert store.since(1)[0].sequence == 5, "one order for all"
    status = store.status()
    assert (status["head"], status["events"], status["item_changes"]) == (5, 2, 3)


def test_a_change_that_is_known_changes_nothing(store: Store) -> None:
    """One with a time is known by it; one without is, where it is what the latest says."""
    timed = [
        ItemChange(item_id="i", action="add", attributes={"title": title}, time=n) for n, title in enumerate("ABA")
    ]
    assert store.take_changes(timed) == 3
    assert store.take_changes([*timed, ItemChange(item_id="j", action="hide")]) == 1
    bare = [ItemChange(item_id="i", action="add", attributes={"title": title}) for title in "ABBA"]
    assert store.take_changes(bare) == 2, "B, and A again; the first A is what was said last, the second B too"
    assert [c.attributes.get("title") for c in store.items_changed()] == ["A", "B", "A", None, "B", "A"]


def test_kinds_and_what_is_known_of_one_user(store: Store) -> None:
    store.append([event(1, type="view"), event(2, type="like"), event(3, type="like"), event(4)])
    assert (store.kinds(), store.kinds(1), store.kinds(3)) == ({"view", "like"}, {"like"}, set())
    given = [
        StoredAnswer(
            recommendation_id=f"r{n}", user_id=user, model_version="v", time=n, request={}, answer={}, named=named
        )
        for n, (user, named) in enumerate([("ann", ()), ("bob", ("ann",)), (None, ("ann", "bob")), ("ann", ("ann",))])
    ]
    store.record(given)
    answers, named = store.answers_of("ann")
    assert answers == [given[0], given[3]]
    assert named == ["r1", "r2"]
    assert store.take([event(4), event(5)])[0] == [event(5)]


def test_old_answers_are_dropped_and_events_are_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.store.recorded.PRUNED", 2)
    for n in range(7):
        own = {"recommendation_id": f"r{n}", "user_id": "u", "model_version": "v", "time": float(n)}
        shown = [Impression.of({**own, "item_id": f"i{place}", "position": place}) for place in (1, 2, 3)]
        store.record([StoredAnswer.of({**own, "request": {}, "answer": {}})], shown)
    store.append([event(1, time=0.0, recommendation_id="r0")])
    assert store.prune(5) == {"impressions": 15, "answers": 5}
    assert store.prune(5) == {"impressions": 0, "answers": 0}
    assert [store.answer(f"r{n}") is not None for n in range(7)] == [False] * 5 + [True] * 2
    assert len(store.impressions("r5")) == 3
    assert len(store.since()) == 1


def test_what_a_model_has_learned_is_remembered(store: Store) -> None:
    store.append([event(n) for n in range(5)])
    assert store.learned("v") == 0
    store.set_learned("v", 2)
    store.set_learned("v", 3)
    assert store.learned("v") == 3
    assert store.unseen(3) == 2


def test_whoever_has_waited_longest_writes_next() -> None:
    lock, order = turns.Turns(), list[int]()

    def take(n: int) -> None:
        with lock:
            order.append(n)

    with lock:
        threads = [threading.Thread(target=take, args=(n,)) for n in range(5)]
        for n, thread in enumerate(threads, 1):
            thread.start()
            while len(lock._waiting) < n:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    with lock:
        pass


def test_a_store_that_fails_says_so_without_what_it_was_told(store: Store, url: str) -> None:
    import sqlalchemy as sa

    with store._engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE graphrec_events RENAME TO elsewhere"))
    with pytest.raises(StoreError) as told:
        store.append([event(1, user="hidden")])
    assert "hidden" not in str(told.value)
    assert "\n" not in str(told.value)

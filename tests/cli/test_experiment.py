"""graphrec experiment, over a store that a service wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.cli.replay import replayed
from graphrec.serve.stored import Stored
from graphrec.store import Impression, Store, StoredAnswer
from tests.cli.support import document, printed, run
from tests.serve.support import ask, fitted, post, serving


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sixty explored answers, and an event for what stands first in every second of them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('tried') / 'store.db'}"
    settings = {"scenarios": {"home": {"k": 3}, "mail": {"k": 3}}}
    with serving(journal=Stored(Store.open(url)), settings=settings) as client:
        for n in range(60):
            user, scenario = f"u{n % 10}", "home" if n % 10 < 5 else "mail"
            found = ask(client, "/recommend", user_id=user, explore=0.2, scenario=scenario)
            if n % 2:
                event = {"user_id": user, "item_id": found["items"][0]["item_id"], "type": "view"}
                post(client, "/events", {"events": [event | {"recommendation_id": found["recommendation_id"]}]}, 202)
    return url


def test_two_scenarios_are_reported(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "experiment", "report", "--store", url, "--scenarios", "home,mail", "--share", "0.5")
    assert (found["a"]["users"], found["a"]["answers"], found["a"]["impressions"]) == (5, 30, 90)
    assert found["a"]["events"] + found["b"]["events"] == 30
    assert found["ratio_p"] == 1.0
    text = printed(capsys, "experiment", "report", "--store", url, "--scenarios", "home,mail")
    assert "events per" in text
    none = document(capsys, "experiment", "report", "--store", url, "--scenarios", "home,mail", "--event", "purchase")
    assert none["a"]["events"] == 0


def test_old_answers_are_pruned_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    own = {"recommendation_id": "r", "user_id": "u", "model_version": "v", "time": 5}
    with Store.open(url) as store:
        store.record([StoredAnswer.of({**own, "request": {}, "answer": {}})], [])
    assert document(capsys, "store", "prune", url, "--days", "1") == {"answers": 1, "impressions": 0}
    run("store", "prune", url, "--days", "1")
    assert "0 answers and 0 impressions dropped; events are kept" in capsys.readouterr().err


def test_one_version_is_no_trial(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--a", "x"], ["--scenarios", "home,away"]):
        run("experiment", "report", "--store", url, *options, expect=2)
        assert capsys.readouterr().err.count("\n") == 1


def test_the_model_that_was_logged_is_estimated(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fitted().save(tmp_path / "model")
    capsys.readouterr()
    found = document(capsys, "experiment", "offpolicy", str(tmp_path / "model"), "--store", url)
    assert found["answers"] == 60
    assert found["matched"] > 90  # most places are what the model itself puts there
    assert 0.3 < found["estimates"]["snips"]["value"] < 0.7
    text = printed(capsys, "experiment", "offpolicy", str(tmp_path / "model"), "--store", url)
    assert "SNIPS" in text


def test_where_nothing_was_logged_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    Store.open(url).close()
    run("experiment", "report", "--store", url, expect=2)
    assert "no answers" in capsys.readouterr().err
    with serving(journal=Stored(Store.open(url))) as client:
        ask(client, "/recommend", user_id="u0")
    fitted().save(tmp_path / "model")
    capsys.readouterr()
    run("experiment", "offpolicy", str(tmp_path / "model"), "--store", url, expect=2)
    assert "no exploration was logged" in capsys.readouterr().err


def test_what_came_later_is_not_known_when_a_question_is_asked_again(tmp_path: Path) -> None:
    """No leakage: an item that was taken after the answer stands where it stood."""
    store = Store.open(f"sqlite:///{tmp_path / 'later.db'}")
    with serving(journal=Stored(store)) as client:
        found = ask(client, "/recommend", user_id="u0", k=4)
        event = {"user_id": "u0", "item_id": found["items"][0]["item_id"], "type": "like"}
        post(client, "/events", {"events": [event]}, 202)
        assert found["items"][0] not in ask(client, "/recommend", user_id="u0", k=4)["items"]
    given = store.answer(found["recommendation_id"])
    assert given is not None
    assert replayed(fitted().fitted, store, [given]) == [[item["item_id"] for item in found["items"]]]


def test_answers_from_before_the_models_last_event_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No leakage: what the model has learned from does not judge it."""
    url = f"sqlite:///{tmp_path / 'before.db'}"
    with Store.open(url) as store:
        for n in range(3):
            own = {"recommendation_id": f"r{n}", "user_id": f"u{n}", "model_version": "v", "time": -1e9}
            shown = Impression.of({**own, "item_id": "i1", "position": 1, "propensity": 0.5})
            store.record([StoredAnswer.of({**own, "request": {"user_id": f"u{n}", "k": 1}, "answer": {}})], [shown])
    fitted().save(tmp_path / "model")
    capsys.readouterr()
    run("experiment", "offpolicy", str(tmp_path / "model"), "--store", url, expect=2)
    assert "3: they came before" in capsys.readouterr().err

"""What an update takes in, what it leaves as it was, and that a kill leaves the old or the new."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import graphrec as gr
from graphrec.data.dataset import build
from graphrec.errors import DataError, OtherEncoderError
from graphrec.model.model import Model
from graphrec.profile.sparse import kept
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties
from graphrec.samples import generate
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import QUICK
from tests.worlds import two_tastes

CONFIG = QUICK.with_(
    blocks="popularity,spectral,neighbours,ials,graph",
    features={"enabled": False},
    kg={"enabled": False},
    graph={"max_epochs": 3},
)


@pytest.fixture(scope="module")
def model() -> Model:
    data = two_tastes(friends=True)
    fitted = gr.Recommender(CONFIG).fit(data).fitted
    weights = dict.fromkeys(CONFIG.blocks, 1.0)  # every block is heard
    return gr.Recommender(CONFIG).fit(data, {**fitted.chosen, "weights": weights}).fitted


def stored_rows_are_encoded(model: Model) -> None:
    for block in model.profiles.heard:
        queries = Queries.of(model.ties, [query_of(model.ties, u) for u in range(model.data.n_users)])
        encoded, stored = block.encode(queries), block.users
        np.testing.assert_allclose(_dense(encoded), _dense(stored), atol=2e-5, err_msg=block.name)


def _dense(side: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return side.toarray() if hasattr(side, "toarray") else np.asarray(side)


def test_new_events_count_at_once_and_the_old_model_stays(model: Model) -> None:
    before = model.recommend("u000", 3)
    item = before["item_id"].iat[0]
    later = model.updated([{"user_id": "u000", "item_id": item}])
    assert item not in set(later.recommend("u000", 40)["item_id"])
    assert model.recommend("u000", 3).equals(before)
    assert later.version != model.version
    assert len(later.data.events) == len(model.data.events) + 1
    stored_rows_are_encoded(later)


def test_only_the_rows_change_that_must(model: Model) -> None:
    later = model.updated([{"user_id": "u000", "item_id": "i002"}])
    hearing = {0, *model.ties.friend_mean[:, [0]].tocoo().row.tolist()}
    others = np.array(sorted(set(range(model.data.n_users)) - hearing))
    for old, new in zip(model.profiles.blocks, later.profiles.blocks, strict=True):
        np.testing.assert_array_equal(_dense(new.users)[others], _dense(old.users)[others], err_msg=old.name)
    assert later.data.users.ids[: model.data.n_users] == model.data.users.ids


def test_new_users_and_items_come_last_and_are_answered(model: Model) -> None:
    likes = [{"user_id": "a new one", "item_id": f"i{n:03d}"} for n in (0, 2, 4, 6)]
    later = model.updated([*likes, {"user_id": "a new one", "item_id": "i-new"}], items=[{"item_id": "i-more"}])
    assert later.data.users.ids[-1] == "a new one"
    assert later.data.items.ids[-2:] == ("i-new", "i-more")
    found = later.recommend("a new one", 10)
    assert found.attrs["degraded"] == []
    numbers = found["item_id"].str[1:].astype(int)
    assert (numbers % 2 == 0).mean() > 0.8, "even items, as they took"
    first = str(found["item_id"].iat[0])
    assert later.explain("a new one", first).score == pytest.approx(found["score"].iat[0], rel=1e-4)
    assert len(later.recommend("u000", 100, seen="allow")) == model.data.n_items + 2
    stored_rows_are_encoded(later)


def test_what_is_known_already_changes_nothing() -> None:
    events = pd.DataFrame(
        {"user_id": list("aabbcc"), "item_id": list("xyxzyz"), "timestamp": range(10, 70, 10), "value": [5.0] * 6}
    )
    config = CONFIG.with_(blocks="popularity,spectral")
    model = gr.Recommender(config).fit(build("log", events)).fitted
    assert model.updated(events) is model
    assert model.updated() is model
    later = model.updated([{"user_id": "a", "item_id": "z", "timestamp": 99}])
    assert later.updated([{"user_id": "a", "item_id": "z", "timestamp": 99}]) is later
    assert later.data.events.timestamps is not None
    assert later.data.events.timestamps.max() == 99


def test_one_after_another_is_all_at_once(model: Model) -> None:
    rows = [{"user_id": f"u{n:03d}", "item_id": f"i{(n * 7) % 40:03d}"} for n in range(0, 20, 3)]
    together, apart = model.updated(rows), model
    for row in rows:
        apart = apart.updated([row])
    for name in ("popularity", "ials", "graph"):  # the others learn of items when enough is new
        one, other = together.profiles[name], apart.profiles[name]
        np.testing.assert_allclose(_dense(one.users), _dense(other.users), atol=1e-5)
    assert together.data == apart.data


def test_when_enough_is_new_items_are_learned_anew_as_a_fit_would() -> None:
    data, config = two_tastes(n_items=50), CONFIG.with_(blocks="neighbours,ease,spectral")
    known = data.subset(data.events.item_nums % 3 > 0)
    chosen = {**gr.Recommender(config).fit(known).fitted.chosen, "weights": dict.fromkeys(config.blocks, 1.0)}
    model = gr.Recommender(config).fit(known, chosen).fitted
    pairs = data.subset(data.events.item_nums % 3 == 0).events
    rows = [
        {"user_id": data.users.ids[u], "item_id": data.items.ids[i]}
        for u, i in zip(pairs.user_nums.tolist(), pairs.item_nums.tolist(), strict=True)
    ]
    few = model.updated(rows[:2])
    assert few.behind == 2
    np.testing.assert_array_equal(_dense(few.profiles["ease"].items), _dense(model.profiles["ease"].items))
    later = few.updated(rows[2:])
    assert later.behind == 0
    refit = gr.Recommender(config).fit(later.data, chosen).fitted
    queries = Queries.stored(later.ties)
    for name in ("neighbours", "ease"):
        ours, theirs = later.profiles[name], refit.profiles[name]
        np.testing.assert_allclose(_dense(ours.items), _dense(theirs.items), atol=1e-5, err_msg=name)
        np.testing.assert_allclose(_dense(ours.users), _dense(theirs.users), atol=1e-5, err_msg=name)
    told, expected = (one.profiles["spectral"].scores(queries).ravel() for one in (later, refit))
    assert np.corrcoef(told, expected)[0, 1] > 0.95
    new = np.diff(few.ties.matrix.tocsc().indptr) == 0
    assert not few.profiles["spectral"].items[new].any()
    assert later.profiles["spectral"].items[new].any(axis=1).all(), "whoever took them counts"
    stored_rows_are_encoded(later)
    with tempfile.TemporaryDirectory() as folder:
        gr.Recommender.of(few).save(Path(folder) / "m")
        assert gr.load(Path(folder) / "m").fitted.behind == 2


def test_what_items_have_from_content_stays_where_nobody_took_them() -> None:
    links = sp.csr_matrix(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32))
    before = sp.csr_matrix(np.array([[0, 9, 0], [0, 0, 0], [0.5, 0, 0]], np.float32))
    ties = Ties(build("log", pd.DataFrame({"user_id": ["a", "a", "b"], "item_id": ["x", "y", "y"]})))
    ties.known = sp.csr_matrix(np.array([[1, 1, 0], [0, 1, 0]], np.float32))
    np.testing.assert_array_equal(kept(links, before, ties).toarray(), [[0, 1, 0], [1, 0, 0], [0.5, 0, 0]])
    np.testing.assert_array_equal(kept(links.toarray(), before.toarray(), ties)[2], [0.5, 0, 0])


def test_ratings_are_measured_against_the_norms_of_the_fit() -> None:
    data = generate(n_users=60, n_items=60, n_reviews=500)
    model = gr.Recommender(CONFIG.with_(blocks="popularity,spectral")).fit(data).fitted
    known = model.data.events
    assert known.against is None
    user = data.users.ids[0]
    later = model.updated([{"user_id": user, "item_id": data.items.ids[1], "value": 5}])
    assert later.data.events.norms == known.norms
    with pytest.raises(DataError, match="a value of 99 is not on the scale of 'review', 1 to 5"):
        model.updated([{"user_id": user, "item_id": data.items.ids[1], "value": 99}])
    others = later.data.events.user_nums != 0
    np.testing.assert_array_equal(later.data.events.strengths[others], known.strengths[known.user_nums != 0])


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([{"user_id": "u000"}], "no column item_id"),
        ([{"user_id": "u000", "item_id": "i001", "colour": 1}], "no column 'colour'"),
        ([{"user_id": "u000", "item_id": "i001", "kind": "stare"}], "'stare' is no kind"),
        ([{"user_id": "u000", "item_id": "i001", "value": "many"}], "no number"),
        ([{"user_id": None, "item_id": "i001"}], "no id"),
    ],
)
def test_mistakes_are_told(model: Model, events: list[dict[str, object]], says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        model.updated(events)
    assert "\n" not in str(caught.value)


def test_saved_and_loaded_it_goes_on(model: Model, tmp_path: Path) -> None:
    later = model.updated([{"user_id": "z", "item_id": "i000"}])
    gr.Recommender.of(later).save(tmp_path / "m")
    again = gr.load(tmp_path / "m").fitted
    assert again.version == later.version
    assert again.recommend("z", 5).equals(later.recommend("z", 5))
    once_more = again.updated([{"user_id": "z", "item_id": "i002"}])
    assert "i002" not in set(once_more.recommend("z", 50)["item_id"])
    stored_rows_are_encoded(once_more)


def test_times_are_seconds_datetimes_or_texts() -> None:
    rows = [(f"u{n % 6}", f"i{n % 5:03d}", 1_600_000_000 + n) for n in range(30)]
    timed = build("timed", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))
    model = gr.Recommender(gr.Config().with_(blocks=["popularity"])).fit(timed).fitted
    at = pd.Timestamp("2026-01-31 12:00", tz="UTC")
    for stamp in (at.timestamp(), at, at.tz_localize(None), "2026-01-31 12:00", "2026-01-31T13:00+01:00"):
        log = model.updated(pd.DataFrame({"user_id": ["z"], "item_id": ["i001"], "timestamp": [stamp]})).data.events
        assert log.timestamps is not None
        assert log.timestamps.max() == at.timestamp()
    with pytest.raises(DataError, match="no time"):
        model.updated([{"user_id": "z", "item_id": "i001", "timestamp": "some day"}])


def test_what_is_no_table_is_refused(model: Model) -> None:
    for rows in (model.data, "events.csv", {"user_id": "z", "item_id": "i001"}):
        with pytest.raises(DataError, match="give a DataFrame"):
            model.updated(rows)


CHILD = """
import os, shutil, signal, sys, time
import graphrec as gr

def save_for_ever(path, done):
    n = 0
    while True:
        later = gr.load(path).fitted.updated([{"user_id": f"v{n}", "item_id": "i000"}])
        gr.Recommender.of(later).save(path)
        os.write(done, b".")
        n += 1

gr.load(path := sys.argv[1]).fitted.updated()  # what it imports is there before it forks
for n, delay in enumerate(map(float, sys.argv[2:])):
    told, done = os.pipe()
    child = os.fork()
    if not child:
        save_for_ever(path, done)
    os.read(told, 1)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    shutil.copytree(path, f"{path}-{n}")
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_kill_at_any_point_leaves_the_old_or_the_new(model: Model, tmp_path: Path) -> None:
    path, delays = tmp_path / "m", (0.0, 0.02, 0.1, 0.3)
    gr.Recommender.of(model).save(path)
    subprocess.run([sys.executable, "-c", CHILD, str(path), *map(str, delays)], check=True)
    seen = {model.version}
    for n in range(len(delays)):
        left = gr.load(f"{path}-{n}").fitted
        assert len(left.recommend("u000", 3)) == 3
        stored_rows_are_encoded(left)
        seen.add(left.version)
    assert len(seen) == len(delays) + 1, "each time an update was saved before"


def test_what_is_told_anew_of_an_item_takes_the_place_of_the_old(model: Model) -> None:
    told = {"price": 5, "tag": ["a", "b"], "title": "Cup", "value": "x", "key": "y"}
    first = model.updated(items=[{"item_id": "i001", **told}])
    later = first.updated(items=[{"item_id": "i001", "price": 7}, {"item_id": "i003", "title": None, "tag": "c"}])
    table = later.data.item_attributes
    pairs = table[table["item_num"] == 1][["key", "value"]].to_records(index=False).tolist()
    assert sorted(pairs) == [("key", "y"), ("price", "7"), ("tag", "a"), ("tag", "b"), ("value", "x")]
    assert later.data.item_titles[1] == "Cup"
    assert later.recommend(None, 50, filter='price == "5"').empty
    again = later.updated(items=[{"item_id": "i001", "price": 7, "title": None}], users=[{"user_id": "u000"}])
    assert again is later, "nothing is new"
    none = later.updated(items=[{"item_id": "i001", "tag": []}]).data.item_attributes
    assert len(none) == len(table) - 2, "an empty list takes one away"


def test_times_are_told_in_any_form() -> None:
    log = pd.DataFrame({"user_id": list("aabb"), "item_id": list("xyxy"), "timestamp": range(10, 50, 10)})
    model = gr.Recommender(CONFIG.with_(blocks="popularity")).fit(build("log", log)).fitted
    for when in (pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01 01:00", tz="Europe/Berlin"), 1_577_836_800.0):
        rows = [{"user_id": "c", "item_id": "x", "timestamp": when}, {"user_id": "c", "item_id": "y"}]
        times = model.updated(rows).data.events.timestamps
        assert times is not None
        assert times[-2] == 1_577_836_800
        assert times[-1] == pytest.approx(time.time(), abs=3600), "where no time is told it is now"
    with pytest.raises(DataError, match="infinite"):
        model.updated([{"user_id": "c", "item_id": "x", "timestamp": float("inf")}])


@pytest.mark.parametrize("rows", [5, "u000,i001", [{"user_id": "", "item_id": "i001"}]])
def test_what_is_no_table_of_events_is_refused(model: Model, rows: object) -> None:
    with pytest.raises(DataError, match=r"give a DataFrame|no id"):
        model.updated(rows)


def test_a_text_is_read_by_the_encoder_of_the_fit() -> None:
    fitted = gr.Recommender(CONFIG.with_(blocks="semantic", features={"enabled": True}), encoder=CountingEncoder())
    model = fitted.fit(generate(n_users=30, n_items=30, n_reviews=120)).fitted
    other = replace(model, encoder_id="another")
    with pytest.raises(OtherEncoderError, match="another"):
        other.updated(items=[{"item_id": "a new one", "text": "of some text"}])
    assert (
        model.updated(items=[{"item_id": "a new one", "text": "of some text"}]).data.n_items == model.data.n_items + 1
    )

"""A refit: what is kept, what is learned anew exactly, and networks that go on from where they ended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import graphrec as gr
from graphrec.blocks import _warm
from graphrec.cli.app import app
from graphrec.data.dataset import Dataset
from graphrec.data.points import item_points
from graphrec.model.model import Model
from graphrec.recommender import Recommender
from graphrec.store import ItemChange, Store, StoredEvent
from tests.model.shop import shop

CONFIG = gr.Config().with_(
    blocks="popularity,spectral,ease,graph,sequence",
    features={"enabled": False},
    kg={"enabled": False},
    spectral={"rank": [4], "beta": [0.5], "power": [0.0], "alpha": [0.5]},
    ease={"regularisation": [10]},
    graph={"dim": 8, "max_epochs": 8},
    sequence={"dim": 8, "heads": 1, "layers": 1, "max_epochs": 8, "pilot": False},
)


def early(data: Dataset) -> Dataset:
    times = data.events.timestamps
    assert times is not None
    return data.subset(times < np.quantile(times, 0.8))


@pytest.fixture(scope="module")
def earlier() -> Model:
    found = gr.Recommender(CONFIG).fit(early(shop(reviews=False))).fitted
    weights = dict.fromkeys(CONFIG.blocks, 1.0)
    return gr.Recommender(CONFIG).fit(found.data, {**found.chosen, "weights": weights}).fitted


def test_closed_forms_are_learned_exactly_and_choices_kept(earlier: Model) -> None:
    data = shop(reviews=False)
    resumed = Recommender(CONFIG).fit(data, like=earlier, resume=True).fitted
    anew = Recommender(CONFIG).fit(data, like=earlier).fitted
    for name in ("popularity", "spectral", "ease"):
        ours, theirs = (m.profiles[name].items for m in (resumed, anew))
        assert abs(ours - theirs).max() == 0, name
    for name in ("graph", "sequence"):
        ours, theirs = (m.profiles[name].items for m in (resumed, anew))
        assert not np.allclose(ours, theirs), f"{name} starts elsewhere, and trains for less long"
    assert resumed.profiles.weights == earlier.profiles.weights
    assert resumed.data.users.ids[: earlier.data.n_users] == earlier.data.users.ids


def test_networks_start_from_where_they_ended(earlier: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """With next to no training they are what they were."""
    still = CONFIG.with_(graph={"learning_rate": 1e-9, "layers": 1}, sequence={"learning_rate": 1e-9})
    monkeypatch.setattr(_warm, "epochs", lambda _: 1)
    data = earlier.data
    resumed = Recommender(still).fit(data, like=earlier, resume=True).fitted
    ours, before = (m.profiles["sequence"] for m in (resumed, earlier))
    np.testing.assert_allclose(ours.items, before.items, atol=1e-5)
    np.testing.assert_allclose(ours.users, before.users, atol=1e-3)
    ours, before = (m.profiles["graph"] for m in (resumed, earlier))
    cosines = (unit(ours.items[:, :-1]) * unit(before.items[:, :-1])).sum(axis=1)
    anew = Recommender(still).fit(data, like=earlier).fitted.profiles["graph"]
    others = (unit(anew.items[:, :-1]) * unit(before.items[:, :-1])).sum(axis=1)
    assert cosines.mean() > 0.7
    assert cosines.mean() > others.mean() + 0.2


def unit(rows: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def test_another_width_starts_anew(earlier: Model) -> None:
    inputs = type("Inputs", (), {"before": earlier.profiles["graph"], "train": earlier.data})()
    import torch

    table = torch.zeros(earlier.data.n_users + earlier.data.n_items, 16)
    assert not _warm.embeddings(table, inputs, 16)
    assert not table.any()


def test_the_command_says_what_it_kept(earlier: Model, tmp_path: Path) -> None:
    data = shop(reviews=False)
    data.to_folder(tmp_path / "data")
    small = CONFIG.with_(blocks="popularity,spectral")
    gr.Recommender(small).fit(early(data)).save(tmp_path / "m")
    call = ["refit", str(tmp_path / "m"), str(tmp_path / "data"), "--out", str(tmp_path / "n")]
    found = CliRunner().invoke(app, [*call, "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert document["new"]["events"] == len(data.events) - len(early(data).events)
    assert document["kept"]["users"] == data.n_users
    assert set(document["anew"]) == {"popularity", "spectral"}
    assert document["resumed"] == []
    assert gr.load(tmp_path / "n").fitted.version == document["model_version"]
    told = CliRunner().invoke(app, call)
    assert "kept from" in told.stderr
    assert "learned anew from all events" in told.stderr
    assert document["forgotten"] == 0
    assert "forgotten" not in told.stderr


def test_events_that_the_source_lacks_are_said_to_be_forgotten(tmp_path: Path) -> None:
    data = shop(reviews=False)
    early(data).to_folder(tmp_path / "early")
    gr.Recommender(CONFIG.with_(blocks="popularity,spectral")).fit(data).save(tmp_path / "m")
    told = CliRunner().invoke(
        app, ["refit", str(tmp_path / "m"), str(tmp_path / "early"), "--out", str(tmp_path / "n")]
    )
    n = len(data.events) - len(early(data).events)
    assert f"lacks {n:,} of the {len(data.events):,} events" in " ".join(told.stderr.split())


def test_a_refit_learns_from_what_a_store_heard_and_remembers_how_far(tmp_path: Path) -> None:
    small = CONFIG.with_(blocks="popularity,spectral")
    data = shop(reviews=False)
    gr.Recommender(small).fit(data).save(tmp_path / "m")
    names, items, url = data.users.ids, data.items.ids, f"sqlite:///{tmp_path / 's.db'}"
    assert data.events.timestamps is not None
    when = float(data.events.timestamps.max())
    with Store.open(url) as store:
        said = [(names[0], items[3], "like"), ("somebody new", items[0], None), (names[1], "new item", "add_to_cart")]
        events = [
            StoredEvent(event_id=str(n), user_id=u, item_id=i, type=t, time=when + n, latitude=n, longitude=11)
            for n, (u, i, t) in enumerate([*said, (names[2], items[0], "unheard of")])
        ]
        twice = StoredEvent(event_id="twice", user_id=names[0], item_id=items[3], type="like", time=when)
        store.append([*events, StoredEvent(event_id="f", user_id=names[3], item_id=items[0], time=when), twice])
        told = ItemChange(item_id="new item", action="add", attributes={"title": "Brand new", "colour": "red"})
        store.change_items(
            [told, ItemChange(item_id="new item", action="add", attributes={"size": ["S", "M"], "colour": None})]
        )
        store.forget(names[3])
    call = ["refit", str(tmp_path / "m"), "--store", url, "--json", "--out"]
    found = CliRunner().invoke(app, [*call, str(tmp_path / "n")])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert list(document["store"]["left_out"].values()) == [1, 1]
    assert "the same person, item, kind, value and second" in list(document["store"]["left_out"])[1]
    assert document["store"]["learned_to"] == 9
    model = gr.load(tmp_path / "n").fitted
    assert "somebody new" in model.data.users.ids
    assert names[3] not in model.data.users.ids, "erased in the store, so nowhere else"
    assert "Brand new" in model.data.item_titles.tolist()
    rows = model.data.item_attributes
    new = rows[rows["item_num"] == model.data.items.number("new item")]
    assert sorted(new["value"]) == ["M", "S"], "as a service takes them"
    assert item_points(model.data)[model.data.items.number("new item")].tolist() == [2, 11], "where it was taken"
    theirs = int((data.events.user_nums == 3).sum())
    assert len(model.data.events) == len(data.events) - theirs + 3
    assert {"like", "addtocart"} <= {kind.name for kind in model.data.events.kind_table}, "as a service hears them"
    with Store.open(url) as store:
        assert store.learned(model.version) == 9
        store.append([StoredEvent(event_id="later", user_id=names[0], item_id=items[5], time=when + 50)])
    again = CliRunner().invoke(app, ["refit", str(tmp_path / "n"), "--store", url, "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["new"]["events"] == 1
    assert gr.load(tmp_path / "n").fitted.version != model.version, "in its place"
    with pytest.raises(gr.GraphrecError, match="Give SOURCE, or --store URL"):
        CliRunner().invoke(app, ["refit", str(tmp_path / "m")], catch_exceptions=False)

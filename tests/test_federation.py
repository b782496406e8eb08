"""Parties that keep their events get the model that one party with all events would get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import graphrec
from graphrec.cli.app import app
from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError, DataError
from graphrec.federation import Federated, federated
from graphrec.fit import Fitting, learn
from graphrec.forgetting import forgotten
from graphrec.linalg.sums import SUMS, ItemSums
from graphrec.party import Party, introduced
from graphrec.pooled import Candidate, held_out, sums_of
from graphrec.privacy import masking
from graphrec.runtime import Runtime
from tests.blocks.test_sums import world

BLOCKS = ("popularity", "ease", "neighbours", "spectral")
SETTINGS = [f"blocks={','.join(BLOCKS)}", "features.enabled=false", "spectral.rank=4,12", "ease.regularisation=10,100"]
FEW = ["blocks=popularity,ease", *SETTINGS[1:]]
SETTLED = Candidate(
    {
        "popularity": {},
        "ease": {"regularisation": 20.0, "n": 40},
        "neighbours": {"n": 40, "alpha": 0.5, "beta": 0.4},
        "spectral": {"rank": 12, "alpha": 0.5, "beta": 0.4, "power": 0.8},
    },
    {"popularity": 0.2, "ease": 1.0, "neighbours": 0.5, "spectral": 0.7},
)


def fitting(*settings: str) -> Fitting:
    return Fitting(Config.load(None, settings or SETTINGS), Runtime(device="cpu"), lambda: pytest.fail("no texts"))


def table_of(data: Dataset) -> pd.DataFrame:
    e = data.events
    ids = (np.array(of.ids, object)[nums] for of, nums in ((data.users, e.user_nums), (data.items, e.item_nums)))
    return pd.DataFrame(dict(zip(("user_id", "item_id"), ids, strict=True)) | {"timestamp": e.timestamps})


def parts_of(data: Dataset, n: int, seed: int = 0) -> list[Dataset]:
    """The people in n uneven parts; each knows the items that its own people took."""
    random, events = np.random.default_rng(seed), table_of(data)
    odds = 1 / np.arange(1, n + 1)
    of = np.r_[np.arange(n), random.choice(n, data.n_users - n, p=odds / odds.sum())]
    people = dict(zip(data.users.ids, of.tolist(), strict=True))
    return [build(f"party {p}", events[events["user_id"].map(people) == p]) for p in range(n)]


@pytest.fixture(scope="module")
def everybody() -> Dataset:
    return world()


@pytest.fixture(scope="module")
def pooled(everybody: Dataset) -> Federated:
    return federated([Party("all", everybody, fitting())], chosen=SETTLED)


@pytest.mark.parametrize(("parties", "masked"), [(2, False), (5, True), (20, False)])
def test_each_party_has_the_items_of_everybody(
    parties: int, masked: bool, everybody: Dataset, pooled: Federated
) -> None:
    """Item sides, and scores of its own people, within 1e-6 of those of one party with all events."""
    parts = parts_of(everybody, parties)
    assert max(p.n_users for p in parts) > 1.5 * min(p.n_users for p in parts)
    found = federated([Party(p.name, p, fitting()) for p in parts], masked=masked, chosen=SETTLED)
    whole = pooled.models["all"]
    expected = whole.recommend(whole.data.users.ids, k=40, seen="allow").set_index(["user_id", "item_id"])["score"]
    assert expected.std() > 0.1
    told = 0
    for model in found.models.values():
        assert model.data.items == whole.data.items
        for block in BLOCKS:
            sides = [m.profiles[block].items for m in (model, whole)]
            first, second = (np.asarray(s.toarray() if hasattr(s, "toarray") else s, np.float64) for s in sides)
            if block == "spectral":
                first, second = first @ first.T, second @ second.T
            np.testing.assert_allclose(first, second, atol=1e-6)
        scores = model.recommend(model.data.users.ids, k=40, seen="allow").set_index(["user_id", "item_id"])["score"]
        np.testing.assert_allclose(scores, expected[scores.index], atol=2e-6)
        told += model.data.n_users
    assert told == everybody.n_users


def test_without_a_party_the_items_are_others(everybody: Dataset, pooled: Federated) -> None:
    parts = parts_of(everybody, 5)
    found = federated([Party(p.name, p, fitting()) for p in parts[1:]], chosen=SETTLED)
    sides = [np.asarray(m.profiles["ease"].items.toarray()) for m in (found.models["party 1"], pooled.models["all"])]
    assert np.abs(sides[0] - sides[1]).max() > 1e-3


def test_the_choice_is_that_of_the_pooled_people(everybody: Dataset) -> None:
    """A sum of figures over parties is a sum over their people, so that the search goes the same way."""
    alone = federated([Party("all", everybody, fitting(*FEW))])
    parts = [Party(p.name, p, fitting(*FEW)) for p in parts_of(everybody, 5)]
    found = federated(parts)
    assert found.candidate == alone.candidate
    figures = [m.chosen["validation"] for m in (alone.models["all"], found.models["party 0"])]
    assert figures[0] == figures[1]
    assert figures[0]["users"] > 100
    assert figures[0]["ndcg@20"] > 0.3


def test_what_travels_is_counted_and_no_event_does(everybody: Dataset) -> None:
    parts = parts_of(everybody, 2)
    found = federated([Party(p.name, p, fitting(*FEW)) for p in parts])
    assert {(m.round, m.party) for m in found.messages} == {(n, p.name) for n in (1, 2, 3) for p in parts}
    sums = sums_of(everybody)
    assert {m.bytes for m in found.messages if m.round == 2} == {2 * sums.size}
    assert sums.size == 8 * (1 + 40 + 2 * 40 * 41 // 2)


def test_masks_cancel_exactly_and_a_masked_sum_looks_random() -> None:
    """Of three parties: the total is that of the fixed-point numbers to the last bit, and no single message tells."""
    parties = [Party(name, world(8), fitting()) for name in ("a", "b", "c")]
    introduced(parties)
    numbers = [np.arange(4000.0) % 7 + n for n in range(3)]
    sent = [p.masked(x, "1") for p, x in zip(parties, numbers, strict=True)]
    np.testing.assert_array_equal(masking.total(sent), np.sum(numbers, axis=0))
    for words in sent:
        bits = np.unpackbits(words.view(np.uint8))
        assert abs(bits.mean() - 0.5) < 4 * 0.5 / len(bits) ** 0.5
        assert abs(np.corrcoef(words.astype(float), numbers[0])[0, 1]) < 4 / len(words) ** 0.5
    assert np.abs(masking.total(sent[:2])).max() > 1e6  # one is missing
    again = parties[0].masked(numbers[0], "2")
    assert (again != sent[0]).mean() > 0.99  # another round has another mask
    with pytest.raises(DataError, match="does not fit the ring"):
        parties[0].masked(np.array([2.0**31]), "3")


def test_held_out_parts_depend_on_nobody_else(everybody: Dataset) -> None:
    table = table_of(everybody).drop(columns="timestamp")
    data, fewer = build("all", table), build("one less", table[table["user_id"] != "u000"])
    found = [table_of(held_out(d, 3)[1]) for d in (data, fewer)]
    theirs = [set(map(tuple, t[t["user_id"] != "u000"][["user_id", "item_id"]].to_numpy())) for t in found]
    assert theirs[0] == theirs[1]
    assert len(theirs[0]) > 100


def test_a_model_of_sums_is_no_less_a_model(pooled: Federated, tmp_path: Path) -> None:
    """It explains, is read back, takes in events, forgets, and says what it cannot."""
    model = pooled.models["all"]
    graphrec.Recommender.of(model).save(tmp_path / "model")
    back = graphrec.load(tmp_path / "model").fitted
    pd.testing.assert_frame_equal(back.recommend("u003"), model.recommend("u003"))
    item = model.recommend("u003", k=1)["item_id"].iloc[0]
    why = model.explain("u003", item)
    assert sum(why.blocks.values()) == pytest.approx(why.score, abs=1e-5)
    later = model.updated([{"user_id": "new", "item_id": item, "timestamp": 10_000}])
    np.testing.assert_array_equal(later.items, model.items)
    less, receipt = forgotten(model, ["u003"])
    np.testing.assert_array_equal(less.items, model.items)
    assert not receipt.exact
    assert any("sums made anew" in line for line in receipt.left)
    with pytest.raises(ConfigError, match="of sums here"):
        learn(model.data, model.chosen, fitting())
    assert model.chosen[SUMS]["users"] == 150


def test_what_others_took_is_known_though_nobody_here_took_it() -> None:
    events = table_of(world())
    even = events["item_id"].str[1:].astype(int) % 2 == 0
    here, there = (build(name, events[mine]) for name, mine in (("here", even), ("there", ~even)))
    made = federated([Party(d.name, d, fitting()) for d in (here, there)], chosen=SETTLED)
    model, theirs = made.models["here"], there.items.ids[0]
    found, as_there = model.similar(theirs, 3), made.models["there"].similar(theirs, 3)
    assert found["item_id"].tolist() == as_there["item_id"].tolist()
    assert not found.attrs["degraded"]
    assert "nobody" not in model.explain("a stranger", theirs).text
    assert not any("obody" in line for line in model.why_not(here.users.ids[0], theirs, 3).missing)


NETWORK = ["blocks=popularity,graph", "features.enabled=false", "graph.dim=8", "graph.steps=2", "graph.minutes=0"]
NETWORK += ["graph.temperature=0.2", "graph.max_epochs=6"]


def network(epochs: int) -> Candidate:
    chosen = {"temperature": 0.2, "epochs": epochs, "of": 6, "dim": 8, "popularity": 1.0}
    return Candidate({"popularity": {}, "graph": chosen}, {"popularity": 0.2, "graph": 1.0})


def test_a_network_of_parties_is_that_of_one(everybody: Dataset) -> None:
    """From the same start, on whole batches, sides and scores are those of one party with all events, masked too; one
    of the parties has few people, who took few of the items."""
    tables = [table_of(part).drop(columns="timestamp") for part in parts_of(everybody, 2)]
    tables.append(pd.DataFrame({"user_id": ["a", "b"], "item_id": ["i000", "i001"]}))
    parts = [build(f"party {n}", table) for n, table in enumerate(tables)]
    runs = [[Party(p.name, p, fitting(*NETWORK)) for p in of] for of in (parts, [build("all", pd.concat(tables))])]
    found, pooled = (federated(run, masked=len(run) > 1, chosen=network(3)) for run in runs)
    untrained = federated([Party("all", build("all", pd.concat(tables)), fitting(*NETWORK))], chosen=network(0))
    whole = pooled.models["all"]
    items = whole.profiles["graph"].items
    assert np.abs(items @ items.T - np.inner(*[untrained.models["all"].profiles["graph"].items] * 2)).max() > 0.05
    for model in found.models.values():
        sides = model.profiles["graph"]
        np.testing.assert_allclose(sides.items, items, atol=1e-4)
        at = [whole.data.users.number(id_) for id_ in model.data.users.ids]
        np.testing.assert_allclose(
            sides.users @ sides.items.T, (whole.profiles["graph"].users @ items.T)[at], atol=5e-3
        )


def test_a_network_is_chosen_by_all_and_trained_by_all(everybody: Dataset) -> None:
    """From rows at random parties come to what their people want, all to the same; what they sent is counted."""
    parts = parts_of(everybody, 2)
    found = federated([Party(p.name, p, fitting(*NETWORK, "graph.init=random")) for p in parts])
    first, other = (model.chosen["graph"] for model in found.models.values())
    assert first == other
    assert first["curve"][0][1] < 0.8 * first["validation_ndcg"]
    sent = [m for m in found.messages if m.party == "party 0" and "graph: gradients of items" in m.what]
    assert [m.round for m in sent] == [3, 4][: 1 + bool(found.candidate.weights["graph"])]
    assert sent[0].bytes % (8 * (40 * 8 + 1)) == 0


def test_what_cannot_be_is_refused(everybody: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"ials, slim cannot be learned from sums.*ease"):
        Party("a", everybody, fitting("blocks=ials,ease,slim"))
    with pytest.raises(ConfigError, match=r"graph.contrast: parties train LightGCN together"):
        federated([Party("a", everybody, fitting(*NETWORK, "graph.contrast=0.1"))], chosen=network(1))
    with pytest.raises(ConfigError, match="sums of parties travel without noise"):
        Party("a", everybody, fitting("blocks=popularity,ease", "privacy.epsilon=1"))
    for fair in ("clear=gender", "target=gini:-20%"):
        with pytest.raises(ConfigError, match=f"fair.{fair.partition('=')[0]} is learned from the rows of people"):
            Party("a", everybody, fitting(*FEW, f"fair.{fair}"))
    with pytest.raises(ConfigError, match="give each a name"):
        federated([])
    with pytest.raises(ConfigError, match="40 items together, and sums are dense up to 39"):
        federated([Party("a", everybody, fitting())], max_items=39)


def run(*args: Any) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args], catch_exceptions=False)


def test_on_the_command_line(everybody: Dataset, tmp_path: Path) -> None:
    """Two local parties; and one here with the sums of the other, as they come from elsewhere."""
    for n, part in enumerate(parts_of(everybody, 2)):
        table_of(part).to_csv(tmp_path / f"shop{n}.csv", index=False)
    settings = [word for setting in FEW for word in ("--set", setting)]
    both = run(
        "federate", tmp_path / "shop0.csv", tmp_path / "shop1.csv", "--out", tmp_path / "of", "--json", *settings
    )
    told = json.loads(both.stdout)
    assert set(told["models"]) == {"shop0", "shop1"}
    assert {m["round"] for m in told["messages"]} == {1, 2, 3}
    run("federate", tmp_path / "shop1.csv", "--sums", tmp_path / "shop1.npz", *settings)
    assert ItemSums.load(tmp_path / "shop1.npz").users == told["users"]["shop1"]
    run("federate", tmp_path / "shop0.csv", tmp_path / "shop1.npz", "--out", tmp_path / "apart", *settings)
    first, second = (graphrec.load(tmp_path / of / "shop0").fitted for of in ("of", "apart"))
    same = [first.profiles["popularity"].items, second.profiles["popularity"].items]
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert second.chosen[SUMS]["parties"] == 2
    for words in (["--sums", tmp_path / "shop.npz"], ["--out", tmp_path / "hidden"]):
        with pytest.raises(ConfigError, match="name the events of two parties"):
            run("federate", tmp_path / "shop0.csv", *words, "--masked", *settings)
    assert "at several parties" not in both.stderr
    again = run("federate", tmp_path / "shop1.csv", tmp_path / "shop1.csv", "--out", tmp_path / "twice", *settings)
    assert f"{told['users']['shop1']} ids of people are at several parties" in " ".join(again.stderr.split())

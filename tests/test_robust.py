"""Fake profiles that push an item are found and set aside; real people are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError
from graphrec.linalg import suspects as module
from graphrec.linalg.suspects import suspects, together
from graphrec.pooled import summed_blocks
from graphrec.recommender import Recommender
from graphrec.robust import trusted
from graphrec.samples.shills import ATTACKS, group, praised, shilled
from tests.profile.test_clearing import CHOSEN

CAREFUL = Config.load(None, ["robust.set_aside=true", "blocks=popularity,neighbours", "features.enabled=false"])
TARGET, MADE_UP = 119, 12


@pytest.fixture(scope="module")
def world() -> Dataset:
    """240 people of four tastes, who take 14 things each, three in four of their own; some of it rated and dated."""
    random = np.random.default_rng(0)
    rows: list[tuple[object, ...]] = []
    weight = 1 / np.arange(2, 122) ** 0.5
    for user in range(240):
        mine = weight * np.where(np.arange(120) % 4 == user % 4, 3.0, 0.33)
        for item in random.choice(120, 14, replace=False, p=mine / mine.sum()).tolist():
            text = "A good one." if item % 5 == 0 else None
            rows.append((f"u{user:03d}", f"i{item:03d}", 4.0 + item % 2, 1_600_000_000 + 86_400 * len(rows), text))
    columns = ["user_id", "item_id", "value", "timestamp", "text"]
    return build("tastes", pd.DataFrame(rows, columns=columns))


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack != "segment"])
def test_who_is_made_up_is_found_and_nobody_else(attack: str, world: Dataset) -> None:
    target = world.items.number(f"i{TARGET:03d}")
    pushed = shilled(world, attack, target, MADE_UP)  # type: ignore[arg-type]
    assert pushed.n_users == world.n_users + MADE_UP
    taken, before = pushed.seen(), world.seen()
    np.testing.assert_array_equal(taken[: world.n_users].toarray(), before.toarray())
    assert np.asarray(taken[world.n_users :, target].todense()).all()
    texts = pushed.events.item_nums[pushed.reviews["event"].to_numpy()]
    np.testing.assert_array_equal(texts, pushed.reviews["item_num"])
    found = suspects(taken)
    assert target in found.items
    assert (found.users >= world.n_users).sum() >= MADE_UP - 2
    assert (found.users < world.n_users).sum() <= 3
    assert not len(suspects(before).users)


def test_a_segment_is_made_up_of_what_its_group_takes(world: Dataset) -> None:
    """And looks like it: so these fake profiles are not found, as ``docs/robustness.md`` says."""
    target = world.items.number(f"i{TARGET:03d}")
    made_up = shilled(world, "segment", target, MADE_UP).seen()[world.n_users :].toarray() > 0
    taken = world.seen().toarray() > 0
    people = group(world, target)
    assert len(people) >= 10
    assert taken[people].all(axis=0).any()
    assert made_up[:, target].all()
    made_up[:, target] = False
    by_group = taken[people].mean(axis=0)
    assert not made_up[:, by_group == 0].any()
    assert by_group[np.nonzero(made_up)[1]].mean() > 1.1 * taken.mean(axis=0)[np.nonzero(made_up)[1]].mean()
    fillers = shilled(world, "average", target, MADE_UP).seen()[world.n_users :].toarray() > 0
    assert made_up[:, taken[people].all(axis=0)].mean() > 3 * fillers[:, taken[people].all(axis=0)].mean()
    assert not len(suspects(shilled(world, "segment", target, MADE_UP).seen()).users)


def test_who_is_made_up_writes_what_others_wrote_of_popular_things(world: Dataset) -> None:
    target = world.items.number(f"i{TARGET:03d}")
    pushed = shilled(world, "average", target, MADE_UP)
    written = praised(pushed, target, MADE_UP)
    more = written.reviews[written.reviews["user_num"] >= world.n_users]
    assert len(more) == MADE_UP
    assert set(more["item_num"]) == {target}
    assert set(more["text"]) == {"A good one."}
    assert written.events is pushed.events
    texts = written.events.item_nums[written.reviews["event"].to_numpy()]
    np.testing.assert_array_equal(texts, written.reviews["item_num"])
    assert len(written.reviews) == len(world.reviews) + MADE_UP
    kept = trusted(written, CAREFUL)
    assert (kept.reviews["user_num"] >= world.n_users).sum() <= 2
    with pytest.raises(ConfigError, match="no review praises"):
        praised(replace(pushed, reviews=pushed.reviews[:0]), target, MADE_UP)


def test_what_goes_together_is_told_without_oneself(world: Dataset) -> None:
    """Against a naive twin that counts pairs among the others, each item against all that as many of them took."""
    taken = world.seen()[:60]
    share, n = together(taken, 0)
    dense = taken.toarray() > 0
    counts = dense.sum(axis=0)
    expected = []
    for user in range(2):
        mine, others = np.flatnonzero(dense[user]), np.delete(dense, user, axis=0)
        wins = []
        for item in mine[counts[mine] > 1].tolist():
            rest = mine[mine != item]
            scores = {i: sum((others[:, i] & others[:, j]).sum() / counts[j] ** 0.5 for j in rest) for i in range(120)}
            peers = [
                i
                for i in np.flatnonzero(~dense[user]).tolist()
                if abs(counts[i] - (counts[item] - 1)) <= module.ALIKE * (counts[item] - 1)
            ]
            of_peers = [scores[i] * (counts[item] - 1) / max(counts[i], 1) for i in peers]
            if of_peers:
                wins.append(np.mean([0.5 if abs(scores[item] - s) < 1e-5 else scores[item] > s for s in of_peers]))
        expected.append(np.mean(wins))
    np.testing.assert_allclose(share[:2], expected, atol=0.12)  # of draws among the peers
    assert (n[:2] > 5).all()


def test_nobody_is_taken_where_nothing_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    noise = sp.csr_matrix((random.random((100, 40)) < 0.2).astype(np.float32))
    assert not len(suspects(noise).users)
    assert not len(suspects(noise[:, :0]).users)
    assert not len(suspects(sp.csr_matrix((5, 4))).users)
    monkeypatch.setattr(module, "MAX_ITEMS", 39)
    assert not len(suspects(noise).users)


def test_a_fit_learns_nothing_from_them_and_says_so(world: Dataset) -> None:
    target = world.items.number(f"i{TARGET:03d}")
    pushed = shilled(world, "average", target, MADE_UP)
    kept = trusted(pushed, CAREFUL)
    (told,) = [line for line in kept.report.all_warnings() if "look made up" in line]
    assert f"they push i{TARGET}" in told
    assert "of 252 people look made up" in told
    assert "shill-" in told
    assert trusted(pushed, Config()) is pushed
    clean, careless, careful = (
        Recommender(config).fit(data, {**CHOSEN, "weights": {"popularity": 0.5, "neighbours": 1.0}}).fitted
        for config, data in ((Config.load(None, PLAIN), world), (Config.load(None, PLAIN), pushed), (CAREFUL, pushed))
    )
    counts = [model.ties.takers_of[target] for model in (clean, careless, careful)]
    assert counts[1] - counts[0] == MADE_UP
    assert abs(int(counts[2]) - int(counts[0])) <= 2
    assert (np.diff(careful.data.seen()[world.n_users :].indptr) > 0).sum() <= 2


def test_sums_are_of_everybody() -> None:
    with pytest.raises(ConfigError, match=r"robust\.set_aside"):
        summed_blocks(CAREFUL)


PLAIN = ["blocks=popularity,neighbours", "features.enabled=false"]


def test_of_an_item_whose_takers_are_unlike_few_count_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep all else that they took."""
    random, rows = np.random.default_rng(0), []
    for user in range(300):
        mine = np.where(np.arange(300) % 6 == user % 6, 1.0, 0.01)
        rows += [(f"u{user}", f"i{i}") for i in random.choice(300, 10, replace=False, p=mine / mine.sum()).tolist()]
    world = build("sparse", pd.DataFrame([*rows, ("u0", "new")], columns=["user_id", "item_id"]))
    target = world.items.number("new")
    pushed = shilled(world, "random", target, 9)
    none, share = np.zeros(0, np.int64), suspects(pushed.seen()).share
    monkeypatch.setattr("graphrec.robust.suspects", lambda taken, seed: module.Suspects(none, none, share))
    kept = trusted(pushed, CAREFUL)
    (told,) = [line for line in kept.report.all_warnings() if "have little else in common" in line]
    assert "who took new" in told or ", new" in told
    before, after = pushed.seen().toarray(), kept.seen().toarray()
    assert (before[:, target].sum(), after[:, target].sum()) == (10, 1)
    before[:, target] = after[:, target] = 0
    assert (before - after).sum() <= 0.005 * len(rows)
    assert (before >= after).all()

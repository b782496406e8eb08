"""Every block under every reading of the strengths: what is disliked, and what of it an account holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks.api import Folds
from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.data.readings import READINGS
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.explain.shares import shares
from graphrec.fit import as_read
from graphrec.profile.api import FittedBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from tests import worlds

STARS = Kind("review", values="rating", scale=(1, 5))
CHOSEN = {
    "popularity": {"half_life": 0.0},
    "spectral": {"rank": 6, "alpha": 0.5, "beta": 0.4, "power": 0.8, "friends": 0.3, "knowledge": 0.0},
    "neighbours": {"n": 200, "alpha": 0.25, "beta": 0.4, "friends": 0.3, "knowledge": 0.0},
    "ease": {"n": 200, "regularisation": 10.0, "friends": 0.3, "knowledge": 0.0},
    "slim": {"n": 200, "l1": 1e-3, "l2": 1e-2, "friends": 0.0, "knowledge": 0.0},
    "chebyshev": {"n": 200, "order": 4, "alpha": 0.5, "flatness": 2.0, "beta": 0.3, "friends": 0.0, "knowledge": 0.0},
    "ials": {"alpha": 3.0, "regularisation": 1.0, "factors": 6, "knowledge": 0.0},
    "autoencoder": {"hidden": 0.5, "knowledge": 0.0, "epochs": 2},
    "graph": {"temperature": 0.2, "epochs": 2, "popularity": 1.0, "half_life": 0.0},
}
CONFIG = Config().with_(autoencoder={"dim": 4}, graph={"dim": 4})


def stars(users: int = 30, seed: int = 0) -> Dataset:
    """Even users give five stars to even items and one to odd ones; odd users the other way round. Some friends."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, int, int]] = []
    for user in range(users):
        for item in rng.permutation(24)[:12].tolist():
            value = rng.choice([4, 5]) if item % 2 == user % 2 else rng.choice([1, 2])
            rows.append((f"u{user:02d}", f"i{item:02d}", value, len(rows)))
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp"])
    friends = pd.DataFrame(
        {"user_id": [f"u{u:02d}" for u in range(10)], "friend_id": [f"u{u + 2:02d}" for u in range(10)]}
    )
    return build("stars", events, kinds=[STARS], friends=friends)


@pytest.mark.parametrize("exposure", [False, True])
@pytest.mark.parametrize(
    ("name", "reading"),  # nothing is less likely to the autoencoder than not at all
    [(name, reading) for name in CHOSEN for reading in READINGS if (name, reading) != ("autoencoder", "signed")],
)
def test_an_account_tells_dislikes_from_the_history_whatever_is_read(name: str, reading: str, exposure: bool) -> None:
    data = stars()
    data = replace(data, events=replace(data.events, exposure=exposure))
    block: FittedBlock = CONFIG.block(name).fit(worlds.inputs(data), {**CHOSEN[name], "reading": reading})
    ties = Ties(data)
    for user, item in ((0, 3), (3, 0), (12, 7)):
        parts = shares(Profiles((block,)), worlds.stored(data, user), item)
        whole = sum((*parts.history.values(), *parts.dislikes.values(), *parts.friends.values(), *parts.rest.values()))
        assert whole == pytest.approx(parts.score, rel=1e-3, abs=1e-4)
        assert set(parts.history) == set(ties.history(user).tolist())
        assert not set(parts.history) & set(parts.dislikes)
        if block.linear:
            assert not any(parts.rest.values())
        if not exposure and reading in ("alike", "liked", "graded", "weighted") and name != "graph":
            assert not any(parts.dislikes.values())


@pytest.mark.parametrize("name", ["spectral", "neighbours", "ease", "ials"])
def test_who_gives_one_star_does_not_ask_for_more(name: str) -> None:
    """The same people took the same things; only their stars tell the two tastes apart."""
    data = stars()
    held = np.random.default_rng(1).random(len(data.events)) < 0.2
    train, valid = data.subset(~held), data.subset(held)
    (block,), chosen = CONFIG.block(name).tune(
        Folds.of(worlds.inputs(train), Validation(train, valid, task=Task("liked")))
    )
    scores = worlds.scores(block, train)
    seen = train.seen().toarray() > 0
    even = np.arange(data.n_items) % 2 == 0
    right = [scores[u][~seen[u] & (even == (u % 2 == 0))].mean() for u in range(data.n_users)]
    wrong = [scores[u][~seen[u] & (even != (u % 2 == 0))].mean() for u in range(data.n_users)]
    assert np.mean(np.array(right) > np.array(wrong)) > 0.9
    assert chosen["reading"] != "alike"


def test_strength_off_is_every_event_alike() -> None:
    data, config = stars(), Config()
    off = as_read(data, config.with_(strength={"use": False}))
    assert off.events.readings == ("alike",)
    np.testing.assert_array_equal(off.matrix().toarray(), data.seen().toarray())
    assert as_read(data, config).events.exposure is False
    assert as_read(data, config.with_(evaluate={"relevant": "all"})).events.exposure is True

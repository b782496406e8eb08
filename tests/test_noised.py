"""Parties with noise: totals have all of it, messages show nothing else, and models are those of one party."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from graphrec.cli.app import app
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.federation import Federated
from graphrec.noised import NoisedParty, noised
from graphrec.party import introduced
from graphrec.pooled import Candidate
from graphrec.privacy import masking
from graphrec.privacy.mechanism import Gaussian
from graphrec.private import PRIVATE, fitted
from tests.test_federation import parts_of, table_of
from tests.test_private import fitting, tastes

PARTIES = 3
LINKS = {"n": 20, "alpha": 0.5, "beta": 0.4}
SETTLED = Candidate({"popularity": {}, "neighbours": LINKS}, {"popularity": 0.1, "neighbours": 1.0})


@pytest.fixture(scope="module")
def data() -> Dataset:
    return tastes(900)


def party(name: str, data: Dataset, epsilon: float, seed: int) -> NoisedParty:
    return NoisedParty(name, data, fitting(f"privacy.epsilon={epsilon}"), Gaussian(np.random.default_rng(seed)))


def made(data: Dataset, epsilon: float, n: int = PARTIES) -> Federated:
    parts = parts_of(data, n)
    return noised([party(p.name, p, epsilon, 7 + k) for k, p in enumerate(parts)], SETTLED)


def test_without_noise_they_have_the_sums_of_one(data: Dataset) -> None:
    """At an ε at which noise is nothing, parties release what one with all events does."""
    found = made(data, 1e5)
    pooled = fitted(data, fitting("privacy.epsilon=1e5", "privacy.judges=0"))
    assert found.sums.users == pytest.approx(900, abs=0.1)
    items = pooled.profiles["neighbours"].items.toarray()
    for model in found.models.values():
        np.testing.assert_allclose(model.profiles["neighbours"].items.toarray(), items, atol=2e-3)
        spent = model.chosen[PRIVATE]
        assert (spent["epsilon"], spent["judges"]) == (1e5, 0)


def test_a_total_has_the_noise_that_was_asked_for_even_without_ones_own(data: Dataset) -> None:
    """Of P parties all that is added is σ² P/(P − 1), and without any one of them σ²; of a symmetric matrix half."""
    parts = [party(f"{n}", part, 4.0, n) for n, part in enumerate(parts_of(data, PARTIES))]
    introduced(parts)
    sent = [p.sent(np.zeros(20_000), 2.0, 0.5, "1") for p in parts]
    assert masking.total(sent).std() == pytest.approx(4.0 * (PARTIES / (PARTIES - 1)) ** 0.5, rel=0.03)
    own = Gaussian(np.random.default_rng(0)).added(np.zeros(20_000), 2.0, 0.5 * (PARTIES - 1) ** 0.5)
    assert (masking.total(sent) - own).std() == pytest.approx(4.0, rel=0.03)
    assert np.abs(masking.total(sent[:2])).max() > 1e6  # one alone, or two, tell nothing
    square = masking.total([p.sent(np.zeros((200, 200)), 1.0, 1.0, "2") for p in parts])
    assert square.std() == pytest.approx((PARTIES / (PARTIES - 1) / 2) ** 0.5, rel=0.05)


def test_they_find_what_is_planted_and_say_what_it_cost(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LEAST": 50, "TOLERATED": 0.02}.items():
        monkeypatch.setattr(f"graphrec.private.{name}", value)
    parts = parts_of(data, PARTIES)
    found = noised([party(p.name, p, 8.0, n) for n, p in enumerate(parts)])
    model = found.models["party 0"]
    spent = model.chosen[PRIVATE]
    assert spent["epsilon"] == 8.0
    assert spent["candidates"] > 1
    assert spent["judges"] == pytest.approx(90, abs=5)
    listed = model.recommend(model.data.users.ids[:100], k=5)
    same = listed["item_id"].str[1:].astype(int) % 2 == listed["user_id"].str[1:].astype(int) % 2
    assert same.mean() > 0.9
    assert {m.round for m in found.messages} == {1, 2, 3}


def test_what_would_show_a_partys_sum_is_refused(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give two at least"):
        noised([party("a", data, 1.0, 0)])
    with pytest.raises(ConfigError, match="graph cannot be learned from sums"):
        NoisedParty("a", data, fitting("privacy.epsilon=1", "blocks=popularity,graph"))
    for n, part in enumerate(parts_of(data, 2)):
        table_of(part).to_csv(tmp_path / f"shop{n}.csv", index=False)
    shops = [str(tmp_path / f"shop{n}.csv") for n in range(2)]
    ways = ["--set", "blocks=popularity,neighbours", "--set", "features.enabled=false", "--set", "privacy.epsilon=8"]
    told = CliRunner().invoke(app, ["federate", *shops, "--out", str(tmp_path / "no"), *ways])
    assert told.exit_code
    assert "add --masked" in str(told.exception) + told.output
    told = CliRunner().invoke(app, ["federate", *shops, "--out", str(tmp_path / "of"), "--masked", "--json", *ways])
    assert not told.exit_code
    assert (tmp_path / "of" / "shop1").is_dir()

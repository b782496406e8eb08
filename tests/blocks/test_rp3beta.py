"""Random walks: loops as a twin, the strongest ends, and exact accounts."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.blocks import rp3beta
from graphrec.blocks.rp3beta import RP3Beta
from tests import worlds
from tests.blocks.alone import at_unit_deviation, check_accounts, inputs_of, random_data, scores_of
from tests.reference import naive_rp3beta


@pytest.mark.parametrize("chunk", [4, 1024])
@pytest.mark.parametrize(("alpha", "discount"), [(1.0, 0.0), (0.7, 0.5)])
def test_it_equals_loops(alpha: float, discount: float, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rp3beta, "CHUNK", chunk)
    data = random_data(1)
    expected = at_unit_deviation(naive_rp3beta(data.matrix().toarray(), alpha, discount))
    assert scores_of(RP3Beta(), data, alpha=alpha, discount=discount, n=10**6) == pytest.approx(expected, abs=1e-4)


def test_the_strongest_ends_of_each_start_are_kept() -> None:
    inputs = inputs_of(random_data(1))
    whole, some = (RP3Beta().fit(inputs, {"alpha": 1.0, "discount": 0.5, "n": n}) for n in (100, 2))
    for start in range(inputs.train.n_items):
        ends = np.sort(whole.items[:, start].toarray().ravel())[::-1]
        kept = np.sort(some.items[:, start].toarray().ravel())[::-1]
        np.testing.assert_allclose(kept, np.where(np.arange(len(ends)) < 2, ends, 0.0), rtol=1e-6)


def test_accounts() -> None:
    train = worlds.given(worlds.two_tastes()).train
    check_accounts(RP3Beta().fit(inputs_of(train), {"alpha": 0.7, "discount": 0.4, "n": 5}), train)

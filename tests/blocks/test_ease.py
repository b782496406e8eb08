"""EASE whole: without truncation its weights stay dense, and all else is as with links that are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks._whole import WholeBlock
from graphrec.blocks.ease import Ease, EaseSettings
from graphrec.data.dataset import build
from graphrec.errors import ConfigError
from graphrec.linalg import item_item
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from tests import worlds
from tests.blocks.alone import at_unit_deviation, check_accounts, inputs_of, random_data, scores_of
from tests.reference import naive_ease

CHOSEN = {"regularisation": 20.0, "n": 0}


@pytest.mark.parametrize("n", [0, 100])
@pytest.mark.parametrize("double", [0, 10_000])  # float32, float64
@pytest.mark.parametrize("regularisation", [0.5, 20.0])
def test_it_equals_column_regressions(
    regularisation: float, double: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_item, "DOUBLE", double)
    monkeypatch.setattr(item_item, "CHUNK", 5)
    data = random_data(1)
    scores = scores_of(Ease(), data, regularisation=regularisation, n=n)
    assert scores.dtype == np.float32
    expected = at_unit_deviation(naive_ease(data.matrix().toarray(), regularisation))
    assert scores == pytest.approx(expected, abs=2e-3)


def test_whole_it_is_dense_and_equals_the_block_with_all_links() -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    queries = Queries.stored(Ties(train))
    whole, links = (Ease().fit(inputs_of(train), {**CHOSEN, "friends": 0.3, "n": n}) for n in (0, 100))
    assert isinstance(whole, WholeBlock)
    assert isinstance(links, NeighbourBlock)
    assert not isinstance(links, WholeBlock)
    np.testing.assert_allclose(whole.scores(queries), links.scores(queries), atol=1e-5)
    np.testing.assert_allclose(whole.score(queries, 3), links.score(queries, 3), atol=1e-5)
    np.testing.assert_allclose(whole.likeness(3), links.likeness(3), atol=1e-6)
    arrays, settings = whole.arrays()
    read = Ease.Fitted.from_arrays(arrays, settings)
    np.testing.assert_allclose(read.scores(queries), whole.scores(queries), atol=1e-5)
    new = np.arange(2)
    grown = [block.grown(Ties(train), new, None) for block in (whole, links)]
    np.testing.assert_allclose(grown[0].scores(queries), grown[1].scores(queries), atol=1e-5)


def test_accounts() -> None:
    train = worlds.given(worlds.two_tastes()).train
    check_accounts(Ease().fit(inputs_of(train), CHOSEN), train)


def test_without_regularisation_it_says_so() -> None:
    twins = build("twins", pd.DataFrame([("u", "a"), ("u", "b")], columns=["user_id", "item_id"]))
    with pytest.raises(ConfigError, match="regularisation 0 is too small"):
        Ease().fit(inputs_of(twins), {**CHOSEN, "regularisation": 0.0})


def test_above_its_limit_it_is_empty_whatever_was_chosen() -> None:
    assert Ease(EaseSettings(max_items=16)).fit(inputs_of(random_data()), CHOSEN).empty

"""Item nearest neighbours: a naive twin, and exact accounts."""

from __future__ import annotations

import pytest

from graphrec.blocks.itemknn import ItemKNN
from graphrec.linalg import item_item
from tests import worlds
from tests.blocks.alone import at_unit_deviation, check_accounts, inputs_of, random_data, scores_of
from tests.reference import naive_itemknn


@pytest.mark.parametrize("chunk", [4, 1024])
@pytest.mark.parametrize(("n", "shrink"), [(1, 0.0), (3, 0.0), (3, 10.0), (50, 2.0)])
def test_it_equals_its_naive_twin(n: int, shrink: float, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_item, "CHUNK", chunk)
    data = random_data()
    expected = at_unit_deviation(naive_itemknn(data.matrix().toarray(), n, shrink))
    assert scores_of(ItemKNN(), data, n=n, shrink=shrink) == pytest.approx(expected, abs=1e-4)


def test_accounts() -> None:
    train = worlds.given(worlds.two_tastes()).train
    check_accounts(ItemKNN().fit(inputs_of(train), {"n": 5, "shrink": 1.0}), train)

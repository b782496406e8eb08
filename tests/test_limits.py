"""Catalogues that are larger than a block learns from."""

from __future__ import annotations

import pytest

from graphrec.errors import ConfigError
from graphrec.recommender import Recommender
from tests.model.shop import QUICK, rated

LIMITS = {name: {"max_items": 5} for name in ("ease", "chebyshev", "slim")}


@pytest.mark.parametrize("blocks", [["ease", "popularity"], ["spectral", "chebyshev", "slim"]])
def test_a_block_whose_limit_the_catalogue_exceeds_is_left_out_and_said_to_be(blocks: list[str]) -> None:
    model = Recommender(QUICK.with_(blocks=blocks, **LIMITS)).fit(rated(5.0))
    for name in set(blocks) & set(LIMITS):
        assert model.fitted.chosen["weights"][name] == 0
        assert model.fitted.chosen[name] == {"left_out": "12 items, the limit is 5"}
    assert len(model.recommend("u0", 3)) == 3


@pytest.mark.parametrize("blocks", [["ease"], ["chebyshev", "slim"]])
def test_a_catalogue_too_large_for_every_block_is_refused(blocks: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"cannot learn from 12 items .*raise {blocks[0]}.max_items"):
        Recommender(QUICK.with_(blocks=blocks, **LIMITS)).fit(rated(5.0))


def test_taken_over_choices_keep_to_the_limit_of_the_catalogue() -> None:
    config = QUICK.with_(blocks=["ease", "popularity"], ease={"max_items": 12})
    small = Recommender(config).fit(rated(5.0))
    chosen = {**small.fitted.chosen, "weights": {"ease": 1.0, "popularity": 0.1}}
    large = Recommender(config).fit(rated(5.0, n_items=13), chosen)
    assert large.fitted.chosen["weights"] == {"ease": 0.0, "popularity": 0.1}
    assert large.fitted.chosen["ease"] == {"left_out": "13 items, the limit is 12"}
    assert chosen["weights"]["ease"] == 1.0

"""What each block adds is what is lost without it."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.ablation import ablations
from graphrec.config import Config
from graphrec.data.split import split
from graphrec.evaluate.ranking import Report, Scorer, evaluate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from tests import worlds


def test_alone_and_without_are_those_blocks_scores() -> None:
    config = Config.load(None, ["blocks=popularity,spectral,neighbours", "features.enabled=false", "spectral.rank=4"])
    parts = split(worlds.two_tastes(), config.cut, config.seed)
    weights = {"popularity": 0.0, "spectral": 1.0, "neighbours": 0.5}
    chosen = Recommender(config).fit(parts.fit_data).fitted.chosen
    model = Recommender(config).fit(parts.fit_data, {**chosen, "weights": weights}).fitted
    queries, truth = Queries.before(Ties(parts.fit_data), parts.test), parts.test.matrix()

    def measured(scorer: Scorer) -> Report:
        return evaluate(scorer, queries, truth, (5, 10), auc=False)

    whole = measured(model)
    first, second = ablations(model, whole, measured)
    assert (first["block"], second["block"]) == ("spectral", "neighbours")  # popularity counts for nothing
    for row, other in ((first, second), (second, first)):
        alone = measured(model.profiles[row["block"]])
        assert row["metric"] == "ndcg@10"
        assert row["alone"] == pytest.approx(alone.metrics["ndcg@10"], abs=1e-6)
        assert row["without"] == pytest.approx(other["alone"], abs=1e-6)
        lost = whole.per_user["ndcg@10"] - measured(model.profiles[other["block"]]).per_user["ndcg@10"]
        assert row["added"] == pytest.approx(float(lost.mean()), abs=1e-6)
        assert row["error"] == pytest.approx(float(np.std(lost, ddof=1) / len(lost) ** 0.5), abs=1e-6)


def test_a_single_block_has_nothing_to_be_without() -> None:
    config = Config.load(None, ["blocks=popularity", "features.enabled=false"])
    parts = split(worlds.two_tastes(), config.cut, config.seed)
    model = Recommender(config).fit(parts.fit_data).fitted
    queries = Queries.before(Ties(parts.fit_data), parts.test)

    def measured(scorer: Scorer) -> Report:
        return evaluate(scorer, queries, parts.test.matrix(), (10,), auc=False)

    (row,) = ablations(model, whole := measured(model), measured)
    assert (row["alone"], row["without"], row["added"]) == (pytest.approx(whole.metrics["ndcg@10"]), None, None)

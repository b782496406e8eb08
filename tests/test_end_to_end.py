"""One run of the whole path on real data, with the real language model and text encoder."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import graphrec as gr
from graphrec.data.split import split
from graphrec.evaluate.ranking import evaluate
from graphrec.explain.check import check
from graphrec.query.query import Queries
from tests.conftest import shared_data

REVIEWS = 250  # with their texts; the interactions are all there


def test_magazines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shared_data("magazine_subscriptions")
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path / "cache"))
    whole = gr.Dataset.load(folder)
    data = replace(whole, reviews=whole.reviews.iloc[:REVIEWS])
    config = gr.Config().with_(graph={"max_epochs": 10})
    parts = split(data, config.split)
    model = gr.Recommender(config).fit_split(parts)
    weights = model.fitted.chosen["weights"]
    assert set(weights) == set(config.blocks)
    assert max(weights.values()) == 1.0

    everybody, truth = Queries.stored(model.fitted.ties), parts.test.matrix()
    report = evaluate(model, everybody, truth, ks=(20,))
    alone = config.with_(blocks="popularity", kg={"enabled": False}, features={"enabled": False})
    popular = gr.Recommender(alone).fit_split(parts)
    baseline = evaluate(popular, everybody, truth, ks=(20,))
    assert report.metrics["ndcg@20"] > 0.9 * baseline.metrics["ndcg@20"]

    model.save(tmp_path / "model")
    loaded = gr.load(tmp_path / "model")
    with gzip.open(folder / "Magazine_Subscriptions_5.json.gz", "rt", encoding="utf-8") as lines:
        texts = {json.loads(line).get("reviewText", "") for line in lines}
    quotes, random = 0, np.random.default_rng(0)
    for user_id in random.choice(data.users.ids, 40, replace=False):
        for item_id in loaded.recommend(user_id, 2)["item_id"]:
            explanation = loaded.explain(user_id, item_id)
            assert check(explanation, loaded.fitted.data, loaded.fitted.graph) == []
            for evidence in explanation.evidence:
                if evidence.source is not None:
                    quotes += 1
                    assert any(evidence.source.quote in text for text in texts)
    assert quotes >= 10

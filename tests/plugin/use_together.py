"""The whole path with a block that another package brings; prints what happened as JSON."""

from __future__ import annotations

import json
import sys

import graphrec
from graphrec.config import Config
from graphrec.testing.planted import world

config = Config.load(None, ["blocks=popularity,together", "together.damping=0,1", "features.enabled=false"])
data = world().train
model = graphrec.Recommender(config).fit(data)
model.save(sys.argv[1])
loaded = graphrec.load(sys.argv[1])
answers = [m.recommend("u007", k=5).to_dict("records") for m in (model, loaded)]
best = answers[0][0]["item_id"]
print(
    json.dumps(
        {
            "section": config.together.model_dump(mode="json"),
            "toml": loaded.config.to_toml(),
            "chosen": model.fitted.chosen,
            "answers": answers,
            "texts": [m.explain("u007", best).text for m in (model, loaded)],
            "contributions": dict(loaded.explain("u007", best).blocks),
            "words": type(config.block("together")).words.because,
        }
    )
)

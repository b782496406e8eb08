"""Accuracy side by side on real data, and the table of it.

    python benchmarks/accuracy.py ../shared/data            # runs what is there, writes benchmarks/RESULTS.md
    python benchmarks/accuracy.py ../shared/data --only musical_instruments/temporal

Every model of a row sees the same split, is tuned on the same validation part, refitted on train and valid, and tested
once on the same users.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.experiment import compare_models, peak_rss_mb

QUICK = ("popularity", "itemknn", "userknn", "rp3beta", "ease", "ials", "bpr", "graphrec")
ALL = (*QUICK[:-1], "slim", "graphrec")  # lightgcn takes hours with as many trials
TRIALS = "evaluate.trials=10"
WIDE_DATA = ("popularity", "itemknn", "userknn", "rp3beta", "ials", "bpr", "graphrec")  # no dense item-item matrices
GOWALLA = ("popularity", "graphrec")
EVERY = "blocks=popularity,spectral,neighbours,ease,ials,autoencoder,graph,semantic"
LASTFM = ("features.user_text=true", "graph.dim=128")  # chosen on validation users
WIDE = ("graph.dim=256", "graph.learning_rate=0.01", "graph.max_steps=320")
THREE = "blocks=spectral,ials,graph"
BASELINES = (*ALL[:-1], "transitions")  # for the table of the README; what graphrec gives there, presets.py measures
WIDE_BASELINES = (*WIDE_DATA[:-1], "transitions")
LAST = (TRIALS, "split.kind=leave-last", "evaluate.relevant=all")
TEMPORAL = (TRIALS, "split.kind=temporal", "evaluate.relevant=all")
RUNS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {  # name: folder, models, settings
    "lastfm_social/given": ("lastfm_social", ALL, (TRIALS, "split.kind=given", *LASTFM)),
    "lastfm_social/given, with autoencoder": ("lastfm_social", ALL, (TRIALS, "split.kind=given", *LASTFM, EVERY)),
    "coffee shop/temporal": ("../cases/shop", ALL, (TRIALS, "split.kind=temporal")),  # as it was exported, made up
    "musical_instruments/temporal": ("musical_instruments", ALL, (TRIALS, "split.kind=temporal")),
    "musical_instruments/leave-last": ("musical_instruments", ALL, (TRIALS, "split.kind=leave-last")),
    "ml1m_kg/given": ("ml1m_kg", QUICK, (TRIALS, "split.kind=given")),
    "gowalla/given, closed form": (
        "gowalla",
        GOWALLA,
        (TRIALS, "split.kind=given", "blocks=spectral,neighbours"),
    ),
    "gowalla/given, no network": ("gowalla", GOWALLA, (TRIALS, "split.kind=given", "blocks=spectral,ials")),
    "gowalla/given": ("gowalla", WIDE_DATA, (TRIALS, "split.kind=given")),  # the default settings of `graphrec fit`
    "gowalla/given, graph alone": (
        "gowalla",
        GOWALLA,
        ("split.kind=given", "blocks=graph", *WIDE, "graph.temperature=0.1"),
    ),
    "gowalla/given, graph of two members alone": (
        "gowalla",
        GOWALLA,
        ("split.kind=given", "blocks=graph", *WIDE, "graph.temperature=0.1", "graph.members=2"),
    ),
    "gowalla/given, three blocks": ("gowalla", GOWALLA, ("split.kind=given", THREE, "graph.max_steps=400")),
    "magazine_subscriptions/temporal, baselines": (
        "magazine_subscriptions",
        BASELINES,
        (TRIALS, "split.kind=temporal", "evaluate.relevant=liked"),
    ),
    "yelp_places/temporal, baselines": ("yelp_places", (*QUICK[:-1], "transitions"), TEMPORAL),
    "lfm1m/temporal, baselines": ("lfm1m", WIDE_BASELINES, TEMPORAL),
    "amazon_beauty/leave-last, baselines": ("amazon_beauty", WIDE_BASELINES, LAST),
    "ml1m_sequences/leave-last, baselines": ("ml1m_sequences", BASELINES, LAST),
}


def measure(folder: Path, models: tuple[str, ...], settings: tuple[str, ...]) -> dict[str, Any]:
    """One comparison, with what it was made on."""
    data = Dataset.load(folder)
    comparison = compare_models(data, models, Config.load(None, settings), progress=True)
    found = comparison.to_json()
    return {**found, "data": data.fingerprint(), "settings": list(settings), "peak_rss_mb": peak_rss_mb()}


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    for name, (folder, models, settings) in RUNS.items():
        if only in ("", name) and (data / folder).exists():
            report.keep("accuracy", name, measure(data / folder, models, settings))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

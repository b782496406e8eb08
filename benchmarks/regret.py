"""How much is lost by choosing on validation users: chosen against best in hindsight, before and after.

    python benchmarks/regret.py ../shared/data --only "films, cut in time, times removed"

Three choices are made on each data set with the same blocks: ``before``, on one training and validation part, by the
mean over its users; ``after``, on folds and ways of carving as ``fit`` does; and ``hindsight``, on the test part, which
nobody can. Of test parts that a source has cut at one moment ("by the source") ``before`` holds out the last rows of
each user instead, as ``fit`` did. Each is learned from all but the test part and tested on the same users. The regret
is what a choice loses against hindsight. Each block alone is tested too: a blend should not lose to its own best block.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from unittest import mock

import numpy as np
import report
import typer
from ablation import Scored

from graphrec import samples
from graphrec.blocks.api import Folds
from graphrec.blocks.blend import blend
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.fit import Fitting, as_read, folds_of, learn_from
from graphrec.profile.profiles import Profiles
from graphrec.runtime import Runtime

KEPT = {"timeless": False, "brought": True}  # cut in time, and brought as a source does: whether with times
BLOCKS = "blocks=popularity,spectral,neighbours,ease,ials"
SETTINGS = (BLOCKS, "features.enabled=false", "kg.enabled=false", "evaluate.relevant=all", "blend.users=1000")
RUNS: dict[str, tuple[str, str, float]] = {  # name: folder, split, share of the users (``KEPT``: cut, then brought)
    "instruments, temporal": ("musical_instruments", "temporal", 1),
    "instruments, leave-last": ("musical_instruments", "leave-last", 1),
    "magazines, temporal": ("magazine_subscriptions", "temporal", 1),
    "artists, given": ("lastfm_social", "given", 1),
    "films, cut in time, times removed": ("ml1m_kg", "timeless", 0.3),
    "films, temporal": ("ml1m_kg", "temporal", 0.3),
    "films, random": ("ml1m_kg", "random", 0.3),
    "songs, temporal": ("lfm1m", "temporal", 0.3),
    "songs, cut in time, times removed": ("lfm1m", "timeless", 0.3),
    "places, temporal": ("yelp_places", "temporal", 1),
    "places, random": ("yelp_places", "random", 1),
    "check-ins, given, 5 % of the users": ("gowalla", "given", 0.05),
    "sample of 150 users": ("sample 150 100 1500", "temporal", 1),
    "sample of 1,500 users": ("sample 1500 600 9000", "temporal", 1),
    "places, temporal, 5 % of the users": ("yelp_places", "temporal", 0.05),
    "films, cut in time by the source": ("ml1m_kg", "brought", 0.3),
    "songs, cut in time by the source": ("lfm1m", "brought", 0.3),
}


def cut(folder: Path, kind: str, share: float, config: Config) -> Split:
    """The parts of a data set, or of some of its users."""
    with TemporaryDirectory() as place:
        if folder.name.startswith("sample"):
            users, items, reviews = map(int, folder.name.split()[1:])
            samples.write(place, users, items, reviews, seed=3)
            folder = Path(place)
        data = as_read(Dataset.load(folder), config)
    kept = np.random.default_rng(1).random(data.n_users) < share
    data = data.subset(kept[data.events.user_nums])
    data = data if kind == "given" else replace(data, parts=None)
    parts = split(data, config.split.model_copy(update={"kind": "temporal" if kind in KEPT else kind}), config.seed)
    if kind not in KEPT:
        return parts
    again = _given(*(part if KEPT[kind] else _timeless(part) for part in (parts.fit_data, parts.test)))
    return split(again, config.split.model_copy(update={"kind": "given"}), config.seed)


def _timeless(part: Dataset) -> Dataset:
    return replace(part, events=replace(part.events, timestamps=None))


def _given(fitted: Dataset, test: Dataset) -> Dataset:
    """Two parts as a source that brings them."""
    events, order = fitted.events.joined(test.events)
    parts = np.r_[np.zeros(len(fitted.events), np.uint8), np.full(len(test.events), 2, np.uint8)][order]
    return replace(fitted, events=events, parts=parts, reviews=fitted.reviews[:0])


def measure(folder: Path, kind: str, share: float) -> dict[str, Any]:
    """NDCG@20 on the test users of the three choices, of the best block of the second, and standard errors."""
    config = Config.load(None, SETTINGS)
    parts = cut(folder, kind, share, config)
    fitting = Fitting(config, Runtime(progress=False), lambda: None)  # type: ignore[arg-type, return-value]
    whole = learn_from(parts.fit_data, fitting)[0]
    test = Validation(whole.ties, parts.test, 20, 3000, config.seed, Task("all"))
    folds = folds_of(parts.folds, fitting)
    choices = {"before": Folds([replace(folds[0], validation=_alike(folds[0].validation))]), "after": folds}
    if kind == "brought":
        with mock.patch("graphrec.data.cuts._at_once", return_value=False):
            choices["before"] = folds_of(cut(folder, kind, share, config).folds[:1], fitting)
    blocks, found = fitting.blocks(), dict[str, Any](users=len(test), folds=len(folds), validation_users=folds.users)
    for how, on in {**choices, "hindsight": Folds.of(whole, test)}.items():
        tuned = {name: block.tune(on) for name, block in blocks.items()}
        weights, _ = blend([fitted for fitted, _ in tuned.values()], on, config.blend.candidates)
        learned = {name: block.fit(whole, tuned[name][1]) for name, block in blocks.items()}
        alone = {name: test.per_user_ndcg_of(block.scores) for name, block in learned.items() if not block.empty}

        heard = {name: block.reweighted(weights[name]) for name, block in learned.items() if weights[name]}
        per_user = test.per_user_ndcg_of(Scored(Profiles(tuple(heard.values()))).scores)
        best = max(alone, key=lambda name: alone[name].mean())
        loss = alone[best] - per_user
        found[how] = {"ndcg": float(per_user.mean()), "best": best, "best_ndcg": float(alone[best].mean())}
        found[how] |= {"error": float(loss.std() / len(loss) ** 0.5), "weights": weights}
        found[how]["alone"] = {name: float(ndcg.mean()) for name, ndcg in alone.items()}
    for how in choices:
        top = max(found["hindsight"]["ndcg"], found[how]["ndcg"])
        found[how]["regret"] = 1 - found[how]["ndcg"] / top
    return found


def _alike(validation: Any) -> Validation:
    """The same users, of whom it is not told how their rows were held out."""
    out: Validation = object.__new__(Validation)
    vars(out).update(vars(validation))
    out.ways = np.zeros(len(out), np.int64)
    return out


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and print."""
    for name, (folder, kind, share) in RUNS.items():
        where = data / folder
        if only in ("", name) and (where.exists() or folder.startswith("sample")):
            found = measure(where, kind, share)
            report.keep("regret", name, found)
            told = " ".join(f"{how} {found[how]['ndcg']:.4f}" for how in ("before", "after", "hindsight"))
            best = f"{found['after']['best']} {found['after']['best_ndcg']:.4f} ± {found['after']['error']:.4f}"
            print(
                f"{name}: {told}; regret {found['before']['regret']:.3f} → {found['after']['regret']:.3f}; {best}",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)

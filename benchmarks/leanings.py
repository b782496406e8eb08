"""Learn kg/leanings.json, the weights by which a sentence leans towards praise or blame of a term.

    python benchmarks/leanings.py ../shared/data [--write]

Learned from the gold terms of the sentences that benchmarks/termhood.py learns from; "conflict" is left out. Accuracy
with the domain left out, and by five folds over all.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import typer
from labelled import FILES, Labelled, labelled, restaurants
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

import kg
from kg.leaning import CLASSES, features
from kg.text import clean

C, LEVEL = 0.1, 0.5  # a domain of n terms weighs as n ** (1 - LEVEL)


def gold(data: Labelled, part: str) -> tuple[list[dict[str, float]], list[str]]:
    """Features and polarity of every gold term."""
    rows, said = list[dict[str, float]](), list[str]()
    for n in data.of(part):
        plain = {span: polarity for span, polarity in data.gold[n].items() if polarity != "conflict"}
        rows += features(clean(data.texts[n]), list(plain))
        said += plain.values()
    return rows, said


def main(shared: Path, write: bool = False) -> None:
    """Learn, show, and write where asked."""
    sets = [gold(restaurants(shared / "semeval14_restaurants", "train"), "train")]
    sets += [gold(labelled(shared, domain), "dev") for domain in FILES]
    vectors = DictVectorizer(sparse=False)
    x = vectors.fit_transform([row for rows, _ in sets for row in rows])
    y = np.concatenate([said for _, said in sets])
    domain = np.repeat(range(len(sets)), [len(said) for _, said in sets])
    weight = np.concatenate([np.full(len(said), len(said) ** -LEVEL) for _, said in sets])
    weight /= weight.mean()

    def learned(of: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> LogisticRegression:
        return LogisticRegression(C=C, max_iter=3000).fit(x[of], y[of], sample_weight=weight[of])

    left_out, folds = np.zeros(len(y), bool), np.zeros(len(y), bool)
    for k in range(len(sets)):
        left_out[domain == k] = learned(domain != k).predict(x[domain == k]) == y[domain == k]
    for known, new in KFold(5, shuffle=True, random_state=1).split(x):
        folds[new] = learned(known).predict(x[new]) == y[new]
    for k, name in enumerate(("restaurants", *FILES)):
        at = domain == k
        print(f"{name}: left out {left_out[at].mean():.3f}, five folds {folds[at].mean():.3f}")
    if write:
        model = learned(np.ones(len(y), bool))
        order = [list(model.classes_).index(name) for name in CLASSES]
        names = vectors.get_feature_names_out()
        rows = dict(zip(names, model.coef_[order].T.round(3).tolist(), strict=True))
        stored = {"bias": model.intercept_[order].tolist(), "weights": rows}
        (Path(kg.__file__).parent / "leanings.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)

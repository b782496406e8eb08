"""Learn kg/leanings.json, the weights by which a sentence leans towards praise or blame of a term.

    python benchmarks/leanings.py ../shared/data [--write]

Learned from the gold terms of the sentences that benchmarks/termhood.py learns from; "conflict" is left out. What turns
a sentence's vector into praise or blame is learned from the ratings of reviews of which no sentence was labelled, five
and four stars against three to one, and from what people felt about single sentences of electronics. Accuracy is shown
with the domain left out, its labels and its ratings both: of each sentence alone ("plain"), with vectors where that is
not sure ("vectors"), and settled in its corpus, whose aspects are as the extractor finds them, without ratings
("corpus") and with them ("ratings"; restaurants have none).

What was tried and is not done, on the four parts that are learned from, each left out (restaurants, music, magazines,
electronics; of single sentences .720, .816, .840, .680, mean .764): vectors of the sentence and of the words near as
features of their own .762 at best; a classifier of vectors beside, three tenths of the odds, .768, won by restaurants
and lost by music; what turns vectors into praise learned from the corpus's own ratings too .808 (music) and .833
(magazines), from these alone .776 and .819; features of comparison, exception, absence and reduction .766, with
vectors beside .768; the lexicon of VADER .759; pairs of words near the term .759; classes weighed against praise .763;
three tenths or half of the log-odds a classifier of multilingual-e5's vectors of the term before its sentence .757 to
.771 (restaurants .718 to .730, music .808 to .845, magazines .806 to .833, electronics .663 to .692).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import typer
from labelled import FILES, Labelled, electronics, labelled, rated, restaurants, snippets_felt
from sklearn.linear_model import LogisticRegression

import kg
import kg.extract.verdicts
from graphrec.features.cache import ContentCache
from graphrec.features.encoder import load_encoder
from graphrec.settings import FeaturesConfig
from kg.extract.reading import extract
from kg.extract.spacy import SpacyExtractor
from kg.extract.verdicts import PROBES, felt, verdicts
from kg.leaning import CLASSES, Model, Weights, chances, odds, seen
from kg.text import clean

C, LEVEL = 0.1, 0.5  # a domain of n terms weighs as n ** (1 - LEVEL)
FEELING, MEANT = 0.3, 3.0  # the C of vectors; stars up to which a sentence counts as blame, but for four
FEW = 4  # terms that a word must be near to be learned of
CLEAN = 3.0  # what the domain counts in the feeling whose sentences were rated one by one, and not by whole reviews
Pair = tuple[str, str]
Gold = tuple[list[dict[str, float]], list[str], list[Pair]]  # features, polarity, sentence and words near of each term
Embed = Callable[[Sequence[str]], Any]


def gold(data: Labelled, part: str) -> Gold:
    """Of every gold term."""
    rows, said, sentences = list[dict[str, float]](), list[str](), list[Pair]()
    for n in data.of(part):
        plain = {span: polarity for span, polarity in data.gold[n].items() if polarity != "conflict"}
        found = seen(clean(data.texts[n]), list(plain))
        rows += [one.features for one in found]
        sentences += [(one.sentence, one.near) for one in found]
        said += plain.values()
    return rows, said, sentences


def feeling(
    sets: Iterable[tuple[list[str], list[float]]], embed: Embed, counts: Sequence[float] = ()
) -> tuple[float, npt.NDArray[np.float64]]:
    """What turns a vector into praise or blame: bias and weights (F,); in each set both count alike."""
    x, y, weight = list[Any](), list[npt.NDArray[np.bool_]](), list[npt.NDArray[np.float64]]()
    for n, (texts, stars) in enumerate(sets):
        use = [k for k, star in enumerate(stars) if star != 4.0]
        praise = np.array([stars[k] > MEANT for k in use])
        x.append(embed([texts[k] for k in use]))
        y.append(praise)
        weight.append((counts[n] if counts else 1.0) * np.where(praise, 0.5 / praise.mean(), 0.5 / (1 - praise.mean())))
    model = LogisticRegression(C=FEELING, max_iter=2000)
    model.fit(np.concatenate(x), np.concatenate(y), sample_weight=np.concatenate(weight))
    return float(model.intercept_[0]), model.coef_[0].round(4)


def weighed(sets: Sequence[Gold], more: Callable[[Pair], dict[str, float]]) -> tuple[Weights, npt.NDArray[np.float64]]:
    """Weights of each feature, and the usual shares of the classes."""
    rows = [
        row | more(sentence) for known, _, sentences in sets for row, sentence in zip(known, sentences, strict=True)
    ]
    often = Counter(name for row in rows for name in row)
    names = sorted(name for name, n in often.items() if n >= FEW or not name.startswith("~"))
    x = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    weight = np.concatenate([np.full(len(said), len(said) ** -LEVEL) for _, said, _ in sets])
    model = LogisticRegression(C=C, max_iter=3000)
    model.fit(x, np.concatenate([said for _, said, _ in sets]), sample_weight=weight / weight.mean())
    order = [list(model.classes_).index(name) for name in CLASSES]
    usual = np.average(model.predict_proba(x)[:, order], axis=0, weights=weight)
    return Weights(
        model.intercept_[order], {name: n for n, name in enumerate(names)}, model.coef_[order].T.round(3)
    ), usual


def learned(sets: Sequence[Gold], reviews: Mapping[str, tuple[list[str], list[float]]], embed: Embed) -> Model:
    """Everything, from these domains alone."""
    bias, weights = feeling(reviews.values(), embed, [CLEAN if name == "electronics" else 1.0 for name in reviews])
    plain, _ = weighed(sets, lambda _: {})
    sentences = sorted({s for _, _, some in sets for pair in some for s in pair})
    scores = dict(zip(sentences, (embed(sentences) @ weights + bias).tolist(), strict=True))
    with_vectors, usual = weighed(sets, lambda pair: felt(*(scores[text] for text in pair)))
    return Model(plain, with_vectors, usual, (bias, weights), embed(list(PROBES)) @ weights + bias)


def settled(data: Labelled, part: str, found: dict[str, Any], embed: Embed | None, ratings: bool) -> list[float]:
    """Polarity of the gold terms of a part, each in its corpus."""
    known = set(data.of(part))
    texts = [*data.texts, *data.around]
    places = [
        [s for s, said in data.gold[n].items() if said != "conflict"]
        if n in known
        else [(s.start, s.end) for s in found.get(text, []) if s.type == "aspect"]
        for n, text in enumerate(texts)
    ]
    said = verdicts([clean(t) for t in texts], places, data.ratings if ratings else (), embed)
    return [value for n in data.of(part) for value in said[n]]


def right(values: Sequence[float], said: Sequence[str]) -> float:
    """Share of polarities with the right sign."""
    return float(
        np.mean(
            [
                s == ("positive" if v > 0 else "negative" if v < 0 else "neutral")
                for v, s in zip(values, said, strict=True)
            ]
        )
    )


def main(shared: Path, write: bool = False) -> None:
    """Learn, show, and write where asked."""
    embed, extractor, cache = (
        load_encoder(FeaturesConfig()).encode,
        SpacyExtractor(processes=1),
        ContentCache("mentions"),
    )
    sets = [(restaurants(shared / "semeval14_restaurants", "train"), "train")]
    sets += [(labelled(shared, domain), "dev") for domain in FILES]
    sets += [(electronics(), "dev")]
    terms = [gold(*one) for one in sets]
    reviews = {domain: rated(shared, domain) for domain in FILES} | {"electronics": snippets_felt()}
    for k, (data, part) in enumerate(sets):
        others = [t for n, t in enumerate(terms) if n != k]
        model = learned(others, {d: r for d, r in reviews.items() if d != data.domain}, embed)
        said = terms[k][1]
        with mock.patch.object(kg.extract.verdicts, "model", lambda m=model: m):
            found = extract([*data.texts, *data.around], extractor, cache)
            plain = chances(odds(terms[k][0], model.plain))
            figures = {
                "plain": float(np.mean([CLASSES[c] == s for c, s in zip(plain.argmax(axis=1), said, strict=True)]))
            }
            figures["corpus, no vectors"] = right(settled(data, part, found, None, False), said)
            figures["corpus"] = right(settled(data, part, found, embed, False), said)
            figures["ratings, no vectors"] = right(settled(data, part, found, None, True), said)
            figures["ratings"] = right(settled(data, part, found, embed, True), said)
        print(
            f"{data.domain}, left out:", ", ".join(f"{name} {value:.3f}" for name, value in figures.items()), flush=True
        )
    if write:
        model = learned(terms, reviews, embed)
        stored = {
            name: {
                "bias": weights.bias.round(4).tolist(),
                "weights": {n: weights.table[k].tolist() for n, k in weights.row.items()},
            }
            for name, weights in (("plain", model.plain), ("felt", model.felt))
        }
        more = {"usual": model.usual.round(4).tolist(), "probe": model.probe.round(4).tolist()}
        head = {"feeling": {"bias": model.feeling[0], "weights": model.feeling[1].tolist()}}
        path = Path(kg.__file__).parent / "leanings.json"
        path.write_text(json.dumps(stored | more | head, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)

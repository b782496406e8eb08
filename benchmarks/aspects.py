"""Aspect terms and their polarity in three domains, before and now, on parts that nothing was learned from.

    python benchmarks/aspects.py ../shared/data

Each file of texts is read as by ``graphrec kg extract``: the file is the whole corpus, settings are the default's. A
term counts where its first and last character are those of the gold annotation. Polarity is measured on the gold terms:
above ``NEUTRAL`` positive, below its negative negative; "conflict" is left out, as is usual. Beside it stand polarity
without the ratings of reviews ("unrated"; restaurants have none), what answers "positive" to everything, and BEFORE:
each noun phrase an aspect, polarity by rules alone (commit 6ed256b).

The held-out halves were looked at four times since polarity is settled by the corpus: after the first look the shares
of praise and blame were taken from the corpus half of the way only, where the domains left out say no difference; the
third time with electronics among what is learned from; the fourth with words near terms and the words around them read
by the encoder, which was better on all four domains left out and chosen by these (held: restaurants .793 to .792,
music .691 to .684, magazines .728 to .748).

The parts are the gold test part of SemEval-2014's restaurants and the held-out halves of benchmarks/labels. Weights
were learned from the training part and the "dev" halves, so these domains are not new to the model: what a new one may
expect is printed by benchmarks/termhood.py and benchmarks/leanings.py with the domain left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report
import typer
from labelled import FILES, Labelled, labelled, restaurants

from graphrec.features.cache import ContentCache
from graphrec.features.encoder import load_encoder
from graphrec.settings import FeaturesConfig
from kg.extract.reading import extract
from kg.extract.spacy import SpacyExtractor
from kg.extract.verdicts import verdicts
from kg.text import clean

NEUTRAL = 0.05
BEFORE = {
    "restaurants": {"precision": 0.5657, "recall": 0.7628, "f1": 0.6496, "polarity": 0.7223},
    "musical_instruments": {"precision": 0.2369, "recall": 0.7143, "f1": 0.3558, "polarity": 0.6836},
    "magazine_subscriptions": {"precision": 0.3274, "recall": 0.7551, "f1": 0.4568, "polarity": 0.7211},
}


def measure(data: Labelled, part: str, extractor: SpacyExtractor, embed: Callable[..., Any]) -> dict[str, Any]:
    """Precision, recall and F1 of aspect terms, accuracy of polarity on gold terms."""
    texts, known = [*data.texts, *data.around], set(data.of(part))
    spans = extract(texts, extractor, ContentCache("mentions"), embed=embed)
    found = hits = terms = 0
    for n in known:
        gold = data.gold[n]
        own = {(s.start, s.end) for s in spans.get(data.texts[n], []) if s.type == "aspect"}
        found, terms, hits = found + len(own), terms + len(gold), hits + len(own & gold.keys())
    places = [
        [place for place, said in data.gold[n].items() if said != "conflict"]
        if n in known
        else [(s.start, s.end) for s in spans.get(text, []) if s.type == "aspect"]
        for n, text in enumerate(texts)
    ]
    polarity = Counter(data.gold[n][place] for n in known for place in places[n])
    read = [clean(text) for text in texts]
    right = {"polarity": 0, "unrated": 0}
    for name, ratings in (("polarity", data.ratings), ("unrated", ())):
        told = verdicts(read, places, ratings, embed)
        for n in known:
            for place, value in zip(places[n], told[n], strict=True):
                said = "positive" if value > NEUTRAL else "negative" if value < -NEUTRAL else "neutral"
                right[name] += said == data.gold[n][place]
    precision, recall = hits / max(found, 1), hits / terms
    return {
        "data": hashlib.sha256("\n".join(data.texts).encode()).hexdigest(),
        "extractor": extractor.id,
        "sentences": len(data.of(part)),
        "terms": terms,
        "precision": precision,
        "recall": recall,
        "f1": 2 * hits / (found + terms),
        "polarity": right["polarity"] / polarity.total(),
        "polarity_unrated": right["unrated"] / polarity.total(),
        "all_positive": polarity["positive"] / polarity.total(),
        "before": BEFORE[data.domain],
    }


def main(shared: Path, store: bool = True) -> None:
    """Measure, keep the result, and write the table."""
    extractor, embed = SpacyExtractor(processes=1), load_encoder(FeaturesConfig()).encode
    sets = [(restaurants(shared / "semeval14_restaurants", "test"), "test")]
    sets += [(labelled(shared, domain), "held") for domain in FILES]
    for data, part in sets:
        result = measure(data, part, extractor, embed)
        print(data.domain, part, {k: round(v, 4) for k, v in result.items() if isinstance(v, float)}, flush=True)
        if store:
            report.keep("aspects", f"{data.domain}, {part}", result)


if __name__ == "__main__":
    typer.run(main)

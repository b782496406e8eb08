"""Sentences with aspect terms and their polarity, of four domains: a public gold standard, and three labelled here.

Restaurants are SemEval-2014 task 4 (Pontiki et al.). Of musical instruments and magazines one random sentence of each
of 900 and 400 reviews was labelled, by one person and by its guidelines: terms are named, without determiners and
opinions; what is sold is no aspect of itself; verbs only as in "easy to use". benchmarks/labels/ holds, by line of the
data set, offsets and signs and no text. The first 280 and 170 were labelled before anything was tuned, the others
before the model had its present form. Every other sentence is held out.

Electronics are 750 random sentences of those that VADER was measured on (Hutto and Gilbert, 2014; reviews of two
cameras, a telephone and two players, collected by Hu and Liu, in lower case). They are in the source of its package on
PyPI, each with the mean of twenty people's ratings, and only learned from.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import re
import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from graphrec.cache_dir import graphrec_cache

LABELS = Path(__file__).parent / "labels"
FILES = {
    "musical_instruments": "reviews_Musical_Instruments_5.json.gz",
    "magazine_subscriptions": "Magazine_Subscriptions_5.json.gz",
}
AROUND = 2_600  # unlabelled sentences of the domain that make up the corpus
SNIPPETS, SHA = "vaderSentiment-3.3.2.tar.gz", "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
SURELY = 0.5  # of means from -4 to 4
_SENTENCE = re.compile(r"[^.!?\n]{15,220}[.!?\n]")


@dataclass(frozen=True)
class Labelled:
    """``gold[n]``: (start, end) in ``texts[n]`` → polarity. ``part``: "train", "test", "dev" or "held".

    ``ratings``: of ``texts`` and then ``around``, the stars of the review that each is of; () where there are none.
    """

    domain: str
    texts: tuple[str, ...]
    gold: tuple[dict[tuple[int, int], str], ...]
    part: tuple[str, ...]
    around: tuple[str, ...] = ()
    ratings: tuple[float, ...] = ()

    def of(self, part: str) -> list[int]:
        """Numbers of the sentences of a part."""
        return [n for n, p in enumerate(self.part) if p == part]


def restaurants(folder: Path, part: str) -> Labelled:
    """The "train" or "test" sentences."""
    name = {"train": "Restaurants_Train_v2.xml", "test": "Restaurants_Test_Gold.xml"}[part]
    sentences = list(ET.parse(folder / name).getroot().iter("sentence"))
    gold = tuple(
        {(int(a.attrib["from"]), int(a.attrib["to"])): a.attrib["polarity"] for a in s.iter("aspectTerm")}
        for s in sentences
    )
    return Labelled("restaurants", tuple(s.findtext("text") or "" for s in sentences), gold, (part,) * len(sentences))


def labelled(shared: Path, domain: str) -> Labelled:
    """The labelled sentences of a domain in FILES, and others of it."""
    with gzip.open(shared / domain / FILES[domain], "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    reviews, stars = [row.get("reviewText") or "" for row in rows], [float(row["overall"]) for row in rows]
    texts, gold, part, ratings = list[str](), list[dict[tuple[int, int], str]](), list[str](), list[float]()
    with (LABELS / f"{domain}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts.append(reviews[int(row["line"]) - 1][int(row["start"]) : int(row["end"])])
            terms = (term.split(":") for term in row["terms"].split())
            gold.append({(int(start), int(end)): said for start, end, said in terms})
            part.append(row["part"])
            ratings.append(stars[int(row["line"]) - 1])
    rng = random.Random(domain)
    given = {
        m.group().strip(): star for text, star in zip(reviews, stars, strict=True) for m in _SENTENCE.finditer(text)
    }
    around = rng.sample(sorted(given.keys() - set(texts)), AROUND)
    ratings += [given[text] for text in around]
    return Labelled(domain, tuple(texts), tuple(gold), tuple(part), tuple(around), tuple(ratings))


def electronics() -> Labelled:
    """The labelled sentences of electronics and others, with people's ratings of each."""
    rows = {id_: (text.strip(), float(mean)) for id_, mean, text in _snippets() if text.strip()}
    with (LABELS / "electronics.csv").open(encoding="utf-8", newline="") as file:
        said = {row["sentence"]: [term.split(":") for term in row["terms"].split()] for row in csv.DictReader(file)}
    gold = tuple({(int(start), int(end)): sign for start, end, sign in terms} for terms in said.values())
    texts = [rows[id_] for id_ in said]
    others = dict(rows.values())
    around = sorted(others.keys() - {text for text, _ in texts})
    ratings = (*(mean for _, mean in texts), *(others[text] for text in around))
    return Labelled("electronics", tuple(t for t, _ in texts), gold, ("dev",) * len(texts), tuple(around), ratings)


def snippets_felt() -> tuple[list[str], list[float]]:
    """Sentences of electronics that were not labelled: 5 stars where people felt praise, 1 blame, 4 neither."""
    with (LABELS / "electronics.csv").open(encoding="utf-8", newline="") as file:
        known = {row["sentence"] for row in csv.DictReader(file)}
    rows = [(text.strip(), float(mean)) for id_, mean, text in _snippets() if text.strip() and id_ not in known]
    stars = [5.0 if mean >= SURELY else 1.0 if mean <= -SURELY else 4.0 for _, mean in rows]
    return [text for text, _ in rows], stars


def _snippets() -> list[list[str]]:
    path = graphrec_cache() / "datasets" / SNIPPETS
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA:
        raise SystemExit(
            f"{path} is not there or not as it was; python -m pip download vaderSentiment==3.3.2 --no-deps "
            f"--no-binary :all: --no-build-isolation -d {path.parent}"
        )
    with tarfile.open(path) as outer:
        inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
        assert inner is not None
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as all_:
            file = all_.extractfile("hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt")
            assert file is not None
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    return [cells for line in lines if len(cells := line.split("\t")) == 3]


def rated(shared: Path, domain: str, most: int = 2_500, seed: int = 5) -> tuple[list[str], list[float]]:
    """Sentences, at most ``most`` of each rating, of those reviews of a domain that no sentence was labelled of."""
    with gzip.open(shared / domain / FILES[domain], "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with (LABELS / f"{domain}.csv").open(encoding="utf-8", newline="") as file:
        known = {int(row["line"]) - 1 for row in csv.DictReader(file)}
    by_rating: dict[float, dict[str, None]] = {}
    for n, row in enumerate(rows):
        said = [*(m.group().strip() for m in _SENTENCE.finditer(row.get("reviewText") or "")), row.get("summary") or ""]
        by_rating.setdefault(float(row["overall"]), {}).update((s, None) for s in said if s and n not in known)
    rng, texts, ratings = random.Random(seed), list[str](), list[float]()
    for rating, found in sorted(by_rating.items()):
        chosen = rng.sample(sorted(found), min(most, len(found)))
        texts, ratings = texts + chosen, ratings + [rating] * len(chosen)
    return texts, ratings

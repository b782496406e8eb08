"""Aspect terms and their polarity against SemEval-2014 task 4 (Pontiki et al.), by the offline default.

    python benchmarks/aspects.py ../shared/data/semeval14_restaurants

Nothing was trained or tuned on these reviews. A term counts where its first and last character are those of the gold
annotation. Polarity is measured on the gold terms: above ``NEUTRAL`` positive, below its negative negative; terms
annotated as "conflict" are left out, as is usual. Beside it stands what answers "positive" to everything.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import report
import typer

from kg.extract.spacy import SpacyExtractor
from kg.polarity import polarities
from kg.text import clean

NEUTRAL = 0.05
FILES = {"test": "Restaurants_Test_Gold.xml", "train": "Restaurants_Train_v2.xml"}


def measure(path: Path, extractor: SpacyExtractor) -> dict[str, Any]:
    """Precision, recall and F1 of aspect terms, accuracy of polarity on gold terms."""
    sentences = list(ET.parse(path).getroot().iter("sentence"))
    texts = [s.findtext("text") or "" for s in sentences]
    found = hits = terms = right = 0
    polarity: Counter[str] = Counter()
    for sentence, text, spans in zip(sentences, texts, extractor.extract(texts), strict=True):
        gold = {(int(a.attrib["from"]), int(a.attrib["to"])): a.attrib["polarity"] for a in sentence.iter("aspectTerm")}
        own = {(s.start, s.end) for s in spans if s.type == "aspect"}
        found, terms, hits = found + len(own), terms + len(gold), hits + len(own & gold.keys())
        plain = {span: said for span, said in gold.items() if said != "conflict"}
        polarity.update(plain.values())
        for said, value in zip(plain.values(), polarities(clean(text), list(plain)), strict=True):
            right += said == ("positive" if value > NEUTRAL else "negative" if value < -NEUTRAL else "neutral")
    precision, recall = hits / found, hits / terms
    return {
        "data": hashlib.sha256(path.read_bytes()).hexdigest(),
        "extractor": extractor.id,
        "sentences": len(texts),
        "terms": terms,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "polarity": right / polarity.total(),
        "all_positive": polarity["positive"] / polarity.total(),
    }


def main(folder: Path) -> None:
    """Measure, keep the result, and write the table."""
    extractor = SpacyExtractor(processes=1)
    for part, name in FILES.items():
        if (folder / name).exists():
            report.keep("aspects", f"{folder.name}, {part}", measure(folder / name, extractor))
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)

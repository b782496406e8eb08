"""Learn kg/aspects.json, the weights by which candidates are told to be aspects, and show how they do on a new domain.

    python benchmarks/termhood.py ../shared/data [--write]

Learned from the training part of restaurants, the "dev" halves of benchmarks/labels and electronics, each domain
weighing as much as another, each with its own corpus around. What a new domain may expect is the line "left out": that
domain's labels, words and corpus took no part. Held-out halves and gold test parts are read
by benchmarks/aspects.py alone. Boosted trees beside the log-linear model order candidates better, by .01 of the best
F1 on a domain left out, and gain nothing at the threshold that a domain finds by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import typer
from labelled import FILES, Labelled, electronics, labelled, restaurants
from sklearn.linear_model import LogisticRegression

import kg
from graphrec.features.encoder import SentenceEncoder
from graphrec.settings import FeaturesConfig
from kg.extract.reading import _decoded, _encoded
from kg.extract.spacy import SpacyExtractor
from kg.extract.termhood import CUES, Weights, cue_matrix, features, least
from kg.types import Span

C = {"local": 0.1, "corpus": 0.1, "like": 0.2}
Floats = npt.NDArray[np.float64]


class Domain:
    """The candidates of one domain, whether each is gold, and which may be learned from."""

    def __init__(self, data: Labelled, spans: list[list[Span]], embed: Callable[..., Any], part: str) -> None:
        self.data, self.embed = data, embed
        places = [(n, s) for n, row in enumerate(spans) for s in row if s.cues]
        self.texts, self.spans = [n for n, _ in places], [s for _, s in places]
        self.bits = cue_matrix(self.spans)
        known = set(data.of(part))
        self.use = np.array([n in known for n in self.texts])
        self.y = np.array([n in known and (s.start, s.end) in data.gold[n] for n, s in places])
        self.gold = sum(len(data.gold[n]) for n in known)

    def table(self, first: Floats, alike: bool) -> tuple[list[str], Floats]:
        """All features of the candidates that may be learned from."""
        found = list(features(self.spans, self.texts, self.bits, first, self.embed if alike else None))
        names = [*CUES, *(name for name, _ in found)]
        return names, np.hstack([self.bits, np.stack([column for _, column in found], axis=1)])[self.use]


def learned(tables: list[Floats], ys: list[Any], names: list[str], c: float) -> Weights:
    """A logistic regression in which each table weighs as much as another."""
    weights = np.concatenate([np.full(len(y), 1 / len(y)) for y in ys])
    model = LogisticRegression(C=c, max_iter=3000)
    model.fit(np.vstack(tables), np.concatenate(ys), sample_weight=weights / weights.mean())
    return Weights(float(model.intercept_[0]), dict(zip(names, model.coef_[0].round(4).tolist(), strict=True)))


def both_passes(domains: Iterable[Domain], alike: bool) -> tuple[Weights, Weights]:
    """Weights of one place, and of place and corpus."""
    domains = list(domains)
    ys = [d.y[d.use] for d in domains]
    local = learned([d.bits[d.use].astype(float) for d in domains], ys, list(CUES), C["local"])
    tables = [d.table(local.cues(d.bits), alike) for d in domains]
    return local, learned([t for _, t in tables], ys, tables[0][0], C["like" if alike else "corpus"])


def share(domains: Iterable[Domain]) -> float:
    """Of the candidates that are aspects, the mean over domains."""
    return float(np.mean([d.y[d.use].mean() for d in domains]))


def odds_of(domain: Domain, local: Weights, second: Weights, alike: bool) -> Floats:
    """Of the candidates that may be looked at."""
    names, table = domain.table(local.cues(domain.bits), alike)
    return np.asarray(table @ np.array([second.of[n] for n in names]) + second.bias)


def f1(domain: Domain, odds: Floats, threshold: float) -> float:
    """Exact F1 at a threshold."""
    taken = odds >= threshold
    return float(2 * (taken & domain.y[domain.use]).sum() / max(taken.sum() + domain.gold, 1))


def read(data: Labelled, cache: Path) -> list[list[Span]]:
    """The candidates of all its sentences, read once."""
    texts = [*data.texts, *data.around]
    extractor = SpacyExtractor(processes=1)
    key = hashlib.sha256("\x00".join([extractor.id, *texts]).encode()).hexdigest()[:16]
    path = cache / f"{key}.jsonl"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(_encoded(row) for row in extractor.extract(texts)))
    return [_decoded(line) or [] for line in path.read_bytes().split(b"\n")]


def encoder() -> Callable[[list[str]], Any]:
    """The default encoder, each term once."""
    model, known = SentenceEncoder(FeaturesConfig()), dict[str, Any]()

    def embed(terms: list[str]) -> Any:
        new = [t for t in terms if t not in known]
        known.update(zip(new, model.encode(new), strict=True))
        return np.stack([known[t] for t in terms])

    return embed


def main(shared: Path, write: bool = False, cache: Path = Path("/tmp/graphrec-termhood")) -> None:
    """Learn, show, and write where asked."""
    embed = encoder()
    sets = [(restaurants(shared / "semeval14_restaurants", "train"), "train")]
    sets += [(labelled(shared, domain), "dev") for domain in FILES]
    sets += [(electronics(), "dev")]
    domains = [Domain(data, read(data, cache), embed, part) for data, part in sets]
    grid = np.arange(-3.0, 2.01, 0.1)
    for alike in (False, True):
        curves, alone = [], []
        for left_out in domains:
            local, second = both_passes([d for d in domains if d is not left_out], alike)
            odds = odds_of(left_out, local, second, alike)
            curves.append([f1(left_out, odds, t) for t in grid])
            usual = share([d for d in domains if d is not left_out])
            alone.append(f1(left_out, odds, least(odds, 0.0, usual)))
        figures = ", ".join(f"{d.data.domain} {value:.3f}" for d, value in zip(domains, alone, strict=True))
        print(f"{'with' if alike else 'without'} vectors, left out, as it is settled: {figures}")
        local, second = both_passes(domains, alike)
        inside = [[f1(d, odds_of(d, local, second, alike), t) for t in grid] for d in domains]
        for name, rows in (("left out", curves), ("learned from", inside)):
            at = int(np.argmax(np.mean(rows, axis=0)))
            figures = ", ".join(
                f"{d.data.domain} {row[at]:.3f} (best {max(row):.3f} at {grid[int(np.argmax(row))]:.1f})"
                for d, row in zip(domains, rows, strict=True)
            )
            print(f"{'with' if alike else 'without'} vectors, {name}: from {grid[at]:.1f}: {figures}", flush=True)
        if write:
            path = Path(kg.__file__).parent / "aspects.json"
            stored = json.loads(path.read_text("utf-8")) if path.exists() else {}
            stored["local"] = {"bias": local.bias, "weights": local.of}
            stored["like" if alike else "corpus"] = {"bias": second.bias, "weights": second.of}
            stored["share"] = round(share(domains), 4)
            stored["from"] = round(float(grid[int(np.argmax(np.mean(inside, axis=0)))]), 2)
            path.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)

"""Whether an English sentence speaks well or ill of a term: a log-linear model over what the rules of kg.polarity see.

The rules find the opinions near a term. Here their sum, distance and place join with what else tells: words around the
term and in its clause that are no opinions alone ("never", "long"), "no" before it, "for the" price, conditions,
contrast, the past, exclamation marks. Weights are in kg/leanings.json, learned by benchmarks/leanings.py. What the
other texts of a corpus, its ratings and vectors of sentences add is in kg/extract/verdicts.py.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from kg.polarity import MILD, Words, opinion, polarities, words, words_of
from kg.text import sentence_around

Floats = npt.NDArray[np.float64]
CLASSES = ("negative", "neutral", "positive")
LEAST = 0.1  # of a leaning; a neutral one is 0
PLAIN = 0.05  # the rules' polarity up to which they say nothing
NEAR, AROUND = 3.0, 3  # words
WINDOW = 6  # words before and after a term that are read by the encoder beside its sentence
NEARBY, LEARNED = 4, 0.5  # words before and after it that tell by themselves, and the size of such a feature
SENTENCE = 400  # characters of one are read at most
BE = frozenset({"is", "are", "was", "were"})


@dataclass(frozen=True)
class Seen:
    """What tells of a term: features by name (what is 0 may be left out), its sentence, the words around it, and its
    last word in lower case with the nearest word of its clause that judges or measures it ("" for none)."""

    features: dict[str, float]
    sentence: str
    near: str
    head: str
    judge: str


@dataclass(frozen=True)
class Weights:
    """Of features: bias float64 (3,), the row of each feature by name, and the rows, float64 (F, 3), of CLASSES."""

    bias: Floats
    row: dict[str, int]
    table: Floats

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Weights:
        """Those of a stored form: ``bias``, and ``weights`` by name."""
        rows = stored["weights"]
        return cls(np.array(stored["bias"]), {name: n for n, name in enumerate(rows)}, np.array(list(rows.values())))


@dataclass(frozen=True)
class Model:
    """``plain``: the weights of features; ``felt``: those where sentences have vectors.

    ``usual``: shares of the classes where they were learned. ``feeling``: bias and weights, float64 (F,), that turn a
    vector into praise or blame; ``probe``: what they make of PROBES by the encoder that they belong to.
    """

    plain: Weights
    felt: Weights
    usual: Floats
    feeling: tuple[float, Floats]
    probe: Floats


def leanings(text: str, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Polarity in [-1, 1] of each ``text[start:end]`` by its sentence alone; 0 for neither praise nor blame."""
    return signed(chances(odds(features(text, spans), model().plain)))


def signed(shares: Floats) -> list[float]:
    """How much likelier praise is than blame, of the chances of CLASSES (terms, 3); 0 where neither is likeliest."""
    out = []
    for blame, neither, praise in shares.tolist():
        lean = praise - blame
        out.append(0.0 if neither >= max(blame, praise) else round(math.copysign(max(abs(lean), LEAST), lean), 3))
    return out


def odds(rows: Sequence[dict[str, float]], weights: Weights) -> Floats:
    """Log-odds of CLASSES, but for a constant, float64 (rows, 3), from features; those without a weight say nothing."""
    row, known = weights.row, [[n for n in found if n in weights.row] for found in rows]
    values = [found[n] for found, names in zip(rows, known, strict=True) for n in names]
    columns = [row[n] for names in known for n in names]
    starts = np.cumsum([0, *map(len, known)])
    told = sp.csr_array((np.array(values, np.float64), np.array(columns, np.int64), starts), (len(rows), len(row)))
    return np.asarray(weights.bias + told @ weights.table)  # (rows, 3)


def chances(logs: Floats) -> Floats:
    """The chance of each of CLASSES, float64 (rows, 3), from their log-odds."""
    table = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(table / table.sum(axis=1, keepdims=True))


@cache
def model() -> Model:
    """What benchmarks/leanings.py learned."""
    stored = json.loads(files("kg").joinpath("leanings.json").read_text("utf-8"))
    feeling = (float(stored["feeling"]["bias"]), np.array(stored["feeling"]["weights"]))
    plain, felt = Weights.of(stored["plain"]), Weights.of(stored["felt"])
    return Model(plain, felt, np.array(stored["usual"]), feeling, np.array(stored["probe"]))


def features(text: str, spans: Sequence[tuple[int, int]]) -> list[dict[str, float]]:
    """What tells of each ``text[start:end]``, by name; what is 0 may be left out."""
    return [found.features for found in seen(text, spans)]


def seen(text: str, spans: Sequence[tuple[int, int]]) -> list[Seen]:
    """What tells of each ``text[start:end]``."""
    sentences: dict[tuple[int, int], list[int]] = {}
    for n, span in enumerate(spans):
        sentences.setdefault(sentence_around(text, *span, SENTENCE), []).append(n)
    rows = [Seen({}, "", "", "", "") for _ in spans]
    for (low, high), inside in sentences.items():
        read, places = words_of(text[low:high]), [(spans[n][0] - low, spans[n][1] - low) for n in inside]
        if read.tokens:
            whole = _whole(text[low:high], read)
            for n, place, rules in zip(inside, places, polarities(text[low:high], places), strict=True):
                at = read.inside(*place)
                found = whole | _opinions(read, *at, rules) | _place(read, *at) | _nearby(read, *at)
                near = _window(text[low:high], read, *at)
                rows[n] = Seen(found, text[low:high], near, read.tokens[at[1]], _judge(read, *at))
    return rows


def _window(sentence: str, read: Words, first: int, last: int) -> str:
    after = last + 1 + WINDOW
    end = read.starts[after] if after < len(read.starts) else len(sentence)
    return sentence[read.starts[max(0, first - WINDOW)] : end].strip()


def _nearby(read: Words, first: int, last: int) -> dict[str, float]:
    """Each word near the term, or "not" it where one of the three before denies it."""
    out = {}
    for i in range(max(0, first - NEARBY), min(len(read.tokens), last + 1 + NEARBY)):
        if not first <= i <= last and read.tokens[i].isalpha():
            denied = any(map(_negates, read.tokens[max(0, i - AROUND) : i]))
            out["~not " * denied + "~" * (not denied) + read.tokens[i]] = LEARNED
    return out


def _judge(read: Words, first: int, last: int) -> str:
    low, high = _clause(read, first)
    measures = words("leaning", "measure")
    told = [i for i in range(low, high) if not first <= i <= last and (read.scores[i] or read.tokens[i] in measures)]
    return read.tokens[min(told, key=lambda i: _distance(read, first, last, i))] if told else ""


def _distance(read: Words, first: int, last: int, i: int) -> float:
    """Words between a term and the word at i."""
    return read.place[first] - read.place[i] if i < first else read.place[i] - read.place[last]


def _whole(text: str, read: Words) -> dict[str, float]:
    """Of the whole sentence."""
    tokens = set(read.tokens)
    return {
        "negations": min(sum(map(_negates, read.tokens)), 3),
        "contrast": float(not tokens.isdisjoint(words("context", "contrast"))),
        "if": float("if" in tokens),
        "than": float("than" in tokens),
        "only": float("only" in tokens),
        "i": float(not tokens.isdisjoint({"i", "we"})),
        "you": float("you" in tokens),
        "past": float(not tokens.isdisjoint({"was", "were", "had", "did"})),
        "told": float(not tokens.isdisjoint(words("leaning", "told"))),
        "exclaimed": min(text.count("!"), 3),
        "asked": float("?" in text),
        "words": math.log1p(len(read.tokens)),
    }


def _negates(token: str) -> bool:
    return token in words("context", "negator") or token.endswith("n't")


def _opinions(read: Words, first: int, last: int, rules: float) -> dict[str, float]:
    """The opinions of the text, as they lie to the term."""
    low, high = _clause(read, first)
    all_ = [i for i, score in enumerate(read.scores) if score and not first <= i <= last]
    near = [i for i in all_ if low <= i < high]
    good, bad = any(read.scores[i] > 0 for i in all_), any(read.scores[i] < 0 for i in all_)
    out = {
        "rules": rules,
        "rules praise": float(rules > PLAIN),
        "rules blame": float(rules < -PLAIN),
        "rules silent": float(abs(rules) <= PLAIN),
        "sum": math.tanh(sum(read.scores[i] for i in all_)),
        "sum of clause": math.tanh(sum(read.scores[i] for i in near)),
        "praise": float(good),
        "blame": float(bad),
        "mixed": float(good and bad),
        "none": float(not all_),
        "own": math.tanh(sum(map(opinion, read.tokens[first : last + 1]))),
    }
    denied = not words("leaning", "no").isdisjoint(read.tokens[max(0, first - AROUND) : first])
    out["no before"] = float(denied and out["own"] >= 0)
    if all_:
        nearest = min(all_, key=lambda i: _distance(read, first, last, i))
        far, score = _distance(read, first, last, nearest), read.scores[nearest]
        out["nearest"] = score / math.sqrt(max(far, 1.0))
        out["near praise"], out["near blame"] = float(score > 0 and far <= NEAR), float(score < 0 and far <= NEAR)
        out["far"] = 0.0 if near else math.log1p(far)
    if denied and out["own"] < 0:  # "no noise" is praise, as near as can be
        sure = dict.fromkeys(("rules praise", "near praise", "praise"), 1.0)
        out |= {"rules": MILD, "nearest": MILD, "sum": MILD, "sum of clause": MILD, **sure}
        out |= dict.fromkeys(("rules blame", "rules silent", "near blame", "blame", "mixed", "none", "own"), 0.0)
    return out


def _place(read: Words, first: int, last: int) -> dict[str, float]:
    """The words around the term and in its clause."""
    low, high = _clause(read, first)
    clause, before = read.tokens[low:high], read.tokens[max(0, first - AROUND) : first]
    after = read.tokens[last + 1 : last + 1 + AROUND]
    follows, precedes = after[:1], before[-1:]
    telling = words("leaning", "telling")
    return {
        "negations of clause": min(sum(map(_negates, clause)), 2),
        "not before": float(any(t == "not" or t.endswith("n't") for t in before)),
        "unreal": float(not words("context", "unreal").isdisjoint(clause)),
        "too": float("too" in clause),
        "for the": float(before[-2:] in (["for", "the"], ["for", "a"], ["for", "this"])),
        "the": float(precedes == ["the"]),
        "a": float(precedes in (["a"], ["an"])),
        "is": float(bool(follows) and follows[0] in BE),
        "listed": float(follows in ([","], ["and"])),
        "at start": float(first <= 1),
        **{f"{word} in clause": 1.0 for word in telling.intersection(clause)},
        **{f"{word} near": 1.0 for word in telling.intersection([*before, *after])},
    }


def _clause(read: Words, at: int) -> tuple[int, int]:
    return bisect_left(read.clause, read.clause[at]), bisect_right(read.clause, read.clause[at])

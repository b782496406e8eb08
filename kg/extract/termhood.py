"""Which candidates are aspects: what stands around each, and what the whole corpus says of its term.

The second of two passes, for any language. A reader gives candidates: spans of type "aspect" whose ``cues`` say in
bits what it saw there (CUES). Here a log-linear model turns the cues of one place into odds; then what the corpus says
of the same term and of its head elsewhere joins in: how surely it is an aspect there, how often it is judged, owned,
bought or called "this …" (the thing sold is no aspect of itself), in how many texts, by how many opinion words; and,
given vectors of the terms, what is said of terms like it (so that aspects are found from each other, in the way of
double propagation: Qiu et al., 2011). Weights are in kg/aspects.json, learned by benchmarks/termhood.py.

# No leakage. Nothing is known here but the texts that are given: what is settled is never cached.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from kg.types import Embed, Span

_CUES = """
nsubj nsubjpass dobj attr ROOT appos compound poss npadvmod nmod other_role conj pobj
in of for with on to from at by as about like than other_preposition
the a my its this no other some number bare
judged predicate described is_said liked bought by_me by_it has object_of_opinion it_is noun_is there_is
relative of_what for_what adjective no_opinion near1 near3 near6 far short medium long
propn capital organisation person place product people_of other_name plural
words1 words2 words3 digit adjective_inside facet facet_head nominal verb facet_inside
empty empty_head is_opinion start me_here past question negated nouns0 nouns1 nouns2 nouns3 nouns4 listed
"""
_TELLING = """
judged predicate described liked bought it_is noun_is this my the a bare has by_me listed dobj nsubj pobj conj
compound no_opinion capital propn of for in plural of_what there_is near1
"""
CUES = tuple(_CUES.split())
BIT = {name: n for n, name in enumerate(CUES)}
# Cues whose share among the mentions of a term tells something of the term.
TELLING = tuple(_TELLING.split())
SHRINK = 2.0  # mentions that a term seems to have had before it is seen
SURE = 4.6  # the log-odds of one mention are cut off here
ENOUGH = 300  # candidates, from which a corpus says how many of them are aspects
ROUNDS = 50
SHARES = (0.02, 0.98)
FOLDS = 4  # a term's likeness to others is learned without the term
RIDGE = 1.0
CHUNK = 65_536  # candidates weighed at once
MOST_TERMS = 8_000  # have vectors; the commonest
FEW = 2  # mentions from which a term has one, in a corpus of more terms than that

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]


def mask(cues: Iterable[str]) -> int:
    """The cues as bits. Raises KeyError for a name that is not in CUES."""
    out = 0
    for name in cues:
        out |= 1 << BIT[name]
    return out


@dataclass(frozen=True)
class Weights:
    """Of one log-linear model over named features; what is not named weighs nothing."""

    bias: float
    of: Mapping[str, float]

    def cues(self, bits: Bits) -> Floats:
        """What bias and cues add to the log-odds, float64 (candidates,)."""
        weights = np.array([self.of.get(name, 0.0) for name in CUES])
        parts = [bits[n : n + CHUNK] @ weights for n in range(0, len(bits), CHUNK)]
        return self.bias + np.concatenate(parts) if parts else np.zeros(0)


@cache
def model() -> tuple[Weights, Weights, Weights, float, float]:
    """Weights for one place, for place and corpus, for those with vectors; the log-odds from which it is one in a few
    texts; and the share of candidates that were aspects where the weights were learned."""
    stored = json.loads(files("kg").joinpath("aspects.json").read_text("utf-8"))
    local, corpus, like = (Weights(stored[n]["bias"], stored[n]["weights"]) for n in ("local", "corpus", "like"))
    return local, corpus, like, float(stored["from"]), float(stored["share"])


def settled(found: Sequence[Sequence[Span]], embed: Embed | None = None) -> list[list[Span]]:
    """The spans of each text, candidates that are no aspects left out, and apart from each other.

    Args:
        found: of each text of the corpus what its reader found. Spans without cues are kept as they are, unless an
            aspect lies across them.
        embed: terms → unit vectors.
    """
    places = [(n, span) for n, row in enumerate(found) for span in row if span.cues]
    found_odds = log_odds([span for _, span in places], [n for n, _ in places], embed)
    odds, threshold = iter(found_odds), least(found_odds, *model()[3:])
    out = []
    for row in found:
        rated = [(next(odds) if span.cues else np.nan, span) for span in row]
        best = sorted((pair for pair in rated if pair[0] >= threshold), key=lambda pair: (-pair[0], pair[1].start))
        out.append(
            _apart([replace(s, cues=0, said="") for s in [*(s for _, s in best), *(s for s in row if not s.cues)]])
        )
    return out


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Sorted; of those that lie across each other the earlier in the list."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)


def least(odds: Floats, otherwise: float, share: float) -> float:
    """The log-odds from which a candidate is an aspect, so that F1 is expected to be best in this corpus.

    Shops differ in how many candidates are aspects. That share is found from the odds alone, by expectation and
    maximisation (Saerens, Latinne and Decaestecker, 2002), and the odds are moved by it from ``share``, where they were
    learned; then the best number of aspects follows (Lewis, 1995). Fewer than ENOUGH candidates say nothing of it.
    """
    if len(odds) < ENOUGH:
        return otherwise
    here, usual = share, float(np.log(share / (1 - share)))
    for _ in range(ROUNDS):
        moved = odds + np.log(here / (1 - here)) - usual
        here = float(np.clip((1 / (1 + np.exp(-moved))).mean(), *SHARES))
    best = np.sort(1 / (1 + np.exp(-(odds + np.log(here / (1 - here)) - usual))))[::-1]
    expected = np.cumsum(best) / (np.arange(1, len(best) + 1) + best.sum())
    return float(np.sort(odds)[::-1][int(np.argmax(expected))])


def log_odds(spans: Sequence[Span], texts: Sequence[int], embed: Embed | None = None) -> Floats:
    """Log-odds of each candidate that it is an aspect, float64 (candidates,). ``texts``: the number of its text."""
    if not spans:
        return np.zeros(0)
    local, corpus, like, *_ = model()
    bits = cue_matrix(spans)
    first = local.cues(bits)
    weights = corpus if embed is None else like
    odds = weights.cues(bits)
    for name, column in features(spans, texts, bits, first, embed):
        odds += weights.of.get(name, 0.0) * column
    return odds


def cue_matrix(spans: Sequence[Span]) -> Bits:
    """0 or 1, uint8 (spans, len(CUES))."""
    width = (len(CUES) + 7) // 8
    raw = np.frombuffer(b"".join(s.cues.to_bytes(width, "little") for s in spans), np.uint8).reshape(len(spans), width)
    return np.unpackbits(raw, axis=1, count=len(CUES), bitorder="little")


def features(
    spans: Sequence[Span], texts: Sequence[int], bits: Bits, first: Floats, embed: Embed | None = None
) -> Iterator[tuple[str, Floats]]:
    """What the corpus says of each candidate's term, head and likes elsewhere: name and float64 (candidates,) of each.

    The candidate itself is left out of all counts, so that a term that stands once is told by its place alone.
    """
    first = np.clip(first, -SURE, SURE)
    n_texts = max(len(set(texts)), 1)
    for kind, keys in (("term", [term(s) for s in spans]), ("head", [head(s) for s in spans])):
        number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        of = np.array([number[key] for key in keys])
        others = np.bincount(of)[of] - 1.0
        yield f"{kind} odds", (np.bincount(of, first)[of] - first) / (others + SHRINK)
        yield f"{kind} mentions", np.log1p(others)
        in_texts = np.bincount([k for k, _ in {*zip(of.tolist(), texts, strict=True)}])[of] - 1.0
        yield f"{kind} texts", np.log1p(1000.0 * in_texts / n_texts)
        judges = {(k, s.said) for k, s in zip(of.tolist(), spans, strict=True) if s.said}
        said = np.bincount([k for k, _ in judges], minlength=len(number))[of] - np.array([bool(s.said) for s in spans])
        yield f"{kind} judges", np.log1p(said)
        for name in TELLING:
            here = bits[:, BIT[name]].astype(np.float64)
            usual = here.mean()
            shares = (np.bincount(of, here)[of] - here + SHRINK * usual) / (others + SHRINK)
            yield f"{kind} {name}", shares - usual
    inside, heads = Counter[str](), Counter(head(s) for s in spans)
    inside.update(word for s in spans for word in term(s).split()[:-1])
    yield "modifier", np.array([np.log1p(inside[head(s)]) - np.log1p(heads[head(s)]) for s in spans])
    if embed is not None:
        yield "like", likeness(spans, first, embed)


def likeness(spans: Sequence[Span], first: Floats, embed: Embed) -> Floats:
    """What is said of terms like it: log-odds from the vector of its term, learned from the other heads, float64."""
    count, total = dict[str, int](), dict[str, float]()
    for s, odds in zip(spans, first.tolist(), strict=True):
        count[term(s)] = count.get(term(s), 0) + 1
        total[term(s)] = total.get(term(s), 0.0) + odds
    terms = sorted(count, key=lambda t: (-count[t], t))
    if len(terms) > MOST_TERMS:
        terms = [t for t in terms[:MOST_TERMS] if count[t] >= FEW]
    vectors = np.asarray(embed(terms), np.float64)  # (T, F)
    weight = np.array([count[t] for t in terms], np.float64)
    mean = np.array([total[t] / count[t] for t in terms])
    usual = float(np.average(mean, weights=weight))
    fold = np.array([hashlib.md5(t.rpartition(" ")[2].encode()).digest()[0] % FOLDS for t in terms])
    out = dict.fromkeys(count, usual)
    for k in range(FOLDS):
        known = fold != k
        a = vectors[known] * weight[known, None]
        gram = a.T @ vectors[known] + RIDGE * np.eye(vectors.shape[1])
        slope = np.linalg.solve(gram, a.T @ (mean[known] - usual))
        told = vectors[~known] @ slope + usual
        out |= dict(zip([t for t, f in zip(terms, fold, strict=True) if f == k], told.tolist(), strict=True))
    return np.array([out[term(s)] for s in spans])


def term(span: Span) -> str:
    """What a span is counted as."""
    return span.label.lower()


def head(span: Span) -> str:
    """The last word of its term."""
    return term(span).rpartition(" ")[2]

"""Whether aspects are praised or blamed, as a whole corpus tells it: its ratings, its usual tone, vectors of sentences.

``kg.leaning`` gives each mention chances p_i(c) of blame, neither and praise from its own sentence. Sentences of which
it is not sure are read by a text encoder too, where there is one. Then, by expectation and maximisation over all
mentions of the corpus and without a label,

    q_i(c)  ∝  p_i(c) · (share(c) / usual(c)) · e^δ(c | head, word) · P(c | r_i) / P(c)

where ``share`` lie half way between the corpus's own shares of the classes (Saerens, Latinne and Decaestecker, 2002)
and those where p was learned, since neither is sure; P(c | r) is how mentions in texts rated r are meant, so that
scales need no names and a rating that tells nothing changes nothing; and δ is what ratings change about mentions of one
head with one judging word ("long battery life", "long wait"), shrunk towards what they change about the word, and that
towards nothing: the lexicon. A mention's own rating takes no part in the δ that it gets. Without ratings, δ = 0.

# No leakage. Nothing is known here but the texts and ratings that are given: what is settled is never cached.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kg.leaning import Floats, Seen, chances, model, odds, seen, signed
from kg.types import Embed

ROUNDS = 10
SEEN = 50.0  # mentions of the usual shares that a corpus seems to hold beside its own
RATED = 20.0  # mentions without a rating's bias that each class seems to have had
JUDGED = 10.0  # mentions that a word, or a pair of head and word, seems to have had before it is seen
SURE = 0.85  # chance from which a sentence need not be read by the encoder
LEVELS = 10  # different ratings, beyond which they are put into FEW classes of equal size
FEW = 5
CHUNK = 4_096  # sentences given to the encoder at once
PROBES = ("This is wonderful, I love it.", "This is terrible, a waste of money.", "It comes with a box.")
SAME = 0.2  # how far scores of PROBES may lie from those stored for vectors to be of the encoder that was learned from
Ints = npt.NDArray[np.int64]


def verdicts(
    texts: Sequence[str],
    spans: Sequence[Sequence[tuple[int, int]]],
    ratings: Sequence[float | None] = (),
    embed: Embed | None = None,
) -> list[list[float]]:
    """Polarity in [-1, 1] of each ``texts[n][start:end]``; 0 for neither praise nor blame.

    Args:
        texts: the corpus; only the sentences around spans count.
        ratings: of each text, on any one scale; None where there is none, () where there are none at all.
        embed: texts → unit vectors; of use where it is the encoder that kg/leanings.json was learned with.
    """
    known = _Alone()
    for text, places in zip(texts, spans, strict=True):
        known.read(seen(text, places))
    if not known.keys:
        return [[] for _ in texts]
    rated = ratings or [None] * len(texts)
    level = _levels([r for r, places in zip(rated, spans, strict=True) for _ in places])
    said = iter(signed(agreed(known.chances(embed), known.keys, level)))
    return [[next(said) for _ in places] for places in spans]


def agreed(alone: Floats, keys: Sequence[tuple[str, str]], level: Ints) -> Floats:
    """Chances float64 (mentions, 3) from those of each mention alone, its head and judging word, and its rating.

    ``level``: int64 (mentions,), the number of its rating; -1 for none.
    """
    usual = model().usual
    share, n_levels = usual, int(level.max(initial=-1)) + 1
    tells = np.ones((3, n_levels + 1))  # the last for those without a rating
    words, pairs = _numbers([w for _, w in keys]), _numbers(keys)
    judged = np.array([bool(w) for _, w in keys])[:, None]
    change = np.zeros_like(alone)
    out = alone
    for _ in range(ROUNDS):
        moved = _shares(alone * (share / usual))
        out = _shares(moved * np.exp(change) * tells[:, level].T)
        share = np.sqrt(usual * (out.sum(axis=0) + SEEN * usual) / (len(out) + SEEN))  # half of the way, in log-odds
        share /= share.sum()
        if n_levels:
            table = np.stack([np.bincount(level[level >= 0], out[level >= 0, c], n_levels) for c in range(3)])
            mean = table.sum(axis=0) / table.sum()
            tells[:, :-1] = (table + RATED * mean) / (table.sum(axis=1, keepdims=True) + RATED) / mean
            heard = _shares(moved * tells[:, level].T)
            word = _change(words, heard, moved, np.ones(3))
            change = np.where(judged, _change(pairs, heard, moved, np.exp(word)), 0.0)
    return out


def _shares(table: Floats) -> Floats:
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _numbers(keys: Sequence[object]) -> Ints:
    known: dict[object, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)


def _change(of: Ints, heard: Floats, alone: Floats, expected: Floats) -> Floats:
    """log of how much likelier each class is by ratings than without, over the other mentions with its key (n, 3)."""
    seen_before = JUDGED * heard.mean(axis=0)
    with_, without = (
        np.stack([np.bincount(of, column)[of] - column for column in table.T], axis=1) for table in (heard, alone)
    )
    return np.asarray(np.log((with_ + seen_before * expected) / (without + seen_before)))


def _levels(ratings: Sequence[float | None]) -> Ints:
    """The number of each rating in their order, of classes of about equal size where there are many; -1 for none."""
    values = np.array([np.nan if r is None else r for r in ratings], np.float64)
    known = values[~np.isnan(values)]
    steps = np.unique(known)
    if len(steps) > LEVELS:
        steps = np.unique(np.quantile(known, np.arange(FEW) / FEW, method="lower"))
    return np.where(np.isnan(values), -1, np.searchsorted(steps, values, side="right") - 1)


class _Alone:
    """What sentences say of the mentions in them; features are not kept, there are many."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str]] = []
        self._plain, self._felt = list[Floats](), list[Floats]()
        self._unsure: dict[tuple[str, str], list[int]] = {}

    def read(self, found: Sequence[Seen]) -> None:
        """The mentions of one text."""
        plain, felt_ = (odds([s.features for s in found], weights) for weights in (model().plain, model().felt))
        sure = chances(plain).max(axis=1) > SURE if len(found) else ()
        for n, (one, is_sure) in enumerate(zip(found, sure, strict=True), len(self.keys)):
            if one.sentence and not is_sure:
                self._unsure.setdefault((one.sentence, one.near), []).append(n)
        self.keys += [(s.head, s.judge) for s in found]
        self._plain.append(plain)
        self._felt.append(felt_)

    def chances(self, embed: Embed | None) -> Floats:
        """The chances of each mention, float64 (mentions, 3); of those that are not sure with the sentence's vector."""
        out, more = np.concatenate(self._plain), np.concatenate(self._felt)
        if embed is not None and self._unsure and _is_known(embed):
            bias, weights = model().feeling
            texts, scores = sorted({text for pair in self._unsure for text in pair}), dict[str, float]()
            for at in range(0, len(texts), CHUNK):
                some = texts[at : at + CHUNK]
                scores |= zip(some, (np.asarray(embed(some), np.float64) @ weights + bias).tolist(), strict=True)
            for (sentence, near), rows in self._unsure.items():
                told = felt(scores[sentence], scores[near])
                out[rows] = more[rows] + odds([told], model().felt)[0] - model().felt.bias
        return chances(out)


def felt(score: float, near: float) -> dict[str, float]:
    """The features of the scores of a sentence and of the words near the term: praise above 0."""
    told = (("", score), (" near", near))
    return {
        n + end: v for end, s in told for n, v in (("feeling", float(np.tanh(s / 2))), ("praising", max(0.0, s) / 3))
    }


def _is_known(embed: Embed) -> bool:
    """Whether it is the encoder whose vectors were learned from."""
    bias, weights = model().feeling
    vectors = np.asarray(embed(list(PROBES)), np.float64)
    if vectors.shape != (len(PROBES), len(weights)):
        return False
    return bool(np.abs(vectors @ weights + bias - model().probe).max() < SAME)

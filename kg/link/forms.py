"""Which surface forms are one: case and spaces, plural, British and American spelling, misspellings, acronyms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from kg.names import fold, slug

# Confidence of each way in which a form came to its entity; a misspelling's falls with its distance.
SURE = {"metadata": 1.0, "same": 1.0, "name": 1.0, "case": 0.98, "plural": 0.95, "spelling": 0.95, "acronym": 0.8}
_ENDINGS = (  # ending, what it may stand for, how
    ("s", "", "plural"),
    ("es", "", "plural"),
    ("ies", "y", "plural"),
    ("our", "or", "spelling"),
    ("ours", "or", "spelling"),
    ("tre", "ter", "spelling"),
    ("ise", "ize", "spelling"),
    ("ising", "izing", "spelling"),
    ("ogue", "og", "spelling"),
    ("grey", "gray", "spelling"),
)
SHORTEST = 4  # letters of a form that may be an ending's stem
TYPO_FROM, TWO_TYPOS_FROM = 5, 10  # letters of a name in which one, or two, letters may be wrong
RARER = 5  # a misspelling is at least this many times rarer than what it stands for
ACRONYM = range(2, 6)  # letters


@dataclass(frozen=True, slots=True)
class Merge:
    """The key that a form goes under, how it got there, and how sure that is, in [0, 1]."""

    key: str
    how: str
    confidence: float


def merged(labels: Iterable[str], respelled: Mapping[str, Merge]) -> dict[str, Merge]:
    """Label → where it goes. An ending is exchanged where the result is among the labels.

    Args:
        respelled: ``fold`` of a name → what ``misspelled`` and ``acronyms`` know of it.
    """
    folds = {label: fold(label) for label in labels}
    present = set(folds.values())

    def place(key: str) -> Merge:
        if found := respelled.get(key):
            return Merge(place(found.key).key, found.how, found.confidence)
        for ending, instead, how in _ENDINGS:
            shorter = key.removesuffix(ending) + instead
            if key.endswith(ending) and not key.endswith("ss") and len(shorter) >= SHORTEST and shorter in present:
                end = place(shorter)
                return Merge(end.key, how if end.how == "same" else end.how, min(end.confidence, SURE[how]))
        return Merge(key, "same", SURE["same"])

    return {label: place(key) for label, key in folds.items()}


def misspelled(names: Mapping[str, int], common: Iterable[str]) -> dict[str, Merge]:
    """Rare names a letter away from a frequent one: "Dunlap" → "dunlop" (optimal string alignment, rapidfuzz).

    Two letters may be wrong from TWO_TYPOS_FROM letters on. The first letter and every digit must be right, for SM57 is
    no SM58, and a form is left alone where it is a common word or as near to two names.

    Args:
        names: ``fold`` of each name → reviews that hold it.
        common: folded words that are no misspellings.
    """
    common = set(common)
    by_first: defaultdict[str, list[str]] = defaultdict(list)
    for name, count in names.items():
        if count >= RARER and len(name) >= TYPO_FROM:
            by_first[name[0]].append(name)
    out = {}
    for name, count in names.items():
        if len(name) < TYPO_FROM or name in common:
            continue
        allowed = 2 if len(name) >= TWO_TYPOS_FROM else 1
        near = []
        for target in by_first[name[0]]:
            if target == name or names[target] < RARER * count or _digits(target) != _digits(name):
                continue
            if name in (target + "s", target + "es") or target in (name + "s", name + "es"):
                continue
            distance = OSA.distance(name, target, score_cutoff=allowed)
            if distance <= allowed:
                near.append((distance, target))
        best = sorted(near)
        if best and (len(best) == 1 or best[0][0] < best[1][0]):
            distance, target = best[0]
            out[name] = Merge(target, "misspelling", round(1 - distance / len(target), 2))
    return out


def acronyms(forms: Mapping[str, set[int]]) -> dict[str, Merge]:
    """Acronyms of names, where one name alone fits and a review holds both: "SRV" → "stevie ray vaughan".

    Args:
        forms: name → numbers of the reviews that hold it.
    """
    expansions: defaultdict[str, dict[str, set[int]]] = defaultdict(dict)
    for form, reviews in forms.items():
        words = slug(form).split("-")
        if len(words) in ACRONYM and all(word.isalpha() for word in words):
            held = expansions["".join(word[0] for word in words)].setdefault(fold(form), set())
            held |= reviews
    out = {}
    for form, reviews in forms.items():
        key = fold(form)
        found = expansions.get(key, {})
        if len(key) not in ACRONYM or not form.isupper() or len(found) != 1:
            continue
        ((expansion, held),) = found.items()
        if reviews & held:
            out[key] = Merge(expansion, "acronym", SURE["acronym"])
    return out


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())

"""Which language each text is in: by its script where it tells, else by py3langid, offline.

py3langid is sure of a text of SURE letters; a shorter one is given to whichever of the languages found in the longer
ones it looks most like, so that two words of German stay German where the shop is German, and English elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

ENGLISH = "en"
LETTERS = 20  # of a text in an alphabet that several languages share; below, guesses are often wrong
SURE, SURELY = 40, 0.75  # letters of a text, and the probability of its language, from which it is believed alone
READ = 150  # characters of a text that are looked at
SAMPLE = 500
RARE = 0.02  # a language of fewer texts is taken for a wrong guess where the mix of all texts is asked for
PLAINLY = 3  # distinct common words that only English has

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "mr": "Marathi", "ms": "Malay",
    "my": "Burmese", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_SAME = {"nb": "no", "nn": "no"}
_ENGLISH = frozenset(
    ("the", "and", "this", "with", "that", "they", "you", "have", "are", "would", "which", "of", "from")
)
_LETTER = re.compile(r"[^\W\d_]")
_SCRIPTS = (  # a script that one language of NAMES is written in; Japanese mixes Kana and Han, so it comes first
    ("ja", re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")),
    ("ko", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]"), re.compile(r"[\u1100-\u11ff\uac00-\ud7af\u3400-\u9fff]")),
    ("zh", re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"), re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")),
    *(
        (code, re.compile(f"[{low}-{high}]"), re.compile(f"[{low}-{high}]"))
        for code, low, high in (
            ("el", "\u0370", "\u03ff"),
            ("hy", "\u0530", "\u058f"),
            ("he", "\u0590", "\u05ff"),
            ("bn", "\u0980", "\u09ff"),
            ("ta", "\u0b80", "\u0bff"),
            ("te", "\u0c00", "\u0c7f"),
            ("th", "\u0e00", "\u0e7f"),
            ("my", "\u1000", "\u109f"),
            ("ka", "\u10a0", "\u10ff"),
            ("km", "\u1780", "\u17ff"),
        )
    ),
)
_ALPHABETS = (  # alphabets of several languages, and which; what is in none of them is read as Latin
    (re.compile(r"[\u0400-\u052f]"), frozenset(("bg", "kk", "mk", "ru", "sr", "uk"))),
    (re.compile(r"[\u0600-\u06ff\u0750-\u077f]"), frozenset(("ar", "fa", "ur"))),
    (re.compile(r"[\u0900-\u097f]"), frozenset(("hi", "mr"))),
)
_LATIN = frozenset(NAMES) - {code for code, *_ in _SCRIPTS} - {code for _, codes in _ALPHABETS for code in codes}


def languages(texts: Iterable[str], sample: int = SAMPLE) -> dict[str, float]:
    """ISO 639-1 code → share of those texts that are long enough to tell, the most frequent first; {} without any.

    Where none is, they are read together.

    Args:
        sample: how many of the texts are looked at, evenly spread. A language that hardly any of them is in is left
            out: the shares are those of the rest.
    """
    looked_at = _spread(list(texts), sample)
    found = Counter(filter(None, map(_language, looked_at)))
    if not found:
        found = Counter(filter(None, [_language(" ".join(looked_at))]))
    total = found.total()
    kept = {code: n for code, n in found.most_common() if n > RARE * total}
    return {code: n / sum(kept.values()) for code, n in kept.items()}


def most_spoken(texts: Iterable[str]) -> str:
    """The language of most texts, ISO 639-1; English where none can be told.

    A script tells the language of a text however short it is, an alphabet only that of a longer one: where most texts
    share an alphabet, those few of which the script tells are not most, even if all the others are too short to tell.
    """
    found = [text for text in texts if text]
    looked_at = _spread(found, SAMPLE)
    alphabetic = [text for text in looked_at if _by_script(text)[0] == "" and _LETTER.search(text)]
    if 2 * len(alphabetic) <= len(looked_at):
        return next(iter(languages(found)), ENGLISH)
    return next(iter(languages(alphabetic)), ENGLISH)


def of_each(texts: Sequence[str]) -> list[str]:
    """The language of every text, ISO 639-1; that of most where a text holds no letter."""
    found = languages(texts)
    most = next(iter(found), ENGLISH)
    among = frozenset(found) or frozenset((ENGLISH,))
    distinct = {text: _nearest(text, among, most) for text in dict.fromkeys(texts)}
    return [distinct[text] for text in texts]


def named(codes: Iterable[str]) -> str:
    """Languages in words: "German, French and Thai"."""
    names = [NAMES.get(code, code) for code in codes]
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)


def _spread(texts: list[str], n: int) -> list[str]:
    """At most n of the texts, evenly spread."""
    return [texts[i] for i in np.linspace(0, len(texts) - 1, n).astype(int)] if len(texts) > n else texts


def _by_script(text: str) -> tuple[str, frozenset[str], int]:
    """The language that most letters' script tells, "" where several share it; which do; and how many letters."""
    if text.isascii():
        return "", _LATIN, len(_LETTER.findall(text))
    letters = _LETTER.findall(text)
    written = "".join(letters)
    for code, own, all_of_it in _SCRIPTS:
        if own.search(written) and 2 * len(all_of_it.findall(written)) > len(letters):
            return code, frozenset((code,)), len(letters)
    shared = [codes for alphabet, codes in _ALPHABETS if 2 * len(alphabet.findall(written)) > len(letters)]
    return "", shared[0] if shared else _LATIN, len(letters)


@lru_cache(maxsize=1 << 14)  # folds read the same texts
def _language(text: str) -> str:
    """The language of one text, "" where it is too short to tell."""
    code, among, letters = _by_script(text)
    return code or (_most_like(text, among) if letters >= LETTERS else "")


def _nearest(text: str, among: frozenset[str], most: str) -> str:
    """The language of one text of any length: its own where it is sure, else one of these that it looks like."""
    code, written, letters = _by_script(text)
    if code == "zh" and most == "ja":
        return most  # a few Chinese characters in a Japanese shop
    if code or not letters:
        return code or most
    if ENGLISH in written and len(_ENGLISH.intersection(text[: 2 * READ].lower().split())) >= PLAINLY:
        return ENGLISH
    if letters >= SURE:
        found, probability = _identifier().classify(text[:READ])
        found = _SAME.get(found, found)
        if found in written and probability >= SURELY:
            return str(found)
    near = written & among or written
    return next(iter(near)) if len(near) == 1 else _most_like(text, near)


def _most_like(text: str, among: frozenset[str]) -> str:
    ranked = (_SAME.get(code, code) for code, _ in _identifier().rank(text[: 10 * READ]))
    return next((code for code in ranked if code in among), ENGLISH)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # half a second to load

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

"""Which languages texts are in: by their script where it tells, else by py3langid, offline.

A language is told over texts of LETTERS letters or more; a shorter one is given to whichever of the languages found in
the longer ones it looks most like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.door.report import Report

ENGLISH = "en"
LETTERS = 20  # of a text in an alphabet that several languages share; below, guesses are often wrong
SAMPLE = 500
ELSEWHERE = 0.05  # what part of the texts must be in other languages before each text is looked at
RARE = 0.02  # a language of fewer texts is taken for a wrong guess

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
UNREAD = (
    "the English pipeline finds no names or aspects in them, and the default text encoder was made for English; name "
    "models for this language with kg.extractor, kg.model and features.encoder"
)
_SAME = {"nb": "no", "nn": "no"}
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

    Args:
        sample: how many of the texts are looked at, evenly spread. A language that hardly any of them is in is left
            out: the shares are those of the rest.
    """
    found = Counter(filter(None, map(_language, _spread(list(texts), sample))))
    total = found.total()
    kept = {code: n for code, n in found.most_common() if n > RARE * total}
    return {code: n / sum(kept.values()) for code, n in kept.items()}


def is_english(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which texts are English, bool (N,). All count as English where at most ELSEWHERE of a sample is not.

    A text without a letter says nothing else, so it counts as English.
    """
    found = languages(texts)
    if 1 - found.get(ENGLISH, 0.0) <= ELSEWHERE or not found:
        return np.ones(len(texts), np.bool_)
    among = frozenset((*found, ENGLISH))
    distinct = {text: _nearest(text, among) == ENGLISH for text in dict.fromkeys(texts)}
    return np.array([distinct[text] for text in texts], np.bool_)


def tell(report: Report, reviews: Sequence[str], others: Sequence[str] = ()) -> None:
    """Put the languages of reviews and other texts into a report, and a warning where reviews are not English."""
    report.languages = languages([*reviews, *others])
    found = languages(reviews)
    foreign = [code for code in found if code != ENGLISH]
    share = sum(found[code] for code in foreign)
    if share > ELSEWHERE:
        part = f"about {share:.0%} of the reviews are" if share < 1 else "the reviews are"
        report.warnings.append(f"{part} {_listed(foreign)}: {UNREAD}")


def note(texts: Sequence[str], english: npt.NDArray[np.bool_]) -> str:
    """What to tell people of the texts that are not English, "" where all are.

    Args:
        english: bool (N,), see ``is_english``.
    """
    others = [text for text, is_one in zip(texts, english, strict=True) if not is_one]
    if not others:
        return ""
    verb = "is" if len(others) == 1 else "are"
    return f"{len(others):,} of {len(texts):,} reviews {verb} {_listed(languages(others))}: {UNREAD}"


def _listed(codes: Iterable[str]) -> str:
    names = [NAMES[code] for code in codes] or ["in another language"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


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


def _language(text: str) -> str:
    """The language of one text, "" where it is too short to tell."""
    code, among, letters = _by_script(text)
    return code or (_most_like(text, among) if letters >= LETTERS else "")


def _nearest(text: str, among: frozenset[str]) -> str:
    """Which of these languages one text of any length is most likely in; another one where its script says so."""
    code, written, letters = _by_script(text)
    if code or not letters:
        return code or ENGLISH
    return _most_like(text, written & among or written)


def _most_like(text: str, among: frozenset[str]) -> str:
    ranked = (_SAME.get(code, code) for code, _ in _identifier().rank(text[:2000]))
    return next((code for code in ranked if code in among), ENGLISH)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # half a second to load

    return LanguageIdentifier.from_model_file(MODEL_FILE)

"""Sentences in the reader's language: gettext catalogues of this package, English where a sentence is not translated.

A sentence is written in English where it is made, with named places, ``say("{friend} took this.", friend=…)``: the key
of its translation in ``locales/<language>/LC_MESSAGES/graphrec.po``. ``scripts/catalogues`` brings these up to date.
Which language is spoken holds for a ``with`` block of one thread, so that threads of a service may answer in several.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "graphrec"
LANGUAGES = ("en", "de", "zh")

_spoken: ContextVar[gettext.NullTranslations] = ContextVar("spoken", default=gettext.NullTranslations())  # noqa: B039


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into one of LANGUAGES; none for another one, which is to say English."""
    if language == LANGUAGES[0] or language not in LANGUAGES:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALES, [language])


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """``say`` and its kin speak this language inside; English where there is no catalogue for it."""
    before = _spoken.set(catalogue(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def marked(message: str) -> str:
    """The message as it is; it will be said later, and has to be in the catalogues."""
    return message


def marked_of(context: str, message: str) -> str:
    """The same for a message of ``label``."""
    return message


def label(context: str, message: str) -> str:
    """A name that stands in a table or a picture, by where it stands; as it is where the catalogue does not have it."""
    return _spoken.get().pgettext(context, message)


def say(message: str, **values: Any) -> str:
    """A sentence or part of one with these values in its places."""
    return _spoken.get().gettext(message).format(**values)


def say_of(context: str, message: str, **values: Any) -> str:
    """The same for a message that needs to be told apart from equal ones, by where it stands."""
    return _spoken.get().pgettext(context, message).format(**values)


def say_many(one: str, many: str, n: int, **values: Any) -> str:
    """The form that a count asks for; ``{n}`` is the count."""
    return _spoken.get().ngettext(one, many, n).format(n=number(n), **values)


def foreign(message: str) -> str:
    """A phrase that may come from a plug-in, translated; "" where the catalogue does not have it."""
    spoken = _spoken.get()
    found = spoken.gettext(message)
    return found if found != message or type(spoken) is gettext.NullTranslations else ""


def number(n: int) -> str:
    """A whole number: "12,345", "12.345"."""
    return f"{n:,}".replace(",", say_of("between thousands", ","))


def decimal(x: float, places: int = 2) -> str:
    """A number with decimals: "0.25", "0,25"."""
    return f"{x:.{places}f}".replace(".", say_of("before decimals", "."))


def listed(first: str, second: str) -> str:
    """Two sentences, one after the other."""
    return say_of("two sentences", "{first} {second}", first=first, second=second)

"""Completion of `--set` in the shell: the names of all settings, each with what is said of it."""

from __future__ import annotations

import inspect
import tokenize
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


def complete_setting(incomplete: str) -> list[tuple[str, str]]:
    """``section.key=`` and a line of help ("" where there is none) for every setting that starts like this."""
    from graphrec.config import Config

    return [(f"{name}=", told) for name, told in settings(Config) if f"{name}=".startswith(incomplete)]


def settings(section: type[BaseModel], above: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and description of every setting of a section and of the sections in it."""
    from pydantic import BaseModel

    told = _comments(section)
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", field.description or told.get(name, "")


@cache
def _comments(section: type[BaseModel]) -> dict[str, str]:
    """The comment behind each field in the source, which is where settings are described."""
    try:
        tokens = list(tokenize.generate_tokens(StringIO(inspect.getsource(section)).readline))
    except (OSError, TypeError, tokenize.TokenError, IndentationError):
        return {}  # built without a source file
    found: dict[str, str] = {}
    field = ""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT) and after.string == ":":
            field = token.string
        elif token.type == tokenize.COMMENT and field and field not in found:
            found[field] = token.string.strip("# …;")
        elif token.type == tokenize.NEWLINE:
            field = ""
    return found

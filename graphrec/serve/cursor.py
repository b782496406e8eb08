"""Where the next page of an answer begins: of one model, at one moment, of one question."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from graphrec.errors import ConfigError
from graphrec.serve.schemas import Ask


class CursorGone(ConfigError):
    """The model of a page is not kept any more."""


@dataclass(frozen=True)
class Cursor:
    """Args: version of the model; heard, how many events of the user counted; epoch, what was hidden; offset, how many
    items came before; first, the id of the first page; asked, a digest of the question."""

    version: str
    heard: int
    epoch: int
    offset: int
    first: str
    asked: str

    def __str__(self) -> str:
        raw = json.dumps(list(vars(self).values()), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, ask: Ask) -> Cursor:
        """Raises ConfigError for what is no cursor of this question."""
        try:
            found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            version, heard, epoch, offset, first, asked = found
            numbers = all(
                isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**53 for n in (heard, epoch, offset)
            )
            if not numbers or not all(isinstance(part, str) for part in (version, first, asked)):
                raise ValueError
        except (ValueError, TypeError, RecursionError):
            raise ConfigError("cursor: it is none; give next_cursor of the page before, as it came") from None
        if asked != fingerprint(ask):
            raise ConfigError(
                "cursor: it is of another question; ask for the next page as for the first, with a cursor"
            )
        return cls(version, heard, epoch, offset, first, asked)


def fingerprint(ask: Ask) -> str:
    """A digest of a question, whatever page of it is asked for."""
    said = ask.model_dump(exclude={"cursor", "k", "blocks"}, exclude_defaults=True)
    return hashlib.blake2b(json.dumps(said, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()

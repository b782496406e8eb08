"""A model on trial: a share of people, always the same ones, whom it answers."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from graphrec.serve.version import Version


class Trial(NamedTuple):
    """A model that answers a share of people."""

    version: Version
    share: float

    def has(self, user_id: str | None, salt: str) -> bool:
        """Whether somebody is one of them; who is not known never is."""
        return user_id is not None and share_of(user_id, salt) < self.share


def share_of(user_id: str, salt: str) -> float:
    """A number in [0, 1) that is always the same for somebody, spread evenly over people."""
    found = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(found, "big") / 2**64

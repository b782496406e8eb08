"""Bearer tokens of an OpenID provider: JWTs that it signed for this service, checked by its published keys.

What is refused (RFC 8725): algorithms that are not pinned, ``none`` and all with a shared secret among them; keys of
another kind than the algorithm; tokens of another issuer or audience, expired, not valid yet, or without what says so.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from graphrec.errors import ConfigError, MissingModelError
from graphrec.serve.settings import Oidc

REMEDY = "OIDC needs the package PyJWT; pip install 'graphrec[oidc]'"
SCOPES = frozenset(("read", "events", "admin"))
FRESH = 300.0  # seconds for which keys are taken for what they were
AGAIN = 30.0  # seconds between two readings for a key that is not known
TIMEOUT = 5.0
PAUSES = 1.0, 60.0  # seconds after a reading that failed until the next one, twice as many each time, and at most
LARGEST = 1_000_000  # bytes of the keys


class Tokens:
    """Threads may share it. Raises MissingModelError where PyJWT is not installed."""

    def __init__(self, settings: Oidc) -> None:
        try:
            import jwt
        except ImportError:
            raise MissingModelError(REMEDY) from None
        self._jwt, self.settings = jwt, settings
        self._keys: list[dict[str, Any]] = []
        self._read = float("-inf")
        self._failed: str | None = None  # why the last reading gave nothing
        self._pause, self._next = PAUSES[0], float("-inf")  # after a failure, and when it ends
        self._lock = threading.Lock()

    def check(self, token: str) -> tuple[str, frozenset[str]] | None:
        """A name for whoever a token is of, and its scopes; None for one that does not hold. Raises ConfigError and
        OSError where there are no keys to check it by."""
        own = self.settings
        try:
            header = self._jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in own.algorithms or (key := self._key(header.get("kid"), algorithm)) is None:
                return None
            said = self._jwt.decode(
                token,
                self._jwt.PyJWK(key, algorithm=algorithm),
                algorithms=[algorithm],
                audience=own.audience,
                issuer=own.issuer,
                leeway=own.leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except self._jwt.PyJWTError:
            return None
        claim = said.get(own.scopes, "")
        names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
        scopes = {str(name).removeprefix(own.prefix) for name in names if str(name).startswith(own.prefix)}
        return f"oidc:{said['sub']}", SCOPES & scopes

    def _key(self, kid: Any, algorithm: str) -> dict[str, Any] | None:
        """The key of a token; read anew where they are old, or it is not among them. While another thread reads, those
        that were there hold."""
        for again in (FRESH, AGAIN):
            if self._lock.acquire(blocking=again == AGAIN or not self._keys):
                try:
                    if time.monotonic() - self._read > again:
                        self._renew()
                finally:
                    self._lock.release()
            fits = [key for key in self._keys if _fits(key, algorithm) and kid in (None, key.get("kid"))]
            if len(fits) == 1:
                return fits[0]
        return None

    def _renew(self) -> None:
        """Read the keys; not while a reading that failed is less than a pause ago. Those that were there hold until
        others can be read. Raises ConfigError where there are none."""
        if time.monotonic() >= self._next:
            try:
                found = json.loads(_read(self.settings.jwks))["keys"]
                self._keys = [key for key in found if isinstance(key, dict)]
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._failed = type(error).__name__
                self._next = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, PAUSES[1])
            else:
                self._failed, self._pause, self._read = None, PAUSES[0], time.monotonic()
        if not self._keys and self._failed:
            raise ConfigError(f"{self.settings.jwks}: no keys could be read ({self._failed})")


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Whether a key is there for signatures by an algorithm: of its kind, and of no other use."""
    kind = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}[algorithm[:2]]
    return key.get("kty") == kind and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm


def _read(place: str) -> bytes:
    """The keys, from a URL or a file."""
    if "://" not in place:
        return Path(place).read_bytes()
    with urllib.request.urlopen(place, timeout=TIMEOUT) as found:
        out: bytes = found.read(LARGEST)
    return out

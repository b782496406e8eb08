"""Tokens of an OpenID provider: those that it signed for this service are let in, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient

from graphrec.errors import ConfigError
from graphrec.serve import oidc
from graphrec.serve.oidc import Tokens
from graphrec.serve.settings import Oidc, Serving
from tests.serve.support import serving

ISSUER, AUDIENCE = "https://id.example.org/", "graphrec"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, algorithm: str, **more: Any) -> dict[str, Any]:
    """A key as a provider publishes it."""
    of = jwt.get_algorithm_by_name(algorithm)
    return {**json.loads(of.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


def published(path: Path, *keys: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"keys": keys}))
    return path


def token(key: Any = RSA, kid: str | None = "r", algorithm: str = "RS256", lacks: str = "", **claims: Any) -> str:
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": time.time() + 60, "scope": "read openid", **claims}
    said.pop(lacks, None)
    return jwt.encode(said, key, algorithm, headers={} if kid is None else {"kid": kid})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return published(tmp_path / "jwks.json", public(RSA, "r", "RS256"), public(EC, "e", "ES256"))


@pytest.fixture
def settings(keys: Path) -> dict[str, Any]:
    return {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(keys)}


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[TestClient]:
    with serving(settings={"oidc": settings}, keyed=True) as client:
        yield client


def status(client: TestClient, token: str, path: str = "/recommend?user_id=u0", method: str = "GET") -> int:
    return client.request(method, path, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_opens_what_its_scopes_say(client: TestClient) -> None:
    assert status(client, token()) == 200
    assert status(client, token(EC, "e", "ES256")) == 200
    assert status(client, token(), "/users/u0", "DELETE") == 403
    assert status(client, token(scope=["admin"]), "/users/nobody", "DELETE") == 200
    assert status(client, token(scope="openid")) == 403
    assert status(client, token(scope=7)) == 403
    assert client.get("/recommend?user_id=u0").status_code == 401
    assert status(client, "gr_no_key") == 401


def unsigned() -> str:
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": time.time() + 60, "scope": "admin"}
    return ".".join((part({"alg": "none", "kid": "r"}), part(said), ""))


def confused() -> str:
    """Signed with the public key as a shared secret."""
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": time.time() + 60, "scope": "admin"}
    signed = f"{part({'alg': 'HS256', 'kid': 'r'})}.{part(said)}"
    return f"{signed}.{encoded(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def part(document: dict[str, Any]) -> str:
    return encoded(json.dumps(document).encode())


def test_what_the_provider_did_not_sign_for_this_is_refused(client: TestClient) -> None:
    whole = token()
    head, body, signature = whole.split(".")
    wrong = {
        "no algorithm": unsigned(),
        "a public key as a secret": confused(),
        "another's key": token(OTHER),
        "an unknown key": token(OTHER, "x"),
        "an algorithm that is not pinned": token(algorithm="RS512"),
        "a key of another kind": token(EC, "r", "ES256"),
        "expired": token(exp=time.time() - 60),
        "not valid yet": token(nbf=time.time() + 600),
        "another audience": token(aud="shop"),
        "another issuer": token(iss="https://id.example.com/"),
        "no audience": token(lacks="aud"),
        "no issuer": token(lacks="iss"),
        "no end": token(lacks="exp"),
        "nobody": token(lacks="sub"),
        "another body": f"{head}.{part({'scope': 'admin'})}.{signature}",
        "no signature": f"{head}.{body}.",
        "no token": "a.b.c",
    }
    assert {why: status(client, each) for why, each in wrong.items()} == dict.fromkeys(wrong, 401)
    assert status(client, whole) == 200
    found = client.get("/recommend?user_id=u0", headers={"authorization": f"Bearer {token(aud='shop')}"})
    assert "invalid_token" in found.headers["www-authenticate"]
    assert "token does not hold" in found.json()["detail"]


def test_keys_are_kept_and_read_again(keys: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = oidc._read
    monkeypatch.setattr(oidc, "_read", lambda place: read(reads.append(place) or place))  # type: ignore[func-returns-value]
    clock = [1000.0]
    monkeypatch.setattr("graphrec.serve.oidc.time.monotonic", lambda: clock[0])
    tokens = Tokens(Oidc(**settings))
    for _ in range(3):
        assert tokens.check(token()) is not None
    assert len(reads) == 1
    published(keys, public(OTHER, "new", "RS256"))
    assert tokens.check(token(OTHER, "new")) is None, "a key that is not known does not make it read at every token"
    assert len(reads) == 1
    clock[0] += 31
    assert tokens.check(token(OTHER, "new")) == ("oidc:ann", frozenset({"read"}))
    assert tokens.check(token()) is None, "a key that was taken back"
    keys.unlink()
    clock[0] += 400
    assert tokens.check(token(OTHER, "new")) is not None, "where none can be read those that were there hold"
    with pytest.raises(ConfigError, match="no keys could be read"):
        Tokens(Oidc(**settings)).check(token())


def test_a_provider_that_fails_is_not_asked_at_every_request(
    keys: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked, down = [1000.0], list[float](), [True]
    read = oidc._read

    def reading(place: str) -> bytes:
        asked.append(clock[0])
        if down[0]:
            raise OSError
        return read(place)

    monkeypatch.setattr(oidc, "_read", reading)
    monkeypatch.setattr("graphrec.serve.oidc.time.monotonic", lambda: clock[0])
    tokens, mine, strange = Tokens(Oidc(**settings)), token(exp=1e10), token(OTHER, "x", exp=1e10)
    for _ in range(400):
        with pytest.raises(ConfigError, match="no keys could be read"):
            tokens.check(mine)
        clock[0] += 1
    gaps = np.diff(asked).tolist()
    assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *[60.0] * len(gaps[6:])]
    assert len(gaps) > 8
    down[0] = False
    clock[0] += 60
    assert tokens.check(mine) is not None
    down[0], before = True, len(asked)
    for _ in range(400):
        assert tokens.check(mine) is not None, "the keys that were read hold"
        assert tokens.check(strange) is None
        clock[0] += 1
    assert len(asked) - before < 20
    down[0] = False
    clock[0] += 60
    assert tokens.check(mine) is not None
    assert asked[-1] == clock[0]


def test_keys_of_another_use_and_shared_secrets_are_none(tmp_path: Path, settings: dict[str, Any]) -> None:
    secret = {"kty": "oct", "k": encoded(b"s" * 32), "kid": "s"}
    keys = published(tmp_path / "odd.json", public(RSA, "r", "RS256", use="enc"), public(EC, "e", "ES256"), secret)
    tokens = Tokens(Oidc(**{**settings, "jwks": str(keys)}))
    assert tokens.check(token()) is None
    assert tokens.check(token(EC, None, "ES256")) is not None, "without a name the only one that fits"
    assert tokens.check(jwt.encode({"sub": "ann"}, b"s" * 32, "HS256", headers={"kid": "s"})) is None


@pytest.mark.parametrize(
    "wrong", [{"algorithms": ["HS256"]}, {"algorithms": ["none"]}, {"jwks": "http://id.example.org/"}, {"issuer": ""}]
)
def test_settings_that_would_let_anybody_in_are_refused(wrong: dict[str, Any], settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="oidc"):
        Serving.model_validate({"oidc": {**settings, **wrong}})


def test_names_of_scopes_may_have_a_beginning(settings: dict[str, Any]) -> None:
    tokens = Tokens(Oidc(**settings, prefix="graphrec:", scopes="roles"))
    assert tokens.check(token(roles=["graphrec:events", "admin"])) == ("oidc:ann", frozenset({"events"}))


def test_without_keys_nobody_is_let_in_and_it_is_said(settings: dict[str, Any], tmp_path: Path) -> None:
    away = {**settings, "jwks": str(tmp_path / "absent.json")}
    with serving(settings={"oidc": away}, keyed=True) as client:
        found = client.get("/recommend?user_id=u0", headers={"authorization": f"Bearer {token()}"})
        assert (found.status_code, found.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[oidc]\nissuer = "i"\naudience = "a"\njwks = "/no/such"', "jwks: /no/such is no file with"),
        ('[oidc]\nissuer = "i"\naudience = "a"\njwks = "HERE"', 'is no file with {"keys"'),
        ('[scenarios.home]\nfilter = "price <"', "scenarios.home: filter, character 1: invalid syntax"),
        ("[scenarios.home]\nexplore = 0.3", "explore: 0.3 is more than 0.2, which this service allows"),
    ],
)
def test_settings_that_no_question_or_token_could_use_are_refused_at_start(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text.replace("HERE", str(file)))
    with pytest.raises(ConfigError, match=re.escape(why)):
        Serving.read(file)
    file.write_text('explore = 0.3\n[scenarios.home]\nexplore = 0.3\nfilter = "price < 5"')
    assert Serving.read(file).scenarios

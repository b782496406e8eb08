"""Keys: shown once, kept as a hash, compared in constant time, revoked for good."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.store import Store


def test_a_key_opens_what_it_was_made_for_until_it_is_revoked(store: Store) -> None:
    shop, secret = store.create_key("the shop", ["read", "events"])
    boss, other = store.create_key("boss", ["admin"])
    assert store.check_key(secret) == shop
    assert [shop.allows("read"), shop.allows("events"), shop.allows("admin")] == [True, True, False]
    assert all(boss.allows(scope) for scope in ("read", "events", "admin"))
    assert store.keys() == [shop, boss]
    assert store.revoke_key(shop.key_id)
    assert not store.revoke_key(shop.key_id), "it opens nothing any more"
    assert store.check_key(secret) is None
    assert store.check_key(other) == boss
    revoked = store.keys()[0]
    assert revoked.revoked is not None
    assert not revoked.allows("read")
    assert len({secret, other}) == 2
    assert len(secret) > 43


def test_what_is_nearly_a_key_opens_nothing(store: Store) -> None:
    key, secret = store.create_key("shop", ["read"])
    wrong = [secret[:-1], secret + "a", secret.swapcase(), f"gr_{key.key_id}_", "gr__", "", "\ud800", "gr_é_x", "a\0b"]
    assert [store.check_key(each) for each in wrong] == [None] * len(wrong)


def test_an_unknown_key_is_compared_as_a_known_one_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = store.create_key("shop", ["read"])
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def counted(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for each in (secret, "gr_0000000000000000_x", "nothing like it"):
        store.check_key(each)
    assert compared == [(64, 64)] * 3


def test_no_secret_is_in_the_store(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 's.db'}") as store:
        key, secret = store.create_key("shop", ["read"])
        own = secret.removeprefix(f"gr_{key.key_id}_").encode()
        held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert key.key_id.encode() in held
        assert own not in held
        assert secret not in repr(store.keys())


def test_a_key_needs_a_name_and_scopes_that_there_are(store: Store) -> None:
    for name, scopes in (("", ["read"]), ("shop", []), ("shop", ["write"])):
        with pytest.raises(DataError):
            store.create_key(name, scopes)  # type: ignore[arg-type]
    assert store.keys() == []

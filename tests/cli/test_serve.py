"""graphrec serve and keys, as a person starts them: what is refused, and a service that answers, reloads and ends."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.support import document, run
from tests.serve.support import fitted


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "model"
    fitted().save(path)
    return path


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'events.sqlite'}"


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    capsys.readouterr()
    run(*arguments)
    return capsys.readouterr().out


def test_another_address_demands_a_key(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", url_of(tmp_path)]
    run("serve", str(model), "--host", "0.0.0.0", *store, expect=2)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"graphrec keys create --store {url_of(tmp_path)} --scope read" in error


def test_keys_are_shown_once_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", url_of(tmp_path)]
    made = document(capsys, "keys", "create", *store, "--scope", "read", "--scope", "events", "--name", "shop")
    assert made["scopes"] == ["read", "events"]
    (listed,) = json.loads(shown(capsys, "keys", "list", *store, "--json"))
    assert listed["key_id"] == made["key_id"]
    assert made["key"] not in json.dumps(listed)
    secret = made["key"].encode()
    assert all(secret not in file.read_bytes() for file in tmp_path.iterdir())
    run("keys", "revoke", made["key_id"], *store, expect=0)
    run("keys", "revoke", made["key_id"], *store, expect=2)
    run("keys", "create", *store, "--scope", "everything", expect=2)
    assert "read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[limits]\nqueue = 0", "[limits]\nqeue = 5", "[scenarios.home]\nkk = 3", "["])
def test_settings_that_cannot_be_are_refused(
    text: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "serve.toml").write_text(text)
    run("serve", str(model), "--config", str(tmp_path / "serve.toml"), expect=2)
    assert "serve.toml" in capsys.readouterr().err or "scenarios.home.kk" in text


def test_a_service_answers_from_its_own_process(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a key: an event shows in the next answer and after a reload, the log names nobody, and it ends well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = ["--store", url_of(tmp_path)]
    key = document(capsys, "keys", "create", *store, "--scope", "admin")["key"]
    command = [sys.executable, "-m", "graphrec", "serve", str(model), "--port", str(port), "--keys"]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([*command, *store], stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {key}"}) as client:
            wait_for(lambda: client.get("/ready").status_code == 200, process)
            best = client.get("/recommend", params={"user_id": "u0", "k": 1}).json()["items"][0]["item_id"]
            event = {"events": [{"user_id": "u0", "item_id": best, "event_id": "e"}]}
            assert client.post("/events", json=event).json()["accepted"] == 1
            assert best not in top(client)
            assert client.post("/admin/reload", json={}).json()["outcome"] == "taken"
            assert best not in top(client)
            assert b"graphrec_requests_total" in client.get("/metrics").content
        head = b"GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "
        assert said(port, head + 60_000 * b"a" + b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert said(port, head + 70_000 * b"a" + b"\r\n\r\n").startswith(b"HTTP/1.1 400"), "a long head"
        assert said(port, head, *[40_000 * b"a"] * 10).startswith(b"HTTP/1.1 400"), "one that never ends"
        assert said(port, b"\x00 /live\r\n\r\n").startswith(b"HTTP/1.1 400")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        log.close()
    text = (tmp_path / "log").read_text()
    assert key not in text
    assert "u0" not in text
    assert all(line.startswith(("{", "http", "reading")) for line in text.splitlines()), text
    assert text.index("Uvicorn running on") < text.index("answers from"), "it says that it answers once it listens"


def said(port: int, *parts: bytes) -> bytes:
    """What is answered to bytes that are sent one after another, until there is an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.05 if len(parts) > 1 else 0)
            if len(parts) > 1 and select.select([connection], [], [], 0)[0]:
                break
        return connection.recv(1000)


def top(client: httpx.Client) -> list[Any]:
    """The items of u0."""
    found = client.get("/recommend", params={"user_id": "u0", "k": 30})
    return [item["item_id"] for item in found.json()["items"]]


def wait_for(condition: Any, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    """Until something holds. Raises AssertionError where the process ends or it takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("it did not come about")

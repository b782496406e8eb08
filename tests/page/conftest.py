"""A browser, a service for it, and what people do with a page."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from graphrec.model.live import Live
from graphrec.serve.app import make_app
from graphrec.serve.connection import Connection
from graphrec.serve.journal import Memory
from graphrec.serve.version import Version
from tests.serve.support import fitted

WAIT = 20_000  # ms; a busy machine is no fault of the page


@contextmanager
def served(journal: Memory | None = None, keyed: bool = False) -> Iterator[str]:
    """The address of a service over the shop, in a thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = make_app(Version(Live(fitted().fitted), "shop"), journal, keyed=keyed)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none", http=Connection))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """The address of a service that asks for no key."""
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; the tests are skipped, and say so, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium is installed; scripts/browser installs it")
    with playwright.sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def said() -> list[str]:
    """What the browser complains of: errors of scripts, of the policy of content, of files that are not there."""
    return []


@pytest.fixture
def page(browser: Any, base: str, said: list[str]) -> Iterator[Any]:
    """The page, opened, in a context of its own."""
    context = browser.new_context(viewport={"width": 1180, "height": 900}, locale="en-GB")
    yield opened(context, base, said)
    context.close()
    assert not said


def opened(context: Any, base: str, said: list[str]) -> Any:
    one = context.new_page()
    one.set_default_timeout(WAIT)
    one.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    one.on("pageerror", lambda error: said.append(str(error)))
    one.goto(base)
    one.wait_for_selector("form.who")
    return one


def shown(page: Any) -> list[str]:
    """The items of the list, in order."""
    page.wait_for_selector("section[aria-busy=false] .card")
    found: list[str] = page.eval_on_selector_all(".card", "all => all.map(one => one.dataset.item)")
    return found


def ask_for(page: Any, user_id: str) -> list[str]:
    page.fill("input[name=user]", user_id)
    page.click("form.who button:has-text('Show')")
    page.wait_for_selector(f"h1:has-text('For {user_id}')")
    return shown(page)


def asked(base: str, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.post(f"{base}/recommend", json=body).raise_for_status().json()["items"]
    return found

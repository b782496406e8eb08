"""The page in a real browser: what people see and click, against a real service."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from graphrec.model.live import Live
from graphrec.serve.app import make_app
from graphrec.serve.version import Version
from tests.serve.support import fitted

AXE = Path(__file__).parent / "vendor" / "axe.js"
VIEWS = ("list", "profile", "events", "model")
WAIT = 20_000  # ms; a busy machine is no fault of the page


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """The address of a service over the shop, in a thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = make_app(Version(Live(fitted().fitted), "shop"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


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


def test_three_clicks_lead_to_the_graph_of_a_reason(page: Any, base: str) -> None:
    page.click("text=Pick somebody")
    first = shown(page)[0]
    page.locator(".why").first.click()
    page.click("[role=tab] >> text=Graph")
    page.wait_for_selector(".graph[data-ready]")
    user_id = page.input_value("input[name=user]")
    graph = httpx.get(f"{base}/explain", params={"user_id": user_id, "item_id": first}).json()["graph"]
    assert page.get_attribute(".graph", "data-ready") == str(len(graph["nodes"]))
    page.locator(".nodes button").last.click()
    assert page.locator(".evidence .marked").count() > 0, "what a thing is evidence of lights up"


def test_weights_rank_the_list_anew_exactly(page: Any, base: str) -> None:
    before = ask_for(page, "u3")
    weights = {b["name"]: b["weight"] for b in httpx.get(f"{base}/model").json()["blocks"]}
    block = min((name for name, weight in weights.items() if weight), key=weights.__getitem__)
    whole = asked(base, user_id="u3", k=30, blocks=True)
    twice = {one["item_id"]: 2 * one["blocks"][block] for one in whole}  # of the three times that it counts now
    page.locator(f"input[data-block={block}]").fill("3")
    best = sorted(whole, key=lambda one: -(one["score"] + twice[one["item_id"]]))
    page.wait_for_function("top => document.querySelector('.card').dataset.item === top", arg=best[0]["item_id"])
    assert shown(page) == [one["item_id"] for one in best[:12]] != before
    assert shown(page) == [
        one["item_id"] for one in asked(base, user_id="u3", k=12, weights={block: 3 * weights[block]})
    ]
    page.click("text=As usual")
    page.wait_for_function("top => document.querySelector('.card').dataset.item === top", arg=before[0])
    assert shown(page) == before


def test_a_like_is_previewed_then_sent_and_changes_the_list(page: Any, base: str) -> None:
    before = ask_for(page, "u5")

    def heard() -> int:
        return int(httpx.get(f"{base}/users/u5").json()["heard"])

    start = heard()
    page.locator(".card").first.get_by_role("button", name="Like").click()
    page.wait_for_selector(".after li")
    page.keyboard.press("Escape")
    assert heard() == start, "looking sends nothing"
    assert shown(page) == before
    page.locator(".card").first.get_by_role("button", name="Like").click()
    page.wait_for_selector(".after li")
    foretold = page.locator(".after li").count()
    page.click(".send")
    page.wait_for_function("was => document.querySelector('.card').dataset.item !== was", arg=before[0])
    assert heard() == start + 1
    assert before[0] not in shown(page)
    assert len(shown(page)) == foretold


def test_what_is_no_text_is_shown_as_text(page: Any, base: str) -> None:
    trap = "<img src=x onerror=\"document.title='caught'\"><script>document.title='caught'</script>"
    top = asked(base, user_id="u7", k=1)[0]["item_id"]
    httpx.patch(f"{base}/items/{top}", json={"title": trap}).raise_for_status()
    ask_for(page, "u7")
    assert page.locator(f".card[data-item='{top}'] h3").inner_text() == trap
    page.locator(f".card[data-item='{top}'] .why").click()
    page.wait_for_selector(".said")
    page.click("[role=tab] >> text=Graph")
    page.wait_for_selector(".graph[data-ready]")
    assert "caught" not in page.title()
    assert page.locator("img").count() == 0
    page.keyboard.press("Escape")
    page.fill("input[name=user]", trap)
    page.click("form.who button:has-text('Show')")
    page.wait_for_selector("section[aria-busy=false] .card, .problem")
    assert "caught" not in page.title()
    httpx.patch(f"{base}/items/{top}", json={"title": "Thing"}).raise_for_status()


def test_a_basket_words_filters_and_what_is_missed(page: Any, base: str) -> None:
    page.click("label:has-text('A basket')")
    page.fill("#basket", "Thing 1")
    page.locator(".offers button").first.click()
    assert shown(page)
    page.locator("summary:has-text('Filters')").click()
    page.select_option("label:has-text('Attribute') select", "brand")
    page.select_option("label:has-text('Value') select", "B1")
    page.wait_for_function("() => document.querySelector(\"input[placeholder='price < 50']\").value.includes('B1')")
    only = {one["item_id"] for one in asked(base, history=["i1"], k=12, filter='brand == "B1"')}
    page.wait_for_function("n => document.querySelectorAll('.card').length === n", arg=len(only))
    assert set(shown(page)) <= only | {"i1"}
    page.fill("#missed", "Thing 2")
    page.locator(".missed .offers button").first.click()
    page.wait_for_selector("[role=tabpanel] .said")


def test_the_keyboard_alone_reaches_a_reason_and_leaves_it(page: Any) -> None:
    ask_for(page, "u9")
    page.locator(".why").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] .said")
    for _ in range(12):  # the focus stays within
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )
        assert inside
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.className") == "why"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(browser: Any, base: str, said: list[str], scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = opened(context, base, said)
    ask_for(page, "u3")
    found = {}
    for view in VIEWS:
        page.evaluate("view => { location.hash = '#/' + view; }", view)
        page.wait_for_selector("main h1")
        page.wait_for_timeout(200)
        found[view] = serious(page)
    page.evaluate("location.hash = '#/list'")
    ask_for(page, "u3")
    for tab in ("Why", "Graph", "Why not"):
        if not page.locator("dialog[open]").count():
            page.locator(".why").first.click()
            page.wait_for_selector(".said")
        page.locator("[role=tab]", has_text=tab).first.click()
        page.wait_for_timeout(200)
        found[tab] = serious(page)
    context.close()
    assert not {where: what for where, what in found.items() if what}
    assert not said


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody out."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:120]} {v['nodes'][0]['any'][0]['message'][:200]}"
        for v in result
        if v["impact"] in ("serious", "critical")
    ]


def test_it_fits_a_phone_and_speaks_its_language(browser: Any, base: str, said: list[str]) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="de-DE")
    page = opened(context, base, said)
    page.click("text=Irgendjemand")
    shown(page)
    for view in VIEWS:
        page.evaluate("view => { location.hash = '#/' + view; }", view)
        page.wait_for_selector("main h1")
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    page.select_option("header select", "zh")
    page.wait_for_selector("h1:has-text('模型')")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    context.close()
    assert not said

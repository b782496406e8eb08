"""The page in a real browser: what people see and click, against a real service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from graphrec.serve.journal import Memory
from tests.page.conftest import WAIT, ask_for, asked, opened, served, shown

AXE = Path(__file__).parent / "vendor" / "axe.js"
VIEWS = ("list", "profile", "events", "model")


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


def test_what_is_promised_and_what_was_re_ordered_is_said(page: Any, base: str) -> None:
    ask_for(page, "u0")
    page.click("summary:has-text('Filters')")
    page.locator("label:has-text('Variety') input").fill("0.9")
    assert "re-ordered this list" in page.locator(".degraded").first.inner_text()
    card = httpx.get(f"{base}/model").json()
    card["chosen"] |= {"privacy": {"epsilon": 4.0, "delta": 1e-6}, "fair": {"target": "gini:-20%", "met": False}}
    page.route("**/model", lambda route: route.fulfill(json=card | {"cleared": ["gender"]}))
    page.goto(f"{base}/#/model")
    promised = page.locator("article:has-text('What it promises of people')")
    for text in ("ε = 4, δ = 0.000001", "gini:-20%: not met", "gender"):
        assert text in promised.inner_text()


def test_weights_rank_the_list_anew_exactly(page: Any, base: str) -> None:
    weights = {b["name"]: b["weight"] for b in httpx.get(f"{base}/model").json()["blocks"]}
    heard = [name for name, weight in weights.items() if weight]

    def thrice(user_id: str, block: str) -> list[dict[str, Any]]:
        whole = asked(base, user_id=user_id, k=30, blocks=True)
        return sorted(whole, key=lambda one: -(one["score"] + 2 * one["blocks"][block]))

    people = {f"u{n}": asked(base, user_id=f"u{n}", k=1)[0]["item_id"] for n in range(20)}
    user_id, block = next(
        (user_id, name)
        for user_id, first in people.items()
        for name in heard
        if thrice(user_id, name)[0]["item_id"] != first
    )
    before, best = ask_for(page, user_id), thrice(user_id, block)
    page.locator(f"input[data-block={block}]").fill("3")
    page.wait_for_function("top => document.querySelector('.card').dataset.item === top", arg=best[0]["item_id"])
    assert shown(page) == [one["item_id"] for one in best[:12]] != before
    assert shown(page) == [
        one["item_id"] for one in asked(base, user_id=user_id, k=12, weights={block: 3 * weights[block]})
    ]
    with page.expect_response("**/explain") as told:
        page.locator(".why").first.click()
    assert told.value.json()["score"] == pytest.approx(best[0]["score"] + 2 * best[0]["blocks"][block], abs=1e-4)
    page.keyboard.press("Escape")
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


def test_a_reason_is_checked_and_followed_to_another(page: Any) -> None:
    page.locator(".people button").nth(1).click()
    shown(page)
    page.locator(".why").first.click()
    page.click(".verify")
    page.wait_for_selector("text=It holds")
    first = page.inner_text("dialog h2")
    page.click("[role=tab] >> text=Graph")
    page.wait_for_selector(".graph[data-ready]")
    page.locator(".nodes button", has_text="Thing").first.click()
    other = page.locator(".nodes [aria-pressed=true]").inner_text()
    page.click(".follow")
    page.wait_for_selector(f"dialog h2:text-is('{other}')")
    page.wait_for_selector(".said")
    assert other != first


def test_an_event_is_sent_without_https_and_what_counts_is_shown(browser: Any, base: str, said: list[str]) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_init_script("Crypto.prototype.randomUUID = undefined")  # as browsers have it where there is no https
    page = opened(context, base, said)
    ask_for(page, "u11")
    page.click("nav >> text=Events")
    before = page.locator(".heard tbody tr").first.inner_text()
    missing = next(n for n in range(30) if f"Thing {n}\t" not in page.inner_text(".heard tbody"))
    page.fill("#event-item", f"Thing {missing}")
    page.locator(".offers button", has_text=f"Thing {missing}").first.click()
    page.click("article form button:has-text('Send')")
    page.wait_for_selector("text=Taken in")
    page.wait_for_function("was => document.querySelector('.heard tbody tr').innerText !== was", arg=before)
    assert page.locator(".heard tbody tr").first.inner_text().startswith(f"Thing {missing}\t")
    page.click("nav >> text=Model")
    page.wait_for_selector(".facts div:has-text('Catalogue shown so far')")
    context.close()
    assert not said


def test_a_key_that_only_reads_opens_the_page(browser: Any) -> None:
    with served(Memory(keys={"sesame": ("k", frozenset(["read"]))}), keyed=True) as address:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(address)
        for key in ("wrong", "sesame"):
            page.fill(".lock input", key)
            page.click(".lock button")
            page.wait_for_selector(".problem, .lock p:has-text('not known')" if key == "wrong" else "form.who")
        ask_for(page, "u3")  # who else there is stays untold
        page.locator(".why").first.click()
        page.wait_for_selector(".said")
        assert page.locator(".lock").count() == 0
        context.close()

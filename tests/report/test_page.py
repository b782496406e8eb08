"""A report says what its document says, escapes what comes from data, and needs nothing beside itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.drift import drift
from graphrec.evaluate.groups import groupings
from graphrec.experiment import evaluate_model
from graphrec.report import page, plots
from graphrec.report.promises import promises
from tests import worlds

HOSTILE = "<script>alert(1)</script> $x & 'y'"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Of people with a gender, which is sensitive, and of a city whose name is an attack."""
    plain = worlds.two_tastes()
    log = plain.events
    events = pd.DataFrame(
        {
            "user_id": [plain.users.ids[u] for u in log.user_nums],
            "item_id": [plain.items.ids[i] for i in log.item_nums],
            "timestamp": 1_600_000_000 + 86_400 * (pd.Series(range(len(log))) * 7 % 300),
        }
    )
    people = pd.DataFrame({"user_id": plain.users.ids})
    people["city"] = [HOSTILE if n % 3 else "Ulm" for n in range(len(people))]
    people["gender"] = ["f" if n % 2 else "m" for n in range(len(people))]
    data = Dataset.from_frames(events, users=people, name=HOSTILE)
    config = Config.load(None, ["blocks=popularity,spectral", "features.enabled=false", "spectral.rank=4"])
    found = evaluate_model(data, config, by=groupings(data), each_block=True)
    beside = {"made": "made today", "counts": data.counts(), "drift": drift(data), "source": data.report.to_json()}
    return found | beside


class _Read(HTMLParser):
    """Every tag, link and text of a page, and whether what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src") and tag == "a"]
        self.ids += [value or "" for name, value in attrs if name == "id" and tag == "h2"]
        if tag not in ("meta", "br", "path", "use", "g", "defs", "style", "rect", "text", "clippath"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_it_holds_every_figure_and_no_script(document: dict[str, Any]) -> None:
    written = page(document)
    read = _Read()
    read.feed(written)
    assert "script" not in read.tags
    assert all(link.startswith("#") for link in read.links)
    assert [link[1:] for link in read.links] == read.ids
    assert {"quality", "blocks", "people", "items", "drift", "data", "choices"} <= set(read.ids)
    assert f"{document['metrics']['ndcg@20']:.4f}" in written
    for row in document["ablations"]:
        assert f"{row['alone']:.4f}" in written
    for group in document["by"]["users.city"]["groups"]:
        assert f"{group['metrics']['ndcg@20']:.4f}" in written
    assert "<script>alert" not in written
    assert "gender" in written  # told of as a column of the source
    assert "users.gender" not in document["by"]  # but not measured unless it is asked for


def test_plots_are_whole_and_take_the_pages_colour(document: dict[str, Any]) -> None:
    written = page(document)
    plots = [f"<svg{part.partition('</svg>')[0]}</svg>" for part in written.split("<svg")[1:]]
    assert len(plots) >= 3  # blocks, people by a group, the log over time
    for plot in plots:
        assert ET.fromstring(plot).tag.endswith("svg")
        assert "currentColor" in plot
    assert page(document) == written


def test_what_was_not_measured_is_said(document: dict[str, Any]) -> None:
    bare = {"data": "shop", "metrics": {}, "warnings": ["look <here>"], "made": "made today", "model_version": "v1"}
    written = page(bare | {"chosen": document["chosen"]})
    assert "nothing was measured on a test part" in written
    assert "look &lt;here&gt;" in written
    assert 'id="quality"' in written  # the validation figures
    assert 'id="people"' not in written


def test_names_on_plots_are_short_and_never_bare_dots() -> None:
    rows = [
        {"block": name, "alone": 0.1, "without": None, "metric": "ndcg@20"}
        for name in ("W" * 500, "a\x07\n$b$", "北" * 40)
    ]
    drawn = plots.blocks(rows, 0.1)
    ET.fromstring(drawn)
    for shown in ("W" * 29 + "…", "a $b$", "北" * 29 + "…"):
        assert shown in drawn


def test_what_is_no_number_is_left_out(document: dict[str, Any]) -> None:
    """Of one person there is no interval, and a mean of nothing is none."""
    written = page(document | {"intervals": {"auc": None}, "metrics": document["metrics"] | {"gini@20": float("nan")}})
    assert f"AUC {document['metrics']['auc']:.4f}.<" in written
    assert ">nan<" not in written


def test_what_is_promised_of_people_is_said_and_what_is_not(document: dict[str, Any]) -> None:
    spent = {"epsilon": 5.8, "delta": 1e-6, "fits": [4.0, 4.0], "events": 50, "of": "everybody who is added"}
    point = {"ndcg@10": 0.2, "gini@10": 0.9}
    fair = {"target": "gini:-20%", "met": True, "before": point, "after": point | {"gini@10": 0.7}}
    written = page(document | {"chosen": document["chosen"] | {"privacy": spent, "fair": fair}, "cleared": ["<age>"]})
    assert "ε = 5.8 at δ = 1e-06 for everybody who is added, over 2 fits (4, 4)" in written
    assert "ε does not bound what they tell of people" in written
    assert "gini@10 0.9000 → 0.7000" in written
    assert "cleared of &lt;age&gt;" in written
    assert 'id="promises"' not in page(document)
    unmet = fair | {"met": False, "sure": False}
    assert promises({"fair": unmet}) == ["fair.target = gini:-20%: no gap was surely above chance; nothing was changed"]
    assert not promises({"fair": {"strength": 0.5}}), "a strength that was set, without a target"


def test_that_nothing_was_probed_is_said(document: dict[str, Any]) -> None:
    found = {"people": 90, "left_out": 0, "models": 8, "k": 100, "rows": []}
    attacked = {"membership": found, "not_probed": dict[str, str]()}
    assert "none was probed" in page(document | {"privacy": attacked})
    assert "none was probed" not in page(document | {"privacy": attacked | {"not_probed": {"age": "too few"}}})

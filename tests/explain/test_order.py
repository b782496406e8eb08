"""A reason that is an order says so: what was taken last, and that people go on from it; in every language."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.dataset import Dataset, build

CHAIN = [f"i{n}" for n in range(8)]


def in_order() -> Dataset:
    """Everybody takes four items of a circle one after another, each begins at another."""
    rows = [
        (f"u{user}", CHAIN[(user + turn) % len(CHAIN)], 1_600_000_000 + 86_400 * turn + user)
        for user in range(32)
        for turn in range(4)
    ]
    return build("in order", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))


@pytest.mark.parametrize(
    ("language", "last", "before"),
    [
        ("en", 'because you took "i3" last, and people go on to it', 'people go on to it after "i3"'),
        ("de", "weil du zuletzt „i3“ genommen hast und andere das danach nehmen", "nach „i3“ als Nächstes"),
        ("zh", "你最近选的是", "之后接着选了它"),
    ],
)
def test_the_item_that_was_taken_last_is_named_as_such(language: str, last: str, before: str) -> None:
    config = gr.Config().with_(
        blocks="transitions",
        features={"enabled": False},
        kg={"enabled": False},
        explain={"language": language},
        transitions={"pilot": False},
    )
    model = gr.Recommender(config).fit(in_order()).fitted
    model = replace(model, profiles=model.profiles.reweighted({"transitions": 1.0}))
    assert last in model.explain("u0", "i4").text
    longer = model.updated([{"user_id": "u0", "item_id": "another", "timestamp": 1_600_400_000}])
    text = longer.explain("u0", "i4").text
    assert last not in text, "it is not the last any more"
    assert before in text

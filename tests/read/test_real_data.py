"""Real data as published, with exact counts. Skipped where it is not beside the checkout."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter

import numpy as np

from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.door.privacy import mask_all
from tests.conftest import shared_data
from tests.read.support import balanced, everything, titles


def sizes(data: Dataset) -> tuple[int, int, int]:
    return data.n_users, data.n_items, len(data.events)


def parts(data: Dataset) -> list[int]:
    assert data.parts is not None
    return [int((data.parts == part).sum()) for part in (TRAIN, VALID, TEST)]


def test_musical_instruments() -> None:
    folder = shared_data("musical_instruments")
    data = Dataset.load(folder)
    assert sizes(data) == (1429, 900, 10261)
    assert len(data.quarantine) == data.quarantine.merged == 0
    assert len(data.reviews) == 10254  # seven have no text
    with gzip.open(folder / "reviews_Musical_Instruments_5.json.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    given = {(r["reviewerID"], r["asin"]): (r["reviewText"], r.get("reviewerName", "")) for r in rows}
    written = {pair: said for pair, said in given.items() if said[0].strip()}
    masked = mask_all([t for t, _ in written.values()], Counter(), [name for _, name in written.values()], reviews=True)
    text = dict(zip(written, masked, strict=True))
    found = zip(data.reviews["user_num"], data.reviews["item_num"], data.reviews["text"], strict=True)
    assert {(data.users.ids[u], data.items.ids[i]): t for u, i, t in found} == text
    stored = everything(data.subset(np.zeros(len(data.events), bool)))
    assert not any(r["reviewerName"] in stored for r in rows if len(r.get("reviewerName", "")) > 6)


def test_magazine_subscriptions() -> None:
    folder = shared_data("magazine_subscriptions")
    data = Dataset.load(folder)
    assert sizes(data) == (348, 157, 2333)
    assert (data.quarantine.rows_read, data.quarantine.merged, len(data.quarantine)) == (2375, 42, 0)
    assert {t for t in titles(data).values() if t} == {"Gourmet (1-year)", "SmartMoney (1-year)", "Woman's Day"}
    with gzip.open(folder / "meta_Magazine_Subscriptions.json.gz", "rt") as file:
        meta = [m for m in map(json.loads, file) if m["asin"] in data.items]
    assert set(data.external.triples) == {
        (f"item:{m['asin']}", field, f"item:{other}")
        for m in meta
        for field in ("also_buy", "also_view")
        for other in m[field]
        if other in data.items and other != m["asin"]
    }
    assert len(data.external) == 813
    assert (data.item_text != "").sum() == 145


def test_lastfm_with_its_split() -> None:
    folder = shared_data("lastfm_social")
    data = Dataset.load(folder)
    assert sizes(data) == (1859, 2813, 57786 + 13508)
    assert parts(data) == [57786, 0, 13508]
    assert data.social_edge_index.shape == (2, 2 * 12488)  # of 12,717 pairs, those between the users of the split
    assert len(data.quarantine) == data.quarantine.merged == 0
    assert (data.item_titles != "").all()
    assert (data.item_text != "").all()
    assert (data.user_text != "").all()
    assert (data.interactions.weights > 0).all()
    assert set(data.item_attributes["key"]) == {"tag"}
    # the text of an artist names that artist: numbers, ids, titles and texts belong together
    named = [t.lower() in text.lower() for t, text in zip(data.item_titles, data.item_text, strict=True)]
    assert sum(named) == 2810
    assert {"Queensrÿche", "Röyksopp", "菅野よう子"} <= set(data.item_titles)


def test_gowalla() -> None:
    folder = shared_data("gowalla")
    data = Dataset.load(folder)
    assert sizes(data) == (29858, 40981, 1027370)
    assert parts(data) == [810128, 0, 217242]
    assert len(data.quarantine) == data.quarantine.merged == 0
    first = (folder / "test.txt").read_text().partition("\n")[0].split()
    mine = (data.interactions.user_nums == data.users.number(first[0])) & (data.parts == TEST)
    assert {data.items.ids[n] for n in data.interactions.item_nums[mine]} == set(first[1:])


def test_ml1m_kg() -> None:
    data = Dataset.load(shared_data("ml1m_kg"))
    assert sizes(data) == (6040, 2983, 556989 + 190063 + 185241)
    assert parts(data) == [556989, 190063, 185241]
    assert len(data.external) == 205521
    assert len(set(data.external.triples)) == 193089  # the file repeats some
    assert len({relation for _, relation, _ in data.external.triples}) == 11
    assert len(data.external.item_entities) == 2983
    # pid in i2kg_map is the MovieLens id: an item's title and the name of its entity are the same film
    title = titles(data)
    words = {i: set(re.findall(r"[a-z]{3,}", t.lower())) for i, t in title.items()}
    names = {i: data.external.labels[e].lower() for i, e in data.external.item_entities.items()}
    assert np.mean([any(w in names[i] for w in words[i]) for i in names if words[i]]) > 0.97
    assert title["2"] == "Jumanji (1995)"
    assert set(data.user_attributes["key"]) == {"age", "gender"}
    times, users = data.interactions.timestamps, data.interactions.user_nums
    assert times is not None
    assert data.parts is not None
    last = {p: np.full(data.n_users, -1) for p in (TRAIN, TEST)}
    np.maximum.at(last[TRAIN], users[data.parts == TRAIN], times[data.parts == TRAIN])
    np.maximum.at(last[TEST], users[data.parts == TEST], times[data.parts == TEST])
    assert (last[TRAIN] <= last[TEST]).all()  # times belong to the right rows: each user's split is chronological
    assert balanced(data)

"""The synthetic shop: each planted signal lifts a naive scorer that looks for it, and is gone when it is shuffled."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.samples import NAME, SIGNALS, Planted, generate, generate_edges, planted, write
from graphrec.samples.phrases import ASPECTS, CLOSINGS, COMPARISONS, DETAILS, EVENTS, OPENINGS, PERSONS, SUMMARIES
from graphrec.samples.themes import THEMES
from graphrec.samples.words import BRANDS, COLOURS, PRODUCTS

Scorer = Callable[[Dataset, Planted], np.ndarray]


SMALL: dict[str, Any] = {"n_users": 300, "n_items": 200, "n_reviews": 3000}


@cache
def sample(signals: tuple[str, ...] = SIGNALS, shuffle: tuple[str, ...] = (), **size: int) -> tuple[Dataset, Planted]:
    return generate(signals=signals, shuffle=shuffle, **size), planted(signals=signals, shuffle=shuffle, **size)


def last_fifth(data: Dataset) -> np.ndarray:
    """The last 20 % of each user's interactions by time, as a mask (E,)."""
    i = data.events
    assert i.timestamps is not None
    mask = np.zeros(len(i), bool)
    for user in range(data.n_users):
        rows = np.flatnonzero(i.user_nums == user)
        rows = rows[np.argsort(i.timestamps[rows])]
        mask[rows[-max(1, len(rows) // 5) :]] = True
    return mask


def popularity(train: Dataset, hidden: Planted) -> np.ndarray:
    return np.tile(train.seen().toarray().sum(axis=0), (train.n_users, 1))


def taken_together(train: Dataset, hidden: Planted) -> np.ndarray:
    taken = train.seen().toarray()  # (U, I)
    together = taken.T @ taken  # (I, I)
    degree = np.maximum(np.diag(together), 1).copy()
    np.fill_diagonal(together, 0)
    out: np.ndarray = taken @ (together / np.sqrt(np.outer(degree, degree)))
    return out


def same_theme_words(train: Dataset, hidden: Planted) -> np.ndarray:
    texts = [str(text).lower() for text in train.item_text]
    for item, text in zip(train.reviews["item_num"], train.reviews["text"], strict=True):
        texts[item] += " " + text.lower()
    counts = np.array([[sum(map(text.count, cues)) for cues in hidden.theme_cues.values()] for text in texts], float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (I, themes)
    out: np.ndarray = train.seen() @ share @ share.T
    return out


def same_manufacturer(train: Dataset, hidden: Planted) -> np.ndarray:
    known = train.item_attributes[train.item_attributes["key"] == "manufacturer"]
    made_by = np.zeros((train.n_items, known["value"].nunique()))
    made_by[known["item_num"], known["value"].astype("category").cat.codes] = 1
    return train.seen() @ made_by @ made_by.T


def taken_by_friends(train: Dataset, hidden: Planted) -> np.ndarray:
    friends = np.zeros((train.n_users, train.n_users))
    friends[tuple(train.social_edge_index)] = 1
    return friends @ train.seen()


SCORERS: dict[str, Scorer] = {
    "behaviour": taken_together,
    "text": same_theme_words,
    "kg": same_manufacturer,
    "social": taken_by_friends,
}


RECALLS: dict[tuple[Dataset, Scorer], np.ndarray] = {}  # Recall@20 of everybody, (U,): it is asked for of many groups


def recall_at_20(data: Dataset, hidden: Planted, scorer: Scorer, signal: str) -> float:
    if (data, scorer) not in RECALLS:
        held_out = last_fifth(data)
        train, test = data.subset(~held_out), data.subset(held_out).seen().toarray()
        taken = train.seen().toarray()
        scores = scorer(train, hidden) + 1e-6 * taken.sum(axis=0)
        scores[taken > 0] = -np.inf
        hits = np.take_along_axis(test, np.argsort(-scores, axis=1)[:, :20], axis=1).sum(axis=1)
        RECALLS[data, scorer] = hits / np.minimum(test.sum(axis=1), 20)
    users = [n for n, id_ in enumerate(data.users.ids) if hidden.user_signal[id_] == signal]
    return float(np.mean(RECALLS[data, scorer][users]))


@pytest.mark.parametrize("signal", SIGNALS)
def test_each_signal_is_found_where_it_is_planted(signal: str) -> None:
    data, hidden = sample()
    own = recall_at_20(data, hidden, SCORERS[signal], signal)
    popular = recall_at_20(data, hidden, popularity, signal)
    assert own > 0.35
    assert own > 2.5 * popular
    for other in {"text", "kg"} - {signal}:  # and in no other source
        assert recall_at_20(data, hidden, SCORERS[other], signal) < popular + 0.03


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_shuffled_signal_is_gone_and_the_others_stay(signal: str) -> None:
    data, hidden = sample(shuffle=(signal,), **SMALL)
    popular = recall_at_20(data, hidden, popularity, signal)
    assert recall_at_20(data, hidden, SCORERS[signal], signal) < popular + 0.04
    for other in set(SIGNALS) - {signal}:
        assert recall_at_20(data, hidden, SCORERS[other], other) > 0.35


def test_co_occurrence_hardly_reveals_manufacturers_or_friends() -> None:
    data, hidden = sample()
    assert recall_at_20(data, hidden, taken_together, "kg") < 0.5 * recall_at_20(data, hidden, same_manufacturer, "kg")
    assert recall_at_20(data, hidden, taken_together, "social") < 0.65 * recall_at_20(
        data, hidden, taken_by_friends, "social"
    )


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_alone(signal: str) -> None:
    data, hidden = sample(signals=(signal,), n_users=200, n_reviews=2000)
    assert set(hidden.user_signal.values()) == {signal}
    assert recall_at_20(data, hidden, SCORERS[signal], signal) > 0.3


def test_without_signals_nothing_is_found() -> None:
    data, hidden = sample(signals=(), n_users=200, n_reviews=2000)
    assert not hidden.followed
    popular = recall_at_20(data, hidden, popularity, "")
    assert all(recall_at_20(data, hidden, scorer, "") < popular + 0.02 for scorer in SCORERS.values())


@pytest.mark.parametrize("signal", ["text", "kg", "social"])
def test_shuffling_keeps_interactions_and_counts(signal: str) -> None:
    plain, shuffled = sample(**SMALL)[0], sample(shuffle=(signal,), **SMALL)[0]
    assert plain.fingerprint() == shuffled.fingerprint()
    degree = [np.sort(np.bincount(d.social_edge_index[0], minlength=300)).tolist() for d in (plain, shuffled)]
    assert degree[0] == degree[1]
    values = [d.item_attributes.groupby(["key", "value"]).size().to_dict() for d in (plain, shuffled)]
    assert values[0] == values[1]
    assert sorted(plain.item_text) == sorted(shuffled.item_text)
    assert plain.item_titles.tolist() == shuffled.item_titles.tolist()
    changed = {
        "text": plain.item_text.tolist() != shuffled.item_text.tolist(),
        "kg": not plain.item_attributes.equals(shuffled.item_attributes),
        "social": not np.array_equal(plain.social_edge_index, shuffled.social_edge_index),
    }
    assert [name for name, differs in changed.items() if differs] == [signal]


def test_shuffled_behaviour_keeps_degrees() -> None:
    plain, shuffled = (sample(shuffle=shuffle, **SMALL)[0].events for shuffle in ((), ("behaviour",)))
    assert np.bincount(plain.user_nums).tolist() == np.bincount(shuffled.user_nums).tolist()
    assert np.bincount(plain.item_nums).tolist() == np.bincount(shuffled.item_nums).tolist()
    one, other = (set(zip(e.user_nums, e.item_nums, strict=True)) for e in (plain, shuffled))
    assert one != other


def test_social_followers_come_after_their_friends() -> None:
    data, hidden = sample()
    i = data.events
    assert i.timestamps is not None
    when = {
        (u, n): t for u, n, t in zip(i.user_nums.tolist(), i.item_nums.tolist(), i.timestamps.tolist(), strict=True)
    }
    friends: dict[int, list[int]] = {}
    for a, b in data.social_edge_index.T.tolist():
        friends.setdefault(a, []).append(b)
    copied = 0
    for user_id, item_id in hidden.followed:
        if hidden.user_signal[user_id] == "social":
            user, item = data.users.number(user_id), data.items.number(item_id)
            assert min(when.get((f, item), 10**12) for f in friends[user]) < when[user, item]
            copied += 1
    assert copied > 500


def says(text: str, cues: tuple[str, ...]) -> bool:
    return re.search(rf"\b({'|'.join(cues)})\b", text, re.IGNORECASE) is not None


def test_themes_show_in_texts_only() -> None:
    data, hidden = sample()
    known = " ".join([*data.item_titles, *data.item_attributes["value"]])
    neutral = [*PERSONS, *EVENTS, *OPENINGS, *DETAILS, *sum(COMPARISONS.values(), ()), *sum(CLOSINGS.values(), ())]
    neutral += [*sum(SUMMARIES.values(), ()), *(x for pair in ASPECTS.values() for side in pair for x in side)]
    neutral += [*BRANDS, *COLOURS, *(word for p in PRODUCTS for word in (p.noun, *p.materials, *p.models, *p.aspects))]
    spoken = " ".join(neutral)
    for item, text in zip(data.items.ids, data.item_text, strict=True):
        assert {theme for theme, cues in hidden.theme_cues.items() if says(text, cues)} == {hidden.item_theme[item]}
    for cues in hidden.theme_cues.values():
        assert not says(known, cues)
        assert not says(spoken, cues)
    assert len(hidden.theme_cues) == len(THEMES)


def test_reviews_are_varied_and_match_their_stars() -> None:
    data, _ = sample()
    reviews = data.reviews
    assert len(reviews) == 6000
    assert reviews["text"].nunique() > 0.999 * len(reviews)
    assert not reviews["text"].str.contains(r"[{}]|  |\.\.").any()
    assert not reviews["summary"].str.contains(r"[{}]").any()
    assert 30 < np.mean([len(text.split()) for text in reviews["text"]]) < 90
    assert reviews["text"].str[0].str.isupper().all()
    assert (reviews["text"].str.count(r"[.?]") >= 2).all()
    praise = [phrase for pleased, _ in ASPECTS.values() for phrase in pleased if "{" not in phrase]
    complaints = [phrase for _, displeased in ASPECTS.values() for phrase in displeased if "{" not in phrase]
    stars = data.events.values  # every interaction has its review, both in order of user and item
    lower = reviews["text"].str.lower()
    balance = np.array([sum(p in t for p in praise) - sum(c in t for c in complaints) for t in lower])
    means = [balance[stars == s].mean() for s in (1, 2, 3, 4, 5)]
    assert means == sorted(means)
    assert means[0] < -1 < 1 < means[4]
    assert all((stars == s).sum() >= 20 for s in (1, 2, 3, 4, 5))


def test_it_is_labelled_and_repeatable() -> None:
    data, _ = sample()
    assert data.name == NAME == "synthetic-music-shop"
    again, other, small = generate(**SMALL), generate(**SMALL, seed=8), sample(**SMALL)[0]
    assert again.fingerprint() == small.fingerprint()
    assert again.reviews.equals(small.reviews)
    assert other.fingerprint() != small.fingerprint()
    assert len(set(data.item_titles)) == data.n_items == 400
    assert set(data.item_attributes["key"]) == {"brand", "category", "manufacturer", "material", "color"}


def test_popularity_is_skewed_and_time_spans_years() -> None:
    i = sample()[0].events
    counts = np.sort(np.bincount(i.item_nums))[::-1]
    assert counts[:40].sum() > 0.25 * len(i)
    assert i.timestamps is not None
    assert np.ptp(i.timestamps) > 4.5 * 365 * 86_400


def test_written_files_read_back(tmp_path: Path) -> None:
    size: dict[str, Any] = {"n_users": 60, "n_items": 60, "n_reviews": 500}
    folder = write(tmp_path / "shop", **size)
    made, read = generate(**size), Dataset.load(folder)
    assert read.fingerprint() == made.fingerprint()
    assert read.reviews.equals(made.reviews)
    assert read.item_titles.tolist() == made.item_titles.tolist()
    assert read.item_text.tolist() == made.item_text.tolist()
    assert read.item_attributes.equals(made.item_attributes)
    assert np.array_equal(read.social_edge_index, made.social_edge_index)
    assert len(read.quarantine) == 0
    files = [(tmp_path / "again" / name.name, name) for name in folder.iterdir()]
    write(tmp_path / "again", **size)
    assert all(a.read_bytes() == b.read_bytes() for a, b in files)


def test_impossible_samples_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown signal 'txt'"):
        generate(signals=("txt",))
    with pytest.raises(ConfigError, match="unknown signal 'socail'"):
        generate(shuffle=("socail",))
    with pytest.raises(ConfigError, match="not possible"):
        generate(n_users=600, n_items=400, n_reviews=100)
    with pytest.raises(ConfigError, match="not possible"):
        generate_edges(10, 10, 1000)


@pytest.mark.parametrize("n_edges", [2_000, 100_000, 124_000])
def test_edges_are_exact_distinct_and_skewed(n_edges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.samples.edges.PIECE", 10_000)  # so that several pieces are drawn
    data = generate_edges(1000, 500, n_edges, seed=1)
    i = data.events
    assert (data.n_users, data.n_items, len(i)) == (1000, 500, n_edges)
    keys = i.user_nums * 500 + i.item_nums
    assert (np.diff(keys) > 0).all()  # distinct, in order of user and item
    assert np.bincount(i.user_nums, minlength=1000).min() >= 1
    counts = np.sort(np.bincount(i.item_nums, minlength=500))[::-1]
    assert counts[:50].sum() > 0.12 * n_edges
    assert i.timestamps is not None
    assert generate_edges(1000, 500, n_edges, seed=1).fingerprint() == data.fingerprint()


def test_edges_share_tastes() -> None:
    data = generate_edges(2000, 1000, 40_000, seed=1)
    taken = data.seen().toarray()
    overlap = taken @ taken.T
    np.fill_diagonal(overlap, 0)
    permuted = np.random.default_rng(0).permuted(taken, axis=0)  # same item counts, no tastes
    chance = permuted @ permuted.T
    np.fill_diagonal(chance, 0)
    assert np.percentile(overlap, 99.5) > 2 * np.percentile(chance, 99.5)

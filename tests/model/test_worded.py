"""What is asked in words: of nobody in particular, and in words that nothing is like."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from graphrec.model.asked import one
from graphrec.model.standing import standing_of
from graphrec.model.worded import MEANINGLESS, liking_of
from graphrec.recommender import Recommender
from graphrec.types import Floats
from tests.model.shop import QUICK, WORDS, WordExtractor, shop


class Meaning:
    """A word that the shop speaks of is an axis; what else is written is noise."""

    id = "meaning"

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), -1)

    def _vector(self, text: str) -> Floats:
        if not text:
            return np.zeros(len(WORDS) + 8, np.float32)
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        noise = np.random.default_rng(seed).normal(size=len(WORDS) + 8)
        axes = np.array([word in text for word in WORDS] + [False] * 8, float)
        found = 4 * axes + 0.2 * noise
        return np.asarray(found / np.linalg.norm(found), np.float32)


@pytest.fixture(scope="module")
def model() -> Recommender:
    config = QUICK.with_(blocks=["popularity", "semantic"])
    return Recommender(config, encoder=Meaning(), extractor=WordExtractor()).fit(shop())


def test_words_without_a_meaning_are_said_to_match_nothing(model: Recommender) -> None:
    assert not any(liking_of(model.fitted, word).vague for word in WORDS)
    assert liking_of(model.fitted, MEANINGLESS[0]).vague
    for user in (None, "u0", "nobody"):
        said = model.recommend(user, 3, query=MEANINGLESS[0]).attrs["degraded"]
        assert said[-1].startswith("words: no text here is any more like these words")
    item = str(model.recommend("u0", 1)["item_id"].iat[0])
    assert any(why.startswith("words: ") for why in model.explain("u0", item, query=MEANINGLESS[0]).degraded)
    assert model.recommend("u0", 3, query="tone").attrs["degraded"] == []


def test_nobody_in_particular_is_no_unknown_user(model: Recommender) -> None:
    assert model.recommend(None, 3, query="tone").attrs["degraded"] == []
    codes = [why.partition(":")[0] for why in model.recommend("nobody", 3, query="tone").attrs["degraded"]]
    assert codes == ["unknown_user", "popularity"]
    assert [why.partition(":")[0] for why in model.recommend(None, 3).attrs["degraded"]] == ["popularity"]


def test_popularity_is_little_beside_the_words_of_nobody_in_particular(model: Recommender) -> None:
    query = one(model.fitted, None, query="tone")
    extra = standing_of(model.fitted, query, np.zeros(model.fitted.data.n_items, np.float32), False).extra
    assert 0 < extra["popularity"].std() < 0.15 * extra["words"].std()

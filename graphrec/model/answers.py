"""What a fitted model answers: the best items for somebody, items like an item, why, and why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.blocks.popularity import Popularity
from graphrec.blocks.semantic import Semantic
from graphrec.config import Config
from graphrec.errors import ConfigError, DataError
from graphrec.explain.contrast import Contrast
from graphrec.explain.why_not import WhyNot
from graphrec.explain.words import EVERYBODY
from graphrec.features.encoder import TextEncoder
from graphrec.model.fitted import Fitted
from graphrec.profile.profiles import ProfileBlock, weighted
from graphrec.types import Explanation, Floats, Ints

Seen: TypeAlias = Literal["exclude", "allow", "only"]
ASKED_FOR = 3.0  # what is asked for now, against the whole profile
FLAT_SCORES = 1e-6  # relative spread of scores up to which they tell nothing apart
LEFT = {"exclude": "that this user has not taken", "allow": "in the catalogue", "only": "that this user took"}
FIRST = {  # for somebody without a history
    "everybody": EVERYBODY,
    "friends": "what your friends took",
    "attributes": "what people of whom the same is known took",
}
NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Answers:
    """Answers from a fitted model. ``encoder`` loads the text encoder, for free-text queries."""

    fitted: Fitted
    config: Config
    encoder: Callable[[], TextEncoder]

    # --- lists --------------------------------------------------------------------------------------------------------

    def recommend(
        self, user_id: str, k: int, *, history: Sequence[str] = (), query: str | None = None, seen: Seen | None = None
    ) -> pd.DataFrame:
        """The k best items for one person; see ``Recommender.recommend``."""
        _at_least_one(k)
        data, ties, mode = self.fitted.data, self.fitted.explainer.ties, seen or self.config.seen
        number = int(data.users.numbers([user_id], missing="-1")[0])
        extra = np.unique(data.items.numbers(list(history)))
        taken = np.union1d(ties.seen(number), extra) if number >= 0 else extra
        barred = {"exclude": taken, "allow": NONE, "only": np.setdiff1d(np.arange(data.n_items), taken)}[mode]
        degraded: list[str] = []
        if number < 0 and not len(extra):
            degraded.append("unknown_user: no history is known of this id")
        elif not len(extra) and self.fitted.cold[number]:
            degraded.append("no_history: nothing this user took and liked is known")
        vector, sparse, personal = self._profile(number, extra)
        if query is not None or not personal or self._peers(number, extra):
            scores, why = self._scores(number, extra, vector, sparse, personal)
            degraded += why
            if query is not None:
                scores = _unit_deviation(scores) + ASKED_FOR * self._query_scores(query)
            nums, values = _ranked(scores, k, barred)
        else:
            nums, values = self.fitted.index.search_sum(vector, sparse, k, barred)
            if self._flat(vector, sparse, values, barred):
                degraded.append("popularity: nothing tells the items apart for this user")
                nums, values = _ranked(self.fitted.popularity, k, barred)
        if len(nums) < k:
            degraded.append(f"fewer_items: {len(nums)} of {k} items are left {LEFT[mode]}")
        out = self._table(nums, values)
        out.insert(0, "user_id", user_id)
        out.attrs["degraded"] = degraded
        return out

    def similar(self, item_id: str, k: int) -> pd.DataFrame:
        """The k items nearest to one by cosine; an item that nobody took is found by its text alone."""
        _at_least_one(k)
        fitted = self.fitted
        number, degraded = fitted.data.items.number(item_id), list[str]()
        if self._behaviour[number] and fitted.profiles.sparse and not fitted.items.any():  # nothing but sparse blocks
            links = [b.weight * b.items[number].toarray().ravel() for b in fitted.profiles.sparse]
            nums, scores = _ranked(np.sum(links, axis=0, dtype=np.float32), k, np.array([number]))
        elif self._behaviour[number]:
            nums, scores = fitted.index.similar(number, k)
            nums, scores = nums[nums >= 0], scores[nums >= 0]
        else:
            text = next((b for b in fitted.profiles.blocks if b.name == Semantic.name), None)
            items = text.items if isinstance(text, ProfileBlock) else np.zeros((fitted.data.n_items, 1), np.float32)
            lengths = np.maximum(np.linalg.norm(items, axis=1), 1e-12)
            by_text = bool(items[number].any())
            likeness = items @ items[number] / (lengths * lengths[number]) if by_text else fitted.popularity
            nums, scores = _ranked(np.asarray(likeness, np.float32), k, np.array([number]))
            degraded.append(
                "text: nobody is known to like this item, so it is compared by its text"
                if by_text
                else "popularity: nobody is known to like this item, and no text of it is known"
            )
        out = self._table(nums, scores)
        out.attrs["degraded"] = degraded
        return out

    # --- reasons ------------------------------------------------------------------------------------------------------

    def explain(self, user_id: str, item_id: str, limit: int) -> Explanation:
        """Why an item scores as it does for a user."""
        data, explainer = self.fitted.data, self.fitted.explainer
        user, item = data.users.number(user_id), data.items.number(item_id)
        what, _ = self._peers(user, NONE) or ("everybody", NONE)
        out = explainer.explain(user, item, limit, first=FIRST[what])
        if out.score > 0:
            return out
        scores = self.scores(np.array([user]))[0]
        scores[np.setdiff1d(explainer.ties.seen(user), [item])] = -np.inf
        place = 1 + int((scores > scores[item]).sum())
        return explainer.explain(user, item, limit, place=place, first=FIRST[what])

    def why_not(self, user_id: str, item_id: str, k: int) -> WhyNot:
        """Why an item is not among the k recommended."""
        data = self.fitted.data
        user = data.users.number(user_id)
        return self.fitted.explainer.why_not(user, data.items.number(item_id), k, self.scores(np.array([user]))[0])

    def contrast(self, user_id: str, item_id: str, other_id: str) -> Contrast:
        """Why one item scores higher or lower than another."""
        data = self.fitted.data
        pair = data.items.numbers([item_id, other_id]).tolist()
        return self.fitted.explainer.contrast(data.users.number(user_id), *pair)

    # --- scores -------------------------------------------------------------------------------------------------------

    def scores(self, user_nums: Ints) -> Floats:
        """Scores of the whole catalogue, float32 (B, I); for people of whom no history is known, of what their friends
        or people like them took, else of what is popular."""
        fitted = self.fitted
        users = fitted.users[user_nums]  # (B, D)
        out: Floats = users @ fitted.items.T
        for block in fitted.profiles.sparse:
            out += np.float32(block.weight) * block.scores(user_nums)
        for row in np.flatnonzero(fitted.cold[user_nums]).tolist():
            number = int(user_nums[row])
            out[row] = self._scores(number, NONE, *self._profile(number, NONE))[0]
        return out

    def _scores(
        self, number: int, extra: Ints, vector: Floats, sparse: Floats, personal: bool
    ) -> tuple[Floats, list[str]]:
        """Scores of the catalogue for one person, float32 (I,), and why they are less than they could be."""
        scores = self.fitted.items @ vector + sparse
        if peers := self._peers(number, extra):
            what, nums = peers
            theirs = np.asarray(self.fitted.explainer.ties.matrix[nums].mean(axis=0), np.float32).ravel()  # (I,)
            own = _unit_deviation(scores) if personal else self._popular
            return own + _unit_deviation(theirs), [f"{what}: ranked by what {len(nums):,} of them took"]
        if not personal:
            return self.fitted.popularity, ["popularity: ranked by what is popular with everyone"]
        return scores, []

    @cached_property
    def _popular(self) -> Floats:
        return _unit_deviation(np.log1p(self.fitted.popularity))

    def _peers(self, number: int, extra: Ints) -> tuple[str, Ints] | None:
        """For somebody without a history: friends who have one, else people with the same attributes."""
        fitted = self.fitted
        if number < 0 or len(extra) or not fitted.cold[number]:
            return None
        friends = np.array(list(fitted.explainer.ties.friends(number)), np.int64)
        friends = friends[~fitted.cold[friends]]
        if len(friends):
            return "friends", friends
        alike = fitted.alike(number)
        return ("attributes", alike) if len(alike) else None

    def _profile(self, number: int, extra: Ints) -> tuple[Floats, Floats, bool]:
        """A person's profile float32 (D,), scores of the sparse blocks (I,), and whether any of it is their own.

        A stored row, or where further items ``extra`` are known the fold-in of all.
        """
        profiles, ties = self.fitted.profiles, self.fitted.explainer.ties
        fold_in = number < 0 or len(extra) > 0
        items = np.union1d(ties.seen(number), extra) if number >= 0 else extra

        def weights(reading: str) -> npt.NDArray[np.float64]:
            found = ties.weights(reading, number, items) if number >= 0 else np.zeros(len(items))
            return np.where(np.isin(items, extra), np.maximum(found, 1.0), found)

        parts = [b.encode_user(items, weights(b.reading)) if fold_in else b.users[number] for b in profiles.dense]
        own = any(part.any() for b, part in zip(profiles.dense, parts, strict=True) if b.name != Popularity.name)
        sparse = np.zeros(profiles.shape[1], np.float32)
        for b in profiles.sparse:
            found = b.fold_in(items, weights(b.reading)) if fold_in else b.scores(np.array([number]))[0]
            sparse += np.float32(b.weight) * found
        return weighted(profiles.dense, parts), sparse, own or bool(sparse.any())

    def _flat(self, vector: Floats, sparse: Floats, values: Floats, barred: Ints) -> bool:
        """Whether the best scores (n,) differ by no more than rounding, and so do all others that may be ranked."""
        largest = float(np.linalg.norm(vector)) * self.fitted.index.longest + float(np.abs(sparse).max(initial=0.0))
        if len(values) < 2 or float(values[0] - values[-1]) > FLAT_SCORES * largest:
            return False
        others = np.delete(self.fitted.items @ vector + sparse, barred)
        return float(others.max() - others.min()) <= FLAT_SCORES * largest

    @cached_property
    def _behaviour(self) -> npt.NDArray[np.bool_]:
        """Items of which it is known who took them, bool (I,)."""
        out: npt.NDArray[np.bool_] = np.diff(self.fitted.explainer.ties.matrix.tocsc().indptr) > 0
        return out

    def _query_scores(self, query: str) -> Floats:
        """Similarity of a free text to every item's text at unit deviation, float32 (I,)."""
        if Semantic.name not in self.config.blocks or not self.config.features.enabled:
            raise ConfigError("a query needs the semantic block and text features; fit with both")
        block = self.fitted.profiles[Semantic.name]
        assert isinstance(block, ProfileBlock)
        text = self.encoder().encode([query])[0]  # (F,)
        if block.text_map is None or len(block.text_map) != len(text) + 1:
            raise ConfigError(
                "the data has no text, so a query finds nothing; fit on data with reviews or descriptions"
            )
        return _unit_deviation(block.items @ block.encode_item(text))

    def _table(self, nums: Ints, scores: Floats) -> pd.DataFrame:
        data = self.fitted.data
        return pd.DataFrame(
            {
                "item_id": [data.items.ids[n] for n in nums],
                "score": scores.astype(np.float64),
                "rank": np.arange(1, len(nums) + 1),
                "title": [str(data.item_titles[n]) for n in nums],
            }
        )


def _at_least_one(k: int) -> None:
    if k < 1:
        raise DataError(f"k = {k}; ask for at least 1 item")


def _unit_deviation(scores: Floats) -> Floats:
    deviation = float(scores.std())
    return np.asarray(scores / deviation if deviation > 0 else scores, dtype=np.float32)


def _ranked(scores: Floats, k: int, exclude: Ints) -> tuple[Ints, Floats]:
    """The k best items by score, ties by item number, without the excluded ones."""
    allowed = np.ones(len(scores), bool)
    allowed[exclude] = False
    nums = np.flatnonzero(allowed)
    best = nums[np.argsort(-scores[nums], kind="stable")[:k]].astype(np.int64)
    return best, scores[best]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON objects."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]

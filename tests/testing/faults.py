"""A sound block, and blocks that each break one thing, with the tests of the contract that must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphrec.blocks.api import Block, FitInputs, Folds, Space, reading_of
from graphrec.blocks.search import Chosen
from graphrec.profile.api import Doubles, FittedBlock, Words
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import FloatList, Section
from graphrec.types import Floats, Ints


class SoundSettings(Section):
    """What is taken together. Several values: the best on validation data is taken."""

    damping: FloatList = (0.0, 1.0)
    max_items: int = 1000


class Sound(Block[SoundSettings]):
    """Items count as often as they were taken together with those of a history."""

    name = "sound"
    words = Words("it is taken together with what you took", "what is taken together")
    Settings = SoundSettings
    Fitted: ClassVar[type[FittedBlock]] = ProfileBlock

    def space(self, inputs: FitInputs) -> Space:
        return {"damping": self.settings.damping}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        taken = abs(inputs.train.learning(reading_of(chosen))).T.toarray()  # (I, U)
        items = taken / np.maximum(taken.sum(axis=1, keepdims=True), 1) ** chosen["damping"]
        made: Any = self.Fitted
        out: FittedBlock = made(self.name, items[:0], items, history=items, linear=True, reading=reading_of(chosen))
        return out.fitted(inputs.ties)


FAULTS: list[tuple[type[Block[Any]], str]] = []


def breaks(*tests: str) -> Callable[[type[Block[Any]]], type[Block[Any]]]:
    """Marks a block that breaks these tests."""

    def mark(block: type[Block[Any]]) -> type[Block[Any]]:
        FAULTS.extend((block, test) for test in tests)
        return block

    return mark


@breaks("it_is_found_by_its_name_and_has_its_section")
class Namesake(Sound):
    """Has the name of another."""

    name = "spectral"


@breaks("it_has_words_and_its_settings_are_described")
class Wordless(Sound):
    """Says nothing of itself."""

    words = Words()


class BareSettings(SoundSettings):
    __doc__ = None


@breaks("it_has_words_and_its_settings_are_described")
class Undescribed(Sound):
    """Its settings are not described."""

    Settings = BareSettings


@breaks("it_fits_every_choice_that_tune_can_make")
class OneValueOnly(Sound):
    """Offers a value at which its scores are no numbers; it is never compared."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        return super().learn(inputs, {"damping": {1.0: 1.0}.get(chosen["damping"], np.nan)})

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        return self.learn(folds.inputs, {"damping": 1.0}), {"damping": 1.0}


@breaks("it_fits_every_choice_that_tune_can_make")
class Infinite(Sound):
    """Chooses what JSON does not have."""

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        block, chosen = super().choose(folds, trials)
        return block, {**chosen, "ridge": float("inf")}


@breaks("it_fits_every_choice_that_tune_can_make")
class Other(Sound):
    """Returns another block than the one that it fits with its choice."""

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        _, chosen = super().choose(folds, trials)
        return self.learn(folds.inputs, {"damping": 0.5}), chosen


@breaks("what_is_left_out_stays_out")
class Stubborn(Sound):
    """Fits what was left out."""

    def fit(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        return super().fit(inputs, {"damping": 0.0})


@breaks("choices_are_taken_over_to_other_data")
class OfThisSizeOnly(Sound):
    """Chooses a number that holds on its own data alone."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        if chosen.get("rank", inputs.train.n_items) > inputs.train.n_items:
            raise AssertionError("rank")
        return super().learn(inputs, chosen)

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        block, chosen = super().choose(folds, trials)
        return block, {**chosen, "rank": folds.inputs.train.n_items}


@breaks("few_trials_and_nobody_to_choose_on_are_enough")
class NeedsUsers(Sound):
    """Cannot choose where there is nobody to choose on."""

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        assert folds.users
        return super().choose(folds, trials)


@breaks("it_sits_out_above_its_limit")
class Limitless(Sound):
    """Has a limit and does not hold it."""

    def too_large(self, n_items: int) -> str:
        return ""


@breaks("the_fold_in_of_ones_own_history_is_the_stored_row")
class Stale(Sound):
    """Stores other rows than it computes."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        block: Any = super().learn(inputs, chosen)
        out: FittedBlock = replace(block, users=block.users * np.float32(1.001))
        return out


class Forgetful(ProfileBlock):
    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> ProfileBlock:
        return replace(super().from_arrays(arrays, settings), history=arrays["items"] * 2, damping=0.1)


@breaks("saved_and_loaded_it_is_the_same")
class Unsaved(Sound):
    """Loses something on its way to disk."""

    Fitted = Forgetful


class Biased(ProfileBlock):
    def scores(self, queries: Queries) -> Floats:
        return super().scores(queries) + np.float32(0.1)

    def score(self, queries: Queries, item_num: int) -> Doubles:
        out: Doubles = super().score(queries, item_num) + 0.1
        return out


@breaks("the_shares_sum_to_the_score", "all_ways_to_a_score_agree")
class Unaccounted(Sound):
    """Adds what belongs to no item to a score that it calls a sum over items."""

    Fitted = Biased


class Loud(ProfileBlock):
    def computed(self, queries: Queries) -> Floats:
        return super().computed(queries) * np.float32(3)


@breaks("all_ways_to_a_score_agree")
class Unscaled(Sound):
    """Speaks in units of its own."""

    Fitted = Loud


class Guessing(ProfileBlock):
    def computed(self, queries: Queries) -> Floats:
        rows = super().computed(queries)
        return np.where(queries.user_nums[:, None] < 0, rows + np.float32(1), rows)


@breaks("somebody_unknown_is_as_one_of_whom_nothing_is_known")
class Presuming(Sound):
    """Takes a stranger for somebody."""

    Fitted = Guessing


class LastFirst(ProfileBlock):
    def computed(self, queries: Queries) -> Floats:
        rows = super().computed(queries)
        for row, query in enumerate(queries.asked or ()):
            rows[row] *= 1 + (query.items[:1].sum() % 2)
        return rows


@breaks("one_item_is_a_history_and_order_and_name_are_none")
class Ordered(Sound):
    """Depends on the order of a set."""

    Fitted = LastFirst


@breaks("dislikes_alone_are_a_history")
class Rooted(Sound):
    """Takes roots of dislikes."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        block: Any = super().learn(inputs, chosen)
        with np.errstate(invalid="ignore"):
            taste = np.sqrt(inputs.ties.taste(reading_of(chosen)).toarray())
        out: FittedBlock = replace(block, users=np.asarray(taste @ block.history, np.float32))
        return out


class Stuck(ProfileBlock):
    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> ProfileBlock:
        return super().grown(ties, touched[:-1], texts)


@breaks("it_takes_in_new_events_users_and_items")
class Ungrown(Sound):
    """Leaves the last of the rows that change as it was."""

    Fitted = Stuck


@breaks("the_same_twice_and_no_generator_of_others_is_touched")
class Drawn(Sound):
    """Draws without the seed that it was given."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        block: Any = super().learn(inputs, chosen)
        noise = np.random.default_rng().normal(size=block.items.shape).astype(np.float32)
        out: FittedBlock = replace(block, items=block.items + noise)
        return out


@breaks("the_same_twice_and_no_generator_of_others_is_touched")
class Global(Sound):
    """Seeds the generator of everybody."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        np.random.seed(0)  # noqa: NPY002
        return super().learn(inputs, chosen)


@breaks("it_earns_a_weight_beside_noise_and_counts_as_much_as_that")
class Useless(Sound):
    """Knows nothing."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        block: Any = super().learn(inputs, chosen)
        mixed = np.random.default_rng(0).permutation(block.items)
        return ProfileBlock(self.name, np.random.default_rng(1).permutation(block.users), mixed)

"""The contract that every block keeps, as tests."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from inspect import getdoc
from pathlib import Path
from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np
from safetensors.numpy import load_file, save_file

from graphrec.blocks.api import Block, FitInputs
from graphrec.blocks.blend import blend
from graphrec.blocks.registry import find
from graphrec.config import Config
from graphrec.data.readings import READINGS
from graphrec.errors import ConfigError
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.hearing import weights_of
from graphrec.query.query import Queries, Query, query_of
from graphrec.query.ties import row
from graphrec.settings import Section
from graphrec.testing.planted import NOBODY, everything_disliked, exposed, later, no_one, world
from graphrec.testing.subject import Subject, accounts, anybody, dense, generators, prior_part, scores, silent, whole

TELLING = 0.05  # NDCG between two values of a setting, from which a tune has to find the better one


class BlockContract:
    """What every block keeps. Inherit it in a test class and name the block; pytest does the rest.

    Attributes:
        block: the class under test, found by its name in the registry.
        settings: of its section, such that it is small and quick.
        telling: lists of settings of which ``tune`` has to find the better of two values; all lists where none is
            named. On the planted data at least one must have two values that differ by ``TELLING`` in NDCG.
        further: what else tune may choose, beside lists of settings and the block's space.
        readings: of the strengths, that it can learn from; by default what the block says in ``readings``, else all.
    """

    block: ClassVar[type[Block[Any]]]
    settings: ClassVar[Mapping[str, Any]] = {}
    telling: ClassVar[Mapping[str, Sequence[Any]]] = {}
    further: ClassVar[Mapping[str, Sequence[Any]]] = {}
    readings: ClassVar[Sequence[str]] = ()
    subject: ClassVar[Subject]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if hasattr(cls, "block"):
            cls.subject = Subject(cls.block, cls.settings, cls.further)
            cls.readings = cls.readings or getattr(cls.block, "readings", READINGS)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run what takes a ``reading`` with each of them."""
        if "reading" in metafunc.fixturenames:
            metafunc.parametrize("reading", self.readings)

    # --- what it says of itself ---------------------------------------------------------------------------------------

    def test_it_is_found_by_its_name_and_has_its_section(self) -> None:
        """The registry, and the configuration that is made of it."""
        assert find(self.block.name) is self.block
        assert isinstance(getattr(Config(), self.block.name), self.block.Settings)
        assert isinstance(Config().block(self.block.name), self.block)

    def test_it_has_words_and_its_settings_are_described(self) -> None:
        """Clauses without a full stop; a docstring of the block and one of its settings."""
        words = self.subject.fitted().words
        assert words == self.block.words
        for clause in (words.because, words.cause):
            assert clause, "words.because and words.cause are how it is put into a sentence"
            assert clause == clause.strip(" .")
        for what in (self.block, self.block.Settings):
            assert what.__doc__, f"{what.__name__} has no docstring"
            assert getdoc(what) not in (getdoc(Block), getdoc(Section)), f"{what.__name__} has no docstring of its own"

    # --- choosing -----------------------------------------------------------------------------------------------------

    def test_it_fits_every_choice_that_tune_can_make(self) -> None:
        """Choices survive JSON, and fitted with them the block is the tuned one."""
        planted, (tuned, chosen) = world(), self.subject.tuned()
        assert json.loads(json.dumps(chosen, allow_nan=False)) == chosen, "choices are kept as JSON"
        again = self.subject.made().fit(planted.inputs, chosen)
        np.testing.assert_allclose(scores(again, planted), scores(tuned, planted), atol=1e-4)
        for candidate in self.subject.candidates(planted):
            whole(self.subject.made().fit(planted.inputs, candidate), planted)

    def test_what_is_left_out_stays_out(self) -> None:
        """A choice that says ``left_out`` gives an empty block."""
        planted = world()
        silent(self.subject.made().fit(planted.inputs, {"left_out": "said by tune"}), planted)

    def test_choices_are_taken_over_to_other_data(self) -> None:
        """As by ``fit --like``: larger, smaller, without texts and friends, of one item."""
        small, bare, one = world(9, 7, bare=True), world(150, 90, bare=True), world(3, 1)
        for candidate in self.subject.candidates(world()):
            whole(self.subject.made().fit(small.inputs, candidate), small)
        for here, there in ((small, bare), (small, world()), (world(), bare), (world(), one), (one, world())):
            whole(self.subject.made().fit(there.inputs, self.subject.tuned(here)[1]), there)

    def test_few_trials_and_nobody_to_choose_on_are_enough(self) -> None:
        """``tune`` gives a block and choices in any case."""
        for planted, trials in ((world(), 1), (no_one(world()), None), (no_one(world(3, 1)), 1)):
            (block,), chosen = self.subject.made().tune(planted.folds, trials)
            whole(block, planted)
            whole(self.subject.made().fit(planted.inputs, chosen), planted)

    def test_tune_finds_the_better_value_wherever_it_stands(self) -> None:
        """Of two values in either order: a ``tune`` that returns where it starts finds one of the two only."""
        planted, told = world(), []
        for name, values in (self.telling or self.subject.lists()).items():
            alone = {value: self.subject.ndcg(planted, {name: [value]}) for value in values}
            if len(alone) < 2:
                continue
            worst, best = min(alone, key=alone.__getitem__), max(alone, key=alone.__getitem__)
            told.append((alone[best] - alone[worst], name))
            if told[-1][0] < TELLING:
                continue
            for order in ((worst, best), (best, worst)):
                found = self.subject.ndcg(planted, {name: order})
                assert found > alone[best] - TELLING / 5, f"{name}: of {order}, NDCG {alone}, tune found {found:.3f}"
        if not told:
            raise SkipTest("it has nothing to choose")
        assert max(told)[0] >= TELLING, f"no values differ enough: {told}; name such in `telling`"

    def test_it_sits_out_above_its_limit(self) -> None:
        """``max_items`` is held by ``tune`` and by ``fit``, also with choices of smaller data."""
        planted = world()
        if "max_items" not in self.block.Settings.model_fields:
            raise SkipTest("it has no limit")
        small = self.subject.made({"max_items": planted.train.n_items - 1})
        (block,), chosen = small.tune(planted.folds)
        assert str(planted.train.n_items) in chosen.get("left_out", ""), f"tune did not sit out: {chosen}"
        silent(block, planted)
        silent(small.fit(planted.inputs, self.subject.tuned()[1]), planted)
        just = self.subject.made({"max_items": planted.train.n_items})
        assert not just.fit(planted.inputs, self.subject.tuned()[1]).empty

    # --- answering ----------------------------------------------------------------------------------------------------

    def test_the_fold_in_of_ones_own_history_is_the_stored_row(self, reading: str) -> None:
        """A user asked as a query and a user as stored are one."""
        block, planted = self.subject.fitted(reading), world(dislikes=True)
        ties = planted.inputs.ties
        users = range(planted.train.n_users)
        asked = Queries.of(ties, [query_of(ties, user) for user in users])
        np.testing.assert_allclose(dense(block.encode(asked)), dense(block.users), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(dense(block.encode(Queries.stored(ties))), dense(block.users))
        computed = getattr(block, "computed", block.encode)(Queries.stored(ties))
        np.testing.assert_allclose(dense(computed), dense(block.users), rtol=1e-5, atol=1e-5)

    def test_saved_and_loaded_it_is_the_same(self, reading: str) -> None:
        """``from_arrays`` of ``arrays``, over safetensors and JSON."""
        block, planted = self.subject.fitted(reading), world(dislikes=True)
        arrays, settings = block.reweighted(0.7).arrays()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "block.safetensors"
            save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, file)
            loaded = self.block.Fitted.from_arrays(load_file(file), json.loads(json.dumps(settings)))
        assert (loaded.name, loaded.weight, loaded.reading) == (self.block.name, 0.7, block.reading)
        assert (loaded.prior, loaded.linear, loaded.shape) == (block.prior, block.linear, block.shape)
        for queries in (Queries.stored(planted.inputs.ties), anybody(planted)):
            np.testing.assert_array_equal(loaded.scores(queries), block.scores(queries))
            some = queries[np.arange(0, len(queries), 1 + len(queries) // 10)]
            for before, after in zip(accounts(block, some, 3), accounts(loaded, some, 3), strict=True):
                assert after == before

    def test_the_shares_sum_to_the_score(self, reading: str) -> None:
        """``effects`` leaves nothing out; the rest of a linear block is what it says of everybody."""
        block, planted = self.subject.fitted(reading), world(dislikes=True)
        asked = anybody(planted)
        for place in range(len(asked)):
            query = asked[np.array([place])]
            for item in (0, 5, planted.train.n_items - 1):
                effects, score = block.effects(query, item), float(block.score(query, item)[0])
                if effects is None:
                    assert not block.linear, "a linear block accounts for its scores"
                    continue
                assert set(effects.items.tolist()) <= set(row(query.seen, 0).tolist())
                assert set(effects.friends) <= set(query.friends.indices.tolist())
                theirs = [shares for _, shares in effects.friends.values()]
                found = float(sum(part.sum() for part in (effects.shares, *theirs)))
                size = 1 + float(sum(np.abs(part).sum() for part in (effects.shares, *theirs)))
                assert abs(found + effects.rest - score) < 1e-5 * size
                if block.linear or query.user_nums[0] < 0:  # nothing was learned of a stranger but their history
                    says = prior_part(block, query, item)
                    assert abs(effects.rest - says) < 1e-3 * size, f"{effects.rest} belongs to nothing"

    def test_all_ways_to_a_score_agree(self) -> None:
        """``scores``, ``score``, and the product of the two sides; float32 (B, I)."""
        block, planted = self.subject.fitted(self.readings[0]), world(dislikes=True)
        for queries in (Queries.stored(planted.inputs.ties), anybody(planted)):
            found, sides = block.scores(queries), dense(block.encode(queries))
            assert found.dtype == np.float32
            assert found.shape == (len(queries), planted.train.n_items)
            np.testing.assert_allclose(found, sides @ dense(block.items).T, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(found[:, 4], block.score(queries, 4), rtol=1e-4, atol=1e-4)
            some = queries[np.array([2, 0])]
            np.testing.assert_allclose(block.scores(some), found[[2, 0]], rtol=1e-4, atol=1e-4)
            deviation = found.std(axis=1)
            unit = weights_of(getattr(block, "bands", 1.0), queries.activity)
            assert (np.isclose(deviation, unit, atol=1e-3) | np.isclose(deviation, 0, atol=1e-3)).all()

    def test_somebody_unknown_is_as_one_of_whom_nothing_is_known(self) -> None:
        """A stranger has the row of a user without events; no query has no rows."""
        block, planted = self.subject.fitted(), world()
        ties = planted.inputs.ties
        strangers = dense(block.encode(Queries.of(ties, [Query(), Query(words="anything"), Query()])))
        nobody = planted.train.users.number(NOBODY)
        np.testing.assert_allclose(strangers, dense(block.users)[[nobody] * 3], rtol=1e-5, atol=1e-5)
        assert not len(block.scores(Queries.of(ties, [])))

    def test_one_item_is_a_history_and_order_and_name_are_none(self) -> None:
        """One item is enough, and the order of events changes nothing, unless the block says that it does."""
        block, planted = self.subject.fitted(), world()
        liked = planted.train.events.norms.liked
        histories = [[3], [3, 8, 8], [8, 3, 8], [planted.train.n_items - 1]]
        asked = [Query(items=np.array(h), strengths=np.full(len(h), liked, np.float32)) for h in histories]
        sides = dense(block.encode(Queries.of(planted.inputs.ties, asked)))
        assert np.isfinite(sides).all()
        if not self.block.ordered:
            np.testing.assert_array_equal(sides[1], sides[2])

    def test_dislikes_alone_are_a_history(self, reading: str) -> None:
        """Finite rows, and the stored ones, where somebody likes nothing."""
        for planted in (world(dislikes=True), exposed(), everything_disliked()):
            block = self.subject.fitted(reading, planted)
            whole(block, planted)
            known = Queries.of(planted.inputs.ties, [query_of(planted.inputs.ties, user) for user in range(8)])
            np.testing.assert_allclose(dense(block.encode(known)), dense(block.users)[:8], rtol=1e-5, atol=1e-5)
            hated = Query(items=np.array([1, 2]), strengths=np.array([-1, -0.5], np.float32))
            assert np.isfinite(block.scores(Queries.of(planted.inputs.ties, [hated]))).all()

    def test_it_takes_in_new_events_users_and_items(self) -> None:
        """``grown``, or a fit of a block that ``refits``: what was not touched stays."""
        (block, chosen), (ties, touched) = self.subject.tuned(), later(world())
        try:
            inputs = FitInputs(ties, None)
            grown = self.subject.made().fit(inputs, chosen) if self.block.refits else block.grown(ties, touched, None)
        except ConfigError as error:
            raise SkipTest(str(error)) from None
        assert (grown.name, grown.words, grown.weight) == (block.name, block.words, block.weight)
        assert grown.shape == (ties.data.n_users, ties.data.n_items)
        asked = Queries.of(ties, [query_of(ties, user) for user in touched.tolist()])
        np.testing.assert_allclose(dense(grown.encode(asked)), dense(grown.users)[touched], rtol=1e-5, atol=1e-5)
        if not (self.block.refits or block.learns):
            others = np.setdiff1d(np.arange(block.shape[0]), touched)
            before, after = scores(block, world())[others], grown.scores(Queries.stored(ties, others))
            np.testing.assert_allclose(after[:, : block.shape[1]], before, rtol=1e-5, atol=1e-5)
        if block.items.shape[1] != block.prior:
            new = grown.scores(Queries.stored(ties, touched[-1:]))
            assert new.std() > 0.5, "a new user of whom items are known has a row"

    # --- among others -------------------------------------------------------------------------------------------------

    def test_the_same_twice_and_no_generator_of_others_is_touched(self) -> None:
        """Equal bytes by the seed of the runtime."""
        before = generators()
        first, again = (self.subject.made().fit(world().inputs, self.subject.tuned()[1]).arrays() for _ in range(2))
        assert generators() == before, "draw from inputs.runtime.rng() or generator(), never from a global generator"
        assert first[1] == again[1]
        assert {n: a.tobytes() for n, a in first[0].items()} == {n: a.tobytes() for n, a in again[0].items()}

    def test_it_earns_a_weight_beside_noise_and_counts_as_much_as_that(self) -> None:
        """It ranks better than noise, and its scores have unit deviation."""
        planted, block = world(), self.subject.tuned()[0]
        rng = np.random.default_rng(0)
        sides = [rng.normal(size=(n, 8)).astype(np.float32) / 8**0.5 for n in block.shape]
        noise = ProfileBlock("noise", sides[0], sides[1])
        alone, chance = (planted.validation.ndcg_of(b.scores) for b in (block, noise))
        assert alone > chance + TELLING, "it ranks as noise does"
        weights, _ = blend([[noise], [block]], planted.folds)
        assert weights[block.name] > 0.5, weights
        query = Queries.stored(planted.inputs.ties, np.array([1]))
        half = Profiles((block,)).reweighted({block.name: 0.5})
        assert half.blocks[0].weight == 0.5
        np.testing.assert_allclose(half.contributions(query, 2)[block.name], 0.5 * block.score(query, 2)[0])

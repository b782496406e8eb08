"""The sequence block: the contract, its numpy twin, an order that is planted, gaps in time, and pieces of histories."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

import graphrec as gr
from graphrec.blocks._sequence_run import Run
from graphrec.blocks.api import Block, FitInputs, Folds
from graphrec.blocks.neighbours import Neighbours
from graphrec.blocks.sequence import Sequence, SequenceSettings
from graphrec.blocks.transitions import UNORDERED
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import split
from graphrec.evaluate.validation import Validation
from graphrec.explain.render import render
from graphrec.profile.api import FittedBlock
from graphrec.profile.sequential import GAPS, SequenceBlock, gap_kind, tokens_of
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from graphrec.testing import BlockContract
from graphrec.types import Ints

DAY = 86_400
QUICK = {
    "dim": 16,
    "layers": 1,
    "batch_size": 16,
    "learning_rate": 0.02,
    "max_epochs": 40,
    "evaluations": 4,
    "pilot": False,
}


class TestSequence(BlockContract):
    block = Sequence
    settings = {**QUICK, "max_epochs": 20, "dropout": [0.1]}  # noqa: RUF012 (read only)
    telling = {"dropout": [0.1, 0.95]}  # noqa: RUF012 (read only)


def chains(shuffled: bool = False, n_users: int = 120, timed: bool = True) -> Dataset:
    """Four groups, one after another in any order: A, B, C or B, A, D. Everybody takes A and B of each, so what comes
    together tells nothing of whether C or D follows: their order does. The last of every second user is held out."""
    random = np.random.default_rng(0)
    rows: list[tuple[str, str, int, int]] = []
    for user in range(n_users):
        taken = []
        for group in random.permutation(4).tolist():
            one, other, last = ("a", "b", "c") if random.random() < 0.5 else ("b", "a", "d")
            taken += [f"{one}{group}", f"{other}{group}", f"{last}{group}"]
        known = random.permutation(taken[:-1]).tolist() if shuffled else taken[:-1]
        for n, item in enumerate([*known, taken[-1]]):
            rows.append(
                (f"u{user:03d}", item, (1000 + n) * DAY, (TRAIN, VALID, TRAIN, TEST)[user % 4] if n == 11 else TRAIN)
            )
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"])
    return build("chains", frame if timed else frame.drop(columns="timestamp"))


def held_out(data: Dataset, block: Block[Any]) -> float:
    """NDCG of what follows."""
    parts = split(data, SplitConfig(kind="given"), 0)
    inputs = FitInputs(Ties(parts.train), None)
    validation = Validation(inputs.ties, parts.valid, 10)
    return validation.ndcg_of(block.tune(Folds.of(inputs, validation))[0][0].scores)


def asked(items: list[int], times: Ints) -> Query:
    return Query(items=np.array(items, np.int64), strengths=np.ones(len(items), np.float32), times=times)


def sequence(**settings: Any) -> Sequence:
    return Sequence(SequenceSettings.model_validate({**QUICK, **settings}))


def fitted(data: Dataset, **changes: Any) -> tuple[Run, SequenceBlock]:
    run = Run(FitInputs(Ties(data), None), sequence(**changes).settings, 0.1)
    run.train(2, None)
    return run, run.block()


def test_an_order_that_is_planted_is_found_and_gone_when_shuffled() -> None:
    told = {shuffled: held_out(chains(shuffled), sequence()) for shuffled in (False, True)}
    assert told[False] > 0.95
    assert told[False] > 1.15 * max(told[True], held_out(chains(), Neighbours()))


def test_the_other_loss_finds_it_too() -> None:
    assert held_out(chains(), sequence(loss="gbce")) > 0.9


@pytest.mark.parametrize("timed", [True, False])
def test_numpy_and_torch_agree(timed: bool) -> None:
    data = chains(timed=timed)
    run, block = fitted(data, layers=2, length=6)
    assert ("before.weight" in block.network) == timed
    ties = Ties(data)
    histories = [[], [3], [3, 4, 5], list(range(9))]
    asked = [
        Query(
            items=np.array(h, np.int64),
            strengths=np.ones(len(h), np.float32),
            times=900 * DAY + DAY * np.arange(len(h)),
        )
        for h in histories
    ]
    queries = Queries.of(ties, asked)
    with torch.no_grad():
        expected = run.states(run.tokens(queries))
    found, attention = block.states(queries)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    assert (attention[1, 2:] == 0).all()  # nothing is attended to that is not there


def test_the_moment_of_asking_counts_where_gaps_are_read() -> None:
    data = chains()
    block = fitted(data)[1]
    network = {**block.network, "until.weight": np.random.default_rng(0).normal(size=(GAPS, 16)).astype(np.float32)}
    told = SequenceBlock("sequence", block.users, block.items, prior=1, network=network, heads=2, length=9)
    soon, late = (
        Queries.of(Ties(data), [replace(asked([1, 2], np.array([DAY, 2 * DAY])), now=now)])
        for now in (2 * DAY + 60, 900 * DAY)
    )
    assert np.abs(told.encode(soon) - told.encode(late)).max() > 0.1
    stored = Queries(Ties(data), np.array([0]), moments=np.array([1010 * DAY]))
    later = Queries(Ties(data), np.array([0]), moments=np.array([9000 * DAY]))
    assert np.abs(told.encode(stored) - told.encode(later)).max() > 0.1


def test_kinds_of_gaps_are_their_orders_of_magnitude() -> None:
    assert gap_kind(np.array([-5, 0, 1, 2, 3, DAY, 10**18])).tolist() == [1, 1, 2, 2, 3, 17, GAPS - 1]


def test_tokens_stand_from_the_left_with_the_gaps_on_both_sides() -> None:
    items, times = np.array([[-1, 4, 2], [-1, -1, -1]]), np.array([[0, 10, 13], [0, 0, 0]])
    found = tokens_of(items, times, np.array([14, 99]), 7)
    assert found.items.tolist() == [[7, 4, 2], [7, 7, 7]]
    assert found.lengths.tolist() == [3, 1]
    assert found.before is not None
    assert found.until is not None
    assert found.before.tolist() == [[0, 0, 3], [0, 0, 0]]
    assert found.until.tolist() == [[0, 3, 2], [0, 0, 0]]


@pytest.mark.parametrize("length", [1, 3, 20])
def test_pieces_of_histories_ask_for_every_event_once_at_most(length: int) -> None:
    """Each place asks for what follows in its own history, and of a long one nothing is asked for twice."""
    data = chains(n_users=9)
    run = fitted(data, length=length)[0]
    follows: dict[int, set[int]] = {}
    for user in range(9):
        own = run.history.last(np.array([user])).items[0].tolist()
        for one, other in zip([data.n_items, *own], own, strict=False):
            follows.setdefault(one, set()).add(other)
    told = 0
    for piece in run._batches():
        for read, after in zip(piece.tokens.items, piece.following, strict=True):
            for one, other in zip(read.tolist(), after.tolist(), strict=True):
                if other >= 0:
                    told += 1
                    assert other in follows[one]
    assert 9 * 10 <= told <= 9 * 12
    if length == 20:
        assert told == 9 * 12


def test_it_sits_out_where_nothing_tells_an_order() -> None:
    rows = [(f"u{u}", f"i{i}") for u in range(12) for i in range(u % 5, 9)]
    data = build("set", pd.DataFrame(rows, columns=["user_id", "item_id"]))
    inputs = FitInputs(Ties(data), None)
    (block,), chosen = Sequence().tune(Folds.of(inputs, Validation(inputs.ties, data, 5)))
    assert chosen["left_out"] == UNORDERED
    assert isinstance(block, FittedBlock)
    assert block.empty


class _Killed(Exception):
    pass


def test_a_block_that_was_killed_chooses_and_learns_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = split(chains(n_users=24), SplitConfig(kind="given"), 0)
    settings: dict[str, Any] = {"max_epochs": 6, "evaluations": 6}

    def made(work: Path | None) -> tuple[SequenceBlock, SequenceBlock, Any]:
        plain = FitInputs(Ties(parts.train), None)
        inputs = replace(plain, runtime=replace(plain.runtime, work=work))
        block = sequence(**settings)
        chosen_block, chosen = block.choose(Folds.of(inputs, Validation(inputs.ties, parts.valid, 10)))
        return chosen_block, block.learn(inputs, chosen), chosen

    whole = made(None)
    monkeypatch.setattr("graphrec.train.checkpoint.Checkpoint.due", lambda _: True)
    epoch, seen = Run.epoch, 0

    def dying(self: Run, number: int) -> float:
        nonlocal seen
        seen += 1
        if seen in (4, 9):  # while it chooses, and while it learns
            raise _Killed
        return epoch(self, number)

    monkeypatch.setattr(Run, "epoch", dying)
    for _ in range(2):
        with pytest.raises(_Killed):
            made(tmp_path)
    again = made(tmp_path)
    assert again[2] == whole[2]
    assert seen == 2 + settings["max_epochs"] + whole[2]["epochs"]  # none was run twice but those that died
    for one, other in zip(whole[:2], again[:2], strict=True):
        assert one.items.tobytes() == other.items.tobytes()
        assert one.users.tobytes() == other.users.tobytes()


def test_where_it_looks_is_told_beside_a_score() -> None:
    quick = {"blocks": ["sequence"], "features": {"enabled": False}, "kg": {"enabled": False}}
    config = gr.Config().with_(**quick, sequence={**QUICK, "max_epochs": 1, "evaluations": 1})
    model = gr.Recommender(config).fit(chains(n_users=40))
    items = model.fitted.data.items.ids
    one = Queries.stored(model.fitted.ties, np.array([0]))
    block: Any = model.fitted.profiles["sequence"]
    told = model.explain(model.fitted.data.users.ids[0], items[0], limit=3)
    read = one.ordered(block.length, liked=True).items[0].tolist()
    expected = {items[item]: float(share) for item, share in zip(read, block.states(one)[1][0, 1:], strict=True)}
    best = sorted(expected, key=lambda item: -expected[item])[:3]
    assert [each["item_id"] for each in told.to_json()["attention"]] == best
    assert [each.share for each in told.attention] == pytest.approx([expected[item] for item in best])
    assert 0 < sum(expected.values()) < 1, "the start has the rest"
    shown = Console(file=StringIO(), width=200)
    shown.print(render(told))
    assert f'it looks at "{told.attention[0].title}" (' in shown.file.getvalue()  # type: ignore[attr-defined]

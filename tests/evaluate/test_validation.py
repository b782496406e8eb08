"""Validation users: who is drawn, what is measured, and that nothing but train and valid matters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.errors import DataError
from graphrec.evaluate.ranking import EmbeddingScorer, evaluate
from graphrec.evaluate.validation import MIN_USERS, Validation
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from tests.worlds import two_tastes


def parts(data: Dataset) -> tuple[Dataset, Dataset]:
    assert data.parts is not None
    return data.subset(data.parts == TRAIN), data.subset(data.parts == VALID)


def partly_cold(n_warm: int, n_cold: int) -> tuple[Dataset, Dataset]:
    """Users with one training and one validation item each, then users with a validation item only."""
    rows = [(f"w{u:03d}", item, part) for u in range(n_warm) for item, part in (("a", TRAIN), ("b", VALID))]
    rows += [(f"x{u:03d}", "b", VALID) for u in range(n_cold)]
    rows += [("y", "c", TRAIN), ("z", "c", TEST)]
    return parts(build("partly cold", pd.DataFrame(rows, columns=["user_id", "item_id", "part"])))


def test_rows_belong_to_the_users() -> None:
    train, valid = parts(two_tastes())
    validation = Validation(train, valid, users=7)
    user_nums = validation.queries.user_nums
    assert len(validation) == len(user_nums) == 7
    assert (np.diff(user_nums) > 0).all()
    assert np.array_equal(validation.seen.toarray(), train.matrix()[user_nums].toarray())
    assert np.array_equal(validation.truth.toarray(), valid.matrix()[user_nums].toarray())


def test_draw_is_seeded_and_at_most_all() -> None:
    train, valid = parts(two_tastes())
    drawn = [Validation(train, valid, users=20, seed=seed).queries.user_nums.tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert Validation(train, valid, users=1000).queries.user_nums.tolist() == list(range(60))


@pytest.mark.parametrize("n_warm", [MIN_USERS, MIN_USERS - 1])
def test_users_without_history_count_only_where_others_are_few(n_warm: int) -> None:
    validation = Validation(*partly_cold(n_warm, 5))
    assert len(validation) == (n_warm if n_warm == MIN_USERS else n_warm + 5)


def test_known_answers_do_not_count() -> None:
    """A validation item that is in the training part too is neither ranked nor relevant."""
    train, _ = parts(two_tastes())
    assert len(Validation(train, train)) == 0


def test_equal_to_evaluate() -> None:
    train, valid = parts(two_tastes())
    random = np.random.default_rng(0)
    users, items = (random.standard_normal((n, 4)).astype(np.float32) for n in (train.n_users, train.n_items))
    validation = Validation(train, valid, k=5, users=31)
    scorer = EmbeddingScorer(users, items)
    report = evaluate(scorer, Queries.stored(Ties(train)), valid.matrix(), (5,))
    user_nums = validation.queries.user_nums
    expected = report.per_user["ndcg@5"][np.isin(report.user_nums, user_nums)]
    own = users[user_nums]
    assert validation.per_user_ndcg(own, items) == pytest.approx(expected, abs=1e-6)
    assert validation.per_user_ndcg_of(scorer.scores) == pytest.approx(expected, abs=1e-6)
    assert validation.ndcg(own, items) == pytest.approx(expected.mean(), abs=1e-6)
    assert validation.ndcg_of(scorer.scores) == pytest.approx(expected.mean(), abs=1e-6)
    n_items, best = train.n_items, validation.best(scorer.scores, 6)
    items = np.sort(np.where(best < 0, n_items, best), axis=1)
    among = validation.among(np.where(items < n_items, items, -1))
    scores = scorer.scores(validation.queries[among.users])
    found = among.per_user_ndcg(np.take_along_axis(scores, np.maximum(among.items, 0), axis=1))
    assert found == pytest.approx(expected, abs=1e-6)
    assert 0 < len(among.users) < len(validation)


def test_history_is_left_out_of_the_ranking() -> None:
    """Scores that put the history first and the answer next give NDCG 1."""
    train, valid = parts(two_tastes())
    wanted = 2 * train.matrix().toarray() + valid.matrix().toarray()  # (U, I)
    assert Validation(train, valid, k=1).ndcg_of(lambda queries: wanted[queries.user_nums]) == 1.0


def test_nobody_to_validate_on_gives_zero() -> None:
    train, valid = parts(two_tastes())
    empty = valid.subset(np.zeros(len(valid.interactions), dtype=bool))
    validation = Validation(train, empty)
    assert validation.ndcg(np.zeros((0, 2), np.float32), np.zeros((train.n_items, 2), np.float32)) == 0.0


def test_rows_of_all_users_are_refused() -> None:
    train, valid = parts(two_tastes())
    with pytest.raises(DataError, match="60 user rows for 9 validation users"):
        Validation(train, valid, users=9).ndcg(np.zeros((60, 2), np.float32), np.zeros((40, 2), np.float32))

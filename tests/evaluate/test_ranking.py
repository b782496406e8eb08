"""Full ranking: against a naive twin, with ties, whatever the batch size, and never a seen item."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphrec.data.events import Events
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.evaluate import metrics
from graphrec.evaluate.best import top_k
from graphrec.evaluate.ranking import BLOCK, EmbeddingScorer, evaluate, new_items, ranked
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats
from tests.conftest import examples
from tests.explain.world import random_world
from tests.reference import naive_auc, naive_list_measures, naive_metrics, naive_ranking


@dataclass
class TableScorer:
    """Scores from a table (U, I); remembers how it was asked."""

    table: npt.NDArray[np.float32]
    asked: list[int] = field(default_factory=list)

    def scores(self, queries: Queries) -> Floats:
        self.asked.append(len(queries))
        out: Floats = self.table[queries.user_nums]
        return out


def csr(rows: list[list[int]] | npt.NDArray[np.generic]) -> sp.csr_matrix:
    return sp.csr_matrix(np.array(rows, np.float32))


def who_took(rows: list[list[int]] | npt.NDArray[np.generic] | sp.csr_matrix) -> Queries:
    """Users who took what the rows (U, I) mark."""
    marks = sp.csr_matrix(rows)
    users, items = (nums.astype(np.int64) for nums in marks.nonzero())
    return Queries.stored(Ties(replace(random_world(0, *marks.shape), events=Events.of(users, items))))


SCORES = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 0.5, 2.0])  # few values: many ties


@st.composite
def cases(draw: st.DrawFn) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 9)))
    scores = draw(hnp.arrays(np.float32, shape, elements=SCORES))
    marks = hnp.arrays(np.int8, shape, elements=st.integers(0, 1))
    return scores, draw(marks), draw(marks)


@given(cases(), st.sets(st.integers(1, 12), min_size=1, max_size=3))
@examples(150)
def test_equal_to_naive_twin(
    case: tuple[npt.NDArray[np.float32], npt.NDArray[np.int8], npt.NDArray[np.int8]], ks: set[int]
) -> None:
    """Ties, empty histories, one-item catalogues, k beyond the catalogue, users who have seen everything."""
    scores, seen, truth = case
    histories = [set(np.flatnonzero(row).tolist()) for row in seen]
    relevant = [set(np.flatnonzero(row).tolist()) - own for row, own in zip(truth, histories, strict=True)]
    users = [u for u, own in enumerate(relevant) if own]
    if not users:
        with pytest.raises(EmptyDataError):
            evaluate(TableScorer(scores), who_took(seen), csr(truth), sorted(ks))
        return
    report = evaluate(TableScorer(scores), who_took(seen), csr(truth), sorted(ks))
    assert report.user_nums.tolist() == users
    rankings = [naive_ranking(scores[u].tolist(), histories[u], max(ks)) for u in users]
    expected: dict[str, list[float]] = {
        "auc": [naive_auc(scores[u].tolist(), histories[u], relevant[u]) for u in users]
    }
    for k in ks:
        each = [naive_metrics(ranking, relevant[u], k) for u, ranking in zip(users, rankings, strict=True)]
        expected.update({name: [found[name] for found in each] for name in each[0]})
        lists = naive_list_measures(rankings, seen.sum(axis=0).tolist(), len(scores), k)
        assert {name: report.metrics[name] for name in lists} == pytest.approx(lists, abs=1e-6)
    assert report.per_user.keys() == expected.keys()
    for name, values in expected.items():
        assert report.per_user[name].dtype == np.float32
        assert report.per_user[name] == pytest.approx(values, abs=1e-6), name
        assert report.metrics[name] == pytest.approx(np.mean(values), abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 256, 1000])
def test_batch_size_changes_no_bit(batch_size: int) -> None:
    random = np.random.default_rng(3)
    users, items = (random.standard_normal((n, 33)).astype(np.float32) for n in (700, 500))
    items[250:] = items[:250]  # ties throughout
    seen, truth = (csr(random.random((700, 500)) < density) for density in (0.05, 0.02))
    expected = evaluate(EmbeddingScorer(users, items), who_took(seen), truth, (5, 20))
    report = evaluate(EmbeddingScorer(users, items), who_took(seen), truth, (5, 20), batch_size=batch_size)
    assert report.metrics == expected.metrics
    assert np.array_equal(report.user_nums, expected.user_nums)
    for name, values in expected.per_user.items():
        assert np.array_equal(report.per_user[name], values), name


def test_scorer_is_asked_for_blocks_of_one_size() -> None:
    table = TableScorer(np.zeros((BLOCK + 3, 2), np.float32))
    evaluate(table, who_took(np.zeros((BLOCK + 3, 2))), csr(np.ones((BLOCK + 3, 2))), (1,), batch_size=10)
    assert table.asked == [BLOCK, BLOCK]


@pytest.mark.parametrize(("batch_size", "scores", "sizes"), [(200, 2**25, [1] * 3), (1000, 11 * BLOCK, [2, 1])])
def test_only_a_batch_is_held(batch_size: int, scores: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.evaluate.ranking.HELD", scores)
    n = 3 * BLOCK
    nothing = csr(np.zeros((n, 4)))
    batches = ranked(lambda rows: np.ones((len(rows), 4), np.float32), n, nothing, 2, batch_size)
    assert [len(masked) for _, masked, _ in batches] == [BLOCK * size for size in sizes]


def test_seen_items_never_appear() -> None:
    """Even where they score highest, and where nothing else is left."""
    seen = csr([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]])
    table = np.tile(np.array([9, 8, 2, 1], np.float32), (3, 1))
    ((_, _, items),) = ranked(lambda rows: table[rows], 3, seen, 4)
    assert items.tolist() == [[2, 3, -1, -1], [0, 1, 2, 3], [-1, -1, -1, -1]]


def test_truth_that_was_seen_does_not_count() -> None:
    assert new_items(csr([[1, 1, 0], [2, 0, 0]]), csr([[1, 0, 0], [5, 0, 0]])).toarray().tolist() == [
        [0, 1, 0],
        [0, 0, 0],
    ]


def test_scores_of_the_scorer_are_not_written_to() -> None:
    table = np.arange(6, dtype=np.float32).reshape(2, 3)

    class Whole:
        def scores(self, queries: Queries) -> Floats:
            return np.broadcast_to(table[0], (len(queries), 3))  # a read-only view of the scorer's own

    evaluate(Whole(), who_took(np.eye(2, 3)), csr([[0, 1, 1], [1, 0, 0]]))
    assert table.tolist() == [[0, 1, 2], [3, 4, 5]]


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=SCORES), st.integers(1, 45))
def test_top_k_breaks_ties_by_item_number(scores: npt.NDArray[np.float32], k: int) -> None:
    found = top_k(scores, k)
    for row, items in zip(scores, found, strict=True):
        expected = naive_ranking(row.tolist(), set(), k)
        assert items.tolist() == expected + [-1] * (min(k, len(row)) - len(expected))


def test_auc_by_hand() -> None:
    """Unseen scores 3 > 2 = 2 > 1; the relevant are one of the 2s and the 1: (0 + ½ + 0 + 0) of 4 pairs."""
    scores = np.array([[-np.inf, 3, 2, 2, 1]], np.float32)
    assert metrics.auc(scores, csr([[0, 0, 1, 0, 1]]), np.array([4])) == pytest.approx([0.125])


def test_novelty_uses_the_popularity_given() -> None:
    report = evaluate(
        TableScorer(np.array([[2, 1]] * 4, np.float32)),
        who_took([[0, 0], [0, 1], [0, 1], [0, 1]]),
        csr(np.ones((4, 2))),
        (1,),
        popularity=np.array([2, 4]),
    )
    assert report.metrics["novelty@1"] == pytest.approx(1.0)


def test_auc_can_be_left_out() -> None:
    report = evaluate(
        TableScorer(np.eye(2, dtype=np.float32)), who_took(np.zeros((2, 2))), csr(np.eye(2)), (1,), auc=False
    )
    assert "auc" not in report.metrics | report.per_user
    assert report.metrics["recall@1"] == 1


@pytest.mark.parametrize(("row", "item"), [(0, 1), (0, 0), (1, 2)])  # a candidate, a seen item, a padded block's last
def test_nan_scores_are_an_error(row: int, item: int) -> None:
    table = np.ones((2, 3), np.float32)
    table[row, item] = np.nan
    with pytest.raises(DataError, match="NaN"):
        evaluate(TableScorer(table), who_took([[1, 0, 0], [0, 0, 0]]), csr([[0, 1, 0], [1, 1, 1]]), (1,))


def test_wrong_shapes_are_an_error() -> None:
    with pytest.raises(DataError, match=r"shape \(256, 2\)"):
        evaluate(TableScorer(np.ones((1, 2), np.float32)), who_took([[0, 0, 0]]), csr([[1, 0, 0]]))
    with pytest.raises(DataError, match="same vocabularies"):
        evaluate(TableScorer(np.ones((1, 2), np.float32)), who_took([[0, 0, 0]]), csr([[1, 0]]))


@pytest.mark.parametrize(("ks", "batch_size"), [((0,), 1), ((), 1), ((1,), 0)])
def test_impossible_settings_are_an_error(ks: tuple[int, ...], batch_size: int) -> None:
    with pytest.raises(ConfigError):
        evaluate(TableScorer(np.ones((1, 1), np.float32)), who_took([[0]]), csr([[1]]), ks, batch_size)


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(TableScorer(np.ones((1, 2), np.float32)), who_took([[0, 0]]), csr([[1, 0]]), (1,), progress=True)
    assert capsys.readouterr().out == ""

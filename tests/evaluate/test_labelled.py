"""Labels told from profiles: planted ones are, sureness is what it says, and what may not be told is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError, DataError
from graphrec.evaluate.labelled import Labelled, Likeness, Probe, Told, interactions, surmised
from graphrec.types import Floats, Ints


def people(n: int = 600, apart: float = 1.0, rare: float = 0.2, seed: int = 0) -> tuple[Floats, Ints]:
    """Rows of two labels, ``rare`` of the second, whose means lie ``apart`` deviations from each other."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < rare).astype(np.int64)
    return random.normal(size=(n, 6)) + apart * labels[:, None] / 6**0.5, labels


def said(values: dict[str, str], key: str = "plan") -> Dataset:
    table = pd.DataFrame([(u, key, v) for u, v in values.items()], columns=["user_id", "key", "value"])
    events = pd.DataFrame([(u, "i") for u in values], columns=["user_id", "item_id"])
    return build("said", events, user_attributes=table)


def test_a_planted_label_is_told_and_noise_is_not() -> None:
    rows, labels = people(apart=3.0)
    others, truth = people(apart=3.0, seed=1)
    assert Probe(rows, labels).tell(others).balanced(truth) > 0.85
    assert Likeness.prototypes(rows, labels, 10).tell(others).balanced(truth) > 0.8
    noise, truth = people(apart=0.0, seed=2)
    found = Probe(people(apart=0.0)[0], labels).tell(noise)
    assert found.balanced(truth) < 0.6


def test_sureness_is_what_it_says_and_the_surest_are_right_most() -> None:
    rows, labels = people(2000, apart=1.5)
    others, truth = people(4000, apart=1.5, seed=1)
    for teller in (Probe(rows, labels), Likeness.prototypes(rows, labels, 20)):
        found = teller.tell(others)
        assert found.error(truth) < 0.05
        (_, everybody), (bound, surest) = found.abstaining(truth, [1.0, 0.3])
        assert surest > everybody + 0.05
        assert bound == pytest.approx(np.sort(found.sure)[-1200])


def test_figures_by_hand() -> None:
    told = Told(np.array([0, 0, 1, 1]), np.array([0.95, 0.95, 0.65, 0.65]))
    truth = np.array([0, 1, 1, 1])
    assert told.balanced(truth) == pytest.approx((1 + 2 / 3) / 2)
    assert told.error(truth) == pytest.approx(0.5 * abs(0.5 - 0.95) + 0.5 * abs(1 - 0.65))
    assert told.abstaining(truth, [0.5]) == [(0.95, 0.5)]
    usual = np.array([0.9, 0.1])
    assert Told.of(np.array([[0.8, 0.2]]), usual).labels.tolist() == [1], "more than people have it"


def test_strength_is_chosen_on_people_not_learned_from() -> None:
    random = np.random.default_rng(0)
    rows, labels = people(200, apart=2.0)
    wide = np.hstack([rows, random.normal(size=(200, 400))])
    probe = Probe(wide, labels)
    assert probe.strength < 10, "learned by heart it would look perfect"
    assert probe.worth < 0.95


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({f"u{n}": "a" for n in range(30)}, "all 30 are 'a'"),
        ({f"u{n}": f"v{n}" for n in range(30)}, "none is"),
        ({f"u{n}": "a" if n else "b" for n in range(30)}, "two values"),
    ],
)
def test_a_label_that_all_have_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Labelled.of(said(values), "plan")


def test_nothing_sensitive_is_told_unless_it_is_named() -> None:
    data = said({f"u{n:02d}": "F" if n % 2 else "M" for n in range(40)}, "gender")
    with pytest.raises(ConfigError, match="sensitive"):
        Labelled.of(data, "gender")
    found = Labelled.of(data, "gender", allow=["gender"])
    assert (found.classes, len(found.users)) == (("F", "M"), 40)
    assert found.labels.tolist() == [n % 2 == 0 for n in range(40)]
    with pytest.raises(DataError, match="there are gender"):
        Labelled.of(data, "age")


def test_interactions_are_unit_rows_in_which_rare_items_count_more() -> None:
    found = interactions(sp.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32))).toarray()
    assert found[0, 1] > found[0, 0] > 0
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 0])


def test_what_is_surmised_of_somebody_is_told_by_others() -> None:
    rows, labels = people(apart=3.0)
    found = surmised(rows, labels)
    assert found.shape == (600, 3)
    np.testing.assert_array_equal(found[:, 1], labels)
    assert np.mean((found[:, 2] > 0) == labels) > 0.85
    noise = np.random.default_rng(1).normal(size=(600, 900))  # where a regression knows its own people by heart
    assert abs(np.corrcoef(surmised(noise, labels)[:, 2], labels)[0, 1]) < 0.2
    assert surmised(rows, np.arange(600) % 3).shape == (600, 6)


def test_labels_that_are_all_alike_are_refused_in_one_line() -> None:
    with pytest.raises(DataError, match=r"labels of \[40\] people; two labels of 5 people each") as caught:
        Probe(np.eye(40), np.zeros(40, np.int64))
    assert "\n" not in str(caught.value)


def test_people_of_one_label_calibrate_nothing() -> None:
    rows, labels = people(40, rare=0.5)
    for wrong in (np.zeros(40, np.int64), labels[:0]):
        with pytest.raises(DataError, match="people of two labels are needed"):
            Likeness(rows[:2], rows[: len(wrong)], wrong)
    with pytest.raises(DataError, match="people of two labels are needed"):
        Likeness.prototypes(rows, labels, 40)  # nobody is left to calibrate

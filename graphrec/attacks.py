"""What a model gives away of the people whom it learned from: attacks as measures, for ``evaluate --privacy``.

Membership: models learn anew, as this one did and with its choices, each from half of its people as drawn
(``evaluate.membership``). Attributes: a probe tells them from profiles, from what people took and from the lists that
they are given (``evaluate.leakage``). Both are bounded, and what is beyond the bounds is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.data.erased import without
from graphrec.errors import ConfigError, DataError
from graphrec.evaluate.labelled import FEWEST
from graphrec.evaluate.leakage import labelled, leaks, probed_of
from graphrec.evaluate.membership import ASKED, IN, LISTS, OUT, States, answers, artifact, membership
from graphrec.evaluate.ranking import Scorer, Task, ranked
from graphrec.fit import Fitting, learn
from graphrec.linalg.sums import SUMS
from graphrec.model.model import Model
from graphrec.private import PRIVATE, fitted
from graphrec.query.query import Queries
from graphrec.runtime import Runtime
from graphrec.types import Ints

MODELS = 8  # that learn anew
PEOPLE = 1000  # who are told apart, at most
LEAST = 2 * FEWEST  # people, below which nobody can be told apart
LABELS = 24  # values of an attribute that a probe tells apart at most


def attacked(model: Model, models: int = MODELS, people: int = PEOPLE) -> dict[str, Any]:
    """Membership inference against a way of learning: that of ``model``, with its settings, choices and people.

    Returns ``{"models", "people", "left_out", "k", "asked", "rows"}``: ``left_out`` took a single thing, or were beyond
    ``people``; rows as in ``membership``. Raises DataError for too few people, ConfigError for a model of several
    parties.
    """
    drawn = drawn_of(model, people)
    states = halves(model.data.n_users, models, model.config.seed)
    shown = []
    for state in states:
        half = learned_of(model, np.flatnonzero(state == OUT))
        shown.append(shows(half, model, drawn))
    rows = membership(shown, states[:, drawn], seed=model.config.seed)
    left = model.data.n_users - len(drawn)
    return {"models": models, "people": len(drawn), "left_out": left, "k": LISTS, "asked": ASKED, "rows": rows}


def drawn_of(model: Model, people: int) -> Ints:
    """Users who are told apart: drawn among those who took two things. Raises DataError for too few."""
    able = np.flatnonzero(np.diff(model.ties.known.indptr) > 1)
    if len(able) < LEAST:
        raise DataError(
            f"{len(able)} people took two things, and {LEAST} are needed to tell members apart; bring more people"
        )
    return np.sort(np.random.default_rng(model.config.seed).permutation(able)[:people]).astype(np.int64)


def halves(n_users: int, models: int, seed: int) -> States:
    """Whom each model learns from, int8 (M, U): each person with probability ½, whatever the others."""
    return np.where(np.random.default_rng(seed + 1).random((models, n_users)) < 0.5, IN, OUT).astype(np.int8)


def learned_of(model: Model, outside: Ints) -> Model:
    """A model of the same data without some users, learned anew as this one was. Raises ConfigError for one of several
    parties."""
    if SUMS in model.chosen and PRIVATE not in model.chosen:
        raise ConfigError("a model of several parties is not learned anew here; measure one party's own with --privacy")
    config, data = model.config, without(model.data, outside)
    if config.fair.clear:
        config = config.with_(fair={"clear": ()})  # it changes people's sides alone, and may need what is not there
    fitting = Fitting(config, Runtime.of(config.runtime, config.seed, False, None), model.encoder)
    return fitted(data, fitting, model) if PRIVATE in model.chosen else learn(data, model.chosen, fitting)


def shows(half: Model, model: Model, drawn: Ints) -> dict[str, dict[str, Any]]:
    """What a model shows of users of another one, whose items it has, by the items that they took."""
    taken = sp.csr_matrix(model.ties.known[drawn])
    found = answers(half, half.ties, taken, model.config.seed)
    return {"artifact": artifact(half.profiles, taken), "answers": {"lists": found}}


def privacy(
    model: Model, scorer: Scorer, known: Dataset, probe: Sequence[str] = (), told: Dataset | None = None
) -> dict[str, Any]:
    """The fields ``leakage`` and ``privacy`` of an `evaluate` document: every attribute that can be told is probed.

    Args:
        scorer: what answers are made with. known: the data of the model, with the attributes of its people; ``told``:
            other data that has them. probe: attributes that are asked for by name.
    """
    names, left = attributes_of(known, told)
    asked = probed_of([*probe, *names], model.config.fair, known, told)
    k = max(model.config.evaluate.k)
    found = leaks(model.profiles, model.ties, asked, told or known, model.config.seed, lists_of(scorer, model, k))
    own = {name: why for name, why in left.items() if name not in asked}
    return {**found, "privacy": {"membership": attacked(model), "k": k, "not_probed": own}}


def attributes_of(known: Dataset, told: Dataset | None = None) -> tuple[list[str], dict[str, str]]:
    """The attributes of people that a probe can tell, sensitive ones too, for measuring alone; and why not others."""
    names, left = list[str](), dict[str, str]()
    tables = [data.user_attributes for data in (known, told) if data is not None]
    for name in sorted({str(key) for table in tables for key in table["key"].unique()}):
        try:
            found = labelled(known, name, told, [name])
        except DataError as error:
            left[name] = str(error)
            continue
        if len(found.classes) > LABELS:
            left[name] = f"{len(found.classes)} values, and {LABELS} at most are told apart"
        else:
            names.append(name)
    return names, left


def lists_of(scorer: Scorer, model: Model, k: int) -> Callable[[Ints], sp.csr_matrix]:
    """Which items users (n,) are shown, binary CSR (n, I), in lists of ``k`` as they are answered."""

    def lists(users: Ints) -> sp.csr_matrix:
        task, queries = Task.of(model.config), Queries.stored(model.ties, users)
        seen = task.known(queries.seen)
        found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for rows, _, items in ranked(
            lambda places: scorer.scores(queries[places]), len(users), seen, k, only=task.only
        ):
            there = items >= 0
            found[0].append(np.repeat(np.arange(rows.start, rows.stop), there.sum(axis=1)))
            found[1].append(items[there])
        mine, items_ = (np.concatenate(parts) for parts in found)
        return sp.csr_matrix((np.ones(len(mine), np.float32), (mine, items_)), seen.shape)

    return lists

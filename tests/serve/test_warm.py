"""Before a service says that it is ready it has built what the first questions need."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphrec
from graphrec.model.model import Model
from graphrec.model.retrieve import ranked
from tests.serve.support import ask, fitted, service_of, serving


def unbuilt(thing: Any) -> set[str]:
    """What an object and its parts build when they are first asked for it, and have not built."""
    out, known, left = set[str](), set[int](), [thing]
    while left:
        one = left.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, list | tuple | dict):
            left += list(one.values() if isinstance(one, dict) else one)[:20]
        elif type(one).__module__.startswith(("graphrec", "kg")):
            names = {name: of for kind in type(one).__mro__ for name, of in vars(kind).items()}
            lazy = {name for name, of in names.items() if isinstance(of, cached_property)}
            out |= {f"{type(one).__name__}.{name}" for name in lazy - set(getattr(one, "__dict__", {}))}
            left += getattr(one, "__dict__", {}).values()
    return out


def kept(model: Model) -> tuple[set[bool], set[str]]:
    """The histories and tastes that are made."""
    return set(model.ties._timelines), set(model.ties._tastes)


def test_the_first_questions_build_nothing(tmp_path: Path) -> None:
    fitted().save(tmp_path / "model")
    with serving(graphrec.load(tmp_path / "model").fitted) as client:
        model = service_of(client).state.current.model
        before, made = unbuilt(model), kept(model)
        user, items = model.data.users.ids[9], model.data.items.ids
        ask(client, "/recommend", history=",".join(items[:3]))
        shown = ask(client, "/recommend", user_id=user)["items"][0]["item_id"]
        ask(client, "/explain", user_id=user, item_id=shown)
        ask(client, "/similar", item_id=items[0])
        assert before - unbuilt(model) == set()
        assert made == kept(model)


def test_who_cannot_explain_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Model, "explain", breaks)
    with serving() as client:
        assert ask(client, "/recommend", user_id=fitted().fitted.data.users.ids[9])["items"]


@pytest.mark.parametrize("k", [1, 3, 7, 40])
def test_the_best_are_those_of_a_whole_sort(k: int) -> None:
    random = np.random.default_rng(k)
    scores = random.integers(0, 5, 30).astype(np.float32)  # many level
    allowed, gone = random.random(30) > 0.2, np.array([2, 5])
    may = [n for n in sorted(range(30), key=lambda n: (-scores[n], n)) if allowed[n] and n not in gone]
    nums, found = ranked(scores, k, gone, allowed)
    assert nums.tolist() == may[:k]
    assert found.tolist() == scores[nums].tolist()

"""Which blocks of other packages are taken in, and what each of those that are not is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import graphrec
from graphrec.blocks import registry
from graphrec.blocks.api import Block, FitInputs
from graphrec.blocks.registry import GROUP, RESERVED, registered
from graphrec.blocks.search import Chosen
from graphrec.config import Settings
from graphrec.profile.api import FittedBlock


class Outside(Block[Any]):
    """A block of another package."""

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registered.cache_clear()
    yield
    registered.cache_clear()


def bring(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    brought = type("Brought", (Outside,), {"name": name, "__doc__": "A block."})
    monkeypatch.setattr(EntryPoint, "load", lambda _: brought)
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("mine", "mine:Brought", group)])


def test_one_with_a_name_of_its_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, "mine")
    assert registered()["mine"].name == "mine"


@pytest.mark.parametrize("name", ["ease", "kg", "seed", "block", "copy", "model_dump", "weights", "friends", "words"])
def test_a_name_that_means_something_else_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bring(monkeypatch, name)
    with pytest.warns(UserWarning, match=f"{name!r}, is taken"):
        found = registered()
    assert name not in found or not issubclass(found[name], Outside)


@pytest.mark.parametrize("name", ["my block", "my.block", "my-block", "_mine", ""])
def test_what_is_no_name_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bring(monkeypatch, name)
    with pytest.warns(UserWarning, match="is no name, such as my_block"):
        assert name not in registered()


def test_everything_that_a_configuration_has_is_reserved() -> None:
    own = {name for name in (*vars(Settings), *Settings.model_fields) if not name.startswith(("_", "model_"))}
    assert own <= set(RESERVED)
    assert GROUP == "graphrec.blocks"
    assert sum(block.fallback for block in registered().values()) == 1


def test_no_block_is_named_outside_its_own_file() -> None:
    """Where something is decided: defaults of settings name blocks."""
    package = Path(graphrec.__file__).parent
    names = "|".join(registered())
    found = [
        f"{file.relative_to(package)}: {line.strip()}"
        for file in sorted(package.rglob("*.py"))
        if not file.is_relative_to(package / "blocks")
        for line in file.read_text("utf-8").splitlines()
        if re.search(rf"""==\s*["']({names})["']|\[["']({names})["']\]|isinstance\([^)]*Block""", line)
    ]
    assert found == []

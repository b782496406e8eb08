"""Every test of the contract fails for a block that breaks what it holds, and a sound block passes them all."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from graphrec.blocks import registry
from graphrec.blocks.api import Block, Folds
from graphrec.testing import BlockContract
from tests import blocks
from tests.testing.faults import FAULTS, Sound


class TestSound(BlockContract):
    block = Sound

    @pytest.fixture(autouse=True)
    def _registered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "registered", lambda: {"sound": Sound})

    def test_it_is_found_by_its_name_and_has_its_section(self) -> None:
        """Not this one: the configuration was made before there was such a block."""


def run(block: type[Block[Any]], test: str, **changes: Any) -> None:
    """One test of the contract, under every reading where it takes one."""
    contract = type("Contract", (BlockContract,), {"block": block, **changes})()
    method = getattr(contract, f"test_{test}")
    if "reading" in method.__code__.co_varnames[: method.__code__.co_argcount]:
        for reading in contract.readings:
            method(reading)
    else:
        method()


@pytest.mark.parametrize(("block", "test"), FAULTS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_a_fault_is_found(block: type[Block[Any]], test: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        run(block, test)


def test_every_test_of_the_contract_has_a_fault_that_it_finds() -> None:
    tests = {name.removeprefix("test_") for name in vars(BlockContract) if name.startswith("test_")}
    assert tests - {test for _, test in FAULTS} == {"tune_finds_the_better_value_wherever_it_stands"}


# --- a tune that returns its start ------------------------------------------------------------------------------------


def contracts() -> Iterator[type[BlockContract]]:
    """Those of all blocks of ours."""
    for module in pkgutil.iter_modules(blocks.__path__):
        for value in vars(import_module(f"{blocks.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, BlockContract) and value is not BlockContract:
                yield value


def lazy(block: type[Block[Any]], place: Callable[[int], int]) -> type[Block[Any]]:
    """The block with a tune that takes the value at a place of each list, and compares nothing."""

    def tune(self: Block[Any], folds: Folds, trials: int | None = None) -> Any:
        lists = {name: v for name, v in dict(self.settings).items() if isinstance(v, tuple)}
        cut = {name: (values[place(len(values))],) for name, values in lists.items()}
        return block(self.settings.model_copy(update=cut)).tune(folds, trials)

    return type("Lazy", (block,), {"tune": tune})


FIRST, MIDDLE = (lambda n: 0), (lambda n: n // 2)
LAZY = [
    *(pytest.param(contract, FIRST, id=f"{contract.block.name}-first") for contract in contracts()),
    # the contract tries both orders, whatever the block
    *(pytest.param(contract, MIDDLE, id=f"{contract.block.name}-middle") for contract in [*contracts()][:3]),
]


@pytest.mark.parametrize(("contract", "place"), LAZY)
def test_a_tune_that_returns_its_start_is_found(contract: type[BlockContract], place: Callable[[int], int]) -> None:
    changes = {"settings": contract.settings, "telling": contract.telling, "further": contract.further}
    with pytest.raises(AssertionError, match="tune found"):
        run(lazy(contract.block, place), "tune_finds_the_better_value_wherever_it_stands", **changes)


def test_all_blocks_of_ours_keep_the_contract() -> None:
    ours = {block for block in registry.registered().values() if block.__module__.startswith("graphrec.blocks.")}
    assert {contract.block for contract in contracts()} == ours

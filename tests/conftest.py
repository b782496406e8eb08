"""What every test may use."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

# No test asserts a time. The same examples every time; HYPOTHESIS_PROFILE=search draws others, and ten times as many.
settings.register_profile("graphrec", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "graphrec")
settings.load_profile(PROFILE)


LONG = {"test_end_to_end", "test_regression", "test_strength", "test_planted", "test_plugin", "test_recommender"}
LONG |= {"test_compare", "test_contract", "test_update", "test_forget", "test_forgetting", "test_inspect", "test_app"}


def examples(n: int) -> settings:
    """For a test that is too slow for the usual number of examples."""
    return settings(max_examples=10 * n if PROFILE == "search" else n)


# Whole fits, many of them, and other processes: what they run is run by quicker tests too.
UNTRACED = {"cases/test_inspected", "cases/test_strength", "blocks/test_folds", "evaluate/test_compare"}
UNTRACED |= {"model/test_consistent", "model/test_reasons", "model/test_threads", "store/test_killed"}
UNTRACED |= {
    "tests/test_end_to_end",
    "tests/test_layers",
    "tests/test_planted",
    "tests/test_plugin",
    "tests/test_regression",
}


# Of so little data choices are made on five folds, which takes five times as long as on one: where that is not asked
# about, on two.
FIVE = {"blocks/test_folds", "blocks/test_trust", "data/test_carve", "data/test_cold", "data/test_split"}
FIVE |= {"evaluate/test_compare", "tests/test_fit"}


@contextmanager
def two_folds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphrec.data.carve.FOLDS", 2)
        yield


@pytest.fixture(scope="module", autouse=True)
def _folds(request: pytest.FixtureRequest) -> Iterator[None]:
    with nullcontext() if name_of(request.path) in FIVE else two_folds():
        yield


def name_of(path: Path) -> str:
    """Folder and file, without the ending."""
    return f"{path.parent.name}/{path.stem}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)  # or one process ends with them while the other waits


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Coverage is of tests by example: to trace properties, which run the same lines often, doubles their time.

    Not by pytest-cov's mark ``no_cover``: it traces fixtures all the same, and under pytest-xdist tests too.
    """
    untraced = name_of(item.path) in UNTRACED or is_hypothesis_test(getattr(item, "obj", None))
    if not untraced or not item.config.pluginmanager.hasplugin("_cov"):  # a debugger traces as well
        return (yield)
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        threading.settrace(of_threads)


def pytest_collection_finish() -> None:
    """What was imported stays: to look through it for garbage again and again costs a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """A folder of real data beside the checkout; the test is skipped, and says so, where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"real data {name} is not at {SHARED}")
    return path

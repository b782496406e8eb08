"""What the tests of the readers run with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def any_share_may_be_bad() -> Iterator[None]:
    """Their tables are a few rows with one of every fault; how many faults are too many is the door's to test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphrec.door.quarantine.ALLOW_BAD", 1.0)
        yield

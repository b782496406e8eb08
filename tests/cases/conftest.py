"""The command line for every case."""

from __future__ import annotations

import pytest

from tests.cases.support import Cli


@pytest.fixture
def cli() -> Cli:
    return Cli()

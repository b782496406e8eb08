"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("graphrec", deadline=None)  # no test asserts a time
settings.load_profile("graphrec")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """A folder of real data beside the checkout; the test is skipped, and says so, where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"real data {name} is not at {SHARED}")
    return path

"""A catalogue large enough for a graph, and its index."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats


@pytest.fixture(scope="package")
def clustered() -> tuple[Floats, Floats]:
    """20,000 items around 200 centres, and 300 queries near the same centres: float32 (·, 32)."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((200, 32))

    def around(n: int) -> Floats:
        return np.asarray(centres[rng.integers(0, 200, n)] + 0.5 * rng.standard_normal((n, 32)), dtype=np.float32)

    return around(20_000), around(300)


@pytest.fixture(scope="package")
def graph(clustered: tuple[Floats, Floats]) -> Index:
    return Index.build(clustered[0], RetrieveConfig(exact_below=0, large="graph"))

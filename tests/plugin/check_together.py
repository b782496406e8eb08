"""What somebody who writes a block tests it with; run by tests/test_plugin.py, where the block is installed."""

from __future__ import annotations

from graphrec_together import Together

from graphrec.testing import BlockContract


class TestTogether(BlockContract):
    block = Together

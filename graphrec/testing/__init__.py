"""What a block of yours is tested with: inherit ``BlockContract``, name the block, and run pytest.

::

    from graphrec.testing import BlockContract
    from my_package.mine import Mine

    class TestMine(BlockContract):
        block = Mine
"""

from __future__ import annotations

import sys

if sys.modules.get("pytest"):  # so that what fails is shown with its values
    import pytest

    pytest.register_assert_rewrite("graphrec.testing.contract", "graphrec.testing.subject")

from graphrec.testing.contract import BlockContract

__all__ = ["BlockContract"]

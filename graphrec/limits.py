"""Blocks that sit out on a catalogue that is too large for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphrec.blocks.api import Block
from graphrec.config import Config
from graphrec.errors import ConfigError


def something_fits(blocks: Mapping[str, Block[Any]], n_items: int) -> None:
    """Raises ConfigError where every block sits out on so large a catalogue."""
    if all(block.too_large(n_items) for block in blocks.values()):
        name, block = next(iter(blocks.items()))
        others = [n for n in Config().blocks if n not in blocks and not Config().block(n).too_large(n_items)]
        raise ConfigError(
            f"blocks: {', '.join(blocks)} cannot learn from {n_items:,} items (the limit of {name} is "
            f"{block.settings.max_items:,}); add one without a limit ({', '.join(others)}), or raise {name}.max_items"
        )


def within_limits(n_items: int, chosen: Mapping[str, Any], blocks: Mapping[str, Block[Any]]) -> dict[str, Any]:
    """The choices, with blocks left out, and said to be, whose limit the catalogue exceeds."""
    out = dict(chosen)
    for name, block in blocks.items():
        if why := block.too_large(n_items):
            out[name] = {"left_out": why}
            out["weights"] = {**out["weights"], name: 0.0}
    if not any(out["weights"].values()):
        something_fits(blocks, n_items)
        usable = [name for name, block in blocks.items() if not block.too_large(n_items)]
        raise ConfigError(
            f"the blocks with a weight cannot learn from {n_items:,} items; fit without --like, so that weights are "
            f"chosen for {', '.join(usable)}"
        )
    return out

"""The blocks that there are: one module each in this folder, and those that other packages bring by an entry point.

[project.entry-points."graphrec.blocks"]
mine = "my_package.mine:Mine"
"""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract
from typing import Any

from graphrec import blocks
from graphrec.blocks.api import Block
from graphrec.errors import ConfigError
from graphrec.settings import Section

GROUP = "graphrec.blocks"
RESERVED = (  # names that mean something else beside those of the blocks
    *(
        "seed",
        "blocks",
        "checked",
        "seen",
        "split",
        "strength",
        "fair",
        "privacy",
        "robust",
        "kg",
        "features",
        "blend",
        "content",
        "retrieve",
        "explain",
        "evaluate",
    ),
    *("runtime", "parse", "load", "with_", "cut", "block", "run", "fingerprint", "at_home", "to_toml"),  # in ``Config``
    *("weights", "validation", "sums", "graphrec"),  # in what was chosen; a model that is compared
    *("friends", "attributes", "words"),  # parts of a score: ``profile.standing``
)


@cache
def registered() -> Mapping[str, type[Block[Any]]]:
    """Every block by name, in alphabetical order. A block of another package never takes the place of one of ours; one
    that cannot be imported is left out with a warning."""
    found: dict[str, type[Block[Any]]] = {}
    for module in pkgutil.iter_modules(blocks.__path__):
        if not module.name.startswith("_"):
            for value in vars(import_module(f"{blocks.__name__}.{module.name}")).values():
                if _is_block(value):
                    found[value.name] = value
    for point in entry_points(group=GROUP):
        try:
            value = point.load()
        except Exception as error:
            warnings.warn(f"block {point.name!r} of {point.value} cannot be imported: {error}", stacklevel=2)
            continue
        why = _why_not(value, found)
        if why:
            warnings.warn(f"block {point.name!r} of {point.value} is left out: {why}", stacklevel=2)
            continue
        found[value.name] = value
    return dict(sorted(found.items()))


def find(name: str) -> type[Block[Any]]:
    """The block of this name. Raises ConfigError with those that there are."""
    if name not in registered():
        raise ConfigError(f"blocks: {name!r} does not exist; there are {', '.join(registered())}")
    return registered()[name]


def _why_not(value: Any, found: Mapping[str, type[Block[Any]]]) -> str:
    """Why what an entry point names is left out; "" where it is a block."""
    if not _is_block(value):
        return "it is no Block with a name"
    name = value.name
    if name in found or name in RESERVED or hasattr(Section, name):
        return f"its name, {name!r}, is taken"
    return "" if name.isidentifier() and not name.startswith("_") else f"{name!r} is no name, such as my_block"


def _is_block(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Block) and not isabstract(value) and hasattr(value, "name")

"""Where reading and writing files is plugged in: ``data`` knows nothing of files, and the package binds them here.

``graphrec/__init__.py`` binds all three, so they are bound before any module of the package can ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _unbound(*_: Any) -> Any:
    raise RuntimeError("no reader is bound; import graphrec before anything of it")


@dataclass
class Port:
    """``load(path, allow_bad)`` and ``from_frames(events, sides, name, said)`` give a Dataset, ``write(data, path)``
    writes one."""

    load: Callable[..., Any] = _unbound
    from_frames: Callable[..., Any] = _unbound
    write: Callable[..., Any] = _unbound


files = Port()

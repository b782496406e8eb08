"""graphrec: recommendations from one heterogeneous graph, each with reasons that can be checked.

import graphrec as gr
data = gr.Dataset.load("reviews_Musical_Instruments_5.json.gz")
model = gr.Recommender().fit(data)
model.recommend("A2IBPI20UZIR0U", k=10)
print(model.explain("A2IBPI20UZIR0U", "B0002E1G5C"))
model.save("artifact")
model = gr.load("artifact")
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrec.data import port
from graphrec.errors import GraphrecError

if TYPE_CHECKING:
    from graphrec.config import Config
    from graphrec.data.dataset import Dataset
    from graphrec.recommender import Recommender

__version__ = "0.1.0"
__all__ = ["Config", "Dataset", "GraphrecError", "Recommender", "load"]


def load(path: str | Path) -> Recommender:
    """Read a saved model. Raises ArtifactError and its kinds."""
    from graphrec.recommender import Recommender as Loaded

    return Loaded.load(path)


def _load(source: Path, allow_bad: float | None) -> Any:
    from graphrec.read.detect import load

    return load(source, allow_bad)


def _from_frames(*tables: Any) -> Any:
    from graphrec.read.frames import load

    return load(*tables)


def _write(data: Any, path: Path) -> None:
    from graphrec.read.folder import write

    write(data, path)


port.files = port.Port(_load, _from_frames, _write)
_LATE = {"Config": "graphrec.config", "Dataset": "graphrec.data.dataset", "Recommender": "graphrec.recommender"}


def __getattr__(name: str) -> Any:
    """Import what is heavy (torch, faiss, spaCy) when it is first asked for."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'graphrec' has no attribute {name!r}")

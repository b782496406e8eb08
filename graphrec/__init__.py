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

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrec.config import Config
from graphrec.errors import GraphrecError

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset
    from graphrec.recommender import Recommender

__version__ = "0.1.0"
__all__ = ["Config", "Dataset", "GraphrecError", "Recommender", "load"]


def load(path: str | Path) -> Recommender:
    """Read a saved model. Raises ArtifactError and its kinds."""
    from graphrec.recommender import Recommender

    return Recommender.load(path)


def __getattr__(name: str) -> Any:
    """Import what is heavy (torch, faiss, spaCy) when it is first asked for."""
    if name == "Dataset":
        from graphrec.data.dataset import Dataset

        return Dataset
    if name == "Recommender":
        from graphrec.recommender import Recommender

        return Recommender
    raise AttributeError(f"module 'graphrec' has no attribute {name!r}")

"""How much time a fit may take: settings by the name of a preset, each as it would stand after ``--set``.

A preset changes what is worth its time where time is short or plenty; what is set by hand beside it wins. What each
costs and gives on real data is drawn in the README.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Preset: TypeAlias = Literal["fast", "default", "best"]

PRESETS: Mapping[str, tuple[str, ...]] = {
    "fast": (  # closed forms alone, a minute or a few
        "blocks=popularity,season,spectral,neighbours,ease,transitions,slit,place,circle,kin,semantic",
        "spectral.rank=64,256,512",
        "spectral.alpha=0.4",
        "neighbours.alpha=0.25,0.5",
        "neighbours.beta=0.4,0.5",
        "ease.regularisation=30,300,3000",
        "blend.users=1500",
    ),
    "default": (),
    "best": (  # wide networks side by side, one of the order, as much of a spectrum as memory holds, more users
        "blocks=popularity,season,spectral,neighbours,ease,ials,transitions,slit,sequence,"
        "place,circle,kin,graph,semantic",
        "sequence.dim=128",
        "sequence.minutes=40",
        "graph.dim=512",
        "graph.members=3",
        "graph.learning_rate=0.015",
        "graph.minutes=6",
        "spectral.memory_gb=4",
        "blend.users=5000",
    ),
}

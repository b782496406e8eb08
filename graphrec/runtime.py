"""Where and how work is done: device, threads, processes, seed and progress, in one object that is handed down."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow

from graphrec.cluster.engine import LOCAL, Engine, engine_of
from graphrec.errors import ConfigError
from graphrec.ranks import Ranks
from graphrec.settings import RuntimeConfig

if TYPE_CHECKING:
    import torch


def give_back() -> None:
    """What was freed goes back to the system. Libraries keep it for what comes next: more than a gigabyte after ten
    million rows were read."""
    pyarrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # of glibc alone
            ctypes.CDLL(None).malloc_trim(0)


@dataclass(frozen=True)
class Runtime:
    """How work is done; results depend on ``seed``, and on ``device`` by rounding alone.

    Args:
        device: of the networks: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``: a GPU where there is one.
        threads: of a matrix product; 0 leaves it to the libraries.
        processes: that read texts side by side.
        seed: of every draw. No global generator is seeded: each draw has its own, from here.
        progress: bars on standard error for whatever takes longer than a moment.
        work: a folder where what takes long is kept while it is done, so that a fit that was killed goes on from there.
        ranks: this process among several that fit the same model; None: it is alone.
        engine: does what falls into batches.
    """

    device: str = "auto"
    threads: int = 0
    processes: int = 2
    seed: int = 42
    progress: bool = False
    work: Path | None = None
    ranks: Ranks | None = None
    engine: Engine = LOCAL

    @classmethod
    def of(
        cls,
        settings: RuntimeConfig,
        seed: int,
        progress: bool = False,
        work: Path | None = None,
        ranks: Ranks | None = None,
    ) -> Runtime:
        """What the settings say. Raises ConfigError where the engine is not installed."""
        engine = engine_of(settings.engine)
        return cls(settings.device, settings.threads, settings.processes, seed, progress, work, ranks, engine)

    def rng(self, stream: int = 0) -> np.random.Generator:
        """A numpy generator; another ``stream`` draws independently."""
        return np.random.default_rng(self.seed + stream)

    def generator(self, stream: int = 0) -> torch.Generator:
        """A torch generator on the CPU, where all draws are made so that devices agree."""
        import torch

        return torch.Generator().manual_seed(self.seed + stream)

    def torch_device(self) -> torch.device:
        """The device of the networks. Raises ConfigError for one that is not there."""
        import torch

        if self.device == "auto":
            card = "cuda" if self.ranks is None else f"cuda:{self.ranks.local}"
            return torch.device(card if torch.cuda.is_available() else "cpu")
        try:
            found = torch.device(self.device)
            torch.empty(0, device=found)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ConfigError(f"runtime.device: {self.device!r} cannot be used ({reason}); set auto or cpu") from None
        return found

    def in_turn(self) -> AbstractContextManager[None]:
        """Of several processes the first one goes first, so that the others find what it wrote into caches."""
        return nullcontext() if self.ranks is None else self.ranks.in_turn()

    def set_threads(self) -> None:
        """Hold torch to ``threads``; called once, before anything is fitted."""
        if self.threads:
            import torch

            torch.set_num_threads(min(self.threads, os.cpu_count() or 1))

"""Where a training run stands, in one file, so that a run that was killed goes on as if it had not been.

One safetensors file holds the tensors, and in its header, as JSON, all else. It is written beside its name and renamed,
so a kill leaves the state of before.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

SECONDS = 60.0  # between two states that are kept


@dataclass
class Checkpoint:
    """The file of one run.

    Args:
        path: of the file; its folder is made. seconds: at least so many pass between two states that are kept.
    """

    path: Path
    seconds: float = SECONDS
    _last: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, work: Path | None, name: str, data: bytes, told: Any) -> Checkpoint | None:
        """The file in a work folder of the run over this data with these settings, which JSON can hold: another one for
        any other. None where no folder is kept."""
        if work is None:
            return None
        made = hashlib.sha256(data)
        made.update(json.dumps(told).encode())
        return cls(work / "training" / f"{name}-{made.hexdigest()[:20]}.safetensors")

    def due(self) -> bool:
        """Whether a state is to be kept again."""
        return time.monotonic() - self._last >= self.seconds

    def save(self, tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
        """Keep tensors by name, and what JSON can hold."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.part")
        save_file({name: value.contiguous() for name, value in tensors.items()}, part, {"state": json.dumps(told)})
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(part, self.path)
        self._last = time.monotonic()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What ``save`` kept; None where there is nothing, or nothing that can be read."""
        try:
            with safe_open(self.path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["state"])  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None  # it is learned anew

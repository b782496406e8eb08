"""What each block chose, kept while a fit runs, so that one that was killed does not choose it again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, load_file, save, save_file

from graphrec.blocks.api import Block
from graphrec.blocks.folds import FitInputs, Folds
from graphrec.blocks.search import Chosen
from graphrec.profile.api import FittedBlock
from graphrec.profile.dense import empty_block

Tuned = tuple[tuple[FittedBlock, ...], Chosen]


def before(block: Block[Any], folds: Folds, trials: int | None = None) -> Tuned | None:
    """What ``tuned`` kept of this block on these folds; None where there is nothing."""
    if (work := folds.inputs.runtime.work) is None:
        return None
    return _read(block, folds, work / "tuned" / f"{block.name}.json", _key(block, folds, trials))


def tuned(block: Block[Any], folds: Folds, trials: int | None = None) -> Tuned:
    """``block.tune(folds, trials)``, or what it gave before a kill: from ``tuned/NAME.json`` and ``.safetensors`` in
    the work folder of the runtime, where these are of the same data, folds, settings and number of trials. Without a
    work folder nothing is kept.
    """
    if (work := folds.inputs.runtime.work) is None:
        return block.tune(folds, trials)
    if (found := before(block, folds, trials)) is not None:
        return found
    found, ranks = block.tune(folds, trials), folds.inputs.runtime.ranks
    if ranks is None or ranks.first:
        _write(work / "tuned" / f"{block.name}.json", _key(block, folds, trials), found)
    return found


def _key(block: Block[Any], folds: Folds, trials: int | None) -> str:
    """Data, folds, settings, the number of trials where one is set, and seed in one digest."""
    of = [block.name, block.settings.model_dump(mode="json"), *([] if trials is None else [trials])]
    made = hashlib.sha256(json.dumps(of).encode())
    for fold in folds:
        runtime = fold.inputs.runtime
        made.update(f"{fold.inputs.train.digest()} {runtime.seed} {runtime.device}".encode())
        made.update(np.ascontiguousarray(fold.validation.queries.user_nums).tobytes())
        if (graph := fold.inputs.graph) is not None:
            made.update(str(graph).encode())  # the sizes of all that is learned from beside the data
    return made.hexdigest()


def _write(file: Path, of: str, found: Tuned) -> None:
    """Both files, the one that names the other last, each whole or not at all."""
    fitted, chosen = found
    arrays, told = _apart(fitted)
    file.parent.mkdir(parents=True, exist_ok=True)
    held = file.with_suffix(".safetensors")
    part = held.with_suffix(".part")
    save_file(arrays, part)
    part.replace(held)
    part.write_text(json.dumps({"of": of, "chosen": chosen, "blocks": told}), "utf-8")
    part.replace(file)


def _apart(fitted: Sequence[FittedBlock]) -> tuple[dict[str, Any], list[Any]]:
    """Arrays of several blocks by number and name, and what else each consists of."""
    arrays: dict[str, Any] = {}
    told = []
    for number, one in enumerate(fitted):
        parts, settings = ({}, {"empty": True}) if one.empty else one.arrays()
        arrays |= {f"{number}.{name}": np.ascontiguousarray(value) for name, value in parts.items()}
        told.append(settings)
    return arrays, told


def packed(fitted: Sequence[FittedBlock], chosen: Chosen) -> bytes:
    """Fitted blocks and what was chosen for them, as another process reads them."""
    arrays, told = _apart(fitted)
    return save(arrays, {"told": json.dumps([told, chosen])})


def unpacked(block: Block[Any], inputs: Sequence[FitInputs], raw: bytes) -> Tuned:
    """What ``packed`` was given."""
    length = int.from_bytes(raw[:8], "little")
    told, chosen = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["told"])
    arrays = load(raw)
    return tuple(_block(block, of, arrays, number, told[number]) for number, of in enumerate(inputs)), chosen


def _read(block: Block[Any], folds: Folds, file: Path, of: str) -> Tuned | None:
    """What was kept; None where there is nothing, it is of something else, or cannot be read."""
    try:
        told = json.loads(file.read_text("utf-8"))
        if told["of"] != of:
            return None
        arrays = load_file(file.with_suffix(".safetensors"))
        fitted = [
            _block(block, fold.inputs, arrays, number, told["blocks"][number]) for number, fold in enumerate(folds)
        ]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None  # it is chosen anew
    return tuple(fitted), told["chosen"]


def _block(
    block: Block[Any], inputs: FitInputs, arrays: Mapping[str, Any], number: int, settings: Mapping[str, Any]
) -> FittedBlock:
    if settings.get("empty"):
        return empty_block(block.name, inputs.train.n_users, inputs.train.n_items)
    mine = {name.partition(".")[2]: value for name, value in arrays.items() if name.partition(".")[0] == str(number)}
    read: FittedBlock = replace(block.Fitted.from_arrays(mine, settings), words=block.words)  # type: ignore[type-var]
    return read


@dataclass(frozen=True)
class Work:
    """A folder where a run keeps what it has learned until it is done, and in it that of what it is of: settings, or an
    earlier model."""

    folder: Path
    under: Path

    @classmethod
    def beside(cls, model: Path, of: str) -> Work:
        """Beside the model that is to be written: ``MODEL.work``."""
        return cls.within(model.with_name(f"{model.name}.work"), of)

    @classmethod
    def within(cls, folder: Path, of: str) -> Work:
        """In a folder of any name."""
        return cls(folder, folder / of[:16])

    @property
    def begun(self) -> Sequence[str]:
        """What is there: the blocks that have chosen, and how many trainings have begun."""
        names = sorted({file.stem for file in self.under.rglob("tuned/*.json")})
        runs = len(list(self.under.rglob("training/*.safetensors")))
        return [*names, *([f"{runs} trainings"] if runs else [])]

    def done(self) -> None:
        """Nothing of it is needed any more; what others put into the folder stays."""
        shutil.rmtree(self.under, ignore_errors=True)
        with suppress(OSError):
            self.folder.rmdir()

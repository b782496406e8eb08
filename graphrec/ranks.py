"""Several processes that fit one model together, as `torchrun` starts them.

Every process reads the same source and takes the same decisions. What takes long is divided: blocks that learn alone
are dealt out, and a network is trained by all, each on its share of a batch. The first process, rank 0, alone speaks
and writes the model and the checkpoints of networks.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from graphrec.errors import ConfigError, ProcessError

if TYPE_CHECKING:
    from torch import Tensor

HOURS = 12  # that one process waits for another that lives; of one that ends it hears at once
REMEDY = "run the same command again: it goes on from what was kept"


def asked() -> int:
    """How many processes torchrun has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@dataclass(frozen=True)
class Ranks:
    """One of the processes of a run.

    Every method but ``take`` has to be called by all of them, in the same order, and raises ProcessError where another
    process is gone.

    Attributes:
        rank: its number. size: how many there are. local: its number on this machine. store: what torchrun keeps for
            all.
    """

    rank: int
    size: int
    local: int
    store: Any
    _lots: Any = field(default_factory=count, compare=False)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def sum(self, *tensors: Tensor) -> None:
        """Each tensor becomes the sum of those of all processes, the same to the last bit in each."""
        import torch.distributed as dist

        with _together():
            for tensor in tensors:
                dist.all_reduce(tensor)

    def share(self, tensor: Tensor, source: int = 0) -> None:
        """The tensor becomes that of one process."""
        import torch.distributed as dist

        with _together():
            dist.broadcast(tensor, source)

    def gather_rows(self, tensor: Tensor, ends: Sequence[int]) -> None:
        """Rows ``ends[r]`` to ``ends[r + 1]`` of the tensor (n, d) become those of process r, of each r."""
        import torch.distributed as dist

        parts = [tensor[ends[r] : ends[r + 1]] for r in range(self.size)]
        with _together():
            for work in [dist.broadcast(part, r, async_op=True) for r, part in enumerate(parts) if len(part)]:
                work.wait()

    def number(self, value: float) -> float:
        """That of the first process."""
        return float(struct.unpack("d", self.data(struct.pack("d", value)))[0])

    def data(self, raw: bytes, source: int = 0) -> bytes:
        """The bytes of one process."""
        import torch

        size = torch.tensor([len(raw)])
        self.share(size, source)
        held = torch.empty(int(size), dtype=torch.uint8)
        if self.rank == source:
            held.copy_(torch.from_numpy(np.frombuffer(bytearray(raw), np.uint8)))
        self.share(held, source)
        return raw if self.rank == source else held.numpy().tobytes()

    def largest(self, values: Sequence[int]) -> list[int]:
        """Of each number the largest that a process has."""
        import torch
        import torch.distributed as dist

        held = torch.tensor(list(values), dtype=torch.int64)
        with _together():
            dist.all_reduce(held, op=dist.ReduceOp.MAX)
        return [int(value) for value in held.tolist()]

    def alike(self, told: Mapping[str, str]) -> None:
        """Raises ConfigError in every process where what one of them was told, by name, differs from the first's."""
        first = json.loads(self.data(json.dumps(dict(told)).encode()))
        other = self.largest([int(first[name] != value) for name, value in told.items()])
        if wrong := [name for name, differs in zip(told, other, strict=True) if differs]:
            raise ConfigError(
                f"the {self.size} processes would not fit the same model: {' and '.join(wrong)} of one differ from the "
                "first's; give all of them the same call and the same files"
            )

    def lots(self) -> str:
        """A new heap of work, of which ``take`` gives out the numbers."""
        return f"lots {next(self._lots)}"

    def take(self, lots: str) -> int:
        """The next number of a heap that no process has taken yet."""
        with _together():
            return int(self.store.add(lots, 1)) - 1

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """The first process goes first, so that the others find what it wrote into caches."""
        if not self.first:
            self.largest([0])
        yield
        if self.first:
            self.largest([0])


@contextmanager
def _together() -> Iterator[None]:
    """torch tells of a process that is gone in several ways, all of them RuntimeErrors."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ProcessError(f"another process of this run is gone ({reason}); {REMEDY}") from None


def _told_to_stop(*_: Any) -> None:
    raise ProcessError(f"this process was told to stop, as all are when one of them ends; {REMEDY}")


@contextmanager
def joined() -> Iterator[Ranks | None]:
    """This process among those that torchrun started: gloo between CPUs, NCCL between cards; None where it is alone.

    All but the first are silent inside. Raises ConfigError where there are fewer cards than processes.
    """
    if asked() < 2:
        yield None
        return
    import torch
    import torch.distributed as dist
    from torch.distributed.rendezvous import rendezvous

    local = int(os.environ.get("LOCAL_RANK", "0"))
    cards, here = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if cards and local >= cards:
        raise ConfigError(
            f"{here} processes for {cards} cards; --nproc-per-node {cards}, or CUDA_VISIBLE_DEVICES= to use none"
        )
    if threading.current_thread() is threading.main_thread():  # of Ray Train it is another
        signal.signal(signal.SIGTERM, _told_to_stop)
    patient = timedelta(hours=HOURS)
    with _together():
        store, rank, size = next(rendezvous("env://", timeout=patient))
        backend = "cpu:gloo,cuda:nccl" if cards else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=patient)
    try:
        with ExitStack() as stack:
            if rank:
                nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
                stack.enter_context(redirect_stdout(nowhere))
                stack.enter_context(redirect_stderr(nowhere))
            yield Ranks(rank, size, local, store)
    finally:
        with suppress(RuntimeError):
            dist.destroy_process_group()

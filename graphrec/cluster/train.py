"""Several workers of a cluster that fit one model together: what torchrun starts, started by Ray Train.

They find each other as torchrun's processes do (``ranks.joined``), and run the same code.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from graphrec.cluster.on_ray import OnRay, connected
from graphrec.errors import ConfigError, GraphrecError, ProcessError
from graphrec.ranks import REMEDY

RESTARTS = 3  # of all workers, where one of them died


def together(work: Callable[[], None], workers: int, folder: Path) -> None:
    """Does ``work`` in so many workers at once, and anew in all of them where one dies: it has to go on by itself.

    Args:
        work: what a process can be sent. folder: for what Ray Train keeps while it runs, reached by every machine.

    Raises ConfigError where the cluster has fewer processors, what ``work`` raises, and ProcessError where workers die
    again and again.
    """
    if workers > (there := OnRay().workers):
        raise ConfigError(
            f"--workers {workers}, and the cluster has processors for {there}; ask for so many, or add some"
        )
    connected()
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    run = RunConfig(name="fit", storage_path=str(folder), failure_config=FailureConfig(max_failures=RESTARTS))
    trainer = DataParallelTrainer(
        partial(_one, work), scaling_config=ScalingConfig(num_workers=workers), run_config=run
    )
    try:
        wrong = trainer.fit().return_value
    except TrainingFailedError:
        raise ProcessError(
            f"workers of the cluster died {RESTARTS + 1} times, perhaps for want of memory; {REMEDY}"
        ) from None
    if wrong:
        raise wrong


def _one(work: Callable[[], None]) -> GraphrecError | None:
    """In a worker: the work, with what torchrun would have told it. What is wrong with the call ends all of them."""
    import ray.train
    from ray.train.collective import broadcast_from_rank_zero

    own = ray.train.get_context()
    rank = own.get_world_rank()
    address, port = broadcast_from_rank_zero(_place() if rank == 0 else None)
    told: dict[str, Any] = {
        "RANK": rank,
        "WORLD_SIZE": own.get_world_size(),
        "LOCAL_RANK": own.get_local_rank(),
        "LOCAL_WORLD_SIZE": own.get_local_world_size(),
        "MASTER_ADDR": address,
        "MASTER_PORT": port,
    }
    os.environ.update({name: str(value) for name, value in told.items()})
    try:
        work()
    except ProcessError:
        raise  # of another worker that died
    except GraphrecError as error:
        return error
    return None


def _place() -> tuple[str, int]:
    """Where the others find this worker: its address, and a port that is free."""
    import ray.util

    with socket.socket() as free:
        free.bind(("", 0))
        return ray.util.get_node_ip_address(), int(free.getsockname()[1])

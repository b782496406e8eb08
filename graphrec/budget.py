"""``runtime.memory_gb``: a fit that would need more is refused by the name of the stage, not killed by the system."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from graphrec.errors import ConfigError

STATUS = Path("/proc/self/status")
Watch = Callable[[str], AbstractContextManager[Any]]


@contextmanager
def within(memory_gb: float, watch: Watch) -> Iterator[Watch]:
    """Inside, this process gets no more memory than ``memory_gb`` GiB in all; 0: as much as there is.

    Gives ``watch`` back, which now notes the stage that runs. What is asked for counts, used or not, and a library that
    cannot go without may end the process. Raises ConfigError where the limit is reached, and where the system has none.
    """
    if not memory_gb:
        yield watch
        return
    if sys.platform != "linux":
        raise ConfigError("runtime.memory_gb: only Linux can hold a process to it; set it to 0")
    import resource  # not on Windows

    stage = "the start"

    @contextmanager
    def noting(name: str) -> Iterator[Any]:
        nonlocal stage
        stage = name
        with watch(name) as found:
            yield found

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    held, asked = (status_bytes(name) for name in ("VmRSS", "VmData"))  # what is asked for but not used counts not yet
    if held >= memory_gb * 2**30:
        raise ConfigError(
            f"runtime.memory_gb: {memory_gb:g} GB are taken before anything is learned ({held / 2**30:.1f} GB by the "
            "libraries and the data); raise it, or fit less data"
        )
    most = int(min(asked + memory_gb * 2**30 - held, 2.0**62))
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
    try:
        yield noting
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "alloc" not in str(error):
            raise
        raise ConfigError(
            f"runtime.memory_gb: {memory_gb:g} GB do not hold {stage}; raise it, leave that block out (blocks=...), or "
            "learn from less (split.k_core=5)"
        ) from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def status_bytes(name: str) -> int:
    """A figure of this process, such as ``VmRSS``, in bytes. Of Linux alone."""
    return int(STATUS.read_text("ascii").split(f"{name}:")[1].split()[0]) * 1024

"""What a long-running service does for its store now and then, which nobody waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from graphrec.serve.journal import Journal

log = logging.getLogger("graphrec.serve")
EVERY = 60.0  # seconds
DAY = 86_400.0


class Tending:
    """Drops answers older than ``keep_days`` (None: none are), and the bytes of who was erased where they lie still.
    ``dropped`` is told of what and how many."""

    def __init__(self, journal: Journal, keep_days: float | None, dropped: Callable[[str, int], None]) -> None:
        self.journal, self.keep_days, self.dropped = journal, keep_days, dropped
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tending", daemon=True)

    def start(self) -> None:
        """Begin, at once and then every minute."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being done is waited for."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def once(self) -> None:
        """Do all of it now."""
        before = None if self.keep_days is None else time.time() - self.keep_days * DAY
        for what, n in self.journal.tend(before).items():
            if n:
                self.dropped(what, n)
                log.info("dropped", extra={"told": {"what": what, "n": n}})

    def _run(self) -> None:
        while True:
            try:
                self.once()
            except Exception as error:
                log.error("fault", extra={"told": {"what": "tending", "kind": type(error).__name__}})
            if self._stopped.wait(EVERY):
                return

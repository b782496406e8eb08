"""Answers on their way into the store: many in one write, by a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from graphrec.serve.journal import Journal

MOST = 5000  # answers that wait to be written; what comes beyond is not recorded
AT_ONCE = 500
PAUSE = 0.05  # seconds in which answers gather


class Recorder:
    """Writes answers to the journal. ``fault`` is told where it cannot; ``lost`` counts what was not recorded."""

    def __init__(self, journal: Journal, fault: Callable[[str, BaseException | None], None]) -> None:
        self.journal, self.fault = journal, fault
        self.lost = 0
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, answer: Mapping[str, Any]) -> None:
        """Record an answer soon."""
        if len(self._waiting) >= MOST:
            self.lost += 1
            return
        self._waiting.append(answer)

    def find(self, recommendation_id: str) -> Mapping[str, Any] | None:
        """An answer, recorded or about to be."""
        for answer in list(self._waiting):
            if answer["recommendation_id"] == recommendation_id:
                return answer
        return self.journal.answer(recommendation_id)

    def forget(self, user_id: str) -> None:
        """Record nothing that is of somebody, or names them, and waits still."""
        with self._writing:
            names = ({answer.get("user_id"), *answer.get("named", ())} for answer in self._waiting)
            self._waiting = deque(a for a, of in zip(list(self._waiting), names, strict=True) if user_id not in of)

    def flush(self) -> None:
        """Write all that waits."""
        with self._writing:
            while self._waiting:
                some = [self._waiting[n] for n in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    self.journal.record(some)
                except Exception as error:
                    self.fault("record", error)
                    self.lost += len(some)
                else:
                    self.fault("record", None)
                for _ in some:
                    self._waiting.popleft()

    def close(self) -> None:
        """Write all that waits, and end."""
        self._stopped.set()
        self._thread.join(10)
        self.flush()

    def _run(self) -> None:
        while not self._stopped.wait(PAUSE):
            if self._waiting:
                self.flush()

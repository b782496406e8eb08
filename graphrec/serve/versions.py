"""Models of a service: which one answers whom, which are kept, and what does not work."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict

from graphrec.errors import DataError, StoreError
from graphrec.serve.faults import lost
from graphrec.serve.settings import Serving
from graphrec.serve.trial import Trial
from graphrec.serve.version import Version

log = logging.getLogger("graphrec.serve")
KEPT = 3  # models that pages and receipts may still ask for


class Versions:
    """Args: version, the model to begin with. ``faults``: what does not work now, a code and words."""

    def __init__(self, version: Version, settings: Serving) -> None:
        self.settings = settings
        self.current = version
        self.previous: Version | None = None
        self.trial: Trial | None = None
        self.faults: dict[str, str] = {}
        self._kept: OrderedDict[str, Version] = OrderedDict({version.name: version})
        self._hearing = threading.RLock()

    def version_for(self, user_id: str | None) -> Version:
        """The model that answers somebody: of a share of people the one on trial."""
        trial = self.trial
        tried = trial is not None and not trial.interleaved and trial.has(user_id, self.settings.salt)
        return trial.version if trial is not None and tried else self.current

    def version(self, name: str) -> Version | None:
        """A model by its version, where it is kept still."""
        return self._kept.get(name)

    @property
    def versions(self) -> list[Version]:
        """All that hear what is told."""
        return list({id(v): v for v in (*list(self._kept.values()), self.current)}.values())

    def back(self) -> Version:
        """End the trial, or let the model before answer again. Raises DataError where there is none."""
        with self._hearing:
            if self.trial is not None:
                self.trial = None
            elif self.previous is not None:
                self.current, self.previous = self.previous, None
            else:
                raise DataError(
                    "there is no model to go back to: none is on trial, and none that was replaced waits (a rollback"
                    " itself cannot be rolled back); POST /admin/reload with the name of a folder lets its model answer"
                )
            self._answering()
            return self.current

    def promote(self) -> Version:
        """Let the model on trial answer all. Raises DataError where there is none."""
        with self._hearing:
            if self.trial is None:
                raise DataError("no model is on trial; POST /admin/reload with a canary begins one")
            self.previous, self.current, self.trial = self.current, self.trial.version, None
            self._answering()
            return self.current

    def keep(self, version: Version) -> None:
        """Keep a model for pages and receipts; the oldest goes."""
        self._kept[version.name] = version
        self._kept.move_to_end(version.name)
        used = {id(v) for v in (self.current, self.previous, self.trial and self.trial.version)}
        for name in list(self._kept):
            if len(self._kept) > KEPT and id(self._kept[name]) not in used:
                del self._kept[name]

    def fault(self, what: str, error: BaseException | None) -> None:
        """Something does not work, or does again: answers say so, and the log what kind of fault it is, and nothing of
        anybody."""
        if error is None:
            self.faults.pop(what, None)
            return
        if what not in self.faults:
            code = {"code": error.code} if isinstance(error, StoreError) and error.code else {}
            log.error("fault", extra={"told": {"what": what, "kind": type(error).__name__, **code}})
        self.faults[what] = lost(what)

    def _answering(self) -> None:
        """Say whether those that answer lack what was said of items."""
        lacking = self.current.refused or (self.trial and self.trial.version.refused)
        self.fault("items", DataError("some items were not taken in") if lacking else None)

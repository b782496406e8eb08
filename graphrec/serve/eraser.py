"""Models written anew without people who are erased: in the background, by ``graphrec forget``, a process of its own.

A kill at any moment leaves the old folder or the new one; the next service begins again, since the store knows who is
erased and the folder who is in it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from filelock import FileLock, Timeout

from graphrec.errors import ArtifactError, GraphrecError
from graphrec.serve.loading import reload
from graphrec.serve.service import Service

log = logging.getLogger("graphrec.serve")
LOOK = 0.5  # seconds between two looks at what is pending
SETTLED = 2.0  # seconds after which a worker has heard what another one did
FAILED = "a model could not be written anew; `graphrec forget MODEL --store URL` says why"  # to whoever has no key
LOCK = ".graphrec-erasing"  # beside the models: held by whoever writes one anew, stays behind
LONGEST = 3600.0  # seconds between two tries


class Eraser:
    """Args: service; url of its store; tell, which lets the other workers do what is done here."""

    def __init__(self, service: Service, url: str, tell: Callable[..., None]) -> None:
        self.service, self.tell = service, tell
        self.env = {**os.environ, "GRAPHREC_STORE": url}
        service.rewrites = True

    async def run(self) -> None:
        """Look for models that hold people who are erased, and write them anew, until it is cancelled."""
        pause = after = self.service.settings.erasure.after
        while True:
            await asyncio.sleep(LOOK)
            if not self.service.state.pending:
                continue
            await asyncio.sleep(pause)
            try:
                with suppress(Timeout):
                    await self._alone()
                pause, self.service.unerased = after, ""
            except (GraphrecError, OSError) as error:
                self.service.unerased = FAILED
                log.error("erasure", extra={"told": {"outcome": "failed", "kind": type(error).__name__}})
                pause = min(LONGEST, max(2 * pause, 1.0))

    async def _alone(self) -> None:
        folder: Any = self.service.folder
        with FileLock(
            folder / LOCK, blocking=False
        ):  # of other workers, and of other services of models in this folder
            await asyncio.sleep(SETTLED)  # what another worker did is heard by now
            await self._written()

    async def _written(self) -> None:
        state = self.service.state
        trial = state.trial
        for artifact in dict.fromkeys(v.artifact for v in state.answering if v.held):
            await self._forget(artifact)
        tried = trial is not None and bool(trial.version.held)
        whole = bool(state.current.held)
        if whole:
            await self._reload(state.current.artifact, 0.0, False)
        if trial is not None and (whole or tried):  # which the other one ended
            await self._reload(trial.version.artifact, trial.share, trial.interleaved)
        elif state.pending:
            state.previous = None

    async def _reload(self, artifact: str, share: float, interleaved: bool) -> None:
        version = await reload(self.service, artifact, share, interleaved)
        self.tell("reload", artifact=version.artifact, share=share, interleaved=interleaved)

    async def _forget(self, artifact: str) -> None:
        folder: Any = self.service.folder
        way = self.service.settings.erasure.way
        command = [sys.executable, "-m", "graphrec", "forget", str(folder / artifact), "--way", way, "--json"]
        process = await asyncio.create_subprocess_exec(
            *command, env=self.env, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            raise ArtifactError(f"{artifact}: {lines[-1] if lines else 'it ended'}")
        log.info("erasure", extra={"told": {"outcome": "written", "artifact": artifact}})

"""Another model takes over: read, tried, told of all that was heard, and only then asked."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

from graphrec.errors import ArtifactError, ConfigError, CorruptArtifactError, GraphrecError, SchemaVersionError
from graphrec.model.artifact import MANIFEST
from graphrec.model.live import Live
from graphrec.serve.service import Service
from graphrec.serve.version import Version

log = logging.getLogger("graphrec.serve")
LOOK = 0.5  # seconds between two looks at what another worker was told
TOLD = "wanted.json"
WHY: dict[type[Exception], str] = {
    CorruptArtifactError: "it is damaged",
    SchemaVersionError: "another version of graphrec wrote it",
    ArtifactError: "it is no model that can answer",
}


class NotTaken(ConfigError):
    """A model that cannot take over; the old one answers on."""


def read(path: Path, learned: Any = lambda name: 0) -> Version:
    """A model from its folder. Raises ArtifactError and its kin."""
    from graphrec.recommender import Recommender

    model = Recommender.load(path).fitted
    made = (path / MANIFEST).stat().st_mtime
    return Version(Live(model, keeps=False), path.name, made, learned(model.version))


async def reload(service: Service, artifact: str | None, share: float = 0.0, interleaved: bool = False) -> Version:
    """Let the model in a folder beside the one that is served take over, or answer a share of people, alone or
    interleaved with the one that is served.

    Raises NotTaken, with the old model in its place, for a name that is no folder there, and for whatever is wrong with
    the model.
    """
    async with service.loading:
        try:
            version = await asyncio.to_thread(_made_ready, service, artifact)
        except Exception as error:
            why = str(error) if isinstance(error, GraphrecError) else f"it cannot be used ({type(error).__name__})"
            service.state.refused = _public(service, artifact or service.state.current.artifact, error)
            service.metrics.reloaded("refused")
            log.error("reload", extra={"told": {"outcome": "refused", "kind": type(error).__name__}})
            raise NotTaken(f"the model was not taken, and the old one answers on: {why}") from None
        service.state.take_over(version, share, interleaved)
        service.settle()
        service.state.refused = ""
        service.metrics.reloaded("trial" if share else "taken")
        log.info("reload", extra={"told": {"outcome": "trial" if share else "taken", "version": version.name}})
        return version


def _public(service: Service, name: str, error: Exception) -> str:
    """Why a model was not taken, for whoever has no key: nothing that was sent, no path, and no more than which folder
    it is, if there is one."""
    if not _is_name(name):
        return "what was asked for is no name of a folder"
    if service.folder is None or not (service.folder / name).is_dir():
        return "what was asked for is no folder beside the model that is served"
    why = next((why for kind, why in WHY.items() if isinstance(error, kind)), "it cannot be used")
    return f"{name}: {why}; the answer to POST /admin/reload says more"


def _is_name(name: str) -> bool:
    return name not in (".", "..") and not set("/\\\0") & set(name) and Path(name).name == name


def _made_ready(service: Service, artifact: str | None) -> Version:
    if service.folder is None:
        raise ArtifactError("the model that is served is in no folder, so there is none beside it")
    name = artifact or service.state.current.artifact
    if not _is_name(name):
        raise ArtifactError("artifact: give the name of a folder beside the one that is served, and no path")
    return service.state.ready(read(service.folder / name, service.state.journal.learned))


class Others:
    """What one worker was told, for the others of one service: a file that they look at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, 0
        self.seen = self._last()[0]

    def tell(self, what: str, **said: Any) -> None:
        """Let the others do what was done here."""
        self.seen = self._last()[0] + 1
        new = self.folder / f"{TOLD}.{os.getpid()}"
        new.write_text(json.dumps({"n": self.seen, "what": what, **said}), "utf-8")
        new.replace(self.folder / TOLD)

    def _last(self) -> tuple[int, dict[str, Any]]:
        try:
            found = json.loads((self.folder / TOLD).read_text("utf-8"))
            return int(found.pop("n")), found
        except (OSError, ValueError):
            return 0, {}

    async def listen(self, service: Service) -> None:
        """Do what others were told, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            n, told = self._last()
            if n <= self.seen:
                continue
            self.seen = n
            try:
                what = told.pop("what")
                if what == "reload":
                    await reload(service, **told)
                else:
                    getattr(service.state, what)()
            except GraphrecError as error:
                log.error("reload", extra={"told": {"outcome": "refused", "kind": type(error).__name__}})

"""graphrec serve: a service over one model, on this machine, or with keys on any address."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.options import Artifact, EngineOption
from graphrec.cli.output import note
from graphrec.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

TOLD = "GRAPHREC_SERVE"  # where workers find what they were started with
HERE = ("127.0.0.1", "::1", "localhost")


def serve(
    artifact: Artifact,
    store: Annotated[
        str,
        typer.Option(
            envvar="GRAPHREC_STORE",
            help="URL of the store: sqlite:///PATH, postgresql://…; by default a file beside MODEL.",
        ),
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; any but this machine's needs keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    keys: Annotated[bool, typer.Option("--keys", help="Demand a key on this machine too.")] = False,
    config: Annotated[Path | None, typer.Option(help="Limits, scenarios, OIDC …, TOML; see docs/serving.md.")] = None,
    engine: EngineOption = None,
) -> None:
    """Answer over HTTP: recommendations and reasons, events, items, metrics; the API is described at /docs."""
    import uvicorn

    from graphrec.cluster.engine import engine_of
    from graphrec.serve.connection import Connection
    from graphrec.serve.settings import Serving

    engine_of(engine or "local")
    settings = Serving.read(config)
    url = store or f"sqlite:///{artifact.resolve().parent / (artifact.resolve().name + '.events.sqlite')}"
    keyed = keys or host not in HERE
    _check(artifact, url, keyed and settings.oidc is None, host)
    told = {"artifact": str(artifact), "store": url, "keyed": keyed, "config": str(config or "")}
    told["hosts"] = [*HERE, "[::1]"] if host in HERE else []
    says = f"http://{host}:{port} answers from {artifact}; docs at /docs; events in {_shown(url)}"
    logs = _logs(says, workers)
    with tempfile.TemporaryDirectory(prefix="graphrec-serve-") as shared:
        os.environ[TOLD] = json.dumps(told)
        if workers > 1:
            os.environ["GRAPHREC_WORKERS_SHARE"] = shared
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        note(f"reading {artifact}")
        if engine == "ray":
            from graphrec.cluster.serving import served

            told |= {"artifact": str(artifact.resolve()), "config": str(config.resolve()) if config else ""}
            served(partial(_replica, told, shared), workers, host, port, partial(note, says))
            return
        uvicorn.run(
            "graphrec.cli.serve:application",
            factory=True,
            http=Connection,
            host=host,
            port=port,
            workers=workers,
            log_config=logs,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=30,
        )


def application() -> FastAPI:
    """The service that a worker runs, as it was told by ``serve``."""
    from graphrec.serve.app import make_app
    from graphrec.serve.loading import read
    from graphrec.serve.settings import Serving
    from graphrec.serve.stored import Stored
    from graphrec.store import Store

    told: dict[str, Any] = json.loads(os.environ[TOLD])
    journal = Stored(Store.open(told["store"]))
    path = Path(told["artifact"]).resolve()
    settings = Serving.read(Path(told["config"]) if told["config"] else None)
    version = read(path, journal.learned)
    app = make_app(version, journal, settings, path.parent, told["keyed"], told["hosts"], told["store"])
    app.state.service.alone = True
    return app


def _replica(told: dict[str, Any], shared: str) -> FastAPI:
    """``application`` in a replica of a cluster."""
    os.environ |= {TOLD: json.dumps(told), "GRAPHREC_WORKERS_SHARE": shared}
    return application()


def _check(artifact: Path, url: str, keyed: bool, host: str) -> None:
    """Raises ConfigError where no key is there that could be asked for, ArtifactError for what is no model."""
    from graphrec.model import artifact as folder
    from graphrec.serve.stored import Stored
    from graphrec.store import Store

    folder.read(artifact)
    with Store.open(url) as store:
        if keyed and not Stored(store).keyed():
            raise ConfigError(
                f"{host} can be reached by others, and no key is in the store, so nobody would be let in; make one with"
                f" `graphrec keys create --store {_shown(url)} --scope read`, or leave --host out"
            )


def _shown(url: str) -> str:
    """A URL without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


class Listens(logging.Handler):
    """Says so once uvicorn has logged that it listens, a line that begins with ``when``."""

    def __init__(self, says: str, when: str) -> None:
        super().__init__()
        self.says, self.when = says, when

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        if str(record.msg).startswith(self.when):
            note(self.says)


def _logs(says: str, workers: int) -> dict[str, Any]:
    """Logs as JSON lines on standard error, of uvicorn too; its access log, which holds addresses, is off. ``says``:
    what is told once it listens; of several workers by each."""
    logging.getLogger("graphrec.serve").setLevel(logging.INFO)
    when = "Uvicorn running on" if workers == 1 else "Application startup complete"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "graphrec.serve.guard.JsonLines"}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "formatter": "lines"},
            "listens": {"()": "graphrec.cli.serve.Listens", "says": says, "when": when},
        },
        "loggers": {
            "graphrec.serve": {"handlers": ["lines"], "level": "INFO", "propagate": False},
            "uvicorn": {"handlers": ["lines", "listens"], "level": "INFO", "propagate": False},
            "uvicorn.error": {"level": "INFO"},
        },
    }

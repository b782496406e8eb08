"""A service by several replicas on a cluster, by Ray Serve, which starts one anew where it dies. Each is all of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from graphrec.cluster.on_ray import OnRay, connected
from graphrec.errors import ConfigError, ProcessError

NAME = "graphrec"
ASKED = 256  # questions that a replica has at once; the service refuses what is too much for it


def served(build: Callable[[], Any], replicas: int, host: str, port: int, up: Callable[[], None]) -> None:
    """Answers until this process is told to stop (SIGTERM, SIGINT).

    Args:
        build: gives the ASGI application of a replica; it is what a process can be sent. up: called once it answers.

    Raises ConfigError where Ray Serve is not installed or the cluster has fewer processors, ProcessError where no
    replica begins.
    """
    if replicas > (there := OnRay().workers):
        raise ConfigError(f"--workers {replicas}, and the cluster has processors for {there}; ask for so many")
    connected()
    try:
        from ray import serve
    except ImportError as error:
        raise ConfigError(f"Ray's service is not installed ({error}); pip install 'graphrec[ray-serve]'") from None

    def application() -> Any:  # Ray tells a builder from an application by whether it is a plain function
        return build()

    over = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: over.set())
    try:
        serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port})
        deployment = serve.deployment(
            serve.ingress(application)(),
            name=NAME,
            num_replicas=replicas,
            ray_actor_options={"num_cpus": 1},
            max_ongoing_requests=ASKED,
        )
        try:
            serve.run(deployment.bind(), name=NAME, route_prefix="/")
        except RuntimeError as error:
            why = " ".join(str(error).split())[:200]
            raise ProcessError(
                f"the replicas do not begin ({why}); Ray's logs say why (/tmp/ray/session_latest/logs/serve), or serve "
                "without --engine ray"
            ) from None
        up()
        over.wait()
    finally:
        serve.shutdown()

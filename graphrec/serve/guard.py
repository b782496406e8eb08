"""The door of the service: keys, rates, sizes, headers, and a log that names nobody: one ASGI layer around all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphrec.serve.journal import Journal
from graphrec.serve.metrics import Metrics
from graphrec.serve.oidc import Tokens
from graphrec.serve.pool import Busy
from graphrec.serve.settings import Limits
from graphrec.serve.tracing import Tracing

log = logging.getLogger("graphrec.serve")
Headers: TypeAlias = list[tuple[bytes, bytes]]
COMPUTED = ("/recommend", "/similar", "/explain", "/why_not", "/contrast", "/verify", "/items", "/users", "/events")
OPEN = ("/live", "/ready", "/", "/docs", "/openapi.json", "/static/")  # told to anybody: nothing of people or models
SLOW = 20.0  # seconds in which a body has to arrive
LONGEST_KEY = 8192  # characters of a key or token
KNOWN_KEYS = 10_000  # whose rates are remembered
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURE: Headers = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
]


def scope_of(method: str, path: str) -> str:
    """What a key must allow: ``read``, ``events``, ``admin``, or nothing."""
    if path in OPEN or path.startswith("/static/"):
        return ""
    if path.startswith("/admin/") or (path.startswith("/items/") and method in ("PUT", "PATCH", "DELETE")):
        return "admin"
    if path == "/users" or (path.startswith("/users/") and method == "DELETE"):
        return "admin"
    return "events" if path == "/events" else "read"


class Refused(Exception):
    """A request that is not let in: status, why in one line, a word for metrics, and headers."""

    def __init__(self, status: int, detail: str, word: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.word, self.headers = status, word, headers or {}


class Guard:
    """Args: app; journal, which knows the keys; keyed, whether one is demanded; carried, what every refusal carries;
    hosts, the names under which it may be asked, any where there are none; tokens, of an OpenID provider, which are let
    in beside keys; tracing, which has a span of each request; full, what computed answers would be refused with now."""

    def __init__(
        self,
        app: ASGIApp,
        journal: Journal,
        limits: Limits,
        metrics: Metrics,
        keyed: bool,
        carried: Callable[[], dict[str, Any]],
        hosts: Collection[str] = (),
        tokens: Tokens | None = None,
        tracing: Tracing | None = None,
        full: Callable[[], Busy | None] = lambda: None,
    ) -> None:
        self.app, self.journal, self.limits, self.metrics, self.keyed = app, journal, limits, metrics, keyed
        self.carried, self.hosts, self.tokens, self.tracing = carried, frozenset(hosts), tokens, tracing
        self.full = full
        self._rates: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → tokens left, and when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it; whatever happens, one line is logged and one answer sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status, began = time.perf_counter(), 500, False
        id_ = secrets.token_hex(12)
        scope.setdefault("state", {})["recommendation_id"] = id_

        async def sent(message: Message) -> None:
            nonlocal status, began
            if message["type"] == "http.response.start":
                status, began = message["status"], True
                own = {name for name, _ in message["headers"]}
                more = [pair for pair in SECURE if pair[0] not in own]
                if b"cache-control" not in own:
                    kept = scope["path"].startswith("/static/") and status == 200  # files of the package, of nobody
                    more.append((b"cache-control", b"max-age=600" if kept else b"no-store"))
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        method = _method(scope["method"])
        span = self.tracing and self.tracing.begin(method, _header(scope, b"traceparent"))
        try:
            await self._admit(scope)
            body = await self._body(scope, receive)
            with self.tracing.within(span) if self.tracing else nullcontext():
                await self.app(scope, body, sent)
        except Refused as error:
            self.metrics.refuse(error.word)
            await self._refuse(sent, id_, error.status, str(error), error.headers)
        except Exception as error:
            _failed(id_, error)
            if not began:
                await self._refuse(sent, id_, 500, f"something went wrong here; it is in the log as {id_}", {})
        took = time.perf_counter() - start
        route = getattr(scope.get("route"), "path", "none")
        self.metrics.request(method, route, status, took)
        if self.tracing:
            self.tracing.end(span, method, route, status)
        told = {
            "method": method,
            "route": route,
            "status": status,
            "ms": round(took * 1e3, 2),
            "id": id_,
        }
        log.info("request", extra={"told": told})

    @staticmethod
    def _text(scope: Scope) -> None:
        """Raises Refused where the path or a parameter is no text: what stands in its place would be another id."""
        for what, raw in (("path", scope.get("raw_path") or b""), ("query", scope.get("query_string", b""))):
            try:
                unquote_to_bytes(raw).decode("utf-8")
            except UnicodeDecodeError:
                raise Refused(422, f"the {what} is no UTF-8; percent-encode the bytes of UTF-8", "text") from None

    def _from_here(self, scope: Scope) -> None:
        """Raises Refused for what a page from elsewhere makes a browser ask: under a name of its own, or a change."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self.hosts and host.rpartition(":")[0 if re.search(r":\d+$", host) else 2] not in self.hosts:
            raise Refused(421, "this service is not known by that name; ask it under 127.0.0.1", "host")
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and scope["method"] not in ("GET", "HEAD") and origin.partition("://")[2] != host:
            raise Refused(403, "a page from elsewhere may change nothing here", "origin")

    async def _admit(self, scope: Scope) -> None:
        self._from_here(scope)
        self._text(scope)
        needed = scope_of(scope["method"], scope["path"])
        who = "anybody"
        if self.keyed and needed:
            key = _key(scope)
            if not key:
                raise Refused(
                    401, "a key is needed: Authorization: Bearer KEY", "no_key", {"www-authenticate": "Bearer"}
                )
            token = self.tokens is not None and key.count(".") == 2
            check = self.tokens.check if self.tokens is not None and token else self.journal.check
            try:
                found = await asyncio.to_thread(check, key)
            except Exception:
                raise Refused(503, "keys cannot be checked now", "store", {"retry-after": "5"}) from None
            if found is None:
                why = "this token does not hold here (who signed it, for whom, until when)"
                why = why if token else "this key is not known, or was revoked"
                raise Refused(401, why, "wrong_key", {"www-authenticate": 'Bearer error="invalid_token"'})
            who, scopes = found
            if needed not in scopes and "admin" not in scopes:
                raise Refused(403, f"this key has not the scope {needed}", "wrong_scope")
        if scope["path"].startswith(COMPUTED) and (busy := self.full()):  # before it costs anything to read it
            raise Refused(503, str(busy), "queue", {"retry-after": str(busy.seconds)})
        if self.limits.rate and needed:
            self._pay(who if self.keyed else str((scope.get("client") or ("",))[0]))

    def _pay(self, who: str) -> None:
        """A token bucket for each key. Raises Refused where it is empty."""
        name, now = hashlib.sha256(who.encode()).hexdigest()[:16], time.monotonic()
        left, when = self._rates.pop(name, (float(self.limits.burst), now))
        left = min(float(self.limits.burst), left + (now - when) * self.limits.rate)
        if left < 1:
            self._rates[name] = left, now
            seconds = str(max(1, round((1 - left) / self.limits.rate)))
            raise Refused(429, f"more than {self.limits.rate:g} requests a second", "rate", {"retry-after": seconds})
        self._rates[name] = left - 1, now
        while len(self._rates) > KNOWN_KEYS:
            self._rates.popitem(last=False)

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The whole body, read before anything is made of it, in bounds of size and time."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        most = self.limits.body
        if (length.isdigit() and int(length[:20]) > most) or len(length) > 20:
            raise Refused(413, f"the body has more than {most:,} bytes; send less at once", "body")
        if scope["method"] in ("GET", "HEAD") and length == b"0" and b"transfer-encoding" not in headers:
            return receive
        parts, size, more = [], 0, True
        deadline = time.monotonic() + SLOW
        while more:
            try:
                message = await asyncio.wait_for(receive(), max(0.01, deadline - time.monotonic()))
            except TimeoutError:
                raise Refused(408, f"the body did not arrive within {SLOW:.0f} s", "slow") from None
            if message["type"] != "http.request":
                return receive
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise Refused(413, f"the body has more than {most:,} bytes; send less at once", "body")
            more = message.get("more_body", False)
        whole = {"type": "http.request", "body": b"".join(parts), "more_body": False}
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return whole

        return replay

    async def _refuse(self, send: Send, id_: str, status: int, detail: str, headers: dict[str, str]) -> None:
        body = json.dumps({"detail": detail, "recommendation_id": id_, **self.carried()}).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        head += [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


def _key(scope: Scope) -> str:
    """The key of a request, from ``Authorization: Bearer`` or ``X-API-Key``."""
    kind, _, key = _header(scope, b"authorization").partition(" ")
    found = key if kind.lower() == "bearer" else _header(scope, b"x-api-key")
    return found.strip()[:LONGEST_KEY]


def _header(scope: Scope, name: bytes) -> str:
    found: bytes = dict(scope["headers"]).get(name, b"")
    return found.decode("latin-1")


def _method(method: str) -> str:
    return method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"


def _failed(id_: str, error: BaseException) -> None:
    """Where something went wrong, without the values that it went wrong with."""
    at, places = error.__traceback__, list[str]()
    while at is not None:
        places.append(f"{at.tb_frame.f_code.co_filename.rpartition('graphrec/')[2]}:{at.tb_lineno}")
        at = at.tb_next
    log.error("failed", extra={"told": {"id": id_, "kind": type(error).__name__, "at": places[-6:]}})


class JsonLines(logging.Formatter):
    """Records as JSON, a line each, of which nothing is written but what was put there on purpose."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        out = {"time": f"{when}.{int(record.msecs):03d}Z", "level": record.levelname.lower()}
        told = getattr(record, "told", None)
        said = {"event": record.msg} if told is not None else {"event": record.name, "message": _plain(record)}
        return json.dumps({**out, **said, **(told or {})}, ensure_ascii=False)


def _plain(record: logging.LogRecord) -> str:
    """The message of another library; of one that would quote a request, what kind of thing it is."""
    return record.getMessage() if record.exc_info is None else f"{record.msg}"

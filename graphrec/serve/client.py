"""A client of ``graphrec serve``, for programs in Python; it needs the package httpx.

::

    with Client("http://127.0.0.1:8000", key="gr_…") as service:
        for item in service.recommend(user_id="u17", k=5)["items"]:
            print(item["item_id"], item["score"])
        service.send([{"user_id": "u17", "item_id": "i3", "type": "like"}])

What the service refuses is raised as the error that it would be in Python: UnknownIdError, ConfigError, and
ServiceError for the rest. Where too much is asked at once, it is asked again after as long as the service says.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from graphrec.errors import ConfigError, GraphrecError, MissingModelError, UnknownIdError

TRIES = 4
LONGEST = 5.0  # seconds that are waited before a question is asked again
AGAIN = (429, 503)


class ServiceError(GraphrecError):
    """The service did not answer, or refused for another reason than the question; ``status`` is 0 or that of HTTP."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Args: url of the service; key, where it demands one; timeout in seconds of one try. Raises MissingModelError
    where httpx is not installed."""

    def __init__(self, url: str = "http://127.0.0.1:8000", key: str = "", timeout: float = 30.0) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingModelError("the client needs the package httpx; pip install httpx") from None
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._failed = httpx.HTTPError
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def recommend(self, user_id: str | None = None, k: int = 10, **asked: Any) -> dict[str, Any]:
        """POST /recommend: the best items; ``asked``: whatever it takes."""
        body = {"user_id": user_id, "k": k, **asked}
        return self._asked(
            "POST", "/recommend", json={name: value for name, value in body.items() if value is not None}
        )

    def pages(self, user_id: str | None = None, k: int = 10, **asked: Any) -> Iterator[dict[str, Any]]:
        """The answers of one list, a page of k items each, until it ends."""
        page = self.recommend(user_id, k, **asked)
        yield page
        while page["next_cursor"]:
            page = self.recommend(user_id, k, cursor=page["next_cursor"], **asked)
            yield page

    def batch(self, user_ids: Sequence[str], k: int = 10, **asked: Any) -> Iterator[dict[str, Any]]:
        """POST /recommend/batch: an answer for each of many, all of one model, as they come."""
        with self._http.stream("POST", "/recommend/batch", json={"user_ids": list(user_ids), "k": k, **asked}) as found:
            if found.status_code >= 400:
                found.read()
                _answer(found)
            yield from (json.loads(line) for line in found.iter_lines() if line)

    def similar(self, item_id: str, k: int = 10) -> dict[str, Any]:
        """GET /similar: the items nearest to one."""
        return self._asked("GET", "/similar", params={"item_id": item_id, "k": k})

    def explain(self, user_id: str | None, item_id: str, **asked: Any) -> dict[str, Any]:
        """POST /explain: why an item scores as it does; ``asked``: whatever it takes, such as ``weights``."""
        return self._why("/explain", user_id, item_id, asked)

    def why_not(self, user_id: str | None, item_id: str, **asked: Any) -> dict[str, Any]:
        """POST /why_not: why an item is not among those recommended."""
        return self._why("/why_not", user_id, item_id, asked)

    def contrast(self, user_id: str | None, item_id: str, other_id: str, **asked: Any) -> dict[str, Any]:
        """POST /contrast: why one item scores higher or lower than another."""
        return self._why("/contrast", user_id, item_id, {"other_id": other_id, **asked})

    def verify(self, receipt: Mapping[str, Any] | str) -> dict[str, Any]:
        """POST /verify: whether the receipt of an explanation holds, or the answer with a ``recommendation_id``."""
        said = {"recommendation_id": receipt} if isinstance(receipt, str) else {"receipt": dict(receipt)}
        return self._asked("POST", "/verify", json=said)

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """POST /events. An event without an id gets one, so that it is counted once however often it is sent."""
        told = [{"event_id": secrets.token_hex(12), **event} for event in events]
        return self._asked("POST", "/events", json={"events": told})

    def profile(self, user_id: str, export: bool = False) -> dict[str, Any]:
        """GET /users/{id}: what is known of one person."""
        return self._asked("GET", f"/users/{_segment(user_id)}", params={"export": export})

    def forget(self, user_id: str) -> dict[str, Any]:
        """DELETE /users/{id}: a receipt."""
        return self._asked("DELETE", f"/users/{_segment(user_id)}")

    def put_item(self, item_id: str, **told: Any) -> dict[str, Any]:
        """PUT /items/{id}: ``title``, ``text``, ``attributes``."""
        return self._asked("PUT", f"/items/{_segment(item_id)}", json=told)

    def change_item(self, item_id: str, **told: Any) -> dict[str, Any]:
        """PATCH /items/{id}: what is told changes, the rest stays."""
        return self._asked("PATCH", f"/items/{_segment(item_id)}", json=told)

    def item(self, item_id: str) -> dict[str, Any]:
        """GET /items/{id}: what is known of an item."""
        return self._asked("GET", f"/items/{_segment(item_id)}")

    def items(self, **asked: Any) -> list[dict[str, Any]]:
        """GET /items: items to pick from; ``asked``: ``title``, ``k``."""
        found: list[dict[str, Any]] = self._asked("GET", "/items", params=asked)["items"]
        return found

    def users(self, **asked: Any) -> list[str]:
        """GET /users: people to pick from; ``asked``: ``begins``, ``k``."""
        found: list[str] = self._asked("GET", "/users", params=asked)["users"]
        return found

    def hide_item(self, item_id: str) -> dict[str, Any]:
        """DELETE /items/{id}: out of every answer from now on."""
        return self._asked("DELETE", f"/items/{_segment(item_id)}")

    def reload(self, artifact: str | None = None, canary: float = 0.0, interleave: float = 0.0) -> dict[str, Any]:
        """POST /admin/reload: let another model take over, answer a share of people, or be interleaved for one."""
        asked = {"artifact": artifact, "canary": canary, "interleave": interleave}
        return self._asked("POST", "/admin/reload", json=asked)

    def promote(self) -> dict[str, Any]:
        """POST /admin/promote: the model on trial answers all."""
        return self._asked("POST", "/admin/promote")

    def rollback(self) -> dict[str, Any]:
        """POST /admin/rollback: the trial ends, or the model before answers again."""
        return self._asked("POST", "/admin/rollback")

    def ready(self) -> dict[str, Any]:
        """GET /ready: what answers, what is on trial, and what does not work."""
        return self._asked("GET", "/ready")

    def model(self) -> dict[str, Any]:
        """GET /model: the model card."""
        return self._asked("GET", "/model")

    def version(self) -> dict[str, Any]:
        """GET /version: of the program and of the models that are kept."""
        return self._asked("GET", "/version")

    def _why(self, path: str, user_id: str | None, item_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        known = {"user_id": user_id, "item_id": item_id, **asked}
        return self._asked("POST", path, json={name: value for name, value in known.items() if value is not None})

    def _asked(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        for left in reversed(range(TRIES)):
            try:
                found = self._http.request(method, path, **request)
            except self._failed as error:
                raise ServiceError(
                    f"{self._http.base_url}: no answer ({type(error).__name__}); see whether it runs"
                ) from None
            if found.status_code not in AGAIN or not left:
                break
            after = found.headers.get("retry-after", "")
            time.sleep(min(LONGEST, float(after) if after.isdecimal() else 1.0))  # else a date, of what stands between
        return _answer(found)


def _answer(found: Any) -> dict[str, Any]:
    """What the service answered. Raises what it refused, and ServiceError for what is not from it."""
    try:
        document = found.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ServiceError(f"{found.url}: status {found.status_code}, and no answer of graphrec", found.status_code)
    if found.status_code < 400:
        return document
    detail = str(document.get("detail", found.status_code))
    if found.status_code == 404:
        raise UnknownIdError(detail)
    raise ConfigError(detail) if found.status_code == 422 else ServiceError(detail, found.status_code)


def _segment(id_: str) -> str:
    """An id as the end of a path: dots too are encoded, which alone would be steps in it."""
    return quote(id_, safe="").replace(".", "%2E")

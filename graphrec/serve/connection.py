"""How requests are read off a connection: by httptools, in C, with a bound on what comes before a body."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 65_536  # bytes of a path with its parameters, and of all headers


class Connection(HttpToolsProtocol):
    """Uvicorn's own, which takes a head of any length, and holds in memory one that never ends."""

    _within_head = False
    _held = 0  # bytes of a head that has not ended

    def on_message_begin(self) -> None:
        """A head begins."""
        self._within_head, self._held = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has ended. Raises ValueError where it was too long, which is answered with 400."""
        self._within_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LONGEST_HEAD:
            raise ValueError(f"a head of more than {LONGEST_HEAD} bytes")
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """More of a request, or of several. One whose head does not end is answered with 400, and left."""
        went_on = self._within_head
        super().data_received(data)
        self._held += len(data) if went_on and self._within_head else 0
        if self._held > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is longer than {LONGEST_HEAD} bytes.")

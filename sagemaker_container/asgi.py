"""A request and its answer by ASGI itself: two routes need no framework (docs/decisions/0011-no-web-framework.md).

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientLeftError(Exception):
    """The client closed the connection before it had its answer."""


class Request:
    """What a client asks.

    Attributes:
        method: such as POST.
        path: without the query.
    """

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive

    def header(self, name: bytes) -> str:
        """The first header of this name (in lower case); empty where there is none."""
        return next((value.decode("latin-1") for each, value in self._headers if each == name), "")

    async def chunk(self) -> tuple[bytes, bool]:
        """The next piece of the body, and whether more follow.

        Raises:
            ClientLeftError: there is nobody to send them.
        """
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        return message.get("body", b""), message.get("more_body", False)

    def has_left(self) -> bool:
        """Whether the client has closed the connection; only once the body is read."""
        receiving = self._receive().__await__()
        try:
            next(receiving)
        except StopIteration as received:
            return bool(received.value["type"] == "http.disconnect")
        receiving.close()  # one that has to wait has nothing to tell
        return False


async def respond(send: Send, status: int, answer: Any = None, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send an answer, as JSON where there is one."""
    body = b"" if answer is None else json.dumps(answer).encode()
    kind = [(b"content-type", b"application/json")] if body else []
    head = [(b"content-length", b"%d" % len(body)), *kind, *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})

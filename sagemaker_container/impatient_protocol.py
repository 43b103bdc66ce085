"""uvicorn's HTTP, with an end for connections that never finish a request's head."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class ImpatientProtocol(H11Protocol):
    """Closes a connection on which no request begins within `timeout_keep_alive`, counted from its opening or its last
    answer.

    uvicorn's own timer starts only with the first answer and stops at the next byte, so a client that sends its headers
    a byte at a time, or none, would hold a connection for ever. The body has its own end: app.MAX_WAIT_SECONDS.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        # As in uvicorn, but that the timer goes on: handle_events stops it once a head is complete.
        self.conn.receive_data(data)
        self.handle_events()

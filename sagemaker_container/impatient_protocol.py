"""uvicorn's HTTP, with an end for connections that never finish what comes before or after a body."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Of a head, or of a body's trailers: what h11, uvicorn's other parser, allows. httptools itself has no limit.
MAX_HEAD_BYTES = 64 * 1024


class ImpatientProtocol(HttpToolsProtocol):
    """Closes a connection on which no request begins within `timeout_keep_alive`, counted from its opening or its last
    answer, or that sends MAX_HEAD_BYTES and more without anything of a body.

    uvicorn's own timer starts only with the first answer and stops at the next byte, so a client that sends its headers
    a byte at a time, or none, would hold a connection for ever. The body has its own end: app.MAX_WAIT_SECONDS.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.bytes_without_body = 0
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        # uvicorn would stop the timer at any byte; here it goes on until a head is complete.
        timer, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        request = self.cycle
        self.bytes_without_body += len(data)
        super().data_received(data)
        if timer and self.cycle is not request:
            timer.cancel()
        else:
            self.timeout_keep_alive_task = timer
        if self.bytes_without_body > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too long.")

    def on_body(self, body: bytes) -> None:
        self.bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.bytes_without_body = 0
        super().on_message_complete()

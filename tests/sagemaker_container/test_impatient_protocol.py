"""Connections that never finish a request's head, on a real socket."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from sagemaker_container.impatient_protocol import MAX_HEAD_BYTES, ImpatientProtocol
from sagemaker_container.server import configure

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENCE_SECONDS = 60  # until a connection that stays open counts as a failure


async def app(scope: object, receive: object, send: object) -> None:
    """Reads the body and answers it."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def talk(*pieces: bytes, keep_alive: float, pause: float = 0.0) -> bytes:
    """Send the pieces, with a pause after each, and return what comes until the server closes the connection."""
    config = uvicorn.Config(app, timeout_keep_alive=keep_alive, log_config=None, access_log=False)
    config.load()
    state = ServerState()
    listener = await asyncio.get_running_loop().create_server(
        lambda: ImpatientProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with listener:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        try:
            return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize(
    "pieces",
    [[], [HEAD[:10]], [HEAD[at : at + 1] for at in range(len(HEAD) - 1)]],
    ids=["nothing", "a piece", "a byte at a time"],
)
def test_a_head_that_does_not_end_ends_the_connection(pieces: list[bytes]) -> None:
    assert asyncio.run(talk(*pieces, keep_alive=0.05, pause=0.001)) == b""


def test_a_second_head_that_does_not_end_does_so_too() -> None:
    answer = asyncio.run(talk(HEAD + b"abcd", HEAD[:10], keep_alive=0.05))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_may_take_longer_than_the_head() -> None:
    answer = asyncio.run(talk(HEAD, b"ab", b"cd", keep_alive=0.05, pause=0.2))

    assert answer.endswith(b"abcd")


FLOOD = b"x: " + b"y" * (2 * MAX_HEAD_BYTES)


@pytest.mark.parametrize(
    "pieces",
    [[HEAD[:-2], FLOOD], [CHUNKED, b"4\r\nabcd\r\n0\r\n", FLOOD], [HEAD + b"abcd", HEAD[:-2], FLOOD]],
    ids=["head", "trailers", "second head"],
)
def test_a_head_without_bounds_is_cut_off_long_before_the_time_is_over(pieces: list[bytes]) -> None:
    answer = asyncio.run(talk(*pieces, keep_alive=2 * PATIENCE_SECONDS, pause=0.01))

    assert b"HTTP/1.1 400" in answer or answer == b""


def test_a_body_in_tiny_chunks_is_no_head_without_bounds() -> None:
    pieces = [CHUNKED, *[b"1\r\na\r\n" * 1000] * 20, b"0\r\n\r\n"]

    assert asyncio.run(talk(*pieces, keep_alive=0.2)).endswith(b"a" * 20_000)


def test_the_server_speaks_it_and_waits_longer_than_sagemaker_does_for_an_answer() -> None:
    config = configure(app)
    config.load()

    assert config.http_protocol_class is ImpatientProtocol
    assert 60 < config.timeout_keep_alive < 120

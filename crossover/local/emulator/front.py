"""Answers on ministack's port what ministack does not: InvokeEndpoint, and how many events are in progress."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from ministack import app

from crossover.local.emulator.events import Events
from crossover.local.emulator.permissions import DeniedError, check_request
from crossover.local.emulator.sagemaker import SageMaker, arn_of, error

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def install_routes(sagemaker: SageMaker, events: Events) -> None:
    """Put the handler of these requests in front of ministack's."""
    ministack, invocation = app.app, re.compile("/endpoints/([^/]+)/invocations")

    def invoke(name: str, scope: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        try:
            check_request(scope, body, "sagemaker:InvokeEndpoint", arn_of("endpoint", name))
        except DeniedError as denied:
            return error(403, denied.code, {"Message": denied.message})
        sent = {header.decode("latin-1"): value.decode("latin-1") for header, value in scope["headers"]}
        return sagemaker.invoke(name, body, sent)

    async def front(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        match = invocation.fullmatch(path)
        if scope["type"] == "http" and path == "/_crossover/events":
            status, headers = 200, {"Content-Type": "application/json"}
            answer = json.dumps({"in_progress": events.in_progress}).encode()
        elif scope["type"] == "http" and scope["method"] == "POST" and match:
            body = await whole_body(receive)
            status, headers, answer = await asyncio.to_thread(invoke, unquote(match[1]), scope, body)
        else:
            await ministack(scope, receive, send)
            return
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer})

    app.app = front


async def whole_body(receive: Receive) -> bytes:
    """The body of a request."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)

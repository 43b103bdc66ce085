"""Answers on ministack's port what it does not: SageMaker, CodeDeploy, scaling, S3 Batch Operations, and its use."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

from ministack import app

from crossover.local.emulator.application_scaling import TARGET, ApplicationScaling
from crossover.local.emulator.batch_operations import PATH as JOBS
from crossover.local.emulator.batch_operations import BatchOperations
from crossover.local.emulator.codedeploy import CodeDeploy
from crossover.local.emulator.event_source_mappings import messages_in_progress
from crossover.local.emulator.events import Events
from crossover.local.emulator.permissions import DeniedError, check_request, refused, used
from crossover.local.emulator.sagemaker import SageMaker, arn_of, error

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Response = tuple[int, dict[str, str], bytes]  # status, headers and body

HOOK_STATUS = b"CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"


def install_routes(
    sagemaker: SageMaker,
    codedeploy: CodeDeploy,
    batch_operations: BatchOperations,
    scaling: ApplicationScaling,
    events: Events,
) -> None:
    """Put the handlers of these requests in front of ministack's."""
    ministack, invocation = app.app, re.compile("/endpoints/([^/]+)/invocations")

    def invoke(name: str, scope: Scope, body: bytes) -> Response:
        check_request(scope, body, "sagemaker:InvokeEndpoint", arn_of("endpoint", name))
        sent = {header.decode("latin-1"): value.decode("latin-1") for header, value in scope["headers"]}
        return sagemaker.invoke(name, body, sent)

    def find(scope: Scope) -> Callable[[Scope, bytes], Response] | None:
        if scope["type"] != "http":
            return None
        if scope["path"] == "/_crossover/events":
            return lambda scope, body: as_json({"in_progress": events.in_progress + messages_in_progress()})
        if scope["path"] == "/_crossover/permissions":
            return lambda scope, body: as_json({"used": sorted(used), "refused": sorted(refused)})
        if scope["path"] == "/_crossover/scaling":  # for tests: a period that ends at the time in the body
            return lambda scope, body: as_json(scaling.tick(datetime.fromisoformat(body.decode())))
        if scope["method"] == "POST" and (match := invocation.fullmatch(scope["path"])):
            return partial(invoke, unquote(match[1]))
        if JOBS.fullmatch(scope["path"]):
            return batch_operations.answer
        if (b"x-amz-target", HOOK_STATUS) in scope["headers"]:
            return lambda scope, body: as_json(codedeploy.report(scope, body))
        target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
        if target.startswith(TARGET):
            return lambda scope, body: as_json(scaling.respond(target.removeprefix(TARGET), scope, body))
        return None

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        handler = find(scope)
        if handler is None:
            await ministack(scope, receive, send)
            return
        body = await whole_body(receive)
        try:
            status, headers, answer = await asyncio.to_thread(handler, scope, body)
        except DeniedError as denied:
            status, headers, answer = error(403, denied.code, {"__type": denied.code, "Message": denied.message})
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer})

    app.app = front


def as_json(content: Mapping[str, Any]) -> Response:
    """The response of a request that succeeds."""
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


async def whole_body(receive: Receive) -> bytes:
    """The body of a request."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)

"""REPORT lines: Lambda's own record of an invocation in the function's log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from crossover.aws import Clients

PATTERN = '"REPORT RequestId:"'
BEGINNING = "REPORT RequestId: "


class ReportJson(TypedDict):
    """A report in a result or a journal."""

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: float
    max_memory_mb: float
    init_ms: float | None
    restore_ms: float | None
    billed_restore_ms: float | None
    status: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """One attempt of an invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html

    Attributes:
        request_id: of the invocation; a retry has the same.
        duration_ms: of the handler.
        billed_ms: INIT, or the billed part of a restore, included.
        memory_mb: what the function has.
        max_memory_mb: the most that the execution environment has used.
        init_ms: INIT of a new execution environment; None elsewhere.
        restore_ms, billed_restore_ms: restoring of a snapshot, and the part of it that is billed; None elsewhere.
        status: such as timeout or error; empty where the line has none.
    """

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: float
    max_memory_mb: float
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str = ""


def parse(line: str) -> Report | None:
    """The report in a line of a function's log; None for another line, or one that lacks a required field."""
    if not line.startswith(BEGINNING):
        return None
    first, *parts = [part for part in re.split(r"[\t\n]", line) if part]
    values = dict(part.split(": ", 1) for part in parts if ": " in part)

    def number(name: str, unit: str) -> float | None:
        match = re.fullmatch(rf"(\d+(?:\.\d+)?) {unit}", values.get(name, "").strip())
        return float(match[1]) if match else None

    needed = {
        "duration_ms": number("Duration", "ms"),
        "billed_ms": number("Billed Duration", "ms"),
        "memory_mb": number("Memory Size", "MB"),
        "max_memory_mb": number("Max Memory Used", "MB"),
    }
    found = {name: value for name, value in needed.items() if value is not None}
    if len(found) < len(needed):
        return None
    return Report(
        request_id=first.removeprefix(BEGINNING).strip(),
        **found,
        init_ms=number("Init Duration", "ms"),
        restore_ms=number("Restore Duration", "ms"),
        billed_restore_ms=number("Billed Restore Duration", "ms"),
        status=values.get("Status", "").strip(),
    )


def fetch(clients: Clients, log_group: str, *, since: float) -> Mapping[str, tuple[Report, ...]]:
    """All reports of a log group, by request id, those of one id in their order.

    Args:
        log_group: of the function.
        since: s since 1970, by AWS's clock; nothing older is read.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: CloudWatch Logs did not answer; a group that is not there yet
            is not an error.
    """
    logs = clients("logs")
    found: dict[str, list[tuple[int, Report]]] = {}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group, startTime=int(1000 * since), filterPattern=PATTERN
    )
    try:
        for event in _events(pages):
            report = parse(event["message"])
            if report:
                found.setdefault(report.request_id, []).append((event["timestamp"], report))
    except logs.exceptions.ResourceNotFoundException:
        return {}
    return {
        request_id: tuple(report for _, report in sorted(reports, key=lambda pair: pair[0]))
        for request_id, reports in found.items()
    }


def _events(pages: Any) -> Any:
    for page in pages:
        yield from page["events"]

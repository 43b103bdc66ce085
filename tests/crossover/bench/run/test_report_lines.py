"""REPORT lines, as functions on AWS have written them, and how they are read from a log."""

from typing import Any

import pytest

from crossover.bench.run.report_lines import PATTERN, Report, fetch, parse

from .fakes import FakeLogs

ID = "b771fecc-1b53-4faf-922d-1d74357b1676"
WARM = (
    f"REPORT RequestId: {ID}\tDuration: 23.61 ms\tBilled Duration: 24 ms\tMemory Size: 4096 MB\t"
    "Max Memory Used: 188 MB\t\n"
)
COLD = (
    f"REPORT RequestId: {ID}\tDuration: 43.19 ms\tBilled Duration: 742 ms\tMemory Size: 4096 MB\t"
    "Max Memory Used: 180 MB\tInit Duration: 698.02 ms\t\n"
)
RESTORED = (
    f"REPORT RequestId: {ID}\tDuration: 306.34 ms\tBilled Duration: 610 ms\tMemory Size: 3009 MB\t"
    "Max Memory Used: 155 MB\tRestore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t\n"
)
TIMED_OUT = (
    f"REPORT RequestId: {ID}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 30 MB\tStatus: timeout\n"
)
KILLED = (
    f"REPORT RequestId: {ID}\tDuration: 511.83 ms\tBilled Duration: 512 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n"
)
TRACED = (
    f"REPORT RequestId: {ID}\tDuration: 12 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 75 MB\t\n"
    "XRAY TraceId: 1-66d978e5-56c7378e556e94b5461da07c\tSegmentId: 29c3839e6ecb5895\tSampled: true\t\n"
)


def report(duration: float, billed: float, memory: float, used: float, **more: Any) -> Report:
    return Report(request_id=ID, duration_ms=duration, billed_ms=billed, memory_mb=memory, max_memory_mb=used, **more)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (WARM, report(23.61, 24, 4096, 188)),
        (COLD, report(43.19, 742, 4096, 180, init_ms=698.02)),
        (RESTORED, report(306.34, 610, 3009, 155, restore_ms=511.25, billed_restore_ms=303)),
        (TIMED_OUT, report(3000, 3000, 128, 30, status="timeout")),
        (KILLED, report(511.83, 512, 128, 128, status="error")),
        (TRACED, report(12, 12, 128, 75)),
    ],
    ids=["warm", "cold", "restored", "timed out", "killed", "traced"],
)
def test_every_kind_of_line_is_read(line: str, expected: Report) -> None:
    assert parse(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        f"START RequestId: {ID} Version: $LATEST\n",
        f"END RequestId: {ID}\n",
        "INIT_REPORT Init Duration: 10008.55 ms\tPhase: init\tStatus: timeout\n",
        "RESTORE_REPORT Restore Duration: 511.25 ms\n",
        '{"event": "prediction", "object_key": "REPORT RequestId: x\\tDuration: 1 ms"}',
        f"REPORT RequestId: {ID}\tDuration: 23.61 ms\n",  # cut off
        f"REPORT RequestId: {ID}\tDuration: some ms\tBilled Duration: 24 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB",
        "",
    ],
)
def test_other_lines_are_ignored(line: str) -> None:
    assert parse(line) is None


def line(request_id: str, milliseconds: int) -> str:
    return WARM.replace(ID, request_id).replace("Duration: 23.61 ms", f"Duration: {milliseconds} ms")


def test_a_log_is_read_page_by_page_and_retries_stay_together_in_their_order() -> None:
    logs = FakeLogs([(3000, line("a", 3)), (1000, line("b", 1)), (2000, line("a", 2)), (1500, "REPORT of no kind")])
    found = fetch(lambda service: logs, "/logs/standard", since=1.5)
    assert {name: [each.duration_ms for each in reports] for name, reports in found.items()} == {"a": [2, 3], "b": [1]}
    [asked] = logs.readings
    assert asked == {"logGroupName": "/logs/standard", "startTime": 1500, "filterPattern": PATTERN}


def test_a_missing_log_group_is_empty() -> None:
    logs = FakeLogs()
    logs.missing = True
    assert fetch(lambda service: logs, "/logs/new", since=0) == {}

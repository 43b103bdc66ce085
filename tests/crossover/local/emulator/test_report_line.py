"""Lambda's REPORT line of an invocation, and its billed duration."""

import pytest

from crossover.bench.run.report_lines import Report, parse
from crossover.local.emulator.report_line import report_line


def reported(**times: float) -> Report:
    line = report_line("id", 512, {name.replace("_", " "): time for name, time in times.items()}, 99)
    report = parse(line)
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("duration", "shown", "billed"),
    [(142.0, 142.0, 142), (142.004, 142.0, 142), (142.006, 142.01, 143), (141.2, 141.2, 142), (0.001, 0.0, 0)],
)
def test_what_is_billed_is_the_shown_duration_rounded_up(duration: float, shown: float, billed: int) -> None:
    report = reported(Duration=duration)
    assert (report.duration_ms, report.billed_ms) == (shown, billed)
    assert (report.memory_mb, report.max_memory_mb) == (512, 99)
    assert (report.init_ms, report.restore_ms, report.billed_restore_ms) == (None, None, None)


def test_init_is_billed_with_the_call_and_both_are_rounded_up_once() -> None:
    report = reported(Duration=100.4, Init_Duration=200.4)
    assert (report.init_ms, report.billed_ms) == (200.4, 301)
    assert reported(Duration=1.1, Init_Duration=2.9).billed_ms == 4


def test_only_part_of_a_restore_is_billed() -> None:
    report = reported(Duration=10.2, Restore_Duration=300.7, Billed_Restore_Duration=55.5)
    assert (report.init_ms, report.restore_ms, report.billed_restore_ms) == (None, 300.7, 56)
    assert report.billed_ms == 66

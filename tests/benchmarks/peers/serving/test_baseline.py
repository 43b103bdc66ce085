"""The baseline: its scripts, and CPU time that is neither the server's nor wrk's."""

import time
from pathlib import Path

import pytest

from benchmarks.peers.serving.baseline import BARE_LOOP, TIMED_LOOPS, Busy


@pytest.mark.parametrize(("known", "share"), [(0.0, 0.6), (2.0, 0.4), (6.0, 0.0), (6.5, 0.0)])
def test_other_load_is_busy_time_minus_known_time(known: float, share: float) -> None:
    before, after = Busy(busy=100.0, all=1000.0), Busy(busy=106.0, all=1010.0)
    assert after.share_of_others(before, known) == pytest.approx(share)


def test_no_elapsed_time_gives_no_share() -> None:
    now = Busy(busy=1.0, all=2.0)
    assert now.share_of_others(now, 0.0) == 0.0


def test_cpu_time_is_read_from_the_system() -> None:
    before, began = Busy.now(), time.process_time()
    while time.process_time() - began < 0.1:
        pass
    after = Busy.now()
    assert after.busy - before.busy >= 0.05  # in ticks of 10 ms
    assert after.all - before.all >= after.busy - before.busy


@pytest.mark.parametrize("script", [BARE_LOOP, TIMED_LOOPS])
def test_the_scripts_of_the_loops_are_there(script: Path) -> None:
    assert script.is_file()

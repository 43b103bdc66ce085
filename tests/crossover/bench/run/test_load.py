"""How requests are sent: an open loop keeps its times whatever happens, a closed one its concurrency."""

import threading
from collections.abc import Callable

import pytest

from crossover.bench.run import load
from crossover.bench.run.context import Clock, Control
from crossover.bench.run.load import Threads, closed_loop, open_loop
from crossover.bench.run.plan import Planned
from crossover.interrupts import InterruptedBySignalError

from .fakes import FakeTime
from .test_plan import plan

PATIENCE_SECONDS = 30


def test_requests_are_sent_on_schedule_however_slow_the_answers_are() -> None:
    """No answer comes before all are sent: a closed loop would wait for the first one for ever."""
    time, control, last = FakeTime(), Control(), threading.Event()
    sent: list[tuple[int, float]] = []

    def send(planned: Planned, intended: float) -> None:
        sent.append((planned.number, intended))
        if len(sent) == 5:
            last.set()
        assert last.wait(PATIENCE_SECONDS)

    requests = plan(5, cold=0).load
    open_loop(requests, send, began=time.now - 7, clock=time.clock, control=control)
    assert sorted(sent) == [(number, 7.0 + number) for number in range(5)]
    assert time.slept == [1.0] * 4


def test_a_late_request_does_not_delay_the_others() -> None:
    """Whatever holds up this machine counts for the request that it holds up."""
    time, intended = FakeTime(), []

    def late(seconds: float) -> None:
        time.sleep(seconds + (3.5 if time.now == 1000 else 0))

    clock = Clock(wall=time.clock.wall, monotonic=time.clock.monotonic, sleep=late)
    open_loop(plan(7, cold=0).load, lambda _, at: intended.append(at), began=1000.0, clock=clock, control=Control())
    assert sorted(intended) == [0, 1, 2, 3, 4, 5, 6]
    assert time.now == 1006


def test_a_resumed_loop_starts_immediately_with_the_remaining_requests() -> None:
    time, intended = FakeTime(), []
    open_loop(
        plan(6, cold=0).load[4:],
        lambda planned, at: intended.append((planned.number, at)),
        began=time.now,
        clock=time.clock,
        control=Control(),
    )
    assert sorted(intended) == [(4, 0.0), (5, 1.0)]


def test_a_closed_loop_keeps_exactly_that_many_requests_in_progress() -> None:
    """Each request waits until as many as the step allows are under way."""
    time, in_progress, most, lock = FakeTime(), 0, dict[int, int](), threading.Lock()
    full = {step: threading.Barrier(step, timeout=PATIENCE_SECONDS) for step in (1, 2, 4)}
    sent: list[int] = []

    def send(planned: Planned, intended: float) -> None:
        nonlocal in_progress
        assert intended == 5  # it is sent when its turn comes
        step = planned.slot.concurrency or 0
        with lock:
            in_progress += 1
            most[step] = max(most.get(step, 0), in_progress)
            sent.append(planned.number)
        full[step].wait()
        with lock:
            in_progress -= 1
        full[step].wait()

    closed_loop(
        plan(12, cold=0, arrivals="ramp:1-4").load, send, began=time.now - 5, clock=time.clock, control=Control()
    )
    assert most == {1: 1, 2: 2, 4: 4}
    assert sorted(sent) == list(range(12))


@pytest.mark.parametrize(("loop", "arrivals"), [(open_loop, "constant:60rpm"), (closed_loop, "ramp:1-2")])
def test_nothing_is_sent_after_a_stop(loop: Callable[..., None], arrivals: str) -> None:
    time, control = FakeTime(), Control()
    sent: list[int] = []

    def send(planned: Planned, _: float) -> None:
        sent.append(planned.number)
        control.stop("Enough.")
        control.stop("More than enough.")

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        while not sent:  # the thread that sends has to come first
            threading.Event().wait(0.001)

    clock = Clock(wall=time.clock.wall, monotonic=time.clock.monotonic, sleep=sleep)
    loop(plan(4, cold=0, arrivals=arrivals).load, send, began=time.now, clock=clock, control=control)
    assert sent == [0]
    assert control.reason == "Enough."


def test_an_exception_of_a_request_is_raised() -> None:
    def send(planned: Planned, _: float) -> None:
        raise RuntimeError(f"request {planned.number}")

    time = FakeTime()
    with pytest.raises(RuntimeError, match="request 0"):
        open_loop(plan(2, cold=0).load, send, began=time.now, clock=time.clock, control=Control())


def test_after_an_interruption_requests_may_finish_before_they_are_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "GRACE_SECONDS", 0.2)
    control, ended, began = Control(), list[str](), threading.Event()

    def endless() -> None:
        began.set()
        assert control.abandoned.wait(PATIENCE_SECONDS)
        ended.append("given up")

    def short() -> None:
        assert control.stopping.wait(PATIENCE_SECONDS)
        assert not control.abandoned.is_set()
        ended.append("by itself")

    with pytest.raises(InterruptedBySignalError), Threads(control) as threads:
        threads.start(endless)
        threads.start(short)
        assert began.wait(PATIENCE_SECONDS)
        raise InterruptedBySignalError(2)
    assert ended == ["by itself", "given up"]


def test_nothing_is_abandoned_after_a_normal_end() -> None:
    control = Control()
    with Threads(control) as threads:
        threads.start(lambda: None)
    assert not control.stopping.is_set()
    assert not control.abandoned.is_set()

"""How requests are sent: on schedule in an open loop, or with a fixed concurrency in a closed one."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from crossover import interrupts
from crossover.bench.run.context import Clock, Control
from crossover.bench.run.plan import Planned

# Further uploads wait for a thread; their latency still counts from the intended time.
MOST_AT_ONCE = 128
# How long requests in progress may go on once the benchmark is interrupted.
GRACE_SECONDS = 20.0

Send = Callable[[Planned, float], None]


def open_loop(requests: Sequence[Planned], send: Send, *, began: float, clock: Clock, control: Control) -> None:
    """Send every request at its time, counted from the first one, without waiting for earlier ones.

    Args:
        requests: in the order of their offsets; the first one is sent immediately.
        send: sends one and waits for its end, on a thread of its own; takes the intended time, s since `began`.
        began: on the monotonic clock, s.
        clock: this machine's.
        control: checked before each request.
    """
    with Threads(control) as threads:
        first = clock.monotonic() - began - _offset(requests[0])
        for planned in requests:
            intended = first + _offset(planned)
            _sleep_until(began + intended, clock)
            if control.stopping.is_set():
                break
            threads.start(send, planned, intended)


def closed_loop(requests: Sequence[Planned], send: Send, *, began: float, clock: Clock, control: Control) -> None:
    """Keep as many requests in progress as their slots specify, step by step; takes the arguments of `open_loop`."""
    for concurrency, step in itertools.groupby(requests, key=lambda planned: planned.slot.concurrency):
        assert concurrency is not None
        work = _Worker(iter(list(step)), lambda planned: send(planned, clock.monotonic() - began), control)
        with Threads(control) as threads:
            for _ in range(concurrency):
                threads.start(work)


class _Worker:
    """Sends one request after the other; several threads share one worker."""

    def __init__(self, requests: Iterator[Planned], send: Callable[[Planned], None], control: Control) -> None:
        self._requests = requests
        self._send = send
        self._control = control
        self._lock = threading.Lock()

    def __call__(self) -> None:
        while not self._control.stopping.is_set():
            with self._lock:
                planned = next(self._requests, None)
            if planned is None:
                return
            self._send(planned)


class Threads:
    """Runs calls on threads; the end of its `with` block waits for them, and re-raises the first exception.

    Args:
        control: told when an interruption or an exception ends the block.
    """

    def __init__(self, control: Control) -> None:
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE)
        self._futures: list[Future[None]] = []
        self._control = control

    def __enter__(self) -> Self:
        return self

    def start(self, work: Callable[..., None], *arguments: object) -> None:
        """Run a call once a thread is free."""
        self._futures.append(self._pool.submit(work, *arguments))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for future in self._futures:
                    future.result()
        finally:
            self._end()

    def _end(self) -> None:
        """After an interruption or an error, give calls in progress some time to end, then abandon them."""
        with interrupts.delayed():
            if not all(future.done() for future in self._futures):
                self._control.stop("It was interrupted.")
                self._pool.shutdown(wait=False, cancel_futures=True)
                wait([future for future in self._futures if not future.cancelled()], timeout=GRACE_SECONDS)
                self._control.abandoned.set()
            self._pool.shutdown(wait=True)


def _offset(planned: Planned) -> float:
    assert planned.slot.offset is not None
    return planned.slot.offset


def _sleep_until(moment: float, clock: Clock) -> None:
    left = moment - clock.monotonic()
    if left > 0:
        clock.sleep(left)

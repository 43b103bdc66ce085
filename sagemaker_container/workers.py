"""Threads that predict, each one request at a time."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
from typing import Any


class Workers(Executor):
    """Threads of which the one that became free last is taken first, unlike those of a ThreadPoolExecutor.

    The processor's caches, and memory that it has taken, are still its own: in turns on two threads, one client's
    slowest requests took a third longer (docs/decisions/0009-lean-event-loop.md). A thread that is done takes the next
    call itself, without waiting for whoever submits.

    Args:
        count: of the threads.
    """

    def __init__(self, count: int) -> None:
        self._lock = Lock()
        self._free = [ThreadPoolExecutor(1, thread_name_prefix="prediction") for _ in range(count)]
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function as soon as a thread is free, first come, first served."""
        future: Future[Any] = Future()
        with self._lock:
            self._calls.append((future, lambda: function(*args, **kwargs)))
            thread = self._free.pop() if self._free else None
        if thread:
            thread.submit(self._work, thread)
        return future

    def _work(self, thread: ThreadPoolExecutor) -> None:
        """In a thread: make calls until there are none."""
        while True:
            with self._lock:
                if not self._calls:
                    self._free.append(thread)
                    return
                future, call = self._calls.popleft()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)

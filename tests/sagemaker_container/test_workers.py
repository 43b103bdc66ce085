"""The threads that predict."""

import threading
import time
from concurrent.futures import Future

import pytest

from sagemaker_container.workers import Workers


def hold(workers: Workers) -> tuple[threading.Event, "Future[int]"]:
    """Keep a thread busy until the event is set; it is busy when this returns."""
    begun, go = threading.Event(), threading.Event()

    def work() -> int:
        begun.set()
        assert go.wait(60)
        return threading.get_ident()

    future = workers.submit(work)
    assert begun.wait(60)
    return go, future


def finish(held: tuple[threading.Event, "Future[int]"]) -> int:
    held[0].set()
    return held[1].result(60)


def test_the_thread_that_became_free_last_is_taken_first() -> None:
    workers = Workers(2)
    first, second = hold(workers), hold(workers)
    assert len({finish(first), (last := finish(second))}) == 2
    for _ in range(3):
        while len(workers._free) < 2:  # its result is there a moment before it is free
            time.sleep(0.001)
        assert workers.submit(threading.get_ident).result(60) == last


def test_as_many_run_at_once_as_there_are_threads_and_the_others_in_their_order() -> None:
    workers, order = Workers(2), list[int]()
    first, second = hold(workers), hold(workers)
    waiting = [workers.submit(order.append, number) for number in range(5)]
    assert order == []
    finish(first)  # whose thread takes the waiting ones itself
    for future in waiting:
        future.result(60)
    assert order == [0, 1, 2, 3, 4]
    finish(second)


def test_a_call_that_fails_gives_its_error_and_its_thread_goes_on() -> None:
    workers = Workers(1)
    failed = workers.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result(60)
    assert workers.submit(int, "7", base=8).result(60) == 7


def test_a_call_that_is_cancelled_while_it_waits_is_not_made() -> None:
    workers, made = Workers(1), list[int]()
    held = hold(workers)
    waiting = workers.submit(made.append, 1)
    assert waiting.cancel()
    finish(held)
    workers.submit(made.append, 2).result(60)
    assert made == [2]

"""As many predictions at once as there are CPUs, and a bounded number of requests that wait for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

Result = TypeVar("Result")


class UnavailableError(Exception):
    """The request cannot be served now, and may be later: a 503.

    Args:
        code: stable, in UPPER_SNAKE_CASE, for programs: MODEL_LOADING, OVERLOADED or REQUEST_TIMEOUT. The app adds
            S3_UNAVAILABLE and STOPPING.
        message: one sentence for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class PredictionQueue:
    """Admits requests and serves them in order of arrival.

    A request takes a place before its body is read, so that waiting requests are bounded in number and in bytes.

    Args:
        workers: predictions that run at once, each in its own thread.
        max_waiting: requests that may wait for their turn.
        max_held_bytes: total size of the bodies that have been read and not yet answered.

    Attributes:
        occupied: requests that have a place now.
    """

    def __init__(self, *, workers: int, max_waiting: int, max_held_bytes: int) -> None:
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="prediction")
        # One more than can compute at once, so that a worker that is done finds the next request without waiting for
        # the event loop.
        self._turns = asyncio.Semaphore(workers + 1)
        self._max_places = workers + max_waiting
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0
        self.occupied = 0

    @contextmanager
    def place(self) -> Iterator[Callable[[int], None]]:
        """Take a place for one request; yields the function that counts the bytes it holds.

        Raises:
            UnavailableError: all places are taken, or (from the function) too many bytes are held.
        """
        if self.occupied >= self._max_places:
            raise UnavailableError("OVERLOADED", f"All {self._max_places} places are taken; try again later.")
        self.occupied += 1
        held = 0

        def hold(size_bytes: int) -> None:
            nonlocal held
            if self._held_bytes + size_bytes > self._max_held_bytes:
                raise UnavailableError(
                    "OVERLOADED", f"Waiting requests hold {self._held_bytes:,} bytes already; try again later."
                )
            held += size_bytes
            self._held_bytes += size_bytes

        try:
            yield hold
        finally:
            self.occupied -= 1
            self._held_bytes -= held

    @asynccontextmanager
    async def turn(self, deadline: float) -> AsyncIterator[None]:
        """Wait until a worker is free or this request is the next for one, and keep the turn.

        Args:
            deadline: after which an answer would come too late, in the event loop's time, s.

        Raises:
            UnavailableError: the deadline passed while waiting.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError as error:
            raise UnavailableError(
                "OVERLOADED", "The request waited until its answer would have come too late; try again later."
            ) from error
        try:
            yield
        finally:
            self._turns.release()

    async def compute(self, predict: Callable[[], Result]) -> Result:
        """Run `predict` in a worker's thread; only while holding a turn."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, predict)

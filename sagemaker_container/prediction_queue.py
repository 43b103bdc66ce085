"""As many predictions at once as there are processors, a bounded number of requests behind them, and no more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from sagemaker_container.errors import UnavailableError
from sagemaker_container.workers import Workers

Result = TypeVar("Result")


class PredictionQueue:
    """Admits requests and gives each its turn, first come, first served.

    A request takes a place before its body is read, so that what waits is bounded in number and in bytes.

    Args:
        workers: predictions that run at once, each in a thread of its own.
        max_waiting: requests that may wait for their turn.
        max_held_bytes: of all the bodies that have been read and not been answered yet.

    Attributes:
        occupied: requests that have a place now.
    """

    def __init__(self, *, workers: int, max_waiting: int, max_held_bytes: int) -> None:
        self._workers = Workers(workers)
        # One more than compute at once, so that a worker that is done finds the next and need not wait for the event
        # loop.
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
                    "OVERLOADED", f"Requests that wait hold {self._held_bytes:,} bytes already; try again later."
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
        """Wait until a worker is free or next will be, and keep the turn.

        Args:
            deadline: when an answer would come too late, in the event loop's time, s.

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
        """Run `predict` in a worker's thread; only inside a turn."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, predict)

"""How busy the cores were."""

import os
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, kw_only=True)
class Busy:
    """Processor time that the cores of this process had spent since the machine's start.

    Attributes:
        busy: not idle, s.
        all: s.
    """

    busy: float
    all: float

    @classmethod
    def now(cls) -> Self:
        """By /proc/stat, of the cores that this process may run on."""
        cores = psutil.cpu_times(percpu=True)
        mine = [cores[core] for core in os.sched_getaffinity(0)]
        idle = sum(core.idle + core.iowait for core in mine)
        # Guests' time is part of user and nice already.
        every = sum(sum(core) - core.guest - core.guest_nice for core in mine)
        return cls(busy=every - idle, all=every)

    def share_of_others(self, before: Self, known: float) -> float:
        """Of the time since `before`: the share that was busy beyond the `known` seconds, 0 to 1."""
        spent = self.all - before.all
        return max(0.0, self.busy - before.busy - known) / spent if spent else 0.0

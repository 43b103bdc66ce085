"""The plan of a benchmark: what is sent and when, fixed before anything is sent, and kept in the result."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TypedDict

from crossover.bench.run.files import File, FileJson
from crossover.bench.run.schedule import Slot


class Phase(Enum):
    """The load comes first, since forced cold starts leave warm environments behind."""

    LOAD = "load"
    COLD = "cold"


class PlanJson(TypedDict):
    """A plan in a result; one from before there were kinds of input has no `input_kind`, and is of audio."""

    variants: list[str]
    input_kind: str
    arrivals: str
    loop: str
    requests: int
    cold: int
    seed: int
    idle_seconds: float
    key_prefix: str
    files: list[FileJson]
    load: list[dict[str, float | None]]
    cold_files: list[int]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One request, which is sent to every variant.

    Attributes:
        phase: part of the load, or forced to be cold.
        number: from 0 in its phase.
        file: index of the file.
        slot: when it is sent; that of a cold one is empty.
    """

    phase: Phase
    number: int
    file: int
    slot: Slot = Slot()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A benchmark.

    Attributes:
        variants: names, in the order in which they are measured.
        arrivals: as on the command line.
        seed: of the arrivals, of the files' order and of the bootstrap.
        idle_seconds: how long an endpoint has been idle before a forced cold start.
        key_prefix: before each object's key.
        files: what is uploaded.
        load: the requests of the load.
        cold: the requests that are forced to be cold.
    """

    variants: tuple[str, ...]
    arrivals: str
    seed: int
    idle_seconds: float
    key_prefix: str
    files: tuple[File, ...]
    load: tuple[Planned, ...]
    cold: tuple[Planned, ...]

    @property
    def is_open_loop(self) -> bool:
        """Whether requests are sent on schedule, whatever the answers."""
        return self.load[0].slot.offset is not None

    @property
    def upload_bytes(self) -> int:
        """Of all requests to all variants."""
        each = sum(self.files[planned.file].size_bytes for planned in (*self.load, *self.cold))
        return each * len(self.variants)

    def to_json(self) -> PlanJson:
        """The plan in a result."""
        return {
            "variants": list(self.variants),
            "input_kind": self.files[0].kind,
            "arrivals": self.arrivals,
            "loop": "open" if self.is_open_loop else "closed",
            "requests": len(self.load),
            "cold": len(self.cold),
            "seed": self.seed,
            "idle_seconds": self.idle_seconds,
            "key_prefix": self.key_prefix,
            "files": [file.to_json() for file in self.files],
            "load": [{"file": planned.file, **asdict(planned.slot)} for planned in self.load],
            "cold_files": [planned.file for planned in self.cold],
        }


def make_plan(
    *,
    variants: Sequence[str],
    arrivals: str,
    slots: Sequence[Slot],
    files: Sequence[File],
    cold: int,
    seed: int,
    idle_seconds: float,
    key_prefix: str = "",
) -> Plan:
    """A plan in which all files occur equally often, within one, in an order that the seed determines."""
    order = _order(len(slots) + cold, len(files), seed)
    return Plan(
        variants=tuple(variants),
        arrivals=arrivals,
        seed=seed,
        idle_seconds=idle_seconds,
        key_prefix=key_prefix,
        files=tuple(files),
        load=tuple(
            Planned(phase=Phase.LOAD, number=number, file=order[number], slot=slot) for number, slot in enumerate(slots)
        ),
        cold=tuple(Planned(phase=Phase.COLD, number=number, file=order[len(slots) + number]) for number in range(cold)),
    )


def difference(old: Mapping[str, object], new: Mapping[str, object]) -> str | None:
    """The first field in which two plans differ, as a clause; None where they are the same."""
    for name in new:
        before, now = old.get(name), new[name]
        if before != now:
            if isinstance(now, list) and name != "variants":
                return f"its {name} differ"
            return f"{name} is {before!r} there and {now!r} here"
    return None


def _order(count: int, files: int, seed: int) -> list[int]:
    """Indices of files: every round has each once, shuffled."""
    chance = random.Random(seed)
    order: list[int] = []
    while len(order) < count:
        order += chance.sample(range(files), files)
    return order[:count]

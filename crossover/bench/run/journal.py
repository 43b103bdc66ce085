"""The journal: every observation is on disk as soon as it is complete, so that a benchmark can be resumed."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from crossover.bench.run.observation import Observation
from crossover.bench.run.plan import difference
from crossover.errors import UsageError

SCHEMA = 1


class Journal:
    """Lines of JSON in an append-only file; made by `create` or `resume`.

    Attributes:
        path: of the file, next to the result.
        run_id: part of the keys of the benchmark's uploads.
        started: when it began, s since 1970.
        observations: those that are complete.
        segments: start times, s since 1970: of the benchmark, and of each time that it was resumed.
    """

    def __init__(self, path: Path, *, run_id: str, started: float) -> None:
        self.path = path
        self.run_id = run_id
        self.started = started
        self.observations: list[Observation] = []
        self.segments: list[float] = []
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, plan: Mapping[str, object], *, run_id: str, started: float) -> Self:
        """Begin a journal.

        Raises:
            UsageError: there is one already, or it cannot be written.
        """
        if path.exists():
            raise UsageError(
                f"The journal {path} is of a benchmark that did not end; resume it with --resume, or delete the "
                "journal."
            )
        journal = cls(path, run_id=run_id, started=started)
        journal._append({"schema": SCHEMA, "run_id": run_id, "started": started, "plan": plan})
        journal.begin_segment(started)
        return journal

    @classmethod
    def resume(cls, path: Path, plan: Mapping[str, object], *, started: float) -> Self:
        """Resume a journal; an incomplete last line is dropped.

        Raises:
            UsageError: there is none, it cannot be read, or it has another plan; the difference is named.
        """
        try:
            text = path.read_bytes().decode()
        except OSError as error:
            raise UsageError(f"There is nothing to resume: {path} cannot be read: {error.strerror}.") from error
        whole = text[: text.rfind("\n") + 1]
        try:
            header, *lines = [json.loads(line) for line in whole.splitlines()]
            journal = cls(path, run_id=header["run_id"], started=header["started"])
            schema, old = header["schema"], header["plan"]
            for line in lines:
                if "begins" in line:
                    journal.segments.append(line["begins"])
                else:
                    journal.observations.append(Observation.from_json(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is not a journal of a benchmark: {error!r}.") from error
        if schema != SCHEMA:
            raise UsageError(f"The journal {path} has schema {schema!r}; this version reads {SCHEMA}.")
        different = difference(old, plan)
        if different:
            raise UsageError(f"The journal {path} is of another benchmark: {different}.")
        os.truncate(path, len(whole.encode()))
        journal.begin_segment(started)
        return journal

    def begin_segment(self, started: float) -> None:
        """Record that the benchmark begins or is resumed."""
        self.segments.append(started)
        self._append({"begins": started})

    def add(self, observation: Observation) -> None:
        """Add an observation, and write it to disk."""
        with self._lock:
            self.observations.append(observation)
            self._append(observation.to_json())

    def remove(self) -> None:
        """Delete the file, whose content is in the result."""
        self.path.unlink()

    def _append(self, record: Mapping[str, object]) -> None:
        try:
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"The journal {self.path} cannot be written: {error.strerror}.") from error

"""Forced cold starts: the next event meets a new execution environment, and everything is put back at the end.

- A function that S3 invokes directly gets another environment variable: Lambda uses no environment of the old
  configuration again.
- A version, behind an alias, cannot change: a new one is published, as AWS Lambda Power Tuning does for each of its
  cold starts, and the alias moved to it. With SnapStart that makes a snapshot, which is billed for at least three
  hours: expensive but reliable. More concurrent requests than environments could share one new snapshot, but they would
  disturb one another, and some would meet an environment that is free again.
- Provisioned concurrency has none, but what exceeds it runs on demand: it is taken away first, so that every event
  exceeds it, and given back at the end, which shows how long a fresh allocation takes. Application Auto Scaling may
  give it back earlier; then some forced starts are not cold, and the result says how many were.
- A function that mounts a file system mounts it anew in each new execution environment.
- An endpoint has no cold start. Its proxy has, and is made new after the endpoint has been idle for a while.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
https://github.com/alexcasalboni/aws-lambda-power-tuning/pull/206
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from crossover import interrupts
from crossover.aws import Clients
from crossover.bench.run.context import Clock
from crossover.deployed import Variant
from crossover.errors import CrossoverError

VARIABLE = "CROSSOVER_BENCH_START"
NOTE = "-provisioned-"
DESCRIPTION = "made by crossover bench run, and deleted by it"
# Lambda needs a moment to apply a moved alias, or a changed configuration, everywhere.
SETTLE_SECONDS = 2.0
READY_INTERVAL_SECONDS = 2.0
READY_SECONDS = 600.0  # allocating begins after a minute or two
UPDATE_SECONDS = 300
PUBLISH_SECONDS = 900  # of a snapshot, whose INIT may take that long


class ColdStarts(Protocol):
    """Forces cold starts of one variant."""

    def force(self) -> None:
        """Let the next event meet a new execution environment."""

    def undo(self) -> list[str]:
        """Restore everything; returns what could not be restored, each as a sentence. It can be called twice."""

    def find_leftovers(self) -> None:
        """Find what a killed benchmark has left behind, so that `undo` removes it."""


def cold_starts(
    clients: Clients, variant: Variant, *, run_id: str, clock: Clock, provisioned: int = 0
) -> "NewConfigurations | NewVersions":
    """How cold starts are forced depends on what S3 invokes: the function itself, or an alias of it.

    Args:
        provisioned: execution environments of the alias that are kept ready.
    """
    client = clients("lambda")
    if not variant.qualifier:
        return NewConfigurations(client, variant.function, run_id=run_id, clock=clock)
    if provisioned:
        return Overflow(
            client, variant.function, variant.qualifier, run_id=run_id, clock=clock, provisioned=provisioned
        )
    return NewVersions(client, variant.function, variant.qualifier, run_id=run_id, clock=clock)


def provisioned_before(value: str) -> int:
    """The environments that were kept ready before a benchmark set VARIABLE to this value; 0 where there were none."""
    number = value.rpartition(NOTE)[2] if NOTE in value else ""
    return int(number) if number.isdigit() else 0


class NewConfigurations:
    """A new execution environment for a function that S3 invokes directly.

    Args:
        client: of Lambda.
        function: its name.
        run_id: names the environment variable's values.
        clock: this machine's.
        note: ends these values.

    Attributes:
        left: the value that a killed benchmark has left behind.
    """

    def __init__(self, client: Any, function: str, *, run_id: str, clock: Clock, note: str = "") -> None:
        self.left = ""
        self._note = note
        self._client = client
        self._function = function
        self._run_id = run_id
        self._clock = clock
        self._original: dict[str, str] | None = None  # known once it has been changed
        self._made = 0

    def force(self) -> None:
        self.change()
        self._clock.sleep(SETTLE_SECONDS)

    def change(self) -> None:
        """Change the configuration, and wait until it is active.

        Raises:
            CrossoverError: the present one cannot be read, so it could not be put back.
        """
        if self._original is None:
            self._original = {name: value for name, value in self._variables().items() if name != VARIABLE}
        self._made += 1
        self._set({**self._original, VARIABLE: f"{self._run_id}-{self._made}{self._note}"})

    def find_leftovers(self) -> None:
        """Find what a killed benchmark has left behind, so that `undo` removes it."""
        variables = self._variables()
        if VARIABLE in variables:
            self.left = variables[VARIABLE]
            self._original = {name: value for name, value in variables.items() if name != VARIABLE}

    def undo(self) -> list[str]:
        if self._original is None:
            return []
        problem = f"The environment variable {VARIABLE} of the function {self._function}"
        with _recording(problem) as problems:
            self._set(self._original)
            self._original = None
        return problems

    def _variables(self) -> dict[str, str]:
        environment = self._client.get_function_configuration(FunctionName=self._function).get("Environment", {})
        if "Error" in environment:
            raise CrossoverError(
                f"The environment of {self._function} cannot be read, so it could not be put back: "
                f"{environment['Error'].get('Message', '')}"
            )
        variables: dict[str, str] = environment.get("Variables", {})
        return variables

    def _set(self, variables: dict[str, str]) -> None:
        self._client.update_function_configuration(FunctionName=self._function, Environment={"Variables": variables})
        waiter = self._client.get_waiter("function_updated_v2")
        waiter.wait(FunctionName=self._function, WaiterConfig={"Delay": 1, "MaxAttempts": UPDATE_SECONDS})


class NewVersions:
    """A new version behind an alias: a new execution environment, or with SnapStart a new restore.

    Args:
        client: of Lambda.
        function: its name.
        alias: that S3 invokes.
        run_id: names the environment variable's values.
        clock: this machine's.
        note: ends these values.
    """

    def __init__(self, client: Any, function: str, alias: str, *, run_id: str, clock: Clock, note: str = "") -> None:
        self._client = client
        self._function = function
        self._alias = alias
        self._clock = clock
        self._configurations = NewConfigurations(client, function, run_id=run_id, clock=clock, note=note)
        self._original: str | None = None  # what the alias is put back to, known once it has been moved
        self._made: list[str] = []

    def force(self) -> None:
        """Publish a version and move the alias to it.

        Raises:
            CrossoverError: a rollout is in progress, or the present configuration cannot be read.
        """
        if self._original is None:
            self._original = self._current()
        self._configurations.change()
        with interrupts.delayed():  # otherwise it could exist unnoticed
            answer = self._client.publish_version(FunctionName=self._function, Description=DESCRIPTION)
            self._made.append(answer["Version"])
        self._wait(answer["Version"])
        self._client.update_alias(FunctionName=self._function, Name=self._alias, FunctionVersion=answer["Version"])
        self._delete_unused(keep=answer["Version"])
        self._clock.sleep(SETTLE_SECONDS)

    def find_leftovers(self) -> None:
        """Find what a killed benchmark has left behind, so that `undo` removes it."""
        self._configurations.find_leftovers()
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self._function)
        versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
        self._made = [version["Version"] for version in versions if version.get("Description") == DESCRIPTION]
        if self._current() in self._made:
            kept = [version["Version"] for version in versions if version["Version"] not in self._made]
            if not kept:
                raise CrossoverError(f"The function {self._function} has no version of its own left; deploy it again.")
            self._original = max(kept, key=int)

    def undo(self) -> list[str]:
        problems: list[str] = []
        if self._original is not None:
            with _recording(f"The alias {self._alias} of the function {self._function}") as problems:
                self._client.update_alias(FunctionName=self._function, Name=self._alias, FunctionVersion=self._original)
                self._original = None
        for version in list(self._made):
            with _recording(f"Version {version} of the function {self._function}") as more:
                self._delete(version)
            problems += more
        return problems + self._configurations.undo()

    def _current(self) -> str:
        alias = self._client.get_alias(FunctionName=self._function, Name=self._alias)
        if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            raise CrossoverError(
                f"A rollout of {self._function} is in progress: its alias {self._alias} names two versions; wait for "
                "its end, or measure without --cold."
            )
        version: str = alias["FunctionVersion"]
        return version

    def _wait(self, version: str) -> None:
        waiter = self._client.get_waiter("published_version_active")
        config = {"Delay": 1, "MaxAttempts": PUBLISH_SECONDS}
        waiter.wait(FunctionName=self._function, Qualifier=version, WaiterConfig=config)

    def _delete_unused(self, *, keep: str) -> None:
        """Delete earlier versions; one that cannot be deleted yet is left to `undo`."""
        for version in [version for version in self._made if version != keep]:
            with contextlib.suppress(BotoCoreError, ClientError):
                self._delete(version)

    def _delete(self, version: str) -> None:
        with contextlib.suppress(WaiterError):  # one that is being published cannot be deleted; a failed one can
            self._wait(version)
        with contextlib.suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_function(FunctionName=self._function, Qualifier=version)
        self._made.remove(version)


class Overflow(NewVersions):
    """A new version behind an alias that has no provisioned concurrency meanwhile, so that it runs on demand.

    Args:
        provisioned: what the alias has, and gets back.

    Attributes:
        allocation_seconds: how long giving it back took; None unless that has been done.
    """

    def __init__(self, client: Any, function: str, alias: str, *, run_id: str, clock: Clock, provisioned: int) -> None:
        # A killed benchmark leaves the number in the environment variable.
        super().__init__(client, function, alias, run_id=run_id, clock=clock, note=f"{NOTE}{provisioned}")
        self.allocation_seconds: float | None = None
        self._provisioned = provisioned
        self._is_taken = False

    def force(self) -> None:
        if not self._is_taken:
            self._original = self._current()
            self._configurations.change()
            self._is_taken = True
            self._client.delete_provisioned_concurrency_config(FunctionName=self._function, Qualifier=self._alias)
        super().force()

    def find_leftovers(self) -> None:
        """Find what a killed benchmark has left behind, so that `undo` removes it."""
        super().find_leftovers()
        self._is_taken = bool(provisioned_before(self._configurations.left))

    def undo(self) -> list[str]:
        problems = super().undo()
        if self._is_taken:
            what = f"The provisioned concurrency ({self._provisioned}) of the alias {self._alias} of {self._function}"
            with _recording(what) as more:
                self._give_back()
                self._is_taken = False
            problems += more
        return problems

    def _give_back(self) -> None:
        alias = {"FunctionName": self._function, "Qualifier": self._alias}
        self._client.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=self._provisioned)
        began = self._clock.monotonic()
        while self._clock.monotonic() < began + READY_SECONDS:
            if self._client.get_provisioned_concurrency_config(**alias)["Status"] != "IN_PROGRESS":
                self.allocation_seconds = round(self._clock.monotonic() - began, 1)
                return
            self._clock.sleep(READY_INTERVAL_SECONDS)


@contextlib.contextmanager
def _recording(what: str) -> Iterator[list[str]]:
    """Record as a sentence that something could not be restored, and go on."""
    problems: list[str] = []
    try:
        yield problems
    except (BotoCoreError, ClientError) as error:
        problems.append(f"{what} is not as it was: {error}")

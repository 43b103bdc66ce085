"""A clock that advances when something sleeps, Lambda and its logs as a list of calls, made-up observations."""

import threading
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from crossover.bench.run.context import Clock
from crossover.bench.run.deployment import Deployment
from crossover.bench.run.files import File
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase
from crossover.bench.run.report_lines import Report
from crossover.bench.statistics import Summary
from crossover.deployed import Variant
from crossover.handler_sources import inference

AudioLimits: Any = inference("inputs").KINDS["audio"].limits
WALL = 1_790_000_000.0  # s since 1970
FILES = (
    File(
        name="12KB-a.wav",
        source="a.wav",
        size_bytes=12 * 1024,
        kind="audio",
        facts={"seconds": 0.4},
        content=b"a" * 12 * 1024,
    ),
    File(
        name="2MB-b.flac", source="b.flac", size_bytes=2 * 1024**2, kind="audio", facts={"seconds": 20.0}, content=b"b"
    ),
)


class FakeTime:
    """A clock that only `sleep` moves; `events` are called when their time has come."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(wall=lambda: WALL + self.now - 1000.0, monotonic=lambda: self.now, sleep=self.sleep)


def client_error(code: str, operation: str = "Any") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class NotFoundError(ClientError):  # type: ignore[misc]  # botocore has no types
    """What Lambda and its logs raise for what is not there."""


class FakeLambda:
    """A function with versions and an alias.

    Attributes:
        calls: what changed something, in order.
        fails: operations that raise.
    """

    class exceptions:  # noqa: N801
        ResourceNotFoundException = NotFoundError

    ready: int | None = None  # environments that the alias keeps ready
    allocating = 0  # how often their allocation is still in progress

    def delete_provisioned_concurrency_config(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803
        self._call("take", Qualifier)
        self.ready = None

    def put_provisioned_concurrency_config(
        self,
        *,
        FunctionName: str,  # noqa: N803
        Qualifier: str,  # noqa: N803
        ProvisionedConcurrentExecutions: int,  # noqa: N803
    ) -> None:
        self._call("give", str(ProvisionedConcurrentExecutions))
        self.ready = ProvisionedConcurrentExecutions

    def get_provisioned_concurrency_config(self, **_: str) -> dict[str, str]:
        self.allocating -= 1
        return {"Status": "READY" if self.allocating < 0 else "IN_PROGRESS"}

    def __init__(self, *, versions: tuple[str, ...] = (), alias: str = "", variables: dict[str, str] | None = None):
        self.variables = dict(variables or {"PREDICTOR": "standard"})
        self.versions = dict.fromkeys(versions, "")  # with its description
        self.alias = alias
        self.weights: dict[str, float] = {}
        self.next_version = 1 + max(map(int, versions), default=0)
        self.calls: list[tuple[str, Any]] = []
        self.fails: set[str] = set()
        self.unreadable = False

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        if self.unreadable:
            environment = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no key"}}
            return {"FunctionName": "f", "Environment": environment}
        return {"FunctionName": "f", "Environment": {"Variables": dict(self.variables)}}

    def update_function_configuration(self, *, FunctionName: str, Environment: dict[str, Any]) -> None:  # noqa: N803
        self._call("configure", dict(Environment["Variables"]))
        self.variables = dict(Environment["Variables"])

    def publish_version(self, *, FunctionName: str, Description: str) -> dict[str, str]:  # noqa: N803
        version = str(self.next_version)
        self._call("publish", version)
        self.next_version += 1
        self.versions[version] = Description
        return {"Version": version}

    def get_alias(self, **_: Any) -> dict[str, Any]:
        routing = {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}
        return {"FunctionVersion": self.alias, **routing}

    def update_alias(self, *, FunctionName: str, Name: str, FunctionVersion: str) -> None:  # noqa: N803
        self._call("alias", FunctionVersion)
        self.alias = FunctionVersion

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803
        self._call("delete", Qualifier)
        if Qualifier not in self.versions:
            raise NotFoundError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "DeleteFunction")
        if Qualifier == self.alias:
            raise client_error("ResourceConflictException", "DeleteFunction")
        del self.versions[Qualifier]

    def get_paginator(self, _: str) -> Any:
        versions = [{"Version": name, "Description": text} for name, text in self.versions.items()]
        return _Paginator([{"Versions": [{"Version": "$LATEST", "Description": ""}, *versions]}])

    def get_waiter(self, name: str) -> Any:
        return _Waiter(lambda: self._call("wait", name))

    def _call(self, name: str, what: Any) -> None:
        self.calls.append((name, what))
        if name in self.fails or f"{name} {what}" in self.fails:
            if name == "wait":
                raise WaiterError(name=str(what), reason="it failed", last_response={})
            raise client_error("TooManyRequestsException", name)


class _Waiter:
    def __init__(self, wait: Any) -> None:
        self._wait = wait

    def wait(self, **_: Any) -> None:
        self._wait()


class _Paginator:
    def __init__(self, pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        return iter(self._pages)


class FakeLogs:
    """Log groups, in pages of `page` lines; every reading takes the next of `batches` in addition."""

    class exceptions:  # noqa: N801
        ResourceNotFoundException = NotFoundError

    def __init__(self, *batches: list[tuple[int, str]], page: int = 2) -> None:
        self.batches = list(batches)
        self.events: list[dict[str, Any]] = []
        self.page = page
        self.readings: list[dict[str, Any]] = []
        self.missing = False

    def get_paginator(self, name: str) -> Any:
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.readings.append(asked)
        if self.missing:
            raise NotFoundError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "FilterLogEvents")
        if self.batches:
            self.events += [{"timestamp": time, "message": line} for time, line in self.batches.pop(0)]
        for start in range(0, max(len(self.events), 1), self.page):
            yield {"events": self.events[start : start + self.page]}


class Watcher:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, int, int]] = []
        self.usd: list[float] = []
        self.warnings: list[str] = []

    def begin(self, what: str, total: int, done: int) -> None:
        self.parts.append((what, total, done))

    def advance(self, usd: float) -> None:
        self.usd.append(usd)

    def say(self, what: str) -> None:
        pass

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def variant(
    name: str = "standard", *, alias: str = "", endpoint: str = "", input_kind: str = "audio", results_bucket: str = ""
) -> Variant:
    arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{name}-function"
    return Variant(
        name=name,
        stack=f"Crossover-{name}",
        bucket=f"{name}-bucket",
        table=f"{name}-table",
        function=f"{name}-function",
        handler_arn=f"{arn}:{alias}" if alias else arn,
        dead_letter_queue=f"https://queues/{name}",
        endpoint=endpoint,
        input_kind=input_kind,
        results_bucket=results_bucket,
    )


def deployment(name: str = "standard", **values: Any) -> Deployment:
    endpoint = "e" if name == "sagemaker" else ""
    described: dict[str, Any] = {
        "variant": variant(name, alias="live" if name == "snapstart" else "", endpoint=endpoint),
        "memory_mb": 128 if endpoint else 2048,
        "runtime": "python3.12",
        "architecture": "x86_64",
        "version": "1",
        "timeout_seconds": 120,
        "log_group": f"/logs/{name}",
        "is_snapshot": name == "snapstart",
        "limits": AudioLimits(),
    }
    return Deployment(**{**described, **values})


def report(request_id: str = "r", billed_ms: float = 100.0, **values: Any) -> Report:
    known: dict[str, Any] = {"duration_ms": billed_ms, "memory_mb": 2048.0, "max_memory_mb": 150.0}
    return Report(request_id=request_id, billed_ms=billed_ms, **{**known, **values})


def existing(summary: Summary | None) -> Summary:
    """The summary of a measure that was observed."""
    assert summary is not None
    return summary


def observation(number: int = 0, *, cold: bool = False, item_ms: float = 100.0, **values: Any) -> Observation:
    """A success of the load, 10 ms from the intended sending to the upload's end."""
    seconds = f"{20 + item_ms / 1000:09.6f}"
    known: dict[str, Any] = {
        "variant": "standard",
        "phase": Phase.LOAD,
        "number": number,
        "file": FILES[0].name,
        "concurrency": None,
        "segment": 0,
        "intended_s": float(number),
        "sent_s": number + 0.001,
        "uploaded_s": number + 0.010,
        "s3_date": "Mon, 21 Sep 2026 14:13:20 GMT",
        "upload_retries": 0,
        "outcome": Outcome.SUCCEEDED,
        "request_id": f"r{number}",
        "item": {
            "request_id": f"r{number}",
            "status": "SUCCEEDED",
            "cold_start": cold,
            "timings_ms": {"download": 5.0, "decode": 1.0, "inference": 20.0, "total": item_ms - 30},
            "audio_seconds": 0.4,
            "model_sha256": "5" * 64,
            "uploaded_at": "2026-09-21T14:13:20.000Z",
            "completed_at": f"2026-09-21T14:13:{seconds}+00:00",
        },
    }
    return Observation(**{**known, **values})

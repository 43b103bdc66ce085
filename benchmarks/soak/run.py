"""The soak: its own local AWS, the uploads, the wait, the evidence."""

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import cast

from rich.console import Console

from benchmarks.soak.audit import Audit, DeadLetterRecord, Evidence, Upload, audit
from benchmarks.soak.contents import contents_of, make_content
from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.fault_proxy import FaultProxy, Traffic, fault_proxy
from benchmarks.soak.upload_plan import PlannedObject, make_plan
from crossover import project
from crossover.aws import aws_errors
from crossover.cost.variants import VARIANTS
from crossover.cost.variants.provisioned import ALWAYS_UNRESERVED
from crossover.deployed import Item, find_variants
from crossover.errors import CrossoverError
from crossover.local.chosen_model import ChosenModel, choose_model
from crossover.local.ports import free_port
from crossover.local.process import Emulator
from crossover.local.python_environments import find_interpreter
from crossover.local.work import LocalAws, open_local_aws
from crossover.local.workspace import Workspace, default_folder
from crossover.project import stack_prefix

# Lambda waits one minute and then two before it retries an event. Here it waits about as long as a killed container
# takes to start again.
RETRY_BASE_SECONDS = 2
# Once nothing has been in progress for this long, no event is between two processes either.
QUIET_SECONDS = 3.0
POLL_SECONDS = 0.02
# Long enough that no dead letter is received twice.
HIDDEN_SECONDS = 3600
# Share of the events that a negative control loses.
LOST_SHARE = 0.05


class NegativeControl(Enum):
    """How to break the pipeline on purpose, to check that the soak detects it."""

    LOSE_EVENTS = "lose-events"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options; see the command's help."""

    uploads: int
    variants: tuple[str, ...]
    fault_rate: float
    seed: int
    concurrency: int
    timeout_seconds: float
    model: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    negative_control: NegativeControl | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result.

    Attributes:
        options: of this soak.
        audit: how every upload ended.
        traffic: of the proxy.
        is_finished: whether all uploads ended in time.
        seconds: from the first upload until the last one had ended.
    """

    options: Options
    audit: Audit
    traffic: Traffic
    is_finished: bool
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every upload ended as promised."""
        return self.is_finished and not self.audit.problems

    def to_json(self) -> Mapping[str, object]:
        """The report as JSON."""
        traffic, control = self.traffic, self.options.negative_control
        faults: dict[str, dict[str, int]] = {variant: {} for variant in self.options.variants}
        for (variant, fault), number in sorted(traffic.injected.items()):
            faults[variant][fault] = number
        return {
            "schema": 1,
            "options": {
                **asdict(self.options),
                "negative_control": control and control.value,
            },
            "holds": self.holds,
            "is_finished": self.is_finished,
            "seconds": round(self.seconds, 1),
            "sentence": self.audit.sentence,
            "total": self.audit.count(),
            "variants": {variant: self.audit.count(variant) for variant in self.options.variants},
            "faults": faults,
            "requests": {**traffic.requests, "that met a fault": traffic.injected.total()},
            "events": events_of(self),
            "problems": self.audit.problems,
        }


def events_of(report: Report) -> dict[str, int]:
    """Counts of S3's events: in all, delivered twice, late, and of overwritten objects."""
    planned = {each.upload.planned.key: each.upload.planned for each in report.audit.verdicts}.values()
    deliveries = [upload.deliveries for each in planned for upload in each.uploads]
    return {
        "events": len(report.traffic.events),
        "deliveries": report.traffic.copies.total(),
        "delivered twice": sum(len(times) > 1 for times in deliveries),
        "late": sum(any(time for time in times) for times in deliveries),
        "overwritten objects": sum(len(each.uploads) > 1 for each in planned),
    }


def run(options: Options, *, console: Console, workspace: Workspace | None = None) -> Report:
    """Start a local AWS, deploy the variants, run the soak, and stop it.

    Raises:
        CrossoverError: something could not be started or deployed, or another soak runs.
    """
    workspace = workspace or Workspace(default_folder() / "soak")
    model = choose_model(options.model)
    with (
        soaked_aws(
            workspace,
            options.variants,
            model,
            settings=options.settings,
            concurrency=options.concurrency,
            console=console,
        ) as local,
        local.aws.steps.step("soak") as step,
    ):
        return soak(options, local, announce=step.show)


@dataclass(frozen=True, kw_only=True)
class SoakedAws:
    """A local AWS with deployed variants, the proxy that all their requests go through, and files for the model."""

    contents: Contents
    aws: LocalAws
    emulator: Emulator
    proxy: FaultProxy


@contextlib.contextmanager
def soaked_aws(
    workspace: Workspace,
    variants: Sequence[str],
    model: ChosenModel,
    *,
    concurrency: int,
    console: Console,
    settings: Mapping[str, str] | None = None,
) -> Iterator[SoakedAws]:
    """Start one and deploy to it; it is stopped when the block ends. At most `concurrency` functions run at once.

    Args:
        settings: of the app, in place of those in cdk.json.

    Raises:
        CrossoverError: there are no files for the model, something could not be started or deployed, or another one
            runs in this workspace.
    """
    contents = contents_of(model.kind, Path(model.context.get("model_path") or project.model_path()))
    workspace.create()
    if Emulator.find(workspace):
        raise CrossoverError("Another soak is running here; wait for its end, or stop it with Ctrl-C.")
    interpreter, port = find_interpreter(), free_port()
    with fault_proxy(upstream=port) as proxy, open_local_aws(workspace, console) as aws:
        synth = aws.begin_synth(variants, python=interpreter.version, model=model, settings=settings)
        emulator_settings = {
            "FUNCTIONS_ENDPOINT_URL": proxy.url,
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(RETRY_BASE_SECONDS),
            "LAMBDA_QUEUE_RETRY_SECONDS": str(RETRY_BASE_SECONDS),
            # The account's limit, so that a burst is throttled instead of starting ever more functions.
            "LAMBDA_ACCOUNT_CONCURRENCY": str(account_concurrency(variants, concurrency)),
        }
        emulator = aws.start_emulator(interpreter, port=port, settings=emulator_settings)
        proxy.group = emulator.pid
        aws.bootstrap()
        aws.deploy(*synth)
        yield SoakedAws(contents=contents, aws=aws, emulator=emulator, proxy=proxy)


def account_concurrency(variants: Sequence[str], concurrency: int) -> int:
    """The account's limit: that of the soak, and what must stay unreserved where environments are kept ready."""
    keep_ready = any(VARIANTS[name].instances and not VARIANTS[name].is_always_on for name in variants)
    return concurrency + ALWAYS_UNRESERVED if keep_ready else concurrency


def soak(options: Options, local: SoakedAws, *, announce: Callable[[str], None] = lambda what: None) -> Report:
    """Upload under faults, wait until all events have ended, and audit. Tables and queues must be empty."""
    with aws_errors():
        return _Soak(options, local, announce).run()


class _Soak:
    """One soak."""

    def __init__(self, options: Options, local: SoakedAws, announce: Callable[[str], None]) -> None:
        import boto3  # here, because it takes half a second

        self.options, self.emulator, self.proxy, self.announce = options, local.emulator, local.proxy, announce
        self.contents = local.contents
        self.clients = cache(boto3.client)
        found = find_variants(self.clients, prefix=stack_prefix(), names=options.variants)
        self.variants = {variant.name: variant for variant in found}
        self.plan = make_plan(
            uploads=options.uploads,
            variants=options.variants,
            endpoints=[variant.name for variant in found if variant.endpoint],
            fault_rate=options.fault_rate,
            seed=options.seed,
            suffix=self.contents.suffix,
            bad_kinds=tuple(self.contents.codes),
        )
        self.uploads: list[Upload] = []

    def run(self) -> Report:
        """Run all of it."""
        self.proxy.begin(self.plan, strip_conditions=self.options.negative_control is NegativeControl.OVERWRITE)
        self.started = time.monotonic()
        for planned in self.plan:
            while self.emulator.events_in_progress() >= self.options.concurrency and self._time_is_left:
                time.sleep(POLL_SECONDS)
            if not self._time_is_left:
                break
            self._upload(planned)
            self.announce(f"{len(self.uploads):,} of {self.options.uploads:,} uploads")
        is_finished = self._wait() and len(self.uploads) == self.options.uploads
        seconds = time.monotonic() - self.started
        self.announce("reading the tables and the queues")
        return Report(
            options=self.options,
            audit=audit(self.uploads, self._evidence()),
            traffic=self.proxy.traffic,
            is_finished=is_finished,
            seconds=seconds,
        )

    @property
    def _time_is_left(self) -> bool:
        return time.monotonic() < self.started + self.options.timeout_seconds

    def _upload(self, planned: PlannedObject) -> None:
        for number, upload in enumerate(planned.uploads):
            content = make_content(self.contents, upload.kind, f"{self.options.seed} {planned.key} {number}")
            etag = hashlib.md5(content).hexdigest()
            self.proxy.deliveries[planned.key, etag] = () if self._is_lost() else upload.deliveries
            bucket = self.variants[planned.variant].bucket
            self.clients("s3").put_object(Bucket=bucket, Key=planned.key, Body=content)
            is_last = number == len(planned.uploads) - 1
            self.uploads.append(
                Upload(
                    planned=planned,
                    kind=upload.kind,
                    error_code=self.contents.codes.get(upload.kind, ""),
                    etag=etag,
                    size_bytes=len(content),
                    is_last=is_last,
                )
            )

    def _is_lost(self) -> bool:
        if self.options.negative_control is not NegativeControl.LOSE_EVENTS:
            return False
        return len(self.uploads) % round(1 / LOST_SHARE) == 0

    def _wait(self) -> bool:
        """Wait until nothing is in progress; False where the time is over before."""
        quiet_since = time.monotonic()
        while self._time_is_left:
            in_progress = self.emulator.events_in_progress() + self.proxy.traffic.waiting
            now = time.monotonic()
            if in_progress:
                quiet_since = now
            if now - quiet_since > QUIET_SECONDS:
                return True
            self.announce(f"{in_progress} events in progress")
            time.sleep(POLL_SECONDS)
        return False

    def _evidence(self) -> Evidence:
        return Evidence(
            items={name: self._items(variant.table) for name, variant in self.variants.items()},
            dead_letters={
                name: self._dead_letters(variant.dead_letter_queue) for name, variant in self.variants.items()
            },
            traffic=self.proxy.traffic,
        )

    def _items(self, table: str) -> list[Item]:
        from boto3.dynamodb.types import TypeDeserializer

        plain = TypeDeserializer().deserialize
        pages = self.clients("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        return [cast(Item, {name: plain(value) for name, value in item.items()}) for item in items]

    def _dead_letters(self, queue: str) -> list[DeadLetterRecord]:
        dead_letters: list[DeadLetterRecord] = []
        while bodies := self._bodies(queue):
            dead_letters += map(dead_letter_of, bodies)
        return dead_letters

    def _bodies(self, queue: str) -> list[str]:
        answer = self.clients("sqs").receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_SECONDS
        )
        return [message["Body"] for message in answer.get("Messages", [])]


def dead_letter_of(body: str) -> DeadLetterRecord:
    """The record in a message of the dead-letter queue: Lambda's own, or S3's event as it had waited in a queue."""
    content = json.loads(body)
    record: DeadLetterRecord = content if "requestPayload" in content else {"requestPayload": content}
    return record


def injected_by_fault(traffic: Traffic) -> Mapping[str, Counter[str]]:
    """How often each fault was injected, by variant."""
    table: dict[str, Counter[str]] = {}
    for (variant, fault), number in traffic.injected.items():
        table.setdefault(fault, Counter())[variant] += number
    return table

"""A burst of uploads at a small endpoint, on the local AWS: events that invoke the proxy against a queue.

Both runs are of the same uploads, one after the other, each on a new local AWS that ends with it. The times are this
machine's and not AWS's; what they compare is which uploads end as dead letters, and how much the proxy is billed.
"""

import io
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from rich.console import Console

from crossover.aws import Clients, aws_errors
from crossover.bench.machine import describe
from crossover.bench.run import report_lines
from crossover.cost.prices import load
from crossover.deployed import Variant, find_variants
from crossover.errors import CrossoverError
from crossover.local.chosen_model import choose_model
from crossover.local.ports import free_port
from crossover.local.process import Emulator
from crossover.local.python_environments import find_interpreter
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace, default_folder
from crossover.project import stack_prefix

INGESTS = ("direct", "queue")
UPLOADERS = 8  # at once
POLL_SECONDS = 0.2
RETRY_BASE_SECONDS = 60  # as on AWS: after one minute, then after two
SQS_REQUESTS = 3  # of an upload: it is sent, received and deleted


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is measured.

    Attributes:
        uploads: in each burst.
        audio_seconds: of each file, which sets how much the endpoint has to compute.
        concurrency: the account's limit of concurrent executions.
        max_concurrency: with the queue, proxies at once.
        timeout_seconds: the longest time of each burst.
    """

    uploads: int
    audio_seconds: int
    concurrency: int
    max_concurrency: int
    timeout_seconds: float


def run(options: Options, *, console: Console, workspace: Workspace | None = None) -> dict[str, Any]:
    """Measure both; the document that is written.

    Raises:
        CrossoverError: something could not be started or deployed, or another burst runs.
    """
    workspace = workspace or Workspace(default_folder() / "burst")
    here = describe()
    results = {ingest: _burst(ingest, options, console, workspace) for ingest in INGESTS}
    return {"schema": 1, "options": asdict(options), "machine": here, "results": results}


def _burst(ingest: str, options: Options, console: Console, workspace: Workspace) -> dict[str, Any]:
    workspace.create()
    if Emulator.find(workspace):
        raise CrossoverError("Another burst is running here; wait for its end, or stop it with Ctrl-C.")
    interpreter, model = find_interpreter(), choose_model("")
    settings = {"ingest": ingest, **({"max_concurrency": str(options.max_concurrency)} if ingest == "queue" else {})}
    with open_local_aws(workspace, console) as aws:
        chosen = replace(model, context={**model.context, **settings})
        synth = aws.begin_synth(["sagemaker"], python=interpreter.version, model=chosen)
        emulator_settings = {
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(RETRY_BASE_SECONDS),
            "LAMBDA_ACCOUNT_CONCURRENCY": str(options.concurrency),
        }
        emulator = aws.start_emulator(interpreter, port=free_port(), settings=emulator_settings)
        aws.bootstrap()
        aws.deploy(*synth)
        with aws.steps.step(f"burst, {ingest}") as step, aws_errors():
            return _measure(options, emulator, announce=step.show)


def _measure(options: Options, emulator: Emulator, *, announce: Callable[[str], None]) -> dict[str, Any]:
    import boto3  # here, because it takes half a second

    clients: Clients = cache(boto3.client)
    [variant] = find_variants(clients, prefix=stack_prefix(), names=["sagemaker"])
    content = _audio(options.audio_seconds)
    started = time.time()

    def upload(number: int) -> None:
        clients("s3").put_object(Bucket=variant.bucket, Key=f"{number}.flac", Body=content)

    upload(0)  # makes the client, before there are threads
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        list(uploaders.map(upload, range(1, options.uploads)))
    uploaded = time.time()
    while in_progress := emulator.events_in_progress():
        if time.time() > started + options.timeout_seconds:
            break
        announce(f"{in_progress:,} of {options.uploads:,} in progress")
        time.sleep(POLL_SECONDS)
    items = _completed(clients, variant)
    return {
        "items": len(items),
        "dead_letters": _dead_letters(clients, variant),
        "in_progress_at_the_end": in_progress,
        "upload_seconds": round(uploaded - started, 1),
        "seconds_to_the_last_item": round(max(items, default=started) - started, 1),
        **_invocations(options, clients, variant, since=started),
    }


def _audio(seconds: int) -> bytes:
    """Silence: small, and as much to compute as any other sound of this length."""
    import numpy as np
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(seconds * 16_000, dtype=np.float32), 16_000, format="FLAC")
    return file.getvalue()


def _completed(clients: Clients, variant: Variant) -> list[float]:
    """When each item was completed, s since 1970."""
    pages = clients("dynamodb").get_paginator("scan").paginate(TableName=variant.table, ConsistentRead=True)
    return [
        datetime.fromisoformat(item["completed_at"]["S"]).timestamp()
        for page in pages
        for item in page["Items"]
        if item["status"]["S"] == "SUCCEEDED"
    ]


def _dead_letters(clients: Clients, variant: Variant) -> int:
    name = "ApproximateNumberOfMessages"
    answer = clients("sqs").get_queue_attributes(QueueUrl=variant.dead_letter_queue, AttributeNames=[name])
    return int(answer["Attributes"][name])


def _invocations(options: Options, clients: Clients, variant: Variant, *, since: float) -> Mapping[str, Any]:
    """What the proxy and SQS are billed for, us-east-1."""
    configuration = clients("lambda").get_function_configuration(FunctionName=variant.function)
    log_group = configuration["LoggingConfig"]["LogGroup"]
    reports = [each for tries in report_lines.fetch(clients, log_group, since=since - 60).values() for each in tries]
    gb_seconds = sum(each.billed_ms * each.memory_mb for each in reports) / 1000 / 1024
    prices = load("us-east-1")
    sqs = options.uploads * SQS_REQUESTS if variant.upload_queue else 0
    usd = (
        float(prices["lambda.gb_second"].of(gb_seconds))
        + float(prices["lambda.request"].of(len(reports)))
        + float(prices["sqs.request"].of(sqs))
    )
    return {
        "invocations": len(reports),
        "billed_seconds": round(sum(each.billed_ms for each in reports) / 1000, 1),
        "sqs_requests": sqs,
        "usd": round(usd, 6),
        "usd_per_million_uploads": round(usd / options.uploads * 1e6, 2),
    }

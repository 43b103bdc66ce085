"""Uploads while a new model is deployed, each to environments that have just started."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from crossover import deployed
from crossover.aws import Clients
from crossover.deployed import Upload, Variant
from crossover.local.work import LocalAws
from crossover.local.workspace import Workspace
from crossover.paths import sources

CLIP = sources() / "model/samples/misc_crow.flac"
WAIT_SECONDS = 60


def renamed_model(folder: Path, version: str = "1.0.1") -> Path:
    """The same model under another version."""
    data = (sources() / "model/model.onnx").read_bytes()
    field = b"\x0a\x07version\x12\x05"  # the metadata's key and its value's length, in protobuf's notation
    assert data.count(field + b"1.0.0") == 1
    file = folder / "renamed.onnx"
    file.write_bytes(data.replace(field + b"1.0.0", field + version.encode()))
    return file


def items_of(clients: Clients, uploads: list[Upload]) -> list[deployed.Item]:
    """The uploads' items, every one of which must be a success."""
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda upload: deployed.wait(clients, upload, timeout_seconds=WAIT_SECONDS), uploads)
    items = [result.item for result in results]
    assert {item["status"] for item in items} == {"SUCCEEDED"}
    return items


def models_of(clients: Clients, uploads: list[Upload]) -> set[str]:
    """The model_sha256 of the uploads' items, every one of which must be a success."""
    return {item["model_sha256"] for item in items_of(clients, uploads)}


def upload_to(clients: Clients, *variants: Variant) -> list[Upload]:
    return [deployed.upload(clients, variant, CLIP) for variant in variants]


@contextmanager
def cold_uploads(workspace: Workspace, clients: Clients, *variants: Variant) -> Iterator[list[Upload]]:
    """Upload a file to each variant, wait for the items, end what holds the model, again while the block runs.

    So every start during an update reads what it needs again. Only what holds the model that is deployed at the
    beginning is ended, and nothing while it works. In an image every model has the same name, so the version counts.
    """
    functions = [
        version
        for variant in variants
        for version in clients("lambda").list_versions_by_function(FunctionName=variant.function)["Versions"]
    ]
    versions = {(function["FunctionName"], function["Version"]) for function in functions}
    places = [function["Environment"]["Variables"].get("MODEL_S3_URI", "") for function in functions]
    models = {place.rpartition("/")[2] for place in places if place}
    uploads, end = list[Upload](), threading.Event()

    def upload() -> None:
        while not end.is_set():
            batch = upload_to(clients, *variants)
            uploads.extend(batch)
            items_of(clients, batch)
            end_processes(workspace, models, versions)
            time.sleep(0.5)  # a container is started again

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(upload)
        try:
            yield uploads
        finally:
            end.set()
        running.result()


def end_processes(workspace: Workspace, models: set[str], versions: set[tuple[str, str]]) -> None:
    """End the containers and function versions of a local AWS that hold one of these models, by their files' names."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ = dict(
                entry.split("=", 1) for entry in (process / "environ").read_text().split("\0") if "=" in entry
            )
            folder = environ.get("MODEL_DIR", "")
            in_container = folder and any(Path(folder, model).exists() for model in models)
            version = environ.get("AWS_LAMBDA_FUNCTION_NAME", ""), environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
            in_function = version in versions and environ.get("MODEL_S3_URI", "").rpartition("/")[2] in models
            holds_it = in_function or in_container
            if str(workspace.folder) in environ.get("HOME", "") + environ.get("TMPDIR", "") + folder and holds_it:
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            pass  # it has ended, or is another user's


def refused_reads(aws: LocalAws) -> set[tuple[str, str]]:
    """Roles that were denied reading an object in its current version, which is how models are read."""
    assert aws.started
    return {(role, action) for role, action in aws.started.refused_permissions() if action == "s3:GetObject"}


def dead_letters(clients: Clients, variant: Variant) -> int:
    name = "ApproximateNumberOfMessages"
    answer = clients("sqs").get_queue_attributes(QueueUrl=variant.dead_letter_queue, AttributeNames=[name])
    return int(answer["Attributes"][name])

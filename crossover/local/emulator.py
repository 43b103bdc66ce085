"""The embedded local AWS: ministack 1.5.33 and what this project needs beyond it.

Runs as a process of its own, in the environment of `environment.py`; nothing else in the project knows ministack's
internals. Its public settings (port, account) come as environment variables, because ministack reads them while it is
imported. What is added here:

- Python functions run in the real awslambdaric, with SnapStart's snapshot, restore and hooks;
- an alias keeps its own settings for asynchronous invocations, and is what the handler's context names;
- a SnapStart version whose INIT fails fails the deployment, as on AWS; a custom resource cannot hang it for an hour;
- a deleted function leaves no process behind;
- buckets keep their tags, without which `auto_delete_objects` cannot empty them;
- AWS::SageMaker::{Model,EndpointConfig,Endpoint}, with the container's own server command as a process.
"""

import argparse
import asyncio
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
from ministack import app
from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import custom_resource, provisioners, stacks

from crossover.local.container import Container, InvocationError

# A custom resource that got no answer waits an hour on AWS; what the CDK's own do here takes a second.
CUSTOM_RESOURCE_SECONDS = 60
# INIT of a SnapStart version may take 130 s, or as long as the function's timeout where that is longer.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
SNAPSTART_INIT_SECONDS = 130

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]  # a resource's physical id and its attributes


def gateway() -> str:
    """Where this emulator listens."""
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


# Lambda: Python functions in the real runtime


def is_python(config: Properties) -> bool:
    """Whether a function's configuration asks for a Python runtime."""
    return str(config.get("Runtime", "")).startswith("python")


def is_snapshot(config: Properties) -> bool:
    """Whether this is a published version that starts from a snapshot."""
    return (config.get("SnapStart") or {}).get("OptimizationStatus") == "On"


class PythonEnvironment(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """An execution environment whose bootstrap is awslambdaric, the runtime that AWS itself uses.

    ministack serves the Runtime API to custom runtimes; this adds the two calls that SnapStart makes beyond it.
    """

    def _spawn(self, init_timeout: float | None = None) -> None:
        if is_snapshot(self.config):
            init_timeout = max(SNAPSTART_INIT_SECONDS, self.config["Timeout"])
        super()._spawn(init_timeout)

    def _await_init(self, init_timeout: float | None = None) -> None:
        try:
            super()._await_init(init_timeout)
        except RuntimeError:
            failure = self._init_error
            if not failure:
                raise
            print(f"INIT of {self.func_name} failed:", *failure.get("stackTrace", []), file=sys.stderr)
            kind, message = failure["errorType"], failure["errorMessage"]
            # A version's state has room for a sentence only, an invocation's answer keeps the error's type apart.
            sentence = f"{kind}: {message}" if is_snapshot(self.config) else message
            raise lambda_runtime.ProvidedRuntimeError(sentence, kind) from None

    def _build_handler_class(self, generation: int, pending: Any) -> type[http.server.BaseHTTPRequestHandler]:
        environment = self

        class RuntimeApi(super()._build_handler_class(generation, pending)):  # type: ignore[misc]
            def do_GET(self) -> None:  # noqa: N802
                if not self.path.endswith("/runtime/restore/next"):
                    super().do_GET()
                    return
                # The snapshot is taken here: INIT is over, and the runtime sleeps until an invocation restores it.
                if not environment._mark_first_poll(generation):
                    self._stopped()
                    return
                while pending.empty():
                    if environment._stopping or generation != environment._generation:
                        self._stopped()
                        return
                    time.sleep(0.005)
                self._respond(200)

            def do_POST(self) -> None:  # noqa: N802
                if self.path.endswith("/runtime/restore/error"):
                    environment._record_init_error(generation, json.loads(self._read_body()))
                    self._respond(202)
                else:
                    super().do_POST()

        return RuntimeApi


def run_python_in_awslambdaric(bootstrap: Path) -> None:
    """Send Python functions through ministack's custom-runtime path, with `bootstrap` as their entry point."""
    bootstrap.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m awslambdaric "$_HANDLER"\n')
    bootstrap.chmod(0o755)
    worker_class, execute = lambda_runtime._worker_class_for, lambda_svc._execute_function_warm
    code_folder, worker_environment = lambda_svc._provided_runtime_code_dir, lambda_svc._provided_worker_env

    def execute_in_it(function: Properties, event: Properties, request_id: str) -> Any:
        if is_python(function.get("config") or function):
            return lambda_svc._execute_function_provided_warm(function, event, request_id)
        return execute(function, event, request_id)

    def unpack(code_zip: bytes) -> str:
        folder: str = code_folder(code_zip)
        link = Path(folder, "bootstrap")
        if not link.exists():
            link.symlink_to(bootstrap)
        return folder

    def environment_of(config: Properties, code_dir: str, port: int) -> dict[str, str]:
        values: dict[str, str] = worker_environment(config, code_dir, port)
        values["AWS_ENDPOINT_URL"] = gateway()
        if is_python(config):
            values["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{config['Runtime']}"
            values["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start" if is_snapshot(config) else "on-demand"
        if is_snapshot(config):
            del values["AWS_LAMBDA_LOG_STREAM_NAME"]  # AWS does not know it while it makes the snapshot
        return values

    lambda_runtime._worker_class_for = lambda c: PythonEnvironment if is_python(c) else worker_class(c)
    lambda_svc._execute_function_warm = execute_in_it
    lambda_svc._provided_runtime_code_dir = unpack
    lambda_svc._provided_worker_env = environment_of


def deliver_to_the_alias() -> None:
    """Let S3 invoke an alias with the alias's own retries and failure destination, under the alias's name."""

    def deliver(arn: str, event: Properties, bucket_region: str) -> None:
        version, config, _ = lambda_svc._get_func_record_for_ref(arn)
        function, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
        if version is None or function is None:
            print(f"S3 notification: there is no function {arn}", file=sys.stderr)
            return
        _, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(arn)
        record = {
            **version,
            "config": {**config, "FunctionArn": arn},
            "event_invoke_config": function["event_invoke_configs"].get(qualifier or "$LATEST"),
        }
        lambda_svc.invoke_async_with_retry(record, event)

    s3._deliver_event_to_lambda = deliver


# CloudFormation


def fail_like_aws() -> None:
    """Let what fails on AWS fail here too, and soon."""
    version = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Version"]
    create_version, invoke = version["create"], custom_resource.invoke_custom_resource

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = create_version(logical_id, properties, stack)
        _, config, _ = lambda_svc._get_func_record_for_ref(physical_id)
        while is_snapshot(config) and config["State"] == "Pending":
            time.sleep(0.05)
        if config["State"] == "Failed":
            raise ValueError(f"INIT of the function failed: {config['StateReason']}")
        return physical_id, attributes

    def invoke_soon(request_type: str, logical_id: str, properties: Properties, *more: Any, **named: Any) -> Any:
        limited = {"ServiceTimeout": CUSTOM_RESOURCE_SECONDS, **properties}
        return invoke(request_type, logical_id, limited, *more, **named)

    version["create"] = create
    custom_resource.invoke_custom_resource = invoke_soon
    run_on_a_thread("AWS::Lambda::Version")


def end_processes_of_what_is_deleted() -> None:
    """End the execution environments of a deleted function or version."""

    def ending(delete: Callable[[str, Properties], None]) -> Callable[[str, Properties], None]:
        def delete_and_end(physical_id: str, properties: Properties) -> None:
            delete(physical_id, properties)
            # The physical id of a function is its name, that of a version an ARN that ends in name:version.
            *_, name, version = [physical_id, None] if ":" not in physical_id else physical_id.split(":")
            lambda_runtime.invalidate_worker(name, qualifier=version)

        return delete_and_end

    for kind in ("Function", "Version"):
        handlers = provisioners._RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
        handlers["delete"] = ending(handlers["delete"])


def run_on_a_thread(resource_type: str) -> None:
    """Keep the emulator answering while a resource of this type is created."""
    blocking = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name == resource_type or blocking(name)


def keep_bucket_tags() -> None:
    """Store the tags of AWS::S3::Bucket: the CDK marks with one which buckets may be emptied."""
    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create_bucket, update_bucket = bucket["create"], bucket["update"]

    def tagged(created: Created, properties: Properties) -> Created:
        s3._bucket_tags[created[0]] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
        return created

    bucket["create"] = lambda logical_id, new, stack: tagged(create_bucket(logical_id, new, stack), new)
    bucket["update"] = lambda physical_id, old, new, stack: tagged(update_bucket(physical_id, old, new, stack), new)


# SageMaker


class SageMaker:
    """Endpoints, each a process that runs the container's own server command.

    Args:
        assembly: the cloud assembly, where an image's tag names the folder it would be built from.
        logs: gets each container's output as `endpoint-NAME.log`.
        python: the interpreter that stands for the image's; it has what the server imports.
    """

    def __init__(self, *, assembly: Path, logs: Path, python: str) -> None:
        self.assembly = assembly
        self.logs = logs
        self.python = python
        self.models: dict[str, Properties] = {}
        self.configs: dict[str, Properties] = {}
        self.endpoints: dict[str, tuple[str, Container]] = {}  # name: (variant, its container)

    def install(self) -> None:
        """Teach CloudFormation the three resource types."""
        endpoint = {"create": self.create_endpoint, "update": self.update_endpoint, "delete": self.delete_endpoint}
        provisioners._RESOURCE_HANDLERS |= {
            "AWS::SageMaker::Model": {"create": self.create_model, "delete": lambda name, _: self.models.pop(name)},
            "AWS::SageMaker::EndpointConfig": {
                "create": self.create_config,
                "delete": lambda name, _: self.configs.pop(name),
            },
            "AWS::SageMaker::Endpoint": endpoint,
        }
        run_on_a_thread("AWS::SageMaker::Endpoint")

    def create_model(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("ModelName") or name_by_content(logical_id, properties, stack)
        self.models[name] = properties
        return name, {"ModelName": name, "ModelArn": arn_of("model", name)}

    def create_config(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("EndpointConfigName") or name_by_content(logical_id, properties, stack)
        self.configs[name] = properties
        return name, {"EndpointConfigName": name, "EndpointConfigArn": arn_of("endpoint-config", name)}

    def create_endpoint(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("EndpointName") or provisioners._physical_name(stack, logical_id, max_len=63)
        self._serve(name, properties)
        return name, {"EndpointName": name, "EndpointArn": arn_of("endpoint", name)}

    def update_endpoint(self, name: str, old: Properties, new: Properties, stack: str) -> Created:
        self._serve(name, new)
        return name, {"EndpointName": name, "EndpointArn": arn_of("endpoint", name)}

    def delete_endpoint(self, name: str, properties: Properties) -> None:
        if name in self.endpoints:
            self.endpoints.pop(name)[1].stop()

    def _serve(self, name: str, properties: Properties) -> None:
        """Start the endpoint's container, and only then stop the one it replaces: callers notice no gap."""
        variant = self.configs[properties["EndpointConfigName"]]["ProductionVariants"][0]
        model = self.models[variant["ModelName"]]["PrimaryContainer"]
        image, dockerfile = self._source_of(model["Image"])
        container = Container.start(
            image=image,
            dockerfile=dockerfile,
            python=self.python,
            model_folder=download_model(model["ModelDataSource"]["S3DataSource"]["S3Uri"]),
            environment={**aws_environment(), **(model.get("Environment") or {})},
            log=self.logs / f"endpoint-{name}.log",
        )
        self.delete_endpoint(name, properties)
        self.endpoints[name] = (variant["VariantName"], container)

    def _source_of(self, image: str) -> tuple[Path, Path]:
        """The folder and the Dockerfile that an image would be built from, as the assembly says."""
        tag = image.rpartition(":")[2]
        for manifest in self.assembly.glob("*.assets.json"):
            asset = json.loads(manifest.read_text())["dockerImages"].get(tag)
            if asset:
                folder = self.assembly / asset["source"]["directory"]
                return folder, folder / asset["source"].get("dockerFile", "Dockerfile")
        raise ValueError(f"No asset of {self.assembly} makes the image {image}; only images of the app itself can run.")

    def invoke(self, name: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Answer InvokeEndpoint: status, headers and body.

        A container that answers with an error becomes a ModelError.
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
        """
        if name not in self.endpoints:
            message = f"Endpoint {name} of account {get_account_id()} not found."
            return error(400, "ValidationError", {"message": message})
        variant, container = self.endpoints[name]
        try:
            content_type, answer = container.invoke(body, headers)
        except InvocationError as failure:
            group = f"/aws/sagemaker/Endpoints/{name}"
            blame = "client" if 400 <= failure.status < 500 else "server"
            quoted = f'Received {blame} error ({failure.status}) from primary with message "{failure.message}".'
            return error(
                424,
                "ModelError",
                {
                    "Message": f"{quoted} See {group} in account {get_account_id()} for more information.",
                    "OriginalStatusCode": failure.status,
                    "OriginalMessage": failure.message,
                    "LogStreamArn": f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}",
                },
            )
        return 200, {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": variant}, answer


def name_by_content(logical_id: str, properties: Properties, stack: str) -> str:
    """A name that changes with the properties, as models and endpoint configurations are replaced and never updated."""
    digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:8]
    return f"{provisioners._physical_name(stack, logical_id, max_len=54)}-{digest}"


def arn_of(kind: str, name: str) -> str:
    """The ARN of a SageMaker resource."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:{kind}/{name.lower()}"


def aws_environment() -> dict[str, str]:
    """What a process needs to reach this emulator with an AWS SDK."""
    return {
        "AWS_ENDPOINT_URL": gateway(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_ACCESS_KEY_ID": get_account_id(),
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def download_model(uri: str) -> Path:
    """The model file of a ModelDataSource in a folder of its own, as SageMaker mounts it in /opt/ml/model."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    keys = aws_environment()
    client = boto3.client(
        "s3",
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        region_name=keys["AWS_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    client.download_file(bucket, key, str(folder / Path(key).name))
    return folder


def error(status: int, kind: str, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """An AWS service's error answer."""
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": kind}, json.dumps(content).encode()


# The process

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def answer_sagemaker_runtime(sagemaker: SageMaker) -> None:
    """Put InvokeEndpoint in front of ministack, on the same port as everything else."""
    ministack, invocation = app.app, re.compile("/endpoints/([^/]+)/invocations")

    async def front(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        match = invocation.fullmatch(scope.get("path", ""))
        if scope["type"] != "http" or scope["method"] != "POST" or match is None:
            await ministack(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        name = unquote(match[1])
        status, answer_headers, answer = await asyncio.to_thread(sagemaker.invoke, name, bytes(body), headers)
        pairs = [(name.encode(), value.encode()) for name, value in answer_headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer})

    app.app = front


# Ends the emulator's process group once the emulator has ended, however it did: no function or container outlives it.
GUARD = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"


def guard_the_group() -> None:
    """Start the guard, which sits at the other end of a pipe that only this process keeps open."""
    if os.getpgrp() != os.getpid():
        raise RuntimeError("The emulator must lead a process group of its own, because the guard ends the whole group.")
    read_end, _ = os.pipe()
    subprocess.Popen([sys.executable, "-I", "-c", GUARD, str(os.getpid())], stdin=read_end, start_new_session=True)
    os.close(read_end)


def end_with_the_parent() -> None:
    """End when standard input ends, whose other end the starting process holds, unless that lets this one stay."""
    if not sys.stdin.read(1):
        os._exit(0)  # the guard does the rest


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, required=True, help="the cloud assembly that is deployed")
    parser.add_argument("--logs", type=Path, required=True, help="folder of the containers' logs")
    parser.add_argument("--container-python", required=True, help="the interpreter that stands for the image's")
    options = parser.parse_args()
    guard_the_group()
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    run_python_in_awslambdaric(Path(tempfile.gettempdir(), "bootstrap"))
    deliver_to_the_alias()
    fail_like_aws()
    end_processes_of_what_is_deleted()
    keep_bucket_tags()
    sagemaker = SageMaker(assembly=options.assembly, logs=options.logs, python=options.container_python)
    sagemaker.install()
    answer_sagemaker_runtime(sagemaker)
    sys.argv = sys.argv[:1]  # ministack reads its own arguments from here
    app.main()


if __name__ == "__main__":
    main()

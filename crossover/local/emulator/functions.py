"""Python functions run in the real awslambdaric, with SnapStart's snapshot, restore and hooks.

Their logs end as on AWS: the REPORT line has the durations of INIT or restore, and the billed duration.
"""

import contextlib
import http.server
import json
import sys
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from crossover.local.emulator import file_systems
from crossover.local.emulator.connection import endpoint_url
from crossover.local.emulator.ministack_internals import Properties
from crossover.local.emulator.report_line import report_line

# INIT before any invocation, for a snapshot or provisioned concurrency, may take 130 s, or as long as the function's
# timeout where that is longer. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
EARLY_INIT_SECONDS = 130
ON_DEMAND, SNAPSTART, PROVISIONED = "on-demand", "snap-start", "provisioned-concurrency"


def is_python(config: Properties) -> bool:
    """Whether a function's configuration asks for a Python runtime."""
    return str(config.get("Runtime", "")).startswith("python")


def is_snapshot(config: Properties) -> bool:
    """Whether this is a published version that starts from a snapshot."""
    return (config.get("SnapStart") or {}).get("OptimizationStatus") == "On"


def initialization_type(config: Properties) -> str:
    """How an environment of this configuration is initialized, in the words of AWS_LAMBDA_INITIALIZATION_TYPE."""
    return SNAPSTART if is_snapshot(config) else config.get("InitializationType", ON_DEMAND)


class PythonEnvironment(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """An execution environment whose bootstrap is awslambdaric, the runtime that AWS itself uses.

    ministack serves the Runtime API to custom runtimes; this adds the two calls that SnapStart makes beyond it, and
    measures the phases of an invocation.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # On the monotonic clock, s: when INIT ended, a restore began, the runtime asked for an event, it responded.
        self._spawned_at = self._restored_at = self._asked_at = 0.0
        self._answered_at: tuple[float, float] | None = None  # with when it had asked for the event of its response

    def _spawn(self, init_timeout: float | None = None) -> None:
        if initialization_type(self.config) != ON_DEMAND:
            init_timeout = max(EARLY_INIT_SECONDS, self.config["Timeout"])
        super()._spawn(init_timeout)
        self._spawned_at = time.monotonic()

    def _mark_first_poll(self, generation: int) -> bool:
        self._asked_at = time.monotonic()
        is_alive: bool = super()._mark_first_poll(generation)
        return is_alive

    def _record_result(self, *arguments: Any) -> bool:
        # Before the runtime's response is acknowledged: then it asks for the next event.
        self._answered_at = (self._asked_at, time.monotonic())
        snapshot_taken: bool = super()._record_result(*arguments)
        return snapshot_taken

    def invoke(self, event: Properties, request_id: str, **named: Any) -> Properties:
        """Run one invocation; its log gets the lines START, END and REPORT."""
        called_at, self._answered_at, self._restored_at = time.monotonic(), None, 0.0
        result: Properties = super().invoke(event, request_id, **named)
        asked_at, answered_at = self._answered_at or (self._asked_at, time.monotonic())
        times = self._phases(called_at, asked_at, answered_at)
        report = report_line(request_id, self.config.get("MemorySize", 128), times, self._peak_memory_mb())
        start = f"START RequestId: {request_id} Version: {self.config.get('Version', '$LATEST')}"
        log = [result["log"]] if result.get("log") else []
        return {**result, "log": "\n".join([start, *log, f"END RequestId: {request_id}", report])}

    def _peak_memory_mb(self) -> int:
        return peak_memory_mb(self._proc.pid) if self._proc else 0

    def _phases(self, called_at: float, asked_at: float, answered_at: float) -> dict[str, float]:
        """Durations of the handler and of what came before it, ms, by their names in a REPORT line."""
        handler = {"Duration": 1000 * (answered_at - max(called_at, asked_at))}
        if self._restored_at:
            # Another environment of a version is started from scratch here; AWS restores the same snapshot again.
            billed = 1000 * (asked_at - self._restored_at)
            began_at = called_at if self._spawned_at > called_at else self._restored_at
            return {**handler, "Restore Duration": 1000 * (asked_at - began_at), "Billed Restore Duration": billed}
        if self._spawned_at > called_at:
            return {**handler, "Init Duration": 1000 * (asked_at - called_at)}
        return handler

    def _await_init(self, init_timeout: float | None = None) -> None:
        try:
            super()._await_init(init_timeout)
        except RuntimeError:
            failure = self._init_error
            if not failure:
                raise
            print(f"INIT of {self.func_name} failed:", *failure.get("stackTrace", []), file=sys.stderr)
            kind, message = failure["errorType"], failure["errorMessage"]
            # A version's state has one sentence only; an invocation's response has the error's type in a field.
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
                environment._restored_at = time.monotonic()
                self._respond(200)

            def do_POST(self) -> None:  # noqa: N802
                if self.path.endswith("/runtime/restore/error"):
                    environment._record_init_error(generation, json.loads(self._read_body()))
                    self._respond(202)
                else:
                    super().do_POST()

        return RuntimeApi


def peak_memory_mb(process: int) -> int:
    """Peak memory of a process, MB; 0 where it has ended, or the system does not report it.

    Args:
        process: its id.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")] or ["0"]
    return int(peak) // 1024


def run_python_in_awslambdaric(bootstrap: Path) -> None:
    """Send Python functions through ministack's custom-runtime path, with `bootstrap` as their entry point."""
    mounted = '${CROSSOVER_MOUNT:+sh "$CROSSOVER_MOUNT"}'  # see file_systems.py
    bootstrap.write_text(f'#!/bin/sh\nexec {mounted} "{sys.executable}" -m awslambdaric "$_HANDLER"\n')
    bootstrap.chmod(0o755)
    worker_class, execute = lambda_runtime._worker_class_for, lambda_svc._execute_function_warm
    code_folder, worker_environment = lambda_svc._provided_runtime_code_dir, lambda_svc._provided_worker_env

    def execute_in_it(function: Properties, event: Properties, request_id: str) -> Any:
        if is_python(function.get("config") or function):
            # "rie" means Lambda's runtime interface emulator, whose logs have these lines already.
            return {**lambda_svc._execute_function_provided_warm(function, event, request_id), "log_source": "rie"}
        return execute(function, event, request_id)

    def unpack(code_zip: bytes) -> str:
        folder: str = code_folder(code_zip)
        with contextlib.suppress(FileExistsError):  # environments of a version start at the same time
            Path(folder, "bootstrap").symlink_to(bootstrap)
        return folder

    def environment_of(config: Properties, code_dir: str, port: int) -> dict[str, str]:
        values: dict[str, str] = worker_environment(config, code_dir, port)
        values["AWS_ENDPOINT_URL"] = endpoint_url()
        values |= file_systems.mount(config)
        if is_python(config):
            values["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{config['Runtime']}"
            values["AWS_LAMBDA_INITIALIZATION_TYPE"] = initialization_type(config)
        if is_snapshot(config):
            del values["AWS_LAMBDA_LOG_STREAM_NAME"]  # AWS does not know it while it makes the snapshot
        return values

    lambda_runtime._worker_class_for = lambda c: PythonEnvironment if is_python(c) else worker_class(c)
    lambda_svc._execute_function_warm = execute_in_it
    lambda_svc._provided_runtime_code_dir = unpack
    lambda_svc._provided_worker_env = environment_of

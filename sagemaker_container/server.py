"""The process: reads its settings, opens the port, reads the model, gives up root, serves until SIGTERM."""

import asyncio
import contextlib
import ctypes
import importlib
import json
import logging
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import uvicorn

from inference.environment import available_cpus
from inference.inputs import KINDS
from inference.limits import Limits
from sagemaker_container.app import App, Predictors
from sagemaker_container.prediction_queue import PredictionQueue
from sagemaker_container.privileges import PrivilegesError, drop_root, forbid_new_privileges

# SageMaker kills a container 30 s after SIGTERM; requests in progress have a little less time to finish.
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
MAX_STOP_SECONDS = 25
# Longer than SageMaker waits for an answer, so that a connection is never closed just as it is used again.
KEEP_ALIVE_SECONDS = 75
# Requests that may wait, for each CPU. 64 clips of 60 s keep an ml.t2.medium whose credits are spent (0.4 vCPU) busy
# for about as long as a request may wait (MAX_WAIT_SECONDS).
MAX_WAITING_PER_CPU = 32
# By anyio, by Python for the name of a host, and by NumPy's unique and isin.
IMPORTED_WITH_THE_FIRST_REQUEST = ("anyio._backends._asyncio", "encodings.idna", "numpy.ma")
log = logging.getLogger(__name__)


class SettingError(ValueError):
    """A setting is wrong, or the model cannot be found: one sentence for a person."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The server's settings, read from environment variables.

    Attributes:
        host: BIND_HOST, the address to listen on; by default all, as SageMaker needs.
        port: SAGEMAKER_BIND_TO_PORT, 8080 by default.
        model_dir: MODEL_DIR, the folder that holds the one .onnx file; SageMaker's /opt/ml/model by default.
        max_waiting: MAX_WAITING_REQUESTS, by default 32 for each CPU.
        limits: MAX_FILE_BYTES, and the limits of each kind of input, by its name.
        input_kind: INPUT_KIND, that of the model; empty where it is only known when the model is read.
        results_bucket: RESULTS_BUCKET, for results that do not fit an item; empty for none.
        cpus: how many this process may use.
    """

    host: str
    port: int
    model_dir: Path
    max_waiting: int
    limits: Mapping[str, Limits]
    input_kind: str
    results_bucket: str
    cpus: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            SettingError: a value is wrong; it is named.
        """
        cpus = available_cpus()
        try:
            limits = {name: kind.limits.from_environment(environ) for name, kind in KINDS.items()}
        except ValueError as error:
            raise SettingError(str(error)) from error
        return cls(
            host=environ.get("BIND_HOST", "0.0.0.0"),
            port=_integer(environ, "SAGEMAKER_BIND_TO_PORT", default=8080, least=1, most=65_535),
            model_dir=Path(environ.get("MODEL_DIR", "/opt/ml/model")),
            max_waiting=_integer(
                environ, "MAX_WAITING_REQUESTS", default=MAX_WAITING_PER_CPU * cpus, least=0, most=100_000
            ),
            limits=limits,
            input_kind=environ.get("INPUT_KIND", ""),
            results_bucket=environ.get("RESULTS_BUCKET", ""),
            cpus=cpus,
        )


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    # Process 1 of a container ignores signals that it does not handle.
    _on_stop_signals(lambda *_: sys.exit(0))
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("sagemaker_container").setLevel(logging.INFO)
    if list(arguments) not in ([], ["serve"]):
        return _fail(f"The command is {' '.join(arguments)!r}; the only command is 'serve'.")
    try:
        forbid_new_privileges()
        settings = Settings.from_environment(os.environ)
        listener = listen(settings.host, settings.port)
    except (PrivilegesError, SettingError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"Port {settings.port} cannot be opened: {error.strerror}.")
    return asyncio.run(_serve(settings, listener))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the port is in use or not permitted, or the host is not an address of this machine.
    """
    listener = socket.create_server((host, port))
    # The connections inherit it. uvicorn writes an answer in two pieces; the second would wait until the client
    # acknowledges the first, which takes 40 ms (docs/decisions/0004-container-threads.md).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def configure(app: Any) -> uvicorn.Config:
    """How the app is served."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",  # h11 takes 0.4 ms of CPU time more for each request (decision 9)
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=MAX_STOP_SECONDS,
    )


async def _serve(settings: Settings, listener: socket.socket) -> int:
    limits = next(iter(settings.limits.values()))  # that of a file's size is the same for all kinds
    queue = PredictionQueue(
        workers=settings.cpus,
        max_waiting=settings.max_waiting,
        max_held_bytes=2 * limits.max_bytes,
    )
    app = App(queue=queue, limits=limits)
    server = uvicorn.Server(configure(app))

    async def load() -> int:
        try:
            predictors = await asyncio.to_thread(load_predictors, settings, after_reading=drop_root)
        except Exception as error:  # any error: without a model there is nothing to serve
            server.should_exit = True
            return _fail(str(error))
        app.predictors = predictors
        model = predictors.concurrent.model
        contract = model.contract
        ready = {"event": "ready", "model": contract.name, "version": contract.version, "model_sha256": model.sha256}
        log.info(json.dumps({**ready, "processors": settings.cpus, "max_waiting": settings.max_waiting}))
        return 0

    loading = asyncio.create_task(load())
    # uvicorn handles the signals from here on; after an orderly stop it raises them again, which is not a failure.
    _on_stop_signals(signal.SIG_IGN)
    await server.serve(sockets=[listener])
    return await loading


def _on_stop_signals(handler: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def load_predictors(settings: Settings, *, after_reading: Callable[[], None] = lambda: None) -> Predictors:
    """Read the model, load it and run it once.

    Args:
        after_reading: called once all files have been read, before anything is done with the model's bytes.

    Raises:
        SettingError: there is not exactly one model.
        ModelError: the file is not a model that can be served.
    """
    # Imported here, so that the port is open and /ping answers while numpy and onnxruntime are imported; nothing is
    # imported after root is given up, because outside the image Python and its packages may lie in root's home.
    from inference.clients import create_client
    from inference.local_predictor import LocalPredictor
    from inference.model import Model

    for module in IMPORTED_WITH_THE_FIRST_REQUEST:
        importlib.import_module(module)
    import_decoders(settings.input_kind)
    data = find_model(settings.model_dir).read_bytes()
    s3 = create_client("s3")
    after_reading()

    def predictor(threads: int, *, spinning: bool) -> LocalPredictor:
        model = Model.load(data, threads=threads, spinning=spinning)
        predictor = LocalPredictor(
            s3=s3,
            model=model,
            limits=settings.limits[model.contract.input.kind],
            results_bucket=settings.results_bucket,
        )
        predictor.prime()
        return predictor

    concurrent = predictor(1, spinning=False)
    single = concurrent if settings.cpus == 1 else predictor(settings.cpus, spinning=True)
    _give_back_memory()
    return Predictors(single=single, concurrent=concurrent, media_types=concurrent.model.contract.input.media_types)


def import_decoders(input_kind: str) -> None:
    """Import what a kind of input and the kinds of output may import later, as far as it can be imported here.

    Args:
        input_kind: its name; empty for all kinds whose packages are installed.
    """
    kinds = [KINDS[input_kind]] if input_kind in KINDS else list(KINDS.values())
    packages = ["inference.outputs"]
    for kind in kinds:
        packages += [f"inference.inputs.{kind.kind}_formats", *kind.packages]
    for package in packages:
        with contextlib.suppress(ImportError):
            for module in modules_of(package):
                with contextlib.suppress(ImportError):
                    importlib.import_module(module)
    for kind in kinds:
        with contextlib.suppress(ImportError):
            kind.prepare()


def modules_of(package: str) -> list[str]:
    """A package and all that is in it, but its commands and what prints a report when it is imported (`PIL.report`).

    Raises:
        ImportError: there is no such package.
    """
    path = getattr(importlib.import_module(package), "__path__", ())
    names = [package, *(module.name for module in pkgutil.walk_packages(path, f"{package}."))]
    return [name for name in names if not name.endswith((".__main__", ".report"))]


def _give_back_memory() -> None:
    """Return the memory that loading needed to the system; glibc would keep about 20 MB of it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def find_model(folder: Path) -> Path:
    """The only .onnx file in a folder or, where there is none, in its subfolders.

    Raises:
        SettingError: there is none, or more than one.
    """
    if not folder.is_dir():
        raise SettingError(
            f"The model's folder {folder} does not exist; MODEL_DIR must name the folder with the .onnx file."
        )
    files = sorted(folder.glob("*.onnx")) or sorted(folder.rglob("*.onnx"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise SettingError(f"The model's folder {folder} must contain exactly one .onnx file; it contains {names}.")
    return files[0]


def _integer(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = environ.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingError(f"{name} is {text!r}; a whole number from {least} to {most} is allowed.")
    return value


def _fail(sentence: str) -> int:
    print(" ".join(sentence.split()), file=sys.stderr, flush=True)
    return 1

"""The servers that are compared, each started as its documentation advises for CPUs, on two cores.

Each peer runs twice: with one worker whose session is left at onnxruntime's defaults, which is the usual way
and has the lowest latency for one client; and with a worker for each core, one thread each, which its documentation
advises and has the highest throughput for many clients. Each keeps its default log, about one line per request, as this
project's server does.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import CONTAINER_LOCK, PEERS, container_python, peer_python
from benchmarks.peers.serving.server_observations import counted
from crossover.bench.probing import MODEL
from crossover.errors import CrossoverError, UsageError
from crossover.local.ports import HOST
from crossover.paths import sources

OURS = "ours"
CORES = 2
COMMON = Path(__file__).parent / "common"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Loopback ports that a server may listen on.

    Attributes:
        port: of HTTP.
        others: two more, for a server that requires them.
    """

    port: int
    others: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server in one setting.

    Attributes:
        peer: `ours`, or a folder of `peers/`.
        workers: processes or worker threads that predict at once.
        packages: whose versions identify the server.
        command: that is started in a folder of its own; takes the interpreter, that folder and the address.
        variables: its environment variables, in addition to PATH and the like; takes the server, the folder and the
            address.
        predict_path, health_path: where it predicts, and where it reports that it is ready.
        needs: a program that must be on the PATH, and the package that has it.
    """

    peer: str
    workers: int
    packages: tuple[str, ...]
    command: Callable[[Path, Path, Address], Sequence[object]]
    variables: Callable[["Server", Path, Address], Mapping[str, object]]
    predict_path: str = "/predict"
    health_path: str
    needs: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """`ours`, or the peer with its workers: `fastapi, 2 workers`."""
        return self.peer if self.peer == OURS else f"{self.peer}, {counted(self.workers, 'worker')}"

    @property
    def is_ours(self) -> bool:
        return self.peer == OURS

    def python(self) -> Path:
        """The interpreter of its environment, installed if it is not there yet.

        Raises:
            CrossoverError: it cannot be installed, or a program that it needs is missing.
        """
        if self.needs and not shutil.which(self.needs[0]):
            raise CrossoverError(
                f"{self.peer} needs {self.needs[0]}, which is not on the PATH; install {self.needs[1]}."
            )
        return container_python() if self.is_ours else peer_python(self.peer)

    def versions(self) -> dict[str, str]:
        """Of its packages, from its lock."""
        lock = CONTAINER_LOCK if self.is_ours else PEERS / self.peer / "requirements.txt"
        pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))
        return {package: pinned[package] for package in self.packages}

    def prepare(self, python: Path, folder: Path) -> None:
        """Lay out the folder that it is started in: the model; and this project's program as its image has it, by the
        Dockerfile's COPY lines, bytecode included.
        """
        (folder / "model").mkdir()
        (folder / "model" / MODEL.name).symlink_to(MODEL)
        if self.is_ours:
            for part in ("lambda_src/inference", "sagemaker_container"):
                shutil.copytree(sources() / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            compiler = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
            subprocess.run(compiler, check=True)

    def environment(self, folder: Path, address: Address) -> dict[str, str]:
        """All its variables; the commands of its environment come first on the PATH."""
        python = self.python()
        variables = {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "HOME": folder,
            "TMPDIR": folder,
            "LANG": "C.UTF-8",
            **self.variables(self, folder, address),
        }
        return {name: str(value) for name, value in variables.items()}


def _ours(_: Server, folder: Path, address: Address) -> dict[str, object]:
    return {
        "MODEL_DIR": folder / "model",
        "BIND_HOST": HOST,
        "SAGEMAKER_BIND_TO_PORT": address.port,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _peer(server: Server, folder: Path, address: Address) -> dict[str, object]:
    """What the peers' own files read, of which `common/` is one."""
    threads = {} if server.workers == 1 else {"THREADS": 1}
    return {
        "PYTHONPATH": f"{COMMON}:{PEERS / server.peer}",
        "MODEL_PATH": MODEL,
        "PORT": address.port,
        "WORKERS": server.workers,
        **threads,
    }


def _fastapi(workers: int) -> Server:
    return Server(
        peer="fastapi",
        workers=workers,
        packages=("fastapi", "uvicorn"),
        # https://fastapi.tiangolo.com/deployment/server-workers/
        command=lambda python, _, address: [
            *(python, "-m", "uvicorn", "fastapi_server:app"),
            *("--host", HOST, "--port", address.port, "--workers", workers),
        ],
        variables=_peer,
        health_path="/openapi.json",  # it has no health route; this one is there from the start
    )


def _bentoml(workers: int) -> Server:
    return Server(
        peer="bentoml",
        workers=workers,
        packages=("bentoml",),
        command=lambda python, _, address: [
            *(python, "-m", "bentoml", "serve", "bentoml_service:ClipService"),
            *("--host", HOST, "--port", address.port),
        ],
        variables=lambda *given: {**_peer(*given), "BENTOML_HOME": given[1], "BENTOML_DO_NOT_TRACK": True},
        health_path="/readyz",
    )


def _litserve(workers: int) -> Server:
    return Server(
        peer="litserve",
        workers=workers,
        packages=("litserve", "fastapi", "uvicorn"),
        command=lambda python, *_: [python, PEERS / "litserve/litserve_server.py"],
        variables=_peer,
        health_path="/health",
    )


def _mlserver(workers: int) -> Server:
    def variables(server: Server, folder: Path, address: Address) -> dict[str, object]:
        return {
            **_peer(server, folder, address),
            "MLSERVER_DEBUG": "false",
            "MLSERVER_HOST": HOST,
            "MLSERVER_HTTP_PORT": address.port,
            "MLSERVER_GRPC_PORT": address.others[0],
            "MLSERVER_METRICS_PORT": address.others[1],
            # https://docs.seldon.ai/mlserver/user-guide/parallel-inference
            "MLSERVER_PARALLEL_WORKERS": workers,
        }

    return Server(
        peer="mlserver",
        workers=workers,
        packages=("mlserver",),
        command=lambda python, *_: [python.with_name("mlserver"), "start", PEERS / "mlserver"],
        variables=variables,
        health_path="/v2/health/ready",
    )


def _sagemaker_inference(workers: int) -> Server:
    def variables(server: Server, folder: Path, address: Address) -> dict[str, object]:
        url = f"http://{HOST}:{address.port}"
        return {
            **_peer(server, folder, address),
            "SAGEMAKER_BASE_DIR": folder,
            "SAGEMAKER_BIND_TO_PORT": address.port,
            # Its default is a worker for each core.
            "SAGEMAKER_MODEL_SERVER_WORKERS": workers,
            # It would listen on all addresses of the machine.
            "MMS_INFERENCE_ADDRESS": url,
            "MMS_MANAGEMENT_ADDRESS": url,
        }

    return Server(
        peer="sagemaker_inference",
        workers=workers,
        packages=("sagemaker-inference", "multi-model-server"),
        command=lambda python, *_: [python, PEERS / "sagemaker_inference/serve.py"],
        variables=variables,
        predict_path="/invocations",
        health_path="/ping",
        needs=("java", "a Java runtime (Debian: apt-get install default-jre-headless)"),
    )


_PEERS = (_fastapi, _bentoml, _litserve, _mlserver, _sagemaker_inference)
SERVERS = (
    Server(
        peer=OURS,
        workers=CORES,
        packages=("uvicorn", "starlette", "httptools", "onnxruntime"),
        command=lambda python, folder, _: [python, folder / "sagemaker_container/serve", "serve"],
        variables=_ours,
        predict_path="/invocations",
        health_path="/ping",
    ),
    *(peer(workers) for peer in _PEERS for workers in (1, CORES)),
)
NAMES = tuple(dict.fromkeys(server.peer for server in SERVERS))


def find_servers(names: Sequence[str]) -> list[Server]:
    """The servers of these names, in every setting, this project's first.

    Args:
        names: `ours` or peers; all where there are none.

    Raises:
        UsageError: a name is unknown.
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(f"The server is {name!r}; {', '.join(NAMES)} are allowed.")
    return [server for server in SERVERS if not names or server.peer in names]

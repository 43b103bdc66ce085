"""The dependency audit: the real pip-audit against a vulnerability service on this machine."""

import http.server
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossover.local.ports import HOST, free_port

pytestmark = pytest.mark.slow  # pip-audit takes a second to start

ROOT = Path(__file__).parents[1]
HASH = f"--hash=sha256:{'0' * 64}"


class Service(http.server.BaseHTTPRequestHandler):
    """Answers as OSV does, one of the two services that pip-audit can ask."""

    status = 200
    known: dict[str, Any] = {}

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps(self.known.get(question["package"]["name"], {})).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *anything: Any) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Knows a vulnerability of one package; the URL to ask it."""
    affected = {
        "package": {"name": "leaky", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
    }
    monkeypatch.setattr(Service, "known", {"leaky": {"vulns": [{"id": "PYSEC-1", "affected": [affected]}]}})
    with http.server.ThreadingHTTPServer((HOST, 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


def lock(folder: Path, name: str, *packages: str) -> str:
    file = folder / name
    file.write_text("".join(f"{package} {HASH}\n" for package in packages))
    return str(file)


def audit(url: str, *files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/audit.py", *files, "--vulnerability-service=osv", f"--osv-url={url}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_known_vulnerability_fails_and_is_named_with_its_fix(service: str, tmp_path: Path) -> None:
    files = [lock(tmp_path, "a.txt", "sound==2.0"), lock(tmp_path, "b.txt", "leaky==1.0", "sound==2.1")]
    answer = audit(service, *files)
    assert answer.stdout == "leaky 1.0: PYSEC-1, fixed in 1.1\nPackages audited: 3. Findings: 1.\n"
    assert answer.returncode == 1


def test_without_known_vulnerabilities_it_succeeds(service: str, tmp_path: Path) -> None:
    answer = audit(service, lock(tmp_path, "a.txt", "sound==2.0"))
    assert (answer.returncode, answer.stdout) == (0, "Packages audited: 1. Findings: 0.\n")


def test_an_unreachable_service_is_reported_in_one_line_and_does_not_fail(tmp_path: Path) -> None:
    answer = audit(f"http://{HOST}:{free_port()}", lock(tmp_path, "a.txt", "leaky==1.0"))
    [line] = answer.stdout.splitlines()
    assert line.startswith("Not audited to the end, because the vulnerability service cannot be reached: ")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_an_error_of_the_service_is_not_a_finding(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "status", 503)
    answer = audit(service, lock(tmp_path, "a.txt", "leaky==1.0"))
    assert answer.stdout.startswith("Not audited to the end")
    assert answer.returncode == 0


def test_a_file_that_locks_nothing_is_a_failure(service: str, tmp_path: Path) -> None:
    file = tmp_path / "open.txt"
    file.write_text("leaky>=1\n")
    answer = audit(service, str(file))
    assert answer.returncode == 1
    assert "open.txt" in answer.stderr


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([], 0, "because the vulnerability service cannot be reached: it knows none of the packages"),
        ([{"name": "sound", "version": "2.0", "vulns": []}], 1, "Packages audited: 1. Findings: 1."),
    ],
)
def test_an_unknown_package_is_a_finding_unless_all_are_unknown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[Any], code: int, last: str
) -> None:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci/audit.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    skipped = {"name": "gone", "skip_reason": "gone was not found"}
    monkeypatch.setattr(module, "audit", lambda file, options: [skipped, *found])
    monkeypatch.setattr(sys, "argv", ["audit.py", "a.txt"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == code
    output = capsys.readouterr().out.splitlines()
    assert output[-1].endswith(last)
    assert ("gone was not found" in output) == bool(code)


def test_everything_that_is_locked_is_audited() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "--always-make", "audit"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    audited = next(line for line in said.splitlines() if ".ci/audit.py" in line).split()
    folders = [
        ROOT,
        *(ROOT / name for name in ("benchmarks", "crossover", "lambda_src", "model", "sagemaker_container")),
    ]
    patterns = ["*.txt" if folder == ROOT else "**/*.txt" for folder in folders]
    locks = [file for folder, pattern in zip(folders, patterns, strict=True) for file in folder.glob(pattern)]
    # The lock of tensors is empty: they need no package.
    assert {
        str(file.relative_to(ROOT)) for file in locks if "--hash=sha256:" in file.read_text() or not file.read_text()
    } == set(audited[2:])

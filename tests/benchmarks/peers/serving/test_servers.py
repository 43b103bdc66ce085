"""The servers, and that they are compared on equal terms."""

import re
from pathlib import Path

import pytest

from benchmarks.peers.environments import CONTAINER_LOCK, PEERS
from benchmarks.peers.serving.servers import NAMES, SERVERS, Address, find_servers
from crossover.errors import CrossoverError, UsageError
from crossover.paths import sources

PEER_NAMES = [name for name in NAMES if name != "ours"]
SHARED = ("onnxruntime", "numpy", "soundfile", "soxr")
ADDRESS = Address(port=8000, others=(8001, 8002))


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("peer", PEER_NAMES)
def test_every_peer_has_this_projects_versions_for_the_model_and_the_audio(peer: str) -> None:
    container = pinned(CONTAINER_LOCK) | pinned(sources() / "lambda_src/requirements-audio.txt")
    versions = pinned(PEERS / peer / "requirements.txt")
    assert {name: versions[name] for name in SHARED} == {name: container[name] for name in SHARED}


@pytest.mark.parametrize("peer", PEER_NAMES)
def test_every_package_of_a_peer_is_locked_by_hash_and_without_a_url(peer: str) -> None:
    lock = (PEERS / peer / "requirements.txt").read_text()
    assert lock.count("==") <= lock.count("--hash=sha256:")
    assert "://" not in lock
    asked = pinned(PEERS / peer / "requirements.in")
    assert asked.items() <= pinned(PEERS / peer / "requirements.txt").items()


def test_each_peer_runs_with_one_worker_and_with_one_for_each_core() -> None:
    assert len(PEER_NAMES) == 5
    for peer in PEER_NAMES:
        one, both = (server for server in SERVERS if server.peer == peer)
        assert (one.workers, both.workers) == (1, 2)
        assert (one.name, both.name) == (f"{peer}, 1 worker", f"{peer}, 2 workers")
        assert "THREADS" not in one.variables(one, Path("folder"), ADDRESS)  # onnxruntime's default
        assert both.variables(both, Path("folder"), ADDRESS)["THREADS"] == 1


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_server_listens_on_loopback_only_and_says_its_versions(server: object) -> None:
    assert server in SERVERS
    each = next(one for one in SERVERS if one is server)
    command = " ".join(map(str, each.command(Path("python"), Path("folder"), ADDRESS)))
    variables = each.variables(each, Path("folder"), ADDRESS)
    told = f"{command} {' '.join(map(str, variables.values()))}"
    assert "8000" in told
    assert "0.0.0.0" not in told
    if each.peer != "litserve":  # its file says so
        assert "127.0.0.1" in told
    assert all(re.fullmatch(r"[\d.]+", version) for version in each.versions().values())


def test_servers_are_chosen_by_name_with_all_their_settings() -> None:
    assert [each.name for each in find_servers(["fastapi", "ours"])] == [
        "ours",
        "fastapi, 1 worker",
        "fastapi, 2 workers",
    ]
    assert find_servers([]) == list(SERVERS)
    with pytest.raises(UsageError, match=r"The server is 'flask'; ours, fastapi, bentoml, .* are allowed\."):
        find_servers(["flask"])


def test_a_program_that_a_peer_needs_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (toolkit, _) = find_servers(["sagemaker_inference"])
    with pytest.raises(CrossoverError, match=r"sagemaker_inference needs java, .*; install a Java runtime"):
        toolkit.python()

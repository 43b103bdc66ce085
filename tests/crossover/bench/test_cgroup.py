"""Quotas for child processes: in folders that look like control groups, and in real ones where this machine has any."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossover.bench import cgroup
from crossover.errors import CrossoverError

TMPFS = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755"


def mount(point: Path, kind: str, options: str, root: str = "/") -> str:
    return f"{TMPFS}\n32 31 0:29 {root} {point} rw,relatime shared:9 - {kind} cgroup {options}"


def group_in(folder: Path, version: int = 2) -> cgroup.Group:
    folder.mkdir(exist_ok=True)
    return cgroup.Group(path=folder, version=version)


@pytest.fixture
def removable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel lets a group's folder be removed with the files it shows in it; other file systems do not."""
    monkeypatch.setattr(Path, "rmdir", lambda path: shutil.rmtree(path))


@pytest.fixture
def real() -> cgroup.Parent:
    try:
        return cgroup.find()
    except cgroup.QuotaUnavailableError as error:
        pytest.skip(str(error))


def test_v1_is_found_by_its_controller_in_the_group_this_process_is_in(tmp_path: Path) -> None:
    (tmp_path / "jobs/1").mkdir(parents=True)
    mounts = "\n".join([mount(tmp_path / "none", "cgroup", "rw,cpuset"), mount(tmp_path, "cgroup", "rw,cpu,cpuacct")])
    found = cgroup.candidates(mounts, "4:cpuset:/other\n3:cpuacct,cpu:/jobs/1\n0::/jobs/2")
    assert found == [cgroup.Parent(path=tmp_path / "jobs/1", version=1)]


def test_v2_is_found_where_the_cpu_controller_is_delegated_the_innermost_first(tmp_path: Path) -> None:
    inner = tmp_path / "user/session"
    inner.mkdir(parents=True)
    mounts = mount(tmp_path, "cgroup2", "rw")
    assert cgroup.candidates(mounts, "0::/user/session") == []
    for folder, controllers in ((tmp_path, "cpu memory"), (tmp_path / "user", "cpu"), (inner, "cpuset memory")):
        (folder / "cgroup.subtree_control").write_text(controllers)
    found = cgroup.candidates(mounts, "0::/user/session")
    assert [parent.path for parent in found] == [tmp_path / "user", tmp_path]
    assert {parent.version for parent in found} == {2}


def test_v2_is_preferred_to_v1(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two/cgroup.subtree_control").write_text("cpu")
    mounts = mount(tmp_path / "one", "cgroup", "rw,cpu") + "\n" + mount(tmp_path / "two", "cgroup2", "rw")
    assert [parent.version for parent in cgroup.candidates(mounts, "1:cpu:/\n0::/")] == [2, 1]


@pytest.mark.parametrize(("root", "own"), [("/docker/abc", "/docker/abc/job"), ("/", "/job"), ("/", "/elsewhere")])
def test_the_group_of_a_container_is_found_by_its_own_path(tmp_path: Path, root: str, own: str) -> None:
    (tmp_path / "job").mkdir()
    (found,) = cgroup.candidates(mount(tmp_path, "cgroup", "rw,cpu", root), f"1:cpu:{own}")
    assert found.path == (tmp_path if own == "/elsewhere" else tmp_path / "job")


def test_a_command_is_in_the_group_before_it_begins(tmp_path: Path) -> None:
    group = group_in(tmp_path)
    said = subprocess.run(
        group.command(["/bin/sh", "-c", 'echo "$$ $1"', "sh", "a b"]), capture_output=True, text=True, check=True
    )
    pid, argument = said.stdout.rstrip().split(" ", 1)
    assert (tmp_path / "cgroup.procs").read_text().strip() == pid
    assert argument == "a b"


def test_a_command_does_not_run_outside_the_group(tmp_path: Path) -> None:
    group = cgroup.Group(path=tmp_path / "gone", version=2)
    ended = subprocess.run(group.command(["echo", "ran"]), capture_output=True, text=True)
    assert ended.returncode != 0
    assert "ran" not in ended.stdout


@pytest.mark.parametrize(
    ("version", "files"),
    [(2, {"cpu.max": "5789 20000"}), (1, {"cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "5789"})],
)
@pytest.mark.usefixtures("removable")
def test_the_quota_is_a_share_of_each_period_and_the_group_is_temporary(
    tmp_path: Path, version: int, files: dict[str, str]
) -> None:
    parent = cgroup.Parent(path=tmp_path, version=version)
    with pytest.raises(ZeroDivisionError), parent.quota(512 / 1769) as group:
        assert group.path.parent == tmp_path
        assert {file.name: file.read_text() for file in group.path.iterdir()} == files
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_creating_a_group_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(CrossoverError, match=r"cannot be created with 0\.5 vCPUs: No such file or directory\."),
        cgroup.Parent(path=tmp_path / "gone", version=1).quota(0.5),
    ):
        pass


@pytest.mark.usefixtures("removable")
def test_a_group_whose_quota_is_refused_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(cgroup, "_limit", refuse)
    with (
        pytest.raises(CrossoverError, match="Invalid argument"),
        cgroup.Parent(path=tmp_path, version=1).quota(0.5),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("removable")
def test_processes_in_a_group_end_with_it(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "60"]) as child,
        cgroup.Parent(path=tmp_path, version=2).quota(0.5) as group,
    ):
        (group.path / "cgroup.procs").write_text(f"{child.pid}\n")
    assert child.returncode == -9


def test_reports_a_group_that_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "REMOVAL_SECONDS", 0.05)
    with (
        pytest.raises(CrossoverError, match="cannot be removed: Directory not empty"),
        cgroup.Parent(path=tmp_path, version=2).quota(0.5),
    ):
        pass


@pytest.mark.parametrize(
    ("version", "stat"),
    [
        (1, "nr_periods 88\nnr_throttled 81\nthrottled_time 1534472454\nnr_bursts 0"),
        (2, "usage_usec 9\nnr_periods 88\nnr_throttled 81\nthrottled_usec 1534472\nnr_bursts 0"),
    ],
)
def test_throttled_time_is_in_seconds(tmp_path: Path, version: int, stat: str) -> None:
    group = group_in(tmp_path, version)
    (group.path / "cpu.stat").write_text(stat)
    found = group.throttling()
    assert (found.periods, found.throttled_periods) == (88, 81)
    assert found.throttled_seconds == pytest.approx(1.534472, abs=1e-6)


@pytest.mark.parametrize(("cpu_seconds", "holds"), [(0.5, True), (0.54, True), (0.56, False), (1.0, False)])
def test_a_quota_held_unless_it_was_exceeded(cpu_seconds: float, holds: bool) -> None:
    assert cgroup.within_quota(0.5, cpu_seconds=cpu_seconds, wall_seconds=1.0) is holds  # 1.05 x 0.5 x 1.04 = 0.546


def test_without_a_suitable_group_the_reason_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts, membership = tmp_path / "mountinfo", tmp_path / "cgroup"
    monkeypatch.setattr(cgroup, "MOUNTS", mounts)
    monkeypatch.setattr(cgroup, "MEMBERSHIP", membership)
    with pytest.raises(cgroup.QuotaUnavailableError, match="since this is not Linux"):
        cgroup.find()
    mounts.write_text(TMPFS)
    membership.write_text("0::/")
    with pytest.raises(cgroup.QuotaUnavailableError, match="No control group here has the cpu controller delegated"):
        cgroup.find()
    mounts.write_text(mount(tmp_path / "gone", "cgroup", "rw,cpu"))
    with pytest.raises(cgroup.QuotaUnavailableError, match="No CPU quota can be set here"):
        cgroup.find()


def test_a_real_quota_throttles_a_child_and_leaves_nothing(real: cgroup.Parent) -> None:
    spin = "import time\nwhile time.process_time() < 0.1: pass\nprint(time.process_time())"
    before = set(real.path.iterdir())
    with real.quota(0.3) as group:
        subprocess.run(group.command([sys.executable, "-I", "-S", "-c", spin]), check=True, capture_output=True)
        found = group.throttling()
    assert found.throttled_periods > 0
    assert found.throttled_seconds > 0
    assert set(real.path.iterdir()) == before


def test_an_interrupted_child_in_a_real_group_is_ended(real: cgroup.Parent) -> None:
    with pytest.raises(KeyboardInterrupt), real.quota(0.3) as group:
        child = subprocess.Popen(group.command(["sleep", "60"]), stdout=subprocess.DEVNULL)
        while str(child.pid) not in (group.path / "cgroup.procs").read_text().split():
            pass
        raise KeyboardInterrupt
    assert child.wait(timeout=5) == -9
    assert not group.path.exists()

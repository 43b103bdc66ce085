"""A CPU quota for a child process, as Lambda gives a function its share of vCPUs: a temporary control group.

cgroup v2 (`cpu.max`) where the cpu controller is delegated to us, else v1 (`cpu.cfs_quota_us`). A group is created
inside one that this process belongs to, holds only the children that are started in it, and is removed afterwards; no
other group is written to. Only a SIGKILL of this process leaves an empty one behind.

Sources: docs.kernel.org/admin-guide/cgroup-v2.html and docs.kernel.org/scheduler/sched-bwc.html.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crossover import interrupts
from crossover.errors import CrossoverError

# The period of the quota; chosen by us, since AWS documents none. Work that needs less than one period's quota is not
# slowed down at all, so with Linux's default of 100 ms a quota would hardly slow down a short call.
PERIOD_SECONDS = 0.02
REMOVAL_SECONDS = 5.0
# The shell enters the group and becomes the command: the same process, so whoever ends it ends the command.
ENTER = 'echo $$ > "$1" && shift && exec "$@"'
MOUNTS, MEMBERSHIP = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")


class QuotaUnavailableError(CrossoverError):
    """No group with a quota can be created here; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Throttling:
    """The kernel's figures of a group.

    Attributes:
        periods: in which something ran in the group.
        throttled_periods: those of them in which the quota was used up.
        throttled_seconds: time that its processes were throttled, summed over the processors.
    """

    periods: int
    throttled_periods: int
    throttled_seconds: float


@dataclass(frozen=True, kw_only=True)
class Group:
    """A temporary group with a quota.

    Attributes:
        path: its folder.
        version: of cgroup, 1 or 2.
    """

    path: Path
    version: int

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` in this group from its first instruction on."""
        return ["/bin/sh", "-c", ENTER, "sh", str(self.path / "cgroup.procs"), *command]

    def throttling(self) -> Throttling:
        """How much the quota has throttled so far."""
        lines = (self.path / "cpu.stat").read_text().splitlines()
        stat = {name: int(value) for name, value in map(str.split, lines)}
        seconds = stat["throttled_usec"] / 1e6 if self.version == 2 else stat["throttled_time"] / 1e9
        return Throttling(periods=stat["nr_periods"], throttled_periods=stat["nr_throttled"], throttled_seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A group in which groups with a quota can be created.

    Attributes:
        path: its folder.
        version: of cgroup, 1 or 2.
    """

    path: Path
    version: int

    @contextmanager
    def quota(self, vcpus: float) -> Iterator[Group]:
        """A group whose processes share the CPU time of `vcpus` processors; what still runs in it at the end is killed.

        Raises:
            CrossoverError: it cannot be created or removed.
        """
        with ExitStack() as stack:
            try:
                with interrupts.delayed():  # otherwise it could exist unnoticed
                    path = Path(tempfile.mkdtemp(prefix="crossover-bench-", dir=self.path))
                    stack.callback(_remove, path)
                group = Group(path=path, version=self.version)
                _limit(group, vcpus)
            except OSError as error:
                raise _failed(f"created with {vcpus:.3g} vCPUs", self.path, error) from error
            yield group


def find() -> Parent:
    """Where groups with a quota can be created; tested by creating one and starting a child in it.

    Raises:
        QuotaUnavailableError: they cannot be created here.
    """
    if not (MOUNTS.exists() and MEMBERSHIP.exists()):
        raise QuotaUnavailableError("There are no control groups here, since this is not Linux.")
    reasons = []
    for parent in candidates(MOUNTS.read_text(), MEMBERSHIP.read_text()):
        try:
            with parent.quota(1.0) as group:
                subprocess.run(group.command(["true"]), check=True, capture_output=True)
            return parent
        except (CrossoverError, subprocess.CalledProcessError) as error:
            reasons.append(str(error))
    why = reasons[0] if reasons else "No control group here has the cpu controller delegated to it."
    raise QuotaUnavailableError(f"No CPU quota can be set here. {why}")


def candidates(mounts: str, membership: str) -> list[Parent]:
    """Where a group with a quota might be created, v2 first: the groups of this process, and with v2 those above them.

    With v2 only a group whose `cgroup.subtree_control` names the cpu controller can give its children a quota. We do
    not write to it, since others share it.

    Args:
        mounts: of /proc/self/mountinfo.
        membership: of /proc/self/cgroup.
    """
    found = []
    for root, point, kind, options in map(_mount, mounts.splitlines()):
        if kind == "cgroup2":
            own = _folder(point, root, _membership(membership, ""))
            inner = [own, *(above for above in own.parents if above.is_relative_to(point))]
            found += [Parent(path=path, version=2) for path in inner if _delegates_cpu(path)]
        elif kind == "cgroup" and "cpu" in options.split(","):
            found.append(Parent(path=_folder(point, root, _membership(membership, "cpu")), version=1))
    return sorted(found, key=lambda parent: -parent.version)


def within_quota(vcpus: float, *, cpu_seconds: float, wall_seconds: float) -> bool:
    """Whether a process kept to its quota.

    It may have used the quota of one period before and of one that has not ended; 5 % are for the kernel, which hands
    the quota out in slices to each processor.
    """
    return cpu_seconds <= 1.05 * vcpus * (wall_seconds + 2 * PERIOD_SECONDS)


def _mount(line: str) -> tuple[str, Path, str, str]:
    """A line of mountinfo: which part of the file system is mounted, where, its type and its own options."""
    before, _, after = line.partition(" - ")
    kind, _, options = after.split(" ", 2)
    root, point = before.split()[3:5]
    return root, Path(point), kind, options


def _membership(text: str, controller: str) -> str:
    """The group of this process in a controller's hierarchy; the line of v2 names no controller."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def _folder(point: Path, root: str, own: str) -> Path:
    """The folder of the group `own`. In a container its path may be missing in the mount: then the mount's root."""
    inside = own.removeprefix(root) if root != "/" else own
    folder = point / inside.lstrip("/")
    return folder if folder.is_dir() else point


def _delegates_cpu(path: Path) -> bool:
    try:
        return "cpu" in (path / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False


def _limit(group: Group, vcpus: float) -> None:
    period_us, quota_us = round(PERIOD_SECONDS * 1e6), round(vcpus * PERIOD_SECONDS * 1e6)
    if group.version == 2:
        (group.path / "cpu.max").write_text(f"{quota_us} {period_us}")
    else:
        (group.path / "cpu.cfs_period_us").write_text(str(period_us))
        (group.path / "cpu.cfs_quota_us").write_text(str(quota_us))


def _remove(path: Path) -> None:
    """Kill what still runs in it, all started by us; a group can only be removed once it is empty."""
    give_up = time.monotonic() + REMOVAL_SECONDS
    while True:
        with suppress(OSError):
            for pid in (path / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        try:
            path.rmdir()
            return
        except OSError as error:
            if time.monotonic() > give_up:
                raise _failed("removed", path, error) from error
        time.sleep(0.01)


def _failed(what: str, path: Path, error: OSError) -> CrossoverError:
    return CrossoverError(f"A control group in {path} cannot be {what}: {error.strerror}.")

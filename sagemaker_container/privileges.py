"""Gives up root for good: SageMaker starts containers as root, and serving needs no rights at all."""

import ctypes
import os
from functools import reduce
from operator import or_
from pathlib import Path

# The user and the group to become. By number: they own no file, and need no name.
UNPRIVILEGED_ID = 10_001
PR_SET_NO_NEW_PRIVS = 38  # of linux/prctl.h


class PrivilegesError(RuntimeError):
    """Root cannot be given up: one sentence for a person."""


def forbid_new_privileges() -> None:
    """No program that this process starts can have more rights than it. Called before there is a second thread, because
    it holds for the calling thread and those that it starts.

    Raises:
        PrivilegesError: the system does not know this, and the process runs as root.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if (prctl is None or prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) and os.geteuid() == 0:
        raise PrivilegesError("The server runs as root, and the system cannot forbid it new privileges (Linux can).")


def drop_root() -> None:
    """Become a user without rights, in all threads; started as any other user than root, stay that.

    It takes the capabilities SETUID and SETGID, and gives up all capabilities.

    Raises:
        PrivilegesError: the process could not become another user, or could become root again.
    """
    if 0 not in os.getresuid():
        return
    try:
        os.setgroups([])
        os.setresgid(*[UNPRIVILEGED_ID] * 3)
        os.setresuid(*[UNPRIVILEGED_ID] * 3)
    except OSError as error:
        raise PrivilegesError(
            f"The server was started as root and cannot become user {UNPRIVILEGED_ID} ({error.strerror}): allow the "
            "container the capabilities SETUID and SETGID, or start it as another user."
        ) from error
    ids = {*os.getresuid(), *os.getresgid(), *os.getgroups()}
    if ids != {UNPRIVILEGED_ID}:
        raise PrivilegesError(f"The server became user {UNPRIVILEGED_ID}, but still has the ids {sorted(ids)}.")
    kept = _capabilities()
    if kept:
        raise PrivilegesError(f"The server became user {UNPRIVILEGED_ID}, but still has the capabilities {kept:#x}.")


def _capabilities() -> int:
    """Those that this thread has or could take, as a bit mask; 0 where Linux's /proc is not there to tell."""
    try:
        lines = Path("/proc/thread-self/status").read_text().splitlines()
    except OSError:
        return 0
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("CapPrm:", "CapEff:", "CapAmb:"))]
    return reduce(or_, masks, 0)

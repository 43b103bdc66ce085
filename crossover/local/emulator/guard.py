"""How the emulator ends: with the process that started it, and with all that it started itself."""

import os
import subprocess
import sys

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

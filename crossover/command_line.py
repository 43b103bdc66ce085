"""Runs a command line: one style of error messages, exit codes, signals, and output on any terminal."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from crossover import interrupts, terminal
from crossover.errors import CrossoverError, UsageError, explain_missing_package

# The class of all errors in the options themselves. Typer does not export it, but all of them derive from it.
_OptionError: type[Exception] = typer.BadParameter.__mro__[2]


def main(app: typer.Typer, program: str) -> None:
    """Run the command of this process's arguments, and exit.

    What goes wrong in an expected way is one sentence on standard error, `program: sentence`, without a traceback. Exit
    codes: 0, 1 for a failure, 2 for a mistake in the usage, 128 and the signal's number for an interruption.
    """
    terminal.configure_output()
    interrupts.install()
    try:
        code = run(app, sys.argv[1:], program=program)
        sys.stdout.flush()
    except CrossoverError as error:
        print(f"{program}: {error}", file=sys.stderr)
        code = error.exit_code
    except ModuleNotFoundError as error:
        print(f"{program}: {explain_missing_package(error)}", file=sys.stderr)
        code = 1
    except interrupts.InterruptedBySignalError as interrupted:
        print(f"{program}: {interrupted.sentence}", file=sys.stderr)
        code = interrupted.exit_code
    except BrokenPipeError:  # as after `| head -1`: the reader of the output has closed it
        # Else Python reports an error when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(app: typer.Typer, arguments: Sequence[str], *, program: str) -> int:
    """Run one command of `app`; returns its exit code.

    Raises:
        UsageError: the arguments are not valid for this app, or the user declined.
        CrossoverError: the command failed.
    """
    try:
        code = app(list(arguments), prog_name=program, standalone_mode=False)
    except _OptionError as error:
        message = _explain(error)
        if not message:  # a command group was called without a command: its help has been printed
            return 2
        context = getattr(error, "ctx", None)
        help_command = f"{context.command_path if context else program} --help"
        raise UsageError(f"{message}; see `{help_command}`.") from error
    except typer.Abort as error:
        raise UsageError("There was no answer to the question, so nothing was done.") from error
    return code if isinstance(code, int) else 0


def _explain(error: Any) -> str:
    """The mistake in one line; with the value, which typer leaves out of what pydantic, its checker, refuses."""
    if hasattr(error.__cause__, "errors"):
        [found, *_] = error.__cause__.errors()
        allowed = found["msg"].partition(",")[0].replace("Input should", "it must")
        return f"The value of {error.param.opts[0]} is {found['input']!r}; {allowed}"
    return " ".join(error.format_message().split()).rstrip(".")

"""Errors that the user can act on: shown as one message, never with a traceback."""


class CrossoverError(Exception):
    """Something failed; the message says what, and what to do."""

    exit_code = 1


class UsageError(CrossoverError):
    """A mistake of the user's: an unreadable path, an unknown name."""

    exit_code = 2


def reason_of(error: Exception) -> str:
    """What an exception says; of the operating system's errors neither number nor path, which the message has."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


_EXTRAS = {"aws_cdk": "cdk", "constructs": "cdk", "onnxruntime": "cdk", "uv": "cdk"}
"""What only some commands import, and the extra of this package that installs it."""


def explain_missing_package(error: ModuleNotFoundError) -> str:
    """One sentence about an extra that is not installed.

    Raises:
        ModuleNotFoundError: the error itself, where the module belongs to no extra.
    """
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        raise error
    return f'This command needs the package {package}: pip install "crossover-inference[{_EXTRAS[package]}]".'

"""What goes wrong in a way that a person can do something about: shown as one message, never with a traceback."""


class CrossoverError(Exception):
    """Something failed; the message says what, and what to do about it."""

    exit_code = 1


class UsageError(CrossoverError):
    """What the person asked for cannot be: an unreadable path, an unknown name."""

    exit_code = 2

"""The other error that is an answer, beside `inference.errors.InputError`: not now."""


class UnavailableError(Exception):
    """The request cannot be served now, and may be later: a 503.

    Args:
        code: stable and in UPPER_SNAKE_CASE, for programs: MODEL_LOADING, OVERLOADED or REQUEST_TIMEOUT. The app adds
            S3_UNAVAILABLE and STOPPING.
        message: one sentence for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

"""JSON documents on disk: a benchmark's results. One whose name ends in .gz is compressed."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossover.errors import UsageError, reason_of


def read(path: Path) -> Any:
    """The document in a file.

    Raises:
        UsageError: it cannot be read, or is not JSON.
    """
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, ValueError) as error:
        raise UsageError(f"The results in {path} cannot be read: {reason_of(error)}.") from error


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document; the file is there as a whole or not at all, and the same for the same document.

    Raises:
        UsageError: it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    content = (json.dumps(document, indent=1) + "\n").encode()
    try:
        unfinished.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"The result {path} cannot be written: {error.strerror}.") from error

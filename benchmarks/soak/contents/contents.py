"""What the soak must know of a kind of input."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.soak.upload_plan import Kind


@dataclass(frozen=True, kw_only=True)
class Contents:
    """How files of a kind of input are made.

    Attributes:
        suffix: of the objects' keys.
        make: those that are neither text nor empty, each from a source of randomness.
        codes: the error codes of files that must become FAILED items.
    """

    suffix: str
    make: Mapping[Kind, Callable[[random.Random], bytes]]
    codes: Mapping[Kind, str]

"""What a process learns from its environment: a handler's settings, and the CPUs it may use."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from .limits import Limits


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A handler's settings, read once from the environment variables that the stack sets.

    Attributes:
        predictions_table: PREDICTIONS_TABLE, the table's name.
        predictor: PREDICTOR, the variant's name, stored in each item.
        model_s3_uri: MODEL_S3_URI, `s3://bucket/key` or a local path; empty for the proxy.
        endpoint_name: ENDPOINT_NAME, for the proxy; empty elsewhere.
        item_lifetime_days: ITEM_LIFETIME_DAYS, after which DynamoDB removes an item; None keeps it.
        metrics_stack: METRICS_STACK, the stack that the metrics belong to; empty for none.
        log_level: LOG_LEVEL, info for a line about each file, error for none about a file that succeeds.
        results_bucket: RESULTS_BUCKET, for results that do not fit an item; empty for none.
        limits: MAX_FILE_BYTES; those of the model's kind are read with the model.
    """

    predictions_table: str
    predictor: str
    model_s3_uri: str = ""
    endpoint_name: str = ""
    item_lifetime_days: int | None = None
    metrics_stack: str = ""
    log_level: str = "info"
    results_bucket: str = ""
    limits: Limits

    @classmethod
    def read(cls, environ: Mapping[str, str], *needed: str) -> Self:
        """Read the environment; `needed` names what this handler needs besides PREDICTIONS_TABLE and PREDICTOR.

        Raises:
            RuntimeError: a variable is missing; it is named.
        """
        missing = [name for name in ("PREDICTIONS_TABLE", "PREDICTOR", *needed) if not environ.get(name)]
        if missing:
            raise RuntimeError(
                f"The environment lacks {', '.join(missing)}: the stack sets them, see crossover/cdk/compute/."
            )
        lifetime = environ.get("ITEM_LIFETIME_DAYS")
        return cls(
            predictions_table=environ["PREDICTIONS_TABLE"],
            predictor=environ["PREDICTOR"],
            model_s3_uri=environ.get("MODEL_S3_URI", ""),
            endpoint_name=environ.get("ENDPOINT_NAME", ""),
            item_lifetime_days=int(lifetime) if lifetime else None,
            metrics_stack=environ.get("METRICS_STACK", ""),
            log_level=environ.get("LOG_LEVEL") or "info",
            results_bucket=environ.get("RESULTS_BUCKET", ""),
            limits=Limits.from_environment(environ),
        )


def available_cpus() -> int:
    """How many CPUs this process may use; where the system does not report that (macOS), all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""The SnapStart Lambda: the model is loaded once, when a version is published, and each cold start restores its memory.

The hooks must be registered while this module is imported. Before the snapshot, everything runs once, so that a
restored execution environment does nothing for the first time. After a restore, what environments must not share is
replaced: open connections and credentials.
"""

import os
import random
from typing import Any

from snapshot_restore_py import register_after_restore, register_before_snapshot

from inference.clients import create_client, forget_session
from inference.startup import start_local

processor = start_local(os.environ)


def prime() -> None:
    """Run the decoder, the model and the table's client once."""
    processor.predictor.prime()
    processor.store.prime()


def renew_clients() -> None:
    """Build new clients: a snapshot's sockets are dead and its credentials old. The next event is a cold start."""
    random.seed()  # or every restored environment would draw the same retry delays
    forget_session()
    processor.predictor.s3 = create_client("s3")
    processor.store.dynamodb = create_client("dynamodb")
    processor.cold_start = True


register_before_snapshot(prime)
register_after_restore(renew_clients)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Turn an S3 event into items of the predictions table."""
    return processor.process(event, context.aws_request_id)

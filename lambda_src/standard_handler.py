"""The standard Lambda: the model is loaded at every cold start."""

import os
from typing import Any

from inference.startup import start_local

processor = start_local(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Turn an S3 event into items of the predictions table."""
    return processor.process(event, context.aws_request_id)

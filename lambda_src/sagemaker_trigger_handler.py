"""The proxy in front of the SageMaker endpoint: sends it each S3 object reference and stores its answer."""

import os
from typing import Any

from inference.startup import start_proxy

processor = start_proxy(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Turn an S3 event into items of the predictions table."""
    return processor.process(event, context.aws_request_id)

"""The Lambda with provisioned concurrency: the model is loaded before an event comes, or at a cold start on demand.

Lambda initializes the provisioned execution environments ahead, so these run everything once: their first event waits
for nothing that happens for the first time. What exceeds them runs on demand, where that would only delay the event.
"""

import os
from typing import Any

from inference.startup import start_local

processor = start_local(os.environ)
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency":
    processor.predictor.prime()
    processor.store.prime()
    processor.cold_start = False


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Turn an S3 event into items of the predictions table."""
    return processor.process(event, context.aws_request_id)

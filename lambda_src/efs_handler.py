"""The Lambda with its model on EFS: loaded at INIT, or with the first event where MODEL_LOADING says lazy.

Lambda gives INIT 10 s; what takes longer it begins again with the first event, and bills both. So a model that takes
longer to load is loaded with the first event alone. If loading fails there, the event is retried, and loads again: by
Lambda, or by S3 Batch Operations, which is answered whether that makes sense.
"""

import os
from functools import cache
from typing import Any

from inference.startup import start_local


@cache
def processor() -> Any:
    """The one of this execution environment."""
    return start_local(os.environ)


if os.environ.get("MODEL_LOADING") != "lazy":
    processor()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Turn an S3 event into items of the predictions table."""
    try:
        ready = processor()
    except Exception as error:
        from inference.processor import answer_unready

        return answer_unready(event, context.aws_request_id, error)
    return ready.process(event, context.aws_request_id)

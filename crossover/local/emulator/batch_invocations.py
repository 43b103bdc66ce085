"""How a job of S3 Batch Operations invokes the function for a task, and what it makes of the answer.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crossover.local.emulator.batch_tasks import Outcome, Task

ATTEMPTS, RETRY_SECONDS = 4, 0.2
"""Of a task that fails temporarily, and the pause between two of them. AWS does not say how many it makes."""
TEMPORARY, PERMANENT = "TemporaryFailure", "PermanentFailure"
# A function may take 900 s, and 130 s for INIT before that; after botocore's own 60 s it would be invoked again.
INVOKING = Config(read_timeout=1100)


def invoke(client: Any, operation: Mapping[str, Any], job_id: str, task: Task) -> Outcome:
    """Invoke the function for a task, again where it fails temporarily.

    Args:
        client: of Lambda.
        operation: the member LambdaInvoke of CreateJob's Operation.
    """
    schema = operation.get("InvocationSchemaVersion", "1.0")
    task_id = base64.b64encode(uuid.uuid4().bytes).decode()
    bucket = {"s3BucketArn": f"arn:aws:s3:::{task.bucket}"} if schema == "1.0" else {"s3Bucket": task.bucket}
    arguments = {"userArguments": operation["UserArguments"]} if "UserArguments" in operation else {}
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(RETRY_SECONDS * attempt)
        event = {
            "invocationSchemaVersion": schema,
            "invocationId": base64.b64encode(uuid.uuid4().bytes).decode(),
            "job": {"id": job_id, **arguments},
            "tasks": [{"taskId": task_id, "s3Key": task.key, "s3VersionId": task.version, **bucket}],
        }
        outcome = _invoke_once(client, operation["FunctionArn"], event)
        if outcome.code != TEMPORARY:
            break
    return outcome


def _invoke_once(client: Any, function: str, event: Mapping[str, Any]) -> Outcome:
    """What one invocation says of its task."""
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
    except ClientError as failure:
        status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
        code = TEMPORARY if status == 429 or status >= 500 else PERMANENT
        return _failed(code, str(failure), status=str(status))
    except BotoCoreError as failure:  # there was no answer
        return _failed(TEMPORARY, str(failure), status="")
    if "FunctionError" in answer:
        return _failed(PERMANENT, f"Lambda returned function error: {payload.decode()}")
    try:
        content = json.loads(payload)
        results = {result["taskId"]: result for result in content["results"]}
        found = results.get(event["tasks"][0]["taskId"], {"resultCode": content["treatMissingKeysAs"]})
        code = found["resultCode"]
        if code not in ("Succeeded", TEMPORARY, PERMANENT):
            raise ValueError(code)
    except (ValueError, TypeError, KeyError, RecursionError):
        return _failed(PERMANENT, "Invalid JSON returned in Lambda payload")
    message = str(found.get("resultString", ""))
    if code == "Succeeded":
        return Outcome(succeeded=True, status="200", code="", message=message)
    return _failed(code, "" if code == TEMPORARY else message)  # AWS ignores that string, also of the last attempt


def _failed(code: str, message: str, *, status: str = "200") -> Outcome:
    return Outcome(succeeded=False, status=status, code=code, message=message)

"""CloudFormation's resource `Custom::ModelOnEfs`: a model's file on EFS, made and removed by efs_loader_handler.py.

It runs outside the VPC, in which the loader could not answer CloudFormation, and where nobody would learn that the file
system cannot be mounted: then the loader does not run at all, and Lambda tells its caller.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import os
import time
import urllib.request
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

RETRIED = (
    "AccessDeniedException",
    "EFSMountConnectivityException",
    "EFSMountFailureException",
    "EFSMountTimeoutException",
)
"""What passes once permissions and network, written seconds ago, are known everywhere."""
RETRY_SECONDS = 60
REASON_CHARACTERS = 1000
"""CloudFormation takes 4,096 bytes of answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"""

# One attempt: the loader may take nearly as long as this function.
lambda_client = boto3.client(
    "lambda",
    config=Config(connect_timeout=5, read_timeout=880, retries={"total_max_attempts": 1}, tcp_keepalive=True),
)


def handler(event: dict[str, Any], context: Any) -> None:
    """Have the loader do what CloudFormation asks for, and answer it.

    A file that cannot be removed fails nothing: it costs cents, and a stack that cannot be deleted hours.
    """
    model = event["ResourceProperties"]
    request = {"name": model["Name"]}
    if event["RequestType"] != "Delete":
        request |= {"bucket": model["Bucket"], "key": model["Key"], "sha256": model["Sha256"]}
    problem = find_problem(request)
    is_failure = problem is not None and event["RequestType"] != "Delete"
    print(json.dumps({"request": event["RequestType"], "model": model["Name"], "problem": problem}))
    answer = {
        "Status": "FAILED" if is_failure else "SUCCESS",
        "Reason": (problem or "")[:REASON_CHARACTERS],
        "PhysicalResourceId": model["Name"],
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The URL is signed for a request without a content type.
    data, headers = json.dumps(answer).encode(), {"Content-Type": ""}
    urllib.request.urlopen(
        urllib.request.Request(event["ResponseURL"], data=data, headers=headers, method="PUT"), timeout=30
    ).close()


def find_problem(request: dict[str, str]) -> str | None:
    """Call the loader; returns the reason why it failed, in one line, or None."""
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            answer = lambda_client.invoke(FunctionName=os.environ["LOADER"], Payload=json.dumps(request).encode())
        except ClientError as error:
            kind, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        except BotoCoreError as error:
            return f"The loader could not be invoked: {error}"
        else:
            if "FunctionError" not in answer:
                return None
            failure = json.load(answer["Payload"])
            kind, message = failure.get("errorType", ""), failure.get("errorMessage", "")
        if kind not in RETRIED or time.monotonic() > deadline:
            return message if kind == "LoadingError" else f"The loader failed: {kind}: {message}"
        time.sleep(2)

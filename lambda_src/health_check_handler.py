"""CodeDeploy's hook before a new version of a handler gets traffic: invokes that version and reports the outcome.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import json
import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

EVENT = {"Event": "crossover:HealthCheck"}

# Three attempts and their back-off fit into this function's 300 s. Predicting a second of noise takes seconds, even
# with a cold start and a SageMaker endpoint; a version that needs more than 80 s is not healthy.
lambda_client = boto3.client(
    "lambda", config=Config(connect_timeout=5, read_timeout=80, retries={"mode": "standard", "total_max_attempts": 3})
)
codedeploy = boto3.client("codedeploy")


def handler(event: dict[str, Any], context: object) -> None:
    """Have the version in CHECKED_VERSION, an ARN, check itself, and tell CodeDeploy: Succeeded or Failed."""
    version = os.environ["CHECKED_VERSION"]
    problem = find_problem(version)
    print(json.dumps({"checked_version": version, "problem": problem}))
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if problem else "Succeeded",
    )


def find_problem(version: str) -> str | None:
    """The problem of a function's version, or None."""
    try:
        answer = lambda_client.invoke(FunctionName=version, Payload=json.dumps(EVENT).encode())
        if "FunctionError" in answer:
            return str(answer["Payload"].read().decode())
    except (BotoCoreError, ClientError) as error:
        return f"It could not be invoked: {error}"
    return None

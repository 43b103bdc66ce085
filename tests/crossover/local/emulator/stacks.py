"""Small stacks, deployed without the CDK, for what the emulator adds to ministack."""

import json
from typing import Any

import boto3

ROLE = "arn:aws:iam::000000000000:role/any"


def deploy(name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack; returns its outputs."""
    cloudformation = boto3.client("cloudformation")
    values = {key: {"Value": value} for key, value in outputs.items()}
    template = json.dumps({"Resources": resources, "Outputs": values})
    exists = any(stack["StackName"] == name for stack in cloudformation.describe_stacks()["Stacks"])
    (cloudformation.update_stack if exists else cloudformation.create_stack)(StackName=name, TemplateBody=template)
    waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

"""Small stacks, deployed without the CDK, for what the emulator adds to ministack."""

import json
from typing import Any

import boto3

ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
"""The ARN of the resource `Role`."""


def role(service: str, **allowed: Any) -> dict[str, Any]:
    """A role for a service.

    Args:
        service: as in `lambda`.
        allowed: on which resource an action is allowed, as in `sqs_SendMessage=ARN`.
    """
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [
        {"Effect": "Allow", "Action": action.replace("_", ":"), "Resource": resource}
        for action, resource in allowed.items()
    ]
    policies = [{"PolicyName": "allowed", "PolicyDocument": {"Statement": statements}}] if statements else []
    properties = {"AssumeRolePolicyDocument": {"Statement": [trust]}, "Policies": policies}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def deploy(name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack; returns its outputs."""
    cloudformation = boto3.client("cloudformation")
    values = {key: {"Value": value} for key, value in outputs.items()}
    template = json.dumps({"Resources": resources, "Outputs": values})
    exists = any(stack["StackName"] == name for stack in cloudformation.describe_stacks()["Stacks"])
    change = cloudformation.update_stack if exists else cloudformation.create_stack
    change(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

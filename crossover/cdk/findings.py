"""Accepts findings of cdk-nag's AwsSolutions pack and warnings of CDK, one at a time and with the reason."""

import re
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept a rule's finding on the construct and its children."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcard(grantee: iam.IGrantable, resource: str, reason: str) -> None:
    """Accept that the grantee's policy allows a resource with a wildcard; only this resource."""
    principal = grantee.grant_principal
    if isinstance(principal, Construct):  # an imported role's policy may be in another stack
        flat = _flatten(Stack.of(principal).resolve(resource))
        acknowledge(principal, f"AwsSolutions-IAM5[Resource::{flat}]", reason)


def _flatten(value: Any) -> str:
    """Write a resolved ARN as the rule does: <LogicalId.Arn>/* for a reference within it."""
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(_flatten, parts))
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]*)\}", r"<\1>", text)
    return str(value)

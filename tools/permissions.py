"""Who may do what, as tables taken from the synthesized templates. `python -m tools.permissions` prints them.

docs/security.md holds the tables, and a test that they are these.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossover.cdk import VARIANTS
from stacks.inference_stack import InferenceStack
from stacks.settings import Settings
from tools.synthesized import SynthesizedTemplate, as_list, new_app

# Each is shown with what it adds to the default settings.
OPTIONS: tuple[dict[str, str], ...] = (
    {"encryption": "customer"},
    {"network": "isolated"},
    {"rollout": "canary"},
    {"event_source": "eventbridge", "tracing": "true", "alarm_email": "ops@example.org", "backfill": "true"},
)
# Names of the roles by the prefix of their path; the variants name their own.
ROLES = {
    "Compute/FunctionRole": "function",
    **{f"Compute/{path}": name for variant in VARIANTS.values() for path, name in variant.roles.items()},
    "Backfill/Role": "backfill",
    "Compute/Rollout/HealthCheckRole": "health check",
    "Compute/Rollout/DeploymentGroup/ServiceRole": "CodeDeploy",
    "Network/FlowLogRole": "flow logs",
    "Custom::S3AutoDeleteObjects": "CDK: empties the bucket",
    "BucketNotificationsHandler": "CDK: sets the notification",
}
# Policies of resources, rather than of roles: by the resource's type, the property that holds them.
RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::DynamoDB::Table": "ResourcePolicy",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::EFS::FileSystem": "FileSystemPolicy",
}
# What the templates write, and in words.
WORDS = (
    (r"arn:<AWS::Partition>:iam::<AWS::AccountId>:root", "the account"),
    (r"arn:<AWS::Partition>:iam::aws:policy/(service-role/)?", ""),
    (r"arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-[^/]*/\*\.onnx", "models in CDK's bucket of assets"),
    (r"arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-[^/]*", "CDK's bucket of assets"),
    (r"arn:<AWS::Partition>:ecr:.*:repository/cdk-hnb659fds-container-assets-.*", "CDK's image repository"),
    (r"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:", ""),
    (r"arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:\*", "the account's alarms"),
    (r"arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:\*", "the account's queues"),
    (r"arn:<AWS::Partition>:elasticfilesystem:.*:access-point/", ""),
    (r"arn:<AWS::Partition>:codedeploy:<AWS::Region>:<AWS::AccountId>:deploymentgroup:.*", "the deployment group"),
    (r"<([A-Z]\w*(?:/[^<>]*?)?)(\.\w+)?>", r"\1"),
    (r"<AWS::AccountId>", "this account"),
    (r"<AWS::StackName>", "<stack>"),
    (r"<AWS::Region>", "<region>"),
    (r"<AWS::URLSuffix>", "amazonaws.com"),
)
COMPARISONS = {
    "Bool": "is",
    "StringEquals": "is",
    "StringEqualsIfExists": "is, if given,",
    "ArnEquals": "is",
    "StringNotEquals": "is not",
    "StringLike": "is like",
    "ArnLike": "is like",
    "NumericLessThan": "is below",
}


@dataclass(frozen=True)
class Permission:
    """A row: one statement of a policy."""

    who: str
    what: str
    on: str
    condition: str = ""


def permissions(template: SynthesizedTemplate) -> list[Permission]:
    """Every statement of a template, roles first, then what the resources say of themselves."""
    return [*_of_roles(template), *_of_resources(template)]


def markdown() -> str:
    """The tables, one for the settings as published and one for each of the options."""
    published = _synthesize()
    lines = ["### As published", "", *_table(published)]
    for option in OPTIONS:
        more = {
            variant: [row for row in rows if row not in published[variant]]
            for variant, rows in _synthesize(**option).items()
        }
        settings = ", ".join(f"`{key}={value}`" for key, value in option.items())
        lines += ["", f"### In addition, with {settings}", "", *_table(more)]
    return "\n".join(lines)


def _synthesize(**settings: str) -> dict[str, list[Permission]]:
    """By the stack's construct id; needs no bundle, no credentials and no Docker."""
    with tempfile.TemporaryDirectory() as folder:
        app = new_app(Path(folder), **settings)
        for variant in VARIANTS.values():
            InferenceStack(app, variant.stack_id, variant=variant, settings=Settings.from_context(app.node))
        assembly = app.synth()
        return {
            variant.stack_id: permissions(SynthesizedTemplate(assembly.get_stack_artifact(variant.stack_id).template))
            for variant in VARIANTS.values()
        }


def _of_roles(template: SynthesizedTemplate) -> Iterator[Permission]:
    for role in template.of_type("AWS::IAM::Role"):
        who = _role(role.path)
        for policy in role.properties.get("ManagedPolicyArns", []):
            yield Permission(who, f"the managed policy `{_words(policy)}`", "")
        for statement in template.statements(role.path):
            yield _row(who, statement, as_list(statement["Resource"]))


def _of_resources(template: SynthesizedTemplate) -> Iterator[Permission]:
    for resource in template.resources.values():
        if resource.type == "AWS::Lambda::Permission":
            rule = resource.properties
            source = {
                key: value
                for key, value in (
                    ("aws:SourceArn", rule.get("SourceArn")),
                    ("aws:SourceAccount", rule.get("SourceAccount")),
                )
                if value
            }
            statement = {"Effect": "Allow", "Action": rule["Action"], "Condition": {"ArnEquals": source}}
            yield _row(_words(rule["Principal"]), statement, [rule["FunctionName"]])
        document = resource.properties.get(RESOURCE_POLICIES.get(resource.type, ""), {})
        for statement in document.get("PolicyDocument", document).get("Statement", []):
            in_vpc = resource.type == "AWS::EC2::VPCEndpoint"
            who = f"the VPC, through {resource.path}" if in_vpc else _principal(statement["Principal"])
            # In its own policy, "*" is the resource itself.
            resources = [resource.path if name == "*" else name for name in as_list(statement.get("Resource", "*"))]
            yield _row(who, statement, resources)


def _row(who: str, statement: dict[str, Any], resources: list[str]) -> Permission:
    conditions = [
        f"`{key}` {_comparison(operator, as_list(values))}"
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    ]
    denied = "**never** " if statement["Effect"] == "Deny" else ""
    return Permission(who, denied + _code(as_list(statement["Action"])), _code(resources), " and ".join(conditions))


def _comparison(operator: str, values: list[Any]) -> str:
    if operator == "Null":
        return "is not given" if values == ["true"] else "is given"
    return f"{COMPARISONS[operator]} {_code(values, ' or ')}"


def _code(values: list[Any], between: str = ", ") -> str:
    return between.join(f"`{_words(str(value))}`" for value in values)


def _role(path: str) -> str:
    return next((name for start, name in ROLES.items() if path.startswith(start)), path)


def _principal(principal: Any) -> str:
    if principal in ("*", {"AWS": "*"}):
        return "anyone"
    names = [str(name) for values in principal.values() for name in as_list(values)]
    return ", ".join(_role(name.strip("<>")) if name.startswith("<") else _words(name) for name in names)


def _words(text: str) -> str:
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return text


def _table(rows: dict[str, list[Permission]]) -> list[str]:
    """One line for what is the same in several variants; by who, in the order of their names."""
    variants: dict[Permission, list[str]] = {}
    for variant, permissions_ in rows.items():
        for permission in permissions_:
            variants.setdefault(permission, []).append(variant)
    lines = ["| who | in | may | on | if |", "|---|---|---|---|---|"]
    for row in sorted(variants, key=lambda row: (row.who in ("anyone", "the account"), row.who.lower())):
        where = "all" if len(variants[row]) == len(rows) else ", ".join(variants[row])
        lines.append(f"| {row.who} | {where} | {row.what} | {row.on} | {row.condition} |")
    return lines


if __name__ == "__main__":
    print(markdown())

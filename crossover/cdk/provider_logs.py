"""The logs of the functions with which CDK empties a bucket and sets its notifications."""

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from crossover.cdk.encryption import allow_logs
from crossover.cdk.findings import acknowledge

EMPTIES_BUCKETS = "Custom::S3AutoDeleteObjectsCustomResourceProvider"
SETS_NOTIFICATIONS = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"
"""What CDK calls these providers, of which a stack has one each, for all its buckets."""
BASIC_EXECUTION_POLICY = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def keep_logs_in_stack(provider_id: str, bucket: s3.IBucket, encryption_key: kms.IKey | None) -> None:
    """Give the provider that CDK has added to the bucket's stack a log group that is deleted with the stack.

    Lambda would create one that keeps its logs for ever.
    """
    provider = Stack.of(bucket).node.find_child(provider_id)
    assert isinstance(provider, Construct)
    if provider.node.try_find_child("Logs"):
        return
    if encryption_key:
        allow_logs(encryption_key, provider)
    log_group = logs.LogGroup(
        provider,
        "Logs",
        retention=logs.RetentionDays.ONE_WEEK,
        encryption_key=encryption_key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    [function] = [
        each
        for each in provider.node.children
        if isinstance(each, CfnResource) and each.cfn_resource_type == "AWS::Lambda::Function"
    ]
    function.add_property_override("LoggingConfig.LogGroup", log_group.log_group_name)
    acknowledge(
        provider,
        f"AwsSolutions-IAM4[Policy::{BASIC_EXECUTION_POLICY}]",
        "CDK chooses the role of the functions that it adds; they run while deploying and at no other time.",
    )

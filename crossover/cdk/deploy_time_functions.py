"""The functions that CDK adds to a stack, which set up notifications and empty the bucket."""

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossover.cdk.findings import acknowledge

BASIC_EXECUTION_POLICY = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def keep_logs_in_stack(scope: Construct, encryption_key: kms.IKey | None = None) -> None:
    """Give each of these functions in the scope's stack a log group that is deleted with the stack.

    Lambda would create one that keeps its logs for ever. Call this after the constructs that add such functions.
    """
    for resource in Stack.of(scope).node.find_all():
        # CDK adds its own functions as plain CfnResource, and those of an app as CfnFunction.
        if not isinstance(resource, CfnResource) or isinstance(resource, lambda_.CfnFunction):
            continue
        if resource.cfn_resource_type != "AWS::Lambda::Function":
            continue
        provider = resource.node.scope
        if isinstance(provider, Construct) and not provider.node.try_find_child("Logs"):
            log_group = logs.LogGroup(
                provider,
                "Logs",
                retention=logs.RetentionDays.ONE_WEEK,
                encryption_key=encryption_key,
                removal_policy=RemovalPolicy.DESTROY,
            )
            resource.add_property_override("LoggingConfig.LogGroup", log_group.log_group_name)
            acknowledge(
                provider,
                f"AwsSolutions-IAM4[Policy::{BASIC_EXECUTION_POLICY}]",
                "CDK chooses the role of the functions that it adds; they run while deploying and at no other time.",
            )

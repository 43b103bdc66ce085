"""The functions that CDK itself adds to a stack, to set up notifications and to empty the bucket."""

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossover.cdk.findings import acknowledge

BASIC_EXECUTION_POLICY = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def keep_logs_in_stack(scope: Construct, encryption_key: kms.IKey | None = None) -> None:
    """Give each of them in the scope's stack a log group that is deleted with the stack.

    Lambda would make one for them that keeps its logs for ever. To be called after the constructs that add them.
    """
    for resource in Stack.of(scope).node.find_all():
        # CDK writes its own functions as bare resources, a user's as CfnFunction.
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

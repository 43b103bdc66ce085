"""How a new version takes over: behind the alias `live`, at once or with a tenth of the traffic first."""

import dataclasses

import jsii
from aws_cdk import Duration, IResolveContext, IStringProducer, Lazy, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.cdk.bundled_code import Bundle
from crossover.cdk.findings import acknowledge, acknowledge_wildcard
from crossover.cdk.python_function import FunctionOptions, create_python_function

LIVE = "live"
ERROR_SHARE = 0.1
"""More failed invocations than this and a roll-out is taken back: a lone busy answer of AWS does not do it where there
is traffic, and any error does where there is little."""


def publish_live(
    scope: Construct, function: lambda_.Function, *, canary: bool, options: FunctionOptions
) -> lambda_.Alias:
    """The alias `live` on the one published version of the function.

    CDK publishes a new version when code or configuration change. CloudFormation deletes the old one at the end of an
    update, after the alias has moved: so one version stays, and a SnapStart version costs money while it does.
    """
    acknowledge(function, "@aws-cdk/aws-lambda:snapStartRequirePublish", "The version is published right here.")
    version = function.current_version
    version.apply_removal_policy(RemovalPolicy.DESTROY)
    alias = lambda_.Alias(scope, "Live", alias_name=LIVE, version=version)
    if canary:
        rollout = CanaryRollout(scope, "Rollout", alias=alias, options=options)
        alias.node.add_dependency(rollout)
    return alias


class CanaryRollout(Construct):
    """Moves an alias by CodeDeploy: a health check, a tenth of the traffic for five minutes, then all of it.

    The alias goes back to the old version, and the deployment fails, where the new version fails its health check or
    more than a tenth of what it is given. No event is lost by that: Lambda retries it, then on the old version. Its
    durations decide nothing, since every first invocation of a new version is a cold start.

    Benefit: a version that does not work serves at most a tenth of the traffic, and none if the health check sees it.
    Cost: a deployment takes some six minutes longer; an alarm, 0.10 USD a month. Where little comes in, the five
    minutes may see no event, and the health check is the only judge.
    """

    def __init__(self, scope: Construct, construct_id: str, *, alias: lambda_.Alias, options: FunctionOptions) -> None:
        super().__init__(scope, construct_id)
        health_check = self._create_health_check(alias.version, options)
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "DeploymentGroup",
            alias=alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            pre_hook=health_check,
            alarms=[self._create_alarm(alias)],
            auto_rollback=codedeploy.AutoRollbackConfig(deployment_in_alarm=True),
        )
        acknowledge(
            group,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]",
            "What CodeDeploy needs to move an alias is AWS's to say; only CodeDeploy can assume the role.",
        )
        acknowledge_wildcard(
            group.role, f"{health_check.function_arn}:*", "CDK lets CodeDeploy invoke any version of the health check."
        )

    def _create_health_check(self, version: lambda_.IVersion, options: FunctionOptions) -> lambda_.Function:
        health_check = create_python_function(
            self,
            "HealthCheck",
            bundle=Bundle.HEALTH_CHECK,
            handler="health_check_handler.handler",
            memory_mb=256,
            environment={"CHECKED_VERSION": version.function_arn},
            # Outside the VPC, as it calls Lambda and CodeDeploy and sees no data of anybody.
            options=dataclasses.replace(
                options, vpc=None, timeout_seconds=300, reserved_concurrency=None, metrics=False
            ),
        )
        # Any version of this one function: what IAM is told only now, it may not know yet when the check runs.
        versions = f"{version.lambda_.function_arn}:*"
        iam.Grant.add_to_principal(grantee=health_check, actions=["lambda:InvokeFunction"], resource_arns=[versions])
        acknowledge_wildcard(health_check, versions, "The version that is checked is another one at each deployment.")
        return health_check

    def _create_alarm(self, alias: lambda_.Alias) -> cloudwatch.Alarm:
        """On errors of the new version only: the old one's must not stop the roll-out of what mends them."""
        name = alias.lambda_.function_name
        alarm = cloudwatch.Alarm(
            self,
            "NewVersionFails",
            alarm_description=(
                "The newest version of the function fails. While it is rolled out, CodeDeploy goes back to the version "
                "before. The function's log names the cause."
            ),
            metric=cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="Errors",
                dimensions_map={
                    "FunctionName": name,
                    "Resource": f"{name}:{LIVE}",
                    "ExecutedVersion": alias.version.version,
                },
                statistic="Average",  # 1 for an invocation that fails, 0 for another: their share
                period=Duration.minutes(1),
            ),
            threshold=ERROR_SHARE,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no invocation, no failure
        )
        # A new alarm for each version. One that is still going off for the old version would stop CodeDeploy at once.
        resource = alarm.node.default_child
        version = alias.version.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        assert isinstance(version, lambda_.CfnVersion)
        resource.override_logical_id(Lazy.uncached_string(_LogicalId(version)))
        return alarm


@jsii.implements(IStringProducer)
class _LogicalId:
    """The version's logical id, which CDK knows only when the whole template is known, with a suffix."""

    def __init__(self, version: lambda_.CfnVersion) -> None:
        self._version = version

    def produce(self, context: IResolveContext) -> str:
        return f"{Stack.of(self._version).resolve(self._version.logical_id)}Fails"

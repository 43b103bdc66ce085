"""How a new version takes over: a function's behind the alias `live`, an endpoint's on new instances."""

import dataclasses

import jsii
from aws_cdk import Duration, IResolveContext, IStringProducer, Lazy, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from crossover.bundling import HEALTH_CHECK
from crossover.cdk.findings import acknowledge, acknowledge_wildcard
from crossover.cdk.mount import Mount
from crossover.cdk.python_function import FunctionOptions, create_python_function

LIVE = "live"
PRODUCTION_VARIANT = "live"  # of an endpoint
ERROR_SHARE = 0.1
"""A rollout in which a larger share of the invocations fails is rolled back: with much traffic, a single throttled call
to AWS is below it; with little, any error is above it."""
BAKE_SECONDS = 600
"""After each step of an endpoint's rollout, before the old instances go: SageMaker's metrics lag by minutes."""


def publish_live(
    scope: Construct,
    function: lambda_.Function,
    *,
    canary: bool,
    options: FunctionOptions,
    mount: Mount | None = None,
) -> lambda_.Alias:
    """The alias `live` on the one published version of the function.

    CDK publishes a new version when code or configuration change. CloudFormation deletes the old one at the end of an
    update, after the alias has moved: so one version stays, and a SnapStart version costs money while it does.

    Args:
        mount: the function's.
    """
    acknowledge(function, "@aws-cdk/aws-lambda:snapStartRequirePublish", "The version is published right here.")
    version = function.current_version
    version.apply_removal_policy(RemovalPolicy.DESTROY)
    _follow_replacements(version, function, mount)
    alias = lambda_.Alias(scope, "Live", alias_name=LIVE, version=version)
    if canary:
        rollout = CanaryRollout(scope, "Rollout", alias=alias, options=options)
        alias.node.add_dependency(rollout)
    return alias


def _follow_replacements(version: lambda_.Version, function: lambda_.Function, mount: Mount | None) -> None:
    """Replace the version whenever CloudFormation replaces the security group or the access point that it names.

    Where it does so under the same logical ids, as in a VPC construct with another address range, the function's
    template and so CDK's hash stay the same, and the live version would keep what the update's cleanup deletes.
    CloudFormation replaces a version for another description, which may have 256 characters:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
    """
    groups = function.connections.security_groups if function.is_bound_to_vpc else []
    names = [group.security_group_id for group in groups]
    if mount:
        names.append(mount.access_point.access_point_id)
    resource = version.node.default_child
    assert isinstance(resource, lambda_.CfnVersion)
    resource.description = " ".join(names) or None


class CanaryRollout(Construct):
    """Moves an alias by CodeDeploy: a health check, a tenth of the traffic for five minutes, then all of it.

    The alias goes back to the old version, and the deployment fails, if the new version fails its health check or more
    than a tenth of its invocations. No event is lost: Lambda retries it on the old version. Durations
    are not considered, since every first invocation of a new version is a cold start.

    Benefit: a version that does not work serves at most a tenth of the traffic, and none if the health check sees it.
    Cost: a deployment takes some six minutes longer; an alarm, 0.10 USD a month. With little traffic, the five minutes
    may see no event, and the health check alone decides.
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
            "AWS's managed policy has what CodeDeploy needs to move an alias; only CodeDeploy can assume the role.",
        )
        acknowledge_wildcard(
            group.role, f"{health_check.function_arn}:*", "CDK lets CodeDeploy invoke any version of the health check."
        )

    def _create_health_check(self, version: lambda_.IVersion, options: FunctionOptions) -> lambda_.Function:
        health_check = create_python_function(
            self,
            "HealthCheck",
            bundle=HEALTH_CHECK,
            handler="health_check_handler",
            memory_mb=256,
            environment={"CHECKED_VERSION": version.function_arn},
            # Outside the VPC, as it calls Lambda and CodeDeploy only, and handles no uploaded data.
            options=dataclasses.replace(
                options, vpc=None, timeout_seconds=300, reserved_concurrency=None, metrics=False, tracing=False
            ),
        )
        # Any version of this one function: IAM may not know a new policy yet when the check runs.
        versions = f"{version.lambda_.function_arn}:*"
        iam.Grant.add_to_principal(grantee=health_check, actions=["lambda:InvokeFunction"], resource_arns=[versions])
        acknowledge_wildcard(health_check, versions, "The version that is checked is another one at each deployment.")
        return health_check

    def _create_alarm(self, alias: lambda_.Alias) -> cloudwatch.Alarm:
        """On errors of the new version only: those of the old one must not stop the rollout of the fix."""
        name = alias.lambda_.function_name
        alarm = cloudwatch.Alarm(
            self,
            "NewVersionFails",
            alarm_description=(
                "The newest version of the function fails. During its rollout CodeDeploy goes back to the version "
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


def add_blue_green_deployment(
    scope: Construct,
    endpoint: sagemaker.CfnEndpoint,
    *,
    config: sagemaker.CfnEndpointConfig,
    role: iam.Role,
    instance_count: int,
) -> None:
    """Let new instances of an endpoint bake while the old ones are kept; these take over again if the new ones fail.

    A canary is at most half of the new instances, so it takes two; a single one gets all the traffic at once, and
    bakes. For that time both the old and the new instances are billed, and for the alarm 0.10 USD a month.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html

    Args:
        scope: gets the alarm, and the policy that lets the role see it.
        config: the endpoint's configuration.
        role: the endpoint's execution role.
    """
    alarm = cloudwatch.Alarm(
        scope,
        "NewMachinesFail",
        alarm_description=(
            "The endpoint's newest configuration answers with 5xx. During its rollout SageMaker goes back to the "
            "instances before. The endpoint's log names the cause."
        ),
        # Of the new instances only: errors of the old ones must not stop the rollout of the fix.
        metric=cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name="Invocation5XXErrors",
            dimensions_map={
                "EndpointName": str(endpoint.endpoint_name),
                "VariantName": PRODUCTION_VARIANT,
                "EndpointConfigName": config.attr_endpoint_config_name,
            },
            statistic="Average",  # 1 for an invocation that fails, 0 for another: their share
            period=Duration.minutes(1),
        ),
        threshold=ERROR_SHARE,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=3,
        datapoints_to_alarm=2,  # a full queue, which answers 503, passes
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no invocation, no failure
    )
    tenth = sagemaker.CfnEndpoint.CapacitySizeProperty(type="INSTANCE_COUNT", value=max(1, instance_count // 10))
    several = instance_count >= 2
    endpoint.deployment_config = sagemaker.CfnEndpoint.DeploymentConfigProperty(
        blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                type="CANARY" if several else "ALL_AT_ONCE",
                canary_size=tenth if several else None,
                wait_interval_in_seconds=BAKE_SECONDS,
            )
        ),
        auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
            alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=alarm.alarm_name)]
        ),
    )
    # A separate policy: the model waits for the role with the policy it has, and the alarm for the model.
    policy = iam.Policy(
        scope,
        "SeeAlarm",
        roles=[role],
        statements=[iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarm.alarm_arn])],
    )
    endpoint.node.add_dependency(policy)


@jsii.implements(IStringProducer)
class _LogicalId:
    """The version's logical id, which CDK knows only when the whole template is known, with a suffix."""

    def __init__(self, version: lambda_.CfnVersion) -> None:
        self._version = version

    def produce(self, context: IResolveContext) -> str:
        return f"{Stack.of(self._version).resolve(self._version.logical_id)}Fails"

"""The one way a function is made: pinned runtime, a log group and a role of its own, and no permission beyond them."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossover.cdk.bundled_code import Bundle, bundled_code
from crossover.cdk.findings import acknowledge
from crossover.cdk.network import LAMBDA_ACTIONS, allow_network_interfaces, https_only, keep_network_from_code

Days = logs.RetentionDays
# The periods CloudWatch Logs knows, in days.
LOG_RETENTION = {
    1: Days.ONE_DAY,
    3: Days.THREE_DAYS,
    5: Days.FIVE_DAYS,
    7: Days.ONE_WEEK,
    14: Days.TWO_WEEKS,
    30: Days.ONE_MONTH,
    60: Days.TWO_MONTHS,
    90: Days.THREE_MONTHS,
    120: Days.FOUR_MONTHS,
    150: Days.FIVE_MONTHS,
    180: Days.SIX_MONTHS,
    365: Days.ONE_YEAR,
    400: Days.THIRTEEN_MONTHS,
    545: Days.EIGHTEEN_MONTHS,
    731: Days.TWO_YEARS,
    1096: Days.THREE_YEARS,
    1827: Days.FIVE_YEARS,
    2192: Days.SIX_YEARS,
    2557: Days.SEVEN_YEARS,
    2922: Days.EIGHT_YEARS,
    3288: Days.NINE_YEARS,
    3653: Days.TEN_YEARS,
}


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """What the functions of all variants take, whatever they do; the defaults are those of the settings."""

    timeout_seconds: int = 120
    reserved_concurrency: int | None = None  # most invocations at once; None shares the account's limit
    max_file_mb: int = 200  # MiB; a larger file becomes a FAILED item
    max_audio_seconds: int = 600  # longer audio becomes a FAILED item
    max_channels: int = 8  # audio of more channels becomes a FAILED item
    item_lifetime_days: int | None = None
    log_retention_days: int = 30  # a key of LOG_RETENTION
    removal_policy: RemovalPolicy = RemovalPolicy.DESTROY  # of the logs
    metrics: bool = True  # whether the functions' logs carry metrics, which CloudWatch bills by their number
    bundle_in_docker: bool = False
    local_python: str | None = None  # bundles for this Python on this machine, which only the local AWS runs
    vpc: ec2.IVpc | None = None  # needs a way to S3, DynamoDB and, for the proxy, SageMaker: endpoints or a NAT
    private_endpoints: bool = False  # make the endpoints of other services than S3 and DynamoDB in the VPC
    encryption_key: kms.IKey | None = None  # of the logs, whose service it must let in; None leaves them AWS's own

    @property
    def limits(self) -> dict[str, str]:
        """The environment that bounds a file; the functions and the container read the same."""
        return {
            "MAX_FILE_BYTES": str(self.max_file_mb * 1024**2),
            "MAX_AUDIO_SECONDS": str(self.max_audio_seconds),
            "MAX_CHANNELS": str(self.max_channels),
        }


def create_log_group(
    scope: Construct, construct_id: str, *, options: FunctionOptions, name: str | None = None
) -> logs.LogGroup:
    """A log group with an end: one that a service makes for itself keeps everything, and stays when the stack goes."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=LOG_RETENTION[options.log_retention_days],
        encryption_key=options.encryption_key,
        removal_policy=options.removal_policy,
    )


def create_python_function(
    scope: Construct,
    construct_id: str,
    *,
    bundle: Bundle,
    handler: str,
    memory_mb: int,
    environment: Mapping[str, str],
    options: FunctionOptions,
    snap_start: lambda_.SnapStartConf | None = None,
) -> lambda_.Function:
    """A Python 3.12 function on x86_64 whose role may write its own log group; the caller grants the rest.

    Args:
        handler: `module.function` in the bundle.
        memory_mb: 128 to 10,240; processor time grows with it, 1,769 MB being one vCPU.
    """
    log_group = create_log_group(scope, f"{construct_id}Logs", options=options)
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    if options.vpc:
        allow_network_interfaces(role, LAMBDA_ACTIONS)
    lifetime = options.item_lifetime_days
    function = lambda_.Function(
        scope,
        construct_id,
        runtime=lambda_.Runtime.PYTHON_3_12,
        architecture=lambda_.Architecture.X86_64,
        code=bundled_code(
            scope,
            bundle,
            python_version=options.local_python or "3.12",
            for_host=options.local_python is not None,
            use_docker=options.bundle_in_docker,
        ),
        handler=handler,
        memory_size=memory_mb,
        timeout=Duration.seconds(options.timeout_seconds),
        environment={
            **environment,
            **options.limits,
            **({"ITEM_LIFETIME_DAYS": str(lifetime)} if lifetime else {}),
            **({"METRICS_STACK": Aws.STACK_NAME} if options.metrics else {}),
        },
        reserved_concurrent_executions=options.reserved_concurrency,
        snap_start=snap_start,
        role=role,
        log_group=log_group,
        vpc=options.vpc,
        security_groups=[https_only(scope, f"{construct_id}SecurityGroup", options.vpc)] if options.vpc else None,
    )
    if options.vpc:
        keep_network_from_code(scope, f"{construct_id}NetworkDenial", role, function.function_arn)
    acknowledge(
        function,
        "AwsSolutions-L1",
        "The bundled wheels are locked for CPython 3.12, the first with SnapStart; a newer one needs a new lock.",
    )
    return function

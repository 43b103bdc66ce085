"""How every function is created: pinned runtime, its own log group and role, and no other permission."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from aws_cdk import Aws, Duration, RemovalPolicy, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossover.bundling.recipe import Bundle
from crossover.cdk import rules
from crossover.cdk.architectures import ARCHITECTURES
from crossover.cdk.bundled_code import bundled_code
from crossover.cdk.encryption import allow_logs
from crossover.cdk.findings import acknowledge, acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.mount import Mount
from crossover.cdk.network import (
    LAMBDA_ACTIONS,
    allow_network_interfaces,
    deny_network_interfaces_to_code,
    https_only,
    ways_through,
)

WRITES_METRICS = "crossover:writes-metrics"
"""The metadata of a function that writes metrics of files, for its whole stack."""
LIMITS = {
    "max_audio_seconds": "MAX_AUDIO_SECONDS",
    "max_channels": "MAX_CHANNELS",
    "max_pixels": "MAX_PIXELS",
    "max_elements": "MAX_ELEMENTS",
}
"""The options that only models of one kind of input have, by their environment variables."""


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """Options for the functions of all variants; the defaults are those of the settings.

    Benefit: one object for a whole stack, which every construct accepts.
    Cost: none by itself; retained logs, a customer key and private endpoints are billed by AWS.

    Raises:
        InvalidValueError: a value is out of range.
    """

    architecture: str = "x86_64"  # or arm64, of all functions
    timeout_seconds: int = 120
    reserved_concurrency: int | None = None  # maximum concurrency; None shares the account's limit
    max_file_mb: int = 200  # MiB; a larger file becomes a FAILED item
    max_audio_seconds: int = 600  # longer audio becomes a FAILED item
    max_channels: int = 8  # audio of more channels becomes a FAILED item
    max_pixels: int = 64_000_000  # a picture of more pixels becomes a FAILED item
    max_elements: int = 10_000_000  # tensors of more elements together become a FAILED item
    item_lifetime_days: int | None = None
    log_level: str = "info"  # a line for each file; or error: for those that fail, and the metrics of the others
    log_retention_days: int = 30  # a period that CloudWatch Logs knows
    removal_policy: RemovalPolicy = RemovalPolicy.DESTROY  # of the logs
    metrics: bool = True  # whether the functions' logs carry metrics, which CloudWatch bills by their number
    bundle_in_docker: bool = False
    local_python: str | None = None  # bundles for this Python on this machine, which only the local AWS runs
    vpc: ec2.IVpc | None = None  # has endpoints, or a NAT, for S3, DynamoDB and, for the proxy, SageMaker
    private_endpoints: bool = False  # create the VPC endpoints of services other than S3 and DynamoDB
    tracing: bool = False  # X-Ray traces of a sample of the invocations
    encryption_key: kms.IKey | None = None  # of the logs; CloudWatch Logs must be allowed to use an imported one

    def __post_init__(self) -> None:
        rules.check(rules.ARCHITECTURE, architecture=self.architecture)
        rules.check(rules.TIMEOUT_SECONDS, timeout_seconds=self.timeout_seconds)
        rules.check(rules.RESERVED_CONCURRENCY, reserved_concurrency=self.reserved_concurrency)
        rules.check(rules.MAX_FILE_MB, max_file_mb=self.max_file_mb)
        rules.check(rules.MAX_AUDIO_SECONDS, max_audio_seconds=self.max_audio_seconds)
        rules.check(rules.MAX_CHANNELS, max_channels=self.max_channels)
        rules.check(rules.MAX_PIXELS, max_pixels=self.max_pixels)
        rules.check(rules.MAX_ELEMENTS, max_elements=self.max_elements)
        rules.check(rules.LIFETIME_DAYS, item_lifetime_days=self.item_lifetime_days)
        rules.check(rules.LOG_LEVEL, log_level=self.log_level)
        rules.check(rules.LOG_RETENTION_DAYS, log_retention_days=self.log_retention_days)

    def limits(self, model: ModelArtifact) -> dict[str, str]:
        """The environment that bounds a file of the model's kind; functions and container read the same."""
        values = {variable: getattr(self, name) for name, variable in LIMITS.items()}
        values["MAX_FILE_BYTES"] = self.max_file_mb * 1024**2
        return {variable: str(values[variable]) for variable in model.contract.input.limits.variables()}

    def limits_without_effect(self, model: ModelArtifact) -> list[str]:
        """The options that bound another kind of input than the model takes, and are not as they are by default."""
        variables = model.contract.input.limits.variables()
        changed = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        return [name for name in changed if name in LIMITS and LIMITS[name] not in variables]


def create_log_group(
    scope: Construct, construct_id: str, *, options: FunctionOptions, name: str | None = None
) -> logs.LogGroup:
    """A log group with retention.

    Benefit: logs are deleted in time, and with the stack; a group that a service creates keeps everything forever.
    Cost: none by itself.
    """
    if options.encryption_key:
        # SageMaker's names have values that only the deployment knows.
        allow_logs(options.encryption_key, scope, None if name is None or Token.is_unresolved(name) else name)
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=rules.LOG_RETENTION[options.log_retention_days],
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
) -> lambda_.Function:
    """A Python 3.12 function whose role may write its own log group; the caller grants the rest.

    Args:
        bundle: the code package; the handler is added to it if it lacks it.
        handler: the module with the entry point `handler`.
        memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU.
    """
    return create_function(
        scope,
        construct_id,
        code=zip_code(scope, bundle.including(handler), options=options),
        handler=f"{handler}.handler",
        memory_mb=memory_mb,
        environment=environment,
        options=options,
    )


def zip_code(scope: Construct, bundle: Bundle, *, options: FunctionOptions) -> lambda_.Code:
    """The bundle as a function's code, for the architecture and made in the way that the options name.

    Raises:
        BundlingError: it cannot be made.
    """
    return bundled_code(
        scope,
        bundle,
        python_version=options.local_python or "3.12",
        architecture=options.architecture,
        for_host=options.local_python is not None,
        use_docker=options.bundle_in_docker,
    )


def create_function(
    scope: Construct,
    construct_id: str,
    *,
    code: lambda_.Code,
    handler: str,
    memory_mb: int,
    environment: Mapping[str, str],
    options: FunctionOptions,
    snap_start: lambda_.SnapStartConf | None = None,
    mount: Mount | None = None,
) -> lambda_.Function:
    """A function, of a zip file for Python 3.12 or of an image, whose role may write its own log group.

    Args:
        handler: as `module.function`; empty for an image.
        memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU.
        mount: a file system; only in a VPC, and without SnapStart.

    Raises:
        InvalidValueError: SnapStart and a file system.
    """
    if mount and snap_start:
        raise rules.InvalidValueError(
            f"The function {scope.node.path}/{construct_id} has SnapStart and an EFS file system, but Lambda "
            "allows only one of them."
        )
    log_group = create_log_group(scope, f"{construct_id}Logs", options=options)
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    if options.vpc:
        allow_network_interfaces(role, LAMBDA_ACTIONS)
    if options.tracing:  # CDK allows the role what X-Ray needs
        acknowledge_wildcard(role, "*", "The actions of X-Ray that send traces take no resource.")
    lifetime = options.item_lifetime_days
    function = lambda_.Function(
        scope,
        construct_id,
        runtime=lambda_.Runtime.PYTHON_3_12 if handler else lambda_.Runtime.FROM_IMAGE,
        architecture=ARCHITECTURES[options.architecture],
        code=code,
        handler=handler or lambda_.Handler.FROM_IMAGE,
        memory_size=memory_mb,
        timeout=Duration.seconds(options.timeout_seconds),
        environment={
            "MAX_FILE_BYTES": str(options.max_file_mb * 1024**2),
            **environment,
            **({"ITEM_LIFETIME_DAYS": str(lifetime)} if lifetime else {}),
            **({"METRICS_STACK": Aws.STACK_NAME} if options.metrics else {}),
            **({"LOG_LEVEL": options.log_level} if options.log_level != "info" else {}),
        },
        reserved_concurrent_executions=options.reserved_concurrency,
        snap_start=snap_start,
        tracing=lambda_.Tracing.ACTIVE if options.tracing else None,
        role=role,
        log_group=log_group,
        vpc=options.vpc,
        security_groups=[https_only(scope, f"{construct_id}SecurityGroup", options.vpc)] if options.vpc else None,
    )
    if options.metrics:
        function.node.add_metadata(WRITES_METRICS, True)
    if options.vpc:
        # INIT, which runs when a version is published, reads the model through them.
        function.node.add_dependency(ways_through(options.vpc))
        deny_network_interfaces_to_code(scope, f"{construct_id}NetworkDenial", role, function.function_arn)
    if mount:
        mount.attach(function, role)
    if handler:
        acknowledge(
            function,
            "AwsSolutions-L1",
            "The bundled wheels are locked for CPython 3.12, the first with SnapStart; a newer one needs a new lock.",
        )
    return function

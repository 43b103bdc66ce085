"""The settings of a deployed variant: those of its function and its endpoint."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients
from crossover.bench.run.files import Limits
from crossover.deployed import Variant
from crossover.errors import UsageError

DeploymentJson = Mapping[str, object]  # by the names of Deployment's attributes, with stack and function of the variant


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A variant's settings.

    Attributes:
        variant: the deployed variant.
        memory_mb: of the function that S3 invokes.
        runtime, architecture, version: of that function.
        timeout_seconds: of that function.
        log_group: of that function.
        is_snapshot: whether it starts from a snapshot.
        limits: of the files that it accepts.
        instance_type: of the endpoint; empty without an endpoint, or without the right to describe it.
        instances: of the endpoint; None where instance_type is empty.
    """

    variant: Variant
    memory_mb: int
    runtime: str
    architecture: str
    version: str
    timeout_seconds: int
    log_group: str
    is_snapshot: bool
    limits: Limits
    instance_type: str = ""
    instances: int | None = None

    def to_json(self) -> DeploymentJson:
        """The settings in a result."""
        values = {name: value for name, value in asdict(self).items() if name != "variant"}
        return {"stack": self.variant.stack, "function": self.variant.function, **values}


def describe(clients: Clients, variant: Variant) -> Deployment:
    """Read the settings of a variant.

    Raises:
        UsageError: the stack has no output that names what S3 invokes.
        botocore.exceptions.BotoCoreError, ClientError: Lambda did not answer.
    """
    if not variant.handler_arn:
        raise UsageError(f"The stack {variant.stack} has no output HandlerArn; deploy it again, then measure.")
    config = clients("lambda").get_function_configuration(FunctionName=variant.handler_arn)
    variables = config.get("Environment", {}).get("Variables", {})
    usual = Limits()
    instance_type, instances = _endpoint_instances(clients, variant)
    return Deployment(
        variant=variant,
        memory_mb=config["MemorySize"],
        runtime=config.get("Runtime", ""),
        architecture=config.get("Architectures", ["x86_64"])[0],
        version=config["Version"],
        timeout_seconds=config["Timeout"],
        log_group=(config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{variant.function}",
        is_snapshot=(config.get("SnapStart") or {}).get("OptimizationStatus") == "On",
        limits=Limits(
            max_bytes=int(variables.get("MAX_FILE_BYTES", usual.max_bytes)),
            max_seconds=float(variables.get("MAX_AUDIO_SECONDS", usual.max_seconds)),
            max_channels=int(variables.get("MAX_CHANNELS", usual.max_channels)),
        ),
        instance_type=instance_type,
        instances=instances,
    )


def shared_limits(deployments: Iterable[Deployment]) -> Limits:
    """The limits that suit all of them."""
    every = [deployment.limits for deployment in deployments]
    return Limits(
        max_bytes=min(limits.max_bytes for limits in every),
        max_seconds=min(limits.max_seconds for limits in every),
        max_channels=min(limits.max_channels for limits in every),
    )


def _endpoint_instances(clients: Clients, variant: Variant) -> tuple[str, int | None]:
    """Type and number of the endpoint's instances; empty where the account, or the local AWS, does not report them."""
    if not variant.endpoint:
        return "", None
    with contextlib.suppress(BotoCoreError, ClientError, KeyError):
        sagemaker = clients("sagemaker")
        endpoint = sagemaker.describe_endpoint(EndpointName=variant.endpoint)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        [production] = config["ProductionVariants"]
        return production["InstanceType"], endpoint["ProductionVariants"][0]["CurrentInstanceCount"]
    return "", None

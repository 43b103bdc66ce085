"""The settings of a deployed variant: those of its function and its endpoint."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients
from crossover.bench.run.cold import VARIABLE, provisioned_before
from crossover.deployed import Variant
from crossover.errors import UsageError
from crossover.handler_sources import inference

DeploymentJson = Mapping[str, object]  # by the names of Deployment's attributes, with stack, function and ingest


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
        limits: of the files that it accepts, those of its kind of input (lambda_src/inference/limits.py).
        instance_type: of the endpoint; empty without an endpoint, or without the right to describe it.
        instances: of the endpoint; None where instance_type is empty.
        provisioned: execution environments that are kept ready.
        has_file_system: whether it mounts one.
        is_image: whether it is a container image.
    """

    variant: Variant
    memory_mb: int
    runtime: str
    architecture: str
    version: str
    timeout_seconds: int
    log_group: str
    is_snapshot: bool
    limits: Any
    instance_type: str = ""
    instances: int | None = None
    provisioned: int = 0
    has_file_system: bool = False
    is_image: bool = False

    def to_json(self) -> DeploymentJson:
        """The settings in a result."""
        values = {name: value for name, value in asdict(self).items() if name != "variant"}
        ingest = "queue" if self.variant.upload_queue else "direct"
        return {"stack": self.variant.stack, "function": self.variant.function, "ingest": ingest, **values}


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
    instance_type, instances, container = _endpoint(clients, variant)
    return Deployment(
        variant=variant,
        memory_mb=config["MemorySize"],
        runtime=config.get("Runtime", ""),
        architecture=config.get("Architectures", ["x86_64"])[0],
        version=config["Version"],
        timeout_seconds=config["Timeout"],
        log_group=(config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{variant.function}",
        is_snapshot=(config.get("SnapStart") or {}).get("OptimizationStatus") == "On",
        limits=_limits_of(variant.input_kind).from_environment({**variables, **container}),
        instance_type=instance_type,
        instances=instances,
        provisioned=_provisioned(clients, variant) or provisioned_before(variables.get(VARIABLE, "")),
        has_file_system=bool(config.get("FileSystemConfigs")),
        is_image=config.get("PackageType") == "Image",
    )


def kind_of(deployments: Sequence[Deployment]) -> str:
    """The kind of input that all of them take; empty where their stacks do not say.

    Raises:
        UsageError: they take different ones.
    """
    kinds = {deployment.variant.input_kind: deployment.variant.name for deployment in deployments}
    if len(kinds) > 1:
        listed = " and ".join(f"{kind or 'what it does not say'} ({name})" for kind, name in kinds.items())
        raise UsageError(f"The variants take {listed}; benchmark those of one kind at a time, with --variants.")
    return next(iter(kinds), "")


def shared_limits(deployments: Sequence[Deployment], kind: str) -> Any:
    """The limits of a kind of input that suit all of them. One that a deployment does not state has its default."""
    usual = _limits_of(kind)()
    every = [deployment.limits for deployment in deployments]
    return replace(
        usual, **{name: min(getattr(limits, name, value) for limits in every) for name, value in vars(usual).items()}
    )


def _limits_of(kind: str) -> Any:
    """The class of the limits of a kind; of any file, where the kind is unknown."""
    kinds = inference("inputs").KINDS
    return kinds[kind].limits if kind in kinds else inference("limits").Limits


def _provisioned(clients: Clients, variant: Variant) -> int:
    """How many execution environments are kept ready, of the alias that S3 invokes."""
    if not variant.qualifier:
        return 0
    client = clients("lambda")
    try:
        config = client.get_provisioned_concurrency_config(FunctionName=variant.function, Qualifier=variant.qualifier)
    except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        return 0
    return int(config["RequestedProvisionedConcurrentExecutions"])


def _endpoint(clients: Clients, variant: Variant) -> tuple[str, int | None, Mapping[str, str]]:
    """Type and number of the endpoint's instances, and the environment of its container, which has the limits.

    Empty where the account, or the local AWS, does not report them.
    """
    found: tuple[str, int | None, Mapping[str, str]] = "", None, {}
    if not variant.endpoint:
        return found
    with contextlib.suppress(BotoCoreError, ClientError, KeyError):
        sagemaker = clients("sagemaker")
        endpoint = sagemaker.describe_endpoint(EndpointName=variant.endpoint)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        [production] = config["ProductionVariants"]
        found = production["InstanceType"], endpoint["ProductionVariants"][0]["CurrentInstanceCount"], {}
        model = sagemaker.describe_model(ModelName=production["ModelName"])
        return *found[:2], model["PrimaryContainer"].get("Environment", {})
    return found

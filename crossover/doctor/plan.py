"""What a deployment would create: read from the cloud assembly, so it holds for any CDK app with the constructs.

An assembly is what `cdk synth` writes: a manifest, and for each stack a template and a list of assets.
"""

import json
import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from crossover import project
from crossover.errors import CrossoverError, UsageError, reason_of
from crossover.local.workspace import node, search_path
from crossover.paths import project as project_folder

SYNTH_SECONDS = 300
UNKNOWN = ("unknown-account", "unknown-region")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image that the deployment builds.

    Attributes:
        repository: of ECR, with the placeholders ${AWS::AccountId} and ${AWS::Region}.
        tag: that it gets there; one that exists is not pushed again.
        platform: such as linux/amd64; empty for the builder's own.
        outputs: what its builder is told of the output.
    """

    repository: str
    tag: str
    platform: str = ""
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack that the deployment creates or updates.

    Attributes:
        id: by which the CDK's command line selects it.
        name: in CloudFormation.
        account, region: that the app pins; empty where it takes those of the credentials.
        template: of CloudFormation.
        bootstrap_parameter: of SSM, which holds the version of the CDK's own stack.
        bootstrap_version: the lowest that will do.
        buckets: of assets, with the same placeholders as a repository.
        images: that are built.
        warnings, errors: of its constructs.
    """

    id: str
    name: str
    account: str = ""
    region: str = ""
    template: Mapping[str, Any] = field(default_factory=dict)
    bootstrap_parameter: str = ""
    bootstrap_version: int = 0
    buckets: frozenset[str] = frozenset()
    images: tuple[Image, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    def properties(self, resource_type: str) -> list[Mapping[str, Any]]:
        """Of each resource of a type, such as AWS::Lambda::Function."""
        resources = self.template.get("Resources", {}).values()
        return [resource.get("Properties", {}) for resource in resources if resource["Type"] == resource_type]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs whose value is known before the deployment, such as Predictor."""
        outputs = self.template.get("Outputs", {})
        return {name: output["Value"] for name, output in outputs.items() if isinstance(output["Value"], str)}

    @property
    def has_settings(self) -> bool:
        """Whether the project's app made it, and not an app of the user's own: that publishes no settings."""
        return "Protection" in self.outputs

    @property
    def endpoint_images(self) -> tuple[Image, ...]:
        """The images of SageMaker's models; those of Lambda and ECS may have another format."""
        models = json.dumps(self.properties("AWS::SageMaker::Model"))
        return tuple(image for image in self.images if f":{image.tag}" in models)

    @cached_property
    def decryption_keys(self) -> frozenset[str]:
        """ARNs of the existing keys with which a role of the stack may decrypt."""
        documents = [properties["PolicyDocument"] for properties in self.properties("AWS::IAM::Policy")]
        statements = [statement for document in documents for statement in document["Statement"]]
        return frozenset(
            resource
            for statement in statements
            if statement["Effect"] == "Allow" and "kms:Decrypt" in _listed(statement.get("Action"))
            for resource in _listed(statement.get("Resource"))
            if isinstance(resource, str)
        )


def _listed(value: Any) -> list[Any]:
    """IAM takes one value in place of a list of one."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Plan:
    """All that would be deployed.

    Attributes:
        stacks: that were selected.
        is_everything: whether these are all stacks of the app.
    """

    stacks: tuple[Stack, ...]
    is_everything: bool = True

    def properties(self, resource_type: str) -> list[Mapping[str, Any]]:
        """Of each resource of a type in all stacks."""
        return [properties for stack in self.stacks for properties in stack.properties(resource_type)]


def synthesize(folder: Path, settings: Mapping[str, str], *, account: str, region: str) -> None:
    """Run the project's app, as `cdk synth` does, without building the functions' code.

    Args:
        folder: gets the assembly.
        settings: values as of `-c`.
        account, region: of the credentials; empty where there are none.

    Raises:
        CrossoverError: there is no project, no Node, or the app ends with an error, such as that of a wrong setting.
    """
    node()
    default = {"CDK_DEFAULT_ACCOUNT": account, "CDK_DEFAULT_REGION": region}
    context = {**_looked_up(), **project.context(), **settings, "aws:cdk:bundling-stacks": []}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in default},
        **{name: value for name, value in default.items() if value},
        "PATH": search_path(),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": "false",
    }
    command = project.app_command()
    try:
        ended = subprocess.run(
            command,
            cwd=project_folder(),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SYNTH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CrossoverError(f"The app {' '.join(command)} cannot be run: {reason_of(error)}.") from error
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise CrossoverError(lines[-1].removeprefix("crossover: "))


def _looked_up() -> dict[str, Any]:
    """What the CDK's command line has looked up for the app, such as the subnets of an existing VPC."""
    try:
        found = json.loads((project_folder() / "cdk.context.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_plan(assembly: Path, names: Collection[str] = ()) -> Plan:
    """Read the stacks of an assembly.

    Args:
        assembly: the folder.
        names: of the stacks, by their ids as `cdk deploy` takes them, with wildcards; empty for all.

    Raises:
        UsageError: the folder holds no assembly, that has no stack, or no stack has one of the names.
    """
    try:
        stacks = list(_read_stacks(assembly))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = reason_of(error)
        raise UsageError(f"{assembly} holds no cloud assembly, such as `cdk synth` writes: {reason}.") from error
    if not stacks:
        raise UsageError("The app has no stack; it must have at least one.")
    for name in names:
        if not any(_matches(stack.id, name) for stack in stacks):
            ids = ", ".join(stack.id for stack in stacks)
            raise UsageError(f"There is no stack {name!r}; the app has {ids}.")
    chosen = [stack for stack in stacks if not names or any(_matches(stack.id, name) for name in names)]
    return Plan(tuple(chosen), is_everything=len(chosen) == len(stacks))


def _matches(stack: str, pattern: str) -> bool:
    """As the CDK compares them: the stack of a stage is `Stage/Stack`, and only `**` goes over a slash."""
    return fnmatchcase(stack, pattern) and ("**" in pattern or stack.count("/") == pattern.count("/"))


def _read_stacks(assembly: Path) -> Iterator[Stack]:
    """Those of the assembly, and of the assemblies of its stages."""
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8")).get("artifacts", {})
    for artifact_id, artifact in artifacts.items():
        if artifact["type"] == "aws:cloudformation:stack":
            yield _read_stack(assembly, artifact_id, artifact, artifacts)
        elif artifact["type"] == "cdk:cloud-assembly":
            yield from _read_stacks(assembly / artifact["properties"]["directoryName"])


def _read_stack(assembly: Path, artifact_id: str, artifact: dict[str, Any], artifacts: dict[str, Any]) -> Stack:
    properties = artifact["properties"]
    account, region = artifact.get("environment", "").removeprefix("aws://").split("/")
    asset_files = [
        artifacts[dependency]["properties"]["file"]
        for dependency in artifact.get("dependencies", [])
        if artifacts[dependency]["type"] == "cdk:asset-manifest"
    ]
    assets = [json.loads((assembly / name).read_text(encoding="utf-8")) for name in asset_files]
    images = [image for each in assets for image in each.get("dockerImages", {}).values()]
    annotations = _annotations(assembly, artifact)
    return Stack(
        id=artifact.get("displayName", artifact_id),
        name=properties.get("stackName", artifact_id),
        account="" if account in UNKNOWN else account,
        region="" if region in UNKNOWN else region,
        template=json.loads((assembly / properties["templateFile"]).read_text(encoding="utf-8")),
        bootstrap_parameter=properties.get("bootstrapStackVersionSsmParameter", ""),
        bootstrap_version=properties.get("requiresBootstrapStackVersion", 0),
        buckets=frozenset(
            destination["bucketName"]
            for each in assets
            for asset in each.get("files", {}).values()
            for destination in asset["destinations"].values()
        ),
        images=tuple(
            Image(
                repository=destination["repositoryName"],
                tag=destination["imageTag"],
                platform=image["source"].get("platform", ""),
                outputs=tuple(image["source"].get("dockerOutputs") or ()),
            )
            for image in images
            for destination in image["destinations"].values()
        ),
        warnings=tuple(text for kind, text in annotations if kind == "aws:cdk:warning"),
        errors=tuple(text for kind, text in annotations if kind == "aws:cdk:error"),
    )


def _annotations(assembly: Path, artifact: dict[str, Any]) -> list[tuple[str, str]]:
    """The kind and text of what constructs say; the CDK writes it beside the manifest where that is long."""
    metadata = artifact.get("metadata") or {}
    if "additionalMetadataFile" in artifact:
        metadata |= json.loads((assembly / artifact["additionalMetadataFile"]).read_text(encoding="utf-8"))
    return [
        (entry["type"], entry["data"].partition(" [ack: ")[0])
        for entries in metadata.values()
        for entry in entries
        if entry["type"] in ("aws:cdk:warning", "aws:cdk:error")
    ]

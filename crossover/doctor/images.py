"""Whether this machine can build the images of the stacks, in the format that SageMaker accepts.

SageMaker refuses the manifests of OCI. Docker writes them where it stores images in containerd (the default of new
installations since Docker 29) unless it is told `oci-mediatypes=false`, podman unless BUILDAH_FORMAT is docker.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from crossover.doctor.context import Context
from crossover.doctor.plan import Image
from crossover.doctor.result import Check, Outcome, fails, ok, warning

SECONDS = 30
CONTAINERD = "io.containerd.snapshotter.v1"
OCI = "application/vnd.oci.image."
NOT_OCI = "oci-mediatypes=false"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as the kernel and as Docker name them


def check_images(context: Context) -> Iterator[Outcome]:
    """The builder is there, its engine answers, and it writes what SageMaker accepts."""
    images = [image for stack in context.plan.stacks for image in stack.images]
    if not images and not context.bundles_in_docker:
        return
    program = os.environ.get("CDK_DOCKER") or "docker"
    if shutil.which(program) is None:
        yield fails(f"{program} is not on the PATH", f"Install Docker{_otherwise(context)}.")
        return
    info = _info(program)
    if info is None:
        yield fails(
            f"the engine of {program} does not answer", f"Start it, or name another in CDK_DOCKER{_otherwise(context)}."
        )
    elif not images:
        yield ok(f"{program}, for bundling")
    else:
        for_endpoints = [image for stack in context.plan.stacks for image in stack.endpoint_images]
        yield from _check_format(program, info, for_endpoints) if for_endpoints else [ok(program)]
        yield from _check_architecture(info, images)


def _otherwise(context: Context) -> str:
    """What can be done without a builder."""
    if context.bundles_in_docker:
        return ", or set bundling to local"
    without = [stack.id for stack in context.plan.stacks if not stack.images and "Predictor" in stack.outputs]
    return f", or deploy only the stacks without an image: `npx cdk deploy {' '.join(without)}`" if without else ""


def _info(program: str) -> dict[str, Any] | None:
    """What the builder says of its engine; None where that does not answer."""
    try:
        command = [program, "info", "--format", "{{json .}}"]
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        info = json.loads(answer.stdout) if answer.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    # Docker's client answers without its engine, too.
    return info if isinstance(info, dict) and not info.get("ServerErrors") else None


def _check_format(program: str, info: dict[str, Any], images: list[Image]) -> Iterator[Outcome]:
    told = all(NOT_OCI in output for image in images for output in image.outputs or ("",))
    if "host" in info:  # podman's form
        version = info.get("version", {}).get("Version", "")
        what = f"{program} is podman {version}"
        if any(image.outputs for image in images):
            yield fails(f"{what}, which does not know Docker's outputs", "Set CDK_DOCKER=podman.")
        elif os.environ.get("BUILDAH_FORMAT") != "docker":
            yield fails(f"{what} and writes manifests of OCI, which SageMaker refuses", "Set BUILDAH_FORMAT=docker.")
        else:
            yield ok(f"{what}, with BUILDAH_FORMAT=docker")
    elif told and "buildx" not in _plugins(info):
        yield fails(f"{program} has no buildx, which writes the manifest that SageMaker accepts", "Install buildx.")
    elif any(CONTAINERD in map(str, entry) for entry in info.get("DriverStatus") or []) and not told:
        yield fails(
            f"docker {info.get('ServerVersion', '')} stores images in containerd and would write manifests of OCI, "
            "which SageMaker refuses",
            f"Switch the containerd image store off, or build the image with the output `type=image,{NOT_OCI}`.",
        )
    elif Path(program).name != "docker" and not told:
        yield warning(
            f"{program} may write manifests of OCI, which SageMaker refuses", "Unset CDK_DOCKER to build with Docker."
        )
    else:
        yield ok(f"{program} {info.get('ServerVersion', '')}".rstrip())


def _plugins(info: dict[str, Any]) -> list[str]:
    """Of Docker's client; buildx where it does not list them."""
    plugins = info.get("ClientInfo", {}).get("Plugins")
    return ["buildx"] if plugins is None else [plugin.get("Name", "") for plugin in plugins]


def _check_architecture(info: dict[str, Any], images: list[Image]) -> Iterator[Outcome]:
    machine = info.get("Architecture") or info.get("host", {}).get("arch", "")
    own = ARCHITECTURES.get(machine, machine)
    for platform in sorted({image.platform for image in images} - {"", f"linux/{own}"}):
        if own:
            yield warning(
                f"an image for {platform} is built on {own}, by emulation",
                "It is slow, and fails where no emulator (QEMU) is installed.",
            )


def check_pushed(context: Context) -> Iterator[Outcome]:
    """An image that is in the repository already is not built and pushed again, whatever its manifest."""
    for image in (image for stack in context.plan.stacks for image in stack.endpoint_images):
        repository = context.here(image.repository)
        try:
            found = context.clients("ecr").describe_images(
                repositoryName=repository, imageIds=[{"imageTag": image.tag}]
            )["imageDetails"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                raise
            continue
        if any(OCI in each.get("imageManifestMediaType", "") for each in found):
            yield fails(
                f"the image {image.tag} in {repository} has a manifest of OCI, which SageMaker refuses",
                "Delete this image from the repository, so that it is built again.",
            )


CHECKS = (
    Check("image", (), check_images),
    Check("pushed image", ("ecr:DescribeImages",), check_pushed),
)

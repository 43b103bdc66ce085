"""ECR: an image that is not there is an error, as on AWS, so that the CDK builds it; which images were pushed, and what
they are made of.

The registry itself is ministack's.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import ecr

from crossover.local.emulator.connection import gateway
from crossover.local.emulator.ministack_internals import Properties


@dataclass(frozen=True, kw_only=True)
class PushedImage:
    """An image in the registry.

    Attributes:
        repository: its name, without the registry.
        digest: of its manifest.
        media_type: of its manifest.
    """

    repository: str
    digest: str
    media_type: str

    @property
    def reference(self) -> str:
        """By which a container engine pulls it."""
        return f"{gateway().removeprefix('http://')}/{self.repository}@{self.digest}"


def refuse_missing_images() -> None:
    """Let DescribeImages fail for an image that is not there, where ministack answers with an empty list."""
    describe = ecr._describe_images

    def describe_images(request: Properties) -> tuple[int, dict[str, str], bytes]:
        repository = request.get("repositoryName", "")
        wanted = request.get("imageIds") or []
        missing = [
            image for image in wanted if repository in ecr._repositories and not ecr._find_image(repository, image)
        ]
        if missing:
            image_id = ", ".join(f"{name}:'{missing[0].get(name, 'null')}'" for name in ("imageDigest", "imageTag"))
            message = (
                f"The image with imageId {{{image_id}}} does not exist within the repository with name '{repository}' "
                f"in the registry with id '{get_account_id()}'"
            )
            return error_response_json("ImageNotFoundException", message, 400)  # type: ignore[no-any-return]
        return describe(request)  # type: ignore[no-any-return]

    ecr._describe_images = describe_images


def pushed_image(uri: str) -> PushedImage | None:
    """What was pushed as REGISTRY/REPOSITORY:TAG, or None."""
    repository, _, tag = uri.partition("/")[2].rpartition(":")
    image: dict[str, Any] | None = ecr._find_image(repository, {"imageTag": tag})
    if image is None:
        return None
    # A manifest may say itself what it is; OCI's need not.
    media_type = json.loads(image["imageManifest"]).get("mediaType") or image["imageManifestMediaType"]
    return PushedImage(repository=repository, digest=image["imageDigest"], media_type=media_type)


def image_source(assembly: Path, uri: str) -> tuple[Path, Path]:
    """The folder and the Dockerfile that an image would be built from, according to the cloud assembly.

    Raises:
        ValueError: the assembly does not make this image.
    """
    tag = uri.rpartition(":")[2]
    for manifest in assembly.glob("*.assets.json"):
        asset = json.loads(manifest.read_text())["dockerImages"].get(tag)
        if asset:
            folder = assembly / asset["source"]["directory"]
            return folder, folder / asset["source"].get("dockerFile", "Dockerfile")
    raise ValueError(f"No asset of {assembly} makes the image {uri}; only images of the app itself can run.")

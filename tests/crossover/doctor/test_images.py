"""Whether this machine can build the images, in the format that SageMaker accepts."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossover.doctor import images
from crossover.doctor.plan import Image
from tests.crossover.doctor.stubs import Aws, run, stack

BUILDER, PUSHED = images.CHECKS
REPOSITORY = "cdk-images-${AWS::AccountId}-${AWS::Region}"
TOLD = ("type=image,oci-mediatypes=false",)
CONTAINERD = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
DOCKER = {"ServerVersion": "29.1.2", "Architecture": "x86_64"}
PODMAN = {"host": {"arch": "amd64"}, "version": {"Version": "5.2.0"}}
MODEL = (
    "AWS::SageMaker::Model",
    {"PrimaryContainer": {"Image": {"Fn::Sub": f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}/{REPOSITORY}:abc"}}},
)
WITH_IMAGE = stack(
    MODEL, images=(Image(repository=REPOSITORY, tag="abc", platform="linux/amd64", outputs=TOLD),), id="SageMaker"
)
UNTOLD = stack(MODEL, images=(Image(repository=REPOSITORY, tag="abc", platform="linux/amd64"),), id="SageMaker")
OF_FUNCTION = stack(
    ("AWS::Lambda::Function", {"Code": {"ImageUri": f"{REPOSITORY}:def"}}),
    images=(Image(repository=REPOSITORY, tag="def", platform="linux/arm64"),),
    id="Function",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No builder on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CDK_DOCKER", "BUILDAH_FORMAT"):
        monkeypatch.delenv(name, raising=False)


def install(folder: Path, program: str, info: Any, *, code: int = 0) -> None:
    """A builder that answers with this."""
    path = folder / program
    path.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'info --format' ] && echo '{json.dumps(info)}'\nexit {code}\n")
    path.chmod(0o755)


def test_without_an_image_no_builder_is_needed(aws: Aws) -> None:
    assert run(BUILDER, aws, stack()) == []


def test_a_builder_that_is_not_there_fails_and_the_others_can_be_deployed(aws: Aws) -> None:
    variants = [stack(id=name, outputs={"Predictor": name}) for name in ("Standard", "SnapStart")]
    assert run(BUILDER, aws, *variants, WITH_IMAGE, stack(id="Comparison")) == [
        (
            "fails",
            "docker is not on the PATH",
            "Install Docker, or deploy only the stacks without an image: `npx cdk deploy Standard SnapStart`.",
        )
    ]
    assert run(BUILDER, aws, WITH_IMAGE)[0][2] == "Install Docker."


def test_functions_that_are_built_in_docker_need_a_builder_too(aws: Aws, tmp_path: Path) -> None:
    assert run(BUILDER, aws, stack(), bundles_in_docker=True) == [
        ("fails", "docker is not on the PATH", "Install Docker, or set bundling to local.")
    ]
    install(tmp_path, "docker", DOCKER)
    assert run(BUILDER, aws, stack(), bundles_in_docker=True) == [("ok", "docker, for bundling", "")]


@pytest.mark.parametrize(("plugins", "status"), [([{"Name": "buildx"}], "ok"), ([{"Name": "compose"}], "fails")])
def test_docker_needs_buildx_for_the_format(aws: Aws, tmp_path: Path, plugins: Any, status: str) -> None:
    install(tmp_path, "docker", {**DOCKER, "ClientInfo": {"Plugins": plugins}})
    [finding] = run(BUILDER, aws, WITH_IMAGE)
    assert finding[0] == status


@pytest.mark.parametrize(("info", "code"), [(DOCKER, 1), ({"ServerErrors": ["Cannot connect."]}, 0), ("none", 0)])
def test_an_engine_that_does_not_answer_fails(aws: Aws, tmp_path: Path, info: Any, code: int) -> None:
    install(tmp_path, "docker", info, code=code)
    assert run(BUILDER, aws, WITH_IMAGE) == [
        ("fails", "the engine of docker does not answer", "Start it, or name another in CDK_DOCKER.")
    ]


def test_docker_that_is_told_the_format_is_fine_whatever_its_image_store(aws: Aws, tmp_path: Path) -> None:
    for store in ({}, CONTAINERD):
        install(tmp_path, "docker", {**DOCKER, **store})
        assert run(BUILDER, aws, WITH_IMAGE) == [("ok", "docker 29.1.2", "")]


def test_docker_that_is_not_told_must_not_store_images_in_containerd(aws: Aws, tmp_path: Path) -> None:
    install(tmp_path, "docker", DOCKER)
    assert run(BUILDER, aws, UNTOLD) == [("ok", "docker 29.1.2", "")]
    install(tmp_path, "docker", {**DOCKER, **CONTAINERD})
    [(status, found, todo)] = run(BUILDER, aws, UNTOLD)
    assert (status, "manifests of OCI" in found, "oci-mediatypes=false" in todo) == ("fails", True, True)


def test_an_image_that_is_not_for_sagemaker_takes_a_builder_of_any_format(aws: Aws, tmp_path: Path) -> None:
    assert run(BUILDER, aws, OF_FUNCTION)[0][:2] == ("fails", "docker is not on the PATH")
    install(tmp_path, "docker", {**DOCKER, **CONTAINERD})
    built, emulated = run(BUILDER, aws, OF_FUNCTION)
    assert (built[0], emulated[0]) == ("ok", "warning")
    assert run(BUILDER, aws, WITH_IMAGE, OF_FUNCTION)[0] == ("ok", "docker 29.1.2", "")
    assert run(PUSHED, aws, OF_FUNCTION) == []


def test_podman_needs_the_format_in_its_environment(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "podman", PODMAN)
    monkeypatch.setenv("CDK_DOCKER", "podman")
    [(status, _, todo)] = run(BUILDER, aws, UNTOLD)
    assert (status, todo) == ("fails", "Set BUILDAH_FORMAT=docker.")
    monkeypatch.setenv("BUILDAH_FORMAT", "docker")
    assert run(BUILDER, aws, UNTOLD) == [("ok", "podman is podman 5.2.0, with BUILDAH_FORMAT=docker", "")]


def test_podman_under_dockers_name_does_not_know_dockers_outputs(aws: Aws, tmp_path: Path) -> None:
    install(tmp_path, "docker", PODMAN)
    [(status, _, todo)] = run(BUILDER, aws, WITH_IMAGE)
    assert (status, todo) == ("fails", "Set CDK_DOCKER=podman.")


def test_another_builder_is_a_warning(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "finch", DOCKER)
    monkeypatch.setenv("CDK_DOCKER", "finch")
    [(status, found, _)] = run(BUILDER, aws, UNTOLD)
    assert (status, found) == ("warning", "finch may write manifests of OCI, which SageMaker refuses")


def test_an_image_for_another_architecture_is_a_warning(aws: Aws, tmp_path: Path) -> None:
    install(tmp_path, "docker", {**DOCKER, "Architecture": "aarch64"})
    assert run(BUILDER, aws, WITH_IMAGE)[1][:2] == (
        "warning",
        "an image for linux/amd64 is built on arm64, by emulation",
    )


@pytest.mark.parametrize(
    ("media_type", "is_refused"),
    [
        ("application/vnd.oci.image.manifest.v1+json", True),
        ("application/vnd.oci.image.index.v1+json", True),
        ("application/vnd.docker.distribution.manifest.v2+json", False),
    ],
)
def test_an_image_that_is_there_is_not_pushed_again(aws: Aws, media_type: str, is_refused: bool) -> None:
    repository = "cdk-images-123456789012-us-east-1"
    aws.answers(
        "ecr",
        "describe_images",
        {"imageDetails": [{"imageManifestMediaType": media_type}]},
        repositoryName=repository,
        imageIds=[{"imageTag": "abc"}],
    )
    found = run(PUSHED, aws, WITH_IMAGE)
    assert [finding[0] for finding in found] == (["fails"] if is_refused else [])
    assert not is_refused or f"the image abc in {repository} has a manifest of OCI" in found[0][1]


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_an_image_that_is_not_there_is_pushed(aws: Aws, code: str) -> None:
    aws.refuses("ecr", "describe_images", code)
    assert run(PUSHED, aws, WITH_IMAGE) == []


def test_images_that_may_not_be_listed_are_said(aws: Aws) -> None:
    aws.refuses("ecr", "describe_images", "AccessDeniedException")
    [(status, found, _)] = run(PUSHED, aws, WITH_IMAGE)
    assert (status, found) == ("unknown", "could not be checked: needs ecr:DescribeImages")

"""The functions' code packages as CDK assets: made without Docker, from a hash-checked lock, once for the same sources.

crossover/bundling says what is in a bundle and when one is made; this file hands it to CDK.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import BundlingOptions, DockerImage, DockerVolume, ILocalBundling, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.bundling import recipe
from crossover.bundling.cache import SOURCES, build_bundle, hash_for_this_machine, source_hash
from crossover.bundling.recipe import LAMBDA_PLATFORMS, Bundle
from crossover.cdk.architectures import ARCHITECTURES

RECIPE_IN_IMAGE = "/crossover-recipe"


def bundled_code(
    scope: Construct,
    bundle: Bundle,
    *,
    python_version: str = "3.12",
    architecture: str = "x86_64",
    for_host: bool = False,
    use_docker: bool = False,
) -> lambda_.Code:
    """The bundle as a function's code, with an asset hash made of the sources, so that it is the same on every machine.

    If CDK needs no bundling for the scope's stack (context `aws:cdk:bundling-stacks`), nothing is made.

    Args:
        architecture: the function's, x86_64 or arm64.
        for_host: takes the wheels of this machine's platform instead of Lambda's, for the local AWS.
        use_docker: makes the bundle in the SAM build image of that Python version and architecture.

    Raises:
        BundlingError: the bundle cannot be made.
        ValueError: the version has not the form "3.12", or both flags are set.
    """
    if for_host and use_docker:
        raise ValueError("A bundle for this machine cannot be made in Docker, whose image is Lambda's.")
    if use_docker:
        local = None
        target = LAMBDA_PLATFORMS[architecture]
        hash_ = source_hash(bundle, python_version=python_version, platform=target, with_bytecode=True)
    else:
        local = _LocalBundling(bundle, python_version=python_version, architecture=architecture, for_host=for_host)
        hash_ = local.hash
        # Made here, before CDK asks: an error inside try_bundle passes through the jsii kernel, which hides its one
        # sentence in a traceback.
        if Stack.of(scope).bundling_required:
            local.build()
    runtime = lambda_.Runtime(f"python{python_version}", lambda_.RuntimeFamily.PYTHON)
    return lambda_.Code.from_asset(
        str(SOURCES),
        asset_hash=hash_,
        bundling=BundlingOptions(
            local=local,
            image=runtime.bundling_image,
            platform=ARCHITECTURES[architecture].docker_platform,
            # The recipe is not among the sources; it may be in site-packages.
            volumes=[
                DockerVolume(host_path=str(Path(recipe.__file__).resolve().parent), container_path=RECIPE_IN_IMAGE)
            ],
            command=[
                *("python3", f"{RECIPE_IN_IMAGE}/{Path(recipe.__file__).name}"),
                *(json.dumps(asdict(bundle)), "/asset-input", "/asset-output"),
            ],
        ),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    """Copies the finished bundle to where CDK expects it.

    CDK takes an existing cdk.out/asset.<hash> unchecked, so a half-filled one would be deployed. aws-cdk-lib fills a
    folder named asset.<hash>-building and renames it when this returns, so an interrupted synth leaves none;
    test_bundling.py checks that. Code.from_asset on the finished folder, without bundling, would copy straight to the
    final name.
    """

    def __init__(self, bundle: Bundle, *, python_version: str, architecture: str, for_host: bool) -> None:
        self.build = partial(
            build_bundle, bundle, python_version=python_version, architecture=architecture, for_host=for_host
        )
        self.hash = hash_for_this_machine(
            bundle, python_version=python_version, architecture=architecture, for_host=for_host
        )

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:
        # A copy, not hard links: editing a file in cdk.out must not change the cache.
        shutil.copytree(self.build(), output_dir, dirs_exist_ok=True)
        return True

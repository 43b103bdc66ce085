"""The settings of a variant, as Lambda and SageMaker report them."""

from typing import Any

import pytest

from crossover.bench.run.cold import VARIABLE
from crossover.bench.run.deployment import describe, kind_of, shared_limits
from crossover.deployed import Variant
from crossover.errors import UsageError
from crossover.handler_sources import inference

from .fakes import AudioLimits, NotFoundError, client_error, deployment, variant


class FakeAws:
    """Lambda and SageMaker in one."""

    def __init__(self, config: dict[str, Any], *, may_look: bool = True, may_see_model: bool = True) -> None:
        self.config = config
        self.may_look = may_look
        self.may_see_model = may_see_model
        self.asked = ""
        self.ready = 0

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        self.asked = FunctionName
        return {"MemorySize": 4096, "Timeout": 120, "Version": "7", "Runtime": "python3.12", **self.config}

    class exceptions:  # noqa: N801
        ProvisionedConcurrencyConfigNotFoundException = NotFoundError

    def get_provisioned_concurrency_config(self, **asked: str) -> dict[str, Any]:
        self.asked_ready = asked
        if not self.ready:
            raise NotFoundError({"Error": {"Code": "ProvisionedConcurrencyConfigNotFoundException"}}, "Any")
        return {"RequestedProvisionedConcurrentExecutions": self.ready}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if not self.may_look:
            raise client_error("AccessDeniedException")
        return {"EndpointConfigName": f"{EndpointName}-config", "ProductionVariants": [{"CurrentInstanceCount": 3}]}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        assert EndpointConfigName == "e-config"
        return {"ProductionVariants": [{"InstanceType": "ml.c5.large", "ModelName": "m"}]}

    def describe_model(self, ModelName: str) -> dict[str, Any]:  # noqa: N803
        assert ModelName == "m"
        if not self.may_see_model:
            raise client_error("AccessDeniedException")
        return {"PrimaryContainer": {"Environment": {"MAX_AUDIO_SECONDS": "30"}}}


def test_the_settings_are_those_of_what_s3_invokes() -> None:
    config = {
        "Architectures": ["arm64"],
        "LoggingConfig": {"LogGroup": "/stack/logs"},
        "SnapStart": {"OptimizationStatus": "On"},
        "Environment": {"Variables": {"MAX_FILE_BYTES": "1048576", "MAX_AUDIO_SECONDS": "30", "MAX_CHANNELS": "2"}},
    }
    aws = FakeAws(config)
    found = describe(lambda service: aws, variant("snapstart", alias="live"))
    assert aws.asked == "arn:aws:lambda:eu-central-1:123456789012:function:snapstart-function:live"
    assert (found.memory_mb, found.timeout_seconds, found.version, found.runtime) == (4096, 120, "7", "python3.12")
    assert (found.architecture, found.log_group, found.is_snapshot) == ("arm64", "/stack/logs", True)
    assert found.limits == AudioLimits(max_bytes=1048576, max_seconds=30, max_channels=2)
    assert (found.instance_type, found.instances) == ("", None)
    assert (found.provisioned, found.has_file_system, found.is_image) == (0, False, False)
    assert found.to_json()["function"] == "snapstart-function"
    assert found.to_json()["ingest"] == "direct"


def test_what_is_kept_ready_and_mounted_and_an_image_are_settings_too() -> None:
    config = {"FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/model"}], "PackageType": "Image"}
    aws = FakeAws(config)
    aws.ready = 3
    found = describe(lambda service: aws, variant("provisioned", alias="live"))
    assert aws.asked_ready == {"FunctionName": "provisioned-function", "Qualifier": "live"}
    assert (found.provisioned, found.has_file_system, found.is_image) == (3, True, True)
    assert describe(lambda service: aws, variant()).provisioned == 0  # without an alias there is none


def test_what_a_killed_benchmark_took_is_still_what_the_deployment_has() -> None:
    aws = FakeAws({"Environment": {"Variables": {VARIABLE: "abc-7-provisioned-4"}}})
    assert describe(lambda service: aws, variant("provisioned", alias="live")).provisioned == 4


def test_missing_settings_of_a_function_have_lambdas_defaults() -> None:
    found = describe(lambda service: FakeAws({}), variant())
    assert (found.log_group, found.is_snapshot, found.architecture) == (
        "/aws/lambda/standard-function",
        False,
        "x86_64",
    )
    assert found.limits == AudioLimits()


@pytest.mark.parametrize(("may_look", "machines"), [(True, ("ml.c5.large", 3)), (False, ("", None))])
def test_an_endpoint_has_instances_unless_access_is_denied(may_look: bool, machines: tuple[str, int | None]) -> None:
    found = describe(lambda service: FakeAws({}, may_look=may_look), variant("sagemaker", endpoint="e"))
    assert (found.instance_type, found.instances) == machines


@pytest.mark.parametrize(("may_see_model", "limits"), [(True, AudioLimits(max_seconds=30)), (False, AudioLimits())])
def test_the_limits_behind_an_endpoint_are_those_of_its_container(may_see_model: bool, limits: Any) -> None:
    aws = FakeAws({}, may_see_model=may_see_model)
    found = describe(lambda service: aws, variant("sagemaker", endpoint="e"))
    assert found.limits == limits
    assert (found.instance_type, found.instances) == ("ml.c5.large", 3)


def test_a_stack_without_the_handlers_output_must_be_deployed_again() -> None:
    old = Variant(**{**vars(variant()), "handler_arn": ""})
    with pytest.raises(UsageError, match="The stack Crossover-standard has no output HandlerArn; deploy it again"):
        describe(lambda service: FakeAws({}), old)


def test_a_file_must_fit_all_variants() -> None:
    one = deployment(limits=AudioLimits(max_bytes=10, max_seconds=30, max_channels=8))
    other = deployment(limits=AudioLimits(max_bytes=20, max_seconds=20, max_channels=1))
    assert shared_limits([one, other], "audio") == AudioLimits(max_bytes=10, max_seconds=20, max_channels=1)


def test_limits_that_a_proxy_does_not_state_are_those_of_the_kind() -> None:
    of_any_file = inference("limits").Limits(max_bytes=10)
    assert shared_limits([deployment(limits=of_any_file)], "audio") == AudioLimits(max_bytes=10)


def test_a_stack_that_does_not_say_what_it_takes_has_the_limits_of_any_file() -> None:
    config = {"Environment": {"Variables": {"MAX_FILE_BYTES": "1048576", "MAX_AUDIO_SECONDS": "30"}}}
    found = describe(lambda service: FakeAws(config), variant(input_kind=""))
    assert found.limits == inference("limits").Limits(max_bytes=1048576)


def test_variants_of_different_kinds_are_not_benchmarked_together() -> None:
    audio, image = deployment(), deployment("snapstart", variant=variant("snapstart", input_kind="image"))
    assert kind_of([audio, audio]) == "audio"
    with pytest.raises(UsageError, match=r"take audio \(standard\) and image \(snapstart\)"):
        kind_of([audio, image])

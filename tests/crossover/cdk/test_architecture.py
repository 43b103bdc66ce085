"""The functions of all variants run on x86_64 or, by setting, on arm64."""

import json
import re
from collections.abc import Callable

import pytest

from crossover.bundling.recipe import LAMBDA_PLATFORMS
from crossover.cdk.architectures import ARCHITECTURES
from crossover.cdk.compute import VARIANTS
from crossover.cdk.compute.inference_function import InferenceFunction
from crossover.cdk.dashboard_cost import Cost, price
from crossover.cdk.monitoring_specs import file_metric
from crossover.cost.architectures import ARCHITECTURES as WITH_PRICES
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate

PREDICTING = [variant.stack_id for variant in VARIANTS.values() if issubclass(variant, InferenceFunction)]


def architectures(template: StackTemplate) -> set[str]:
    """Of the functions of ours; the CDK's own, which write settings, run scripts."""
    ours = [each for each in template.of_type("AWS::Lambda::Function") if each.path.startswith("Compute/")]
    assert ours
    return {name for each in ours for name in each.properties.get("Architectures", ["x86_64"])}


def test_bundles_and_prices_know_the_same_architectures() -> None:
    assert list(ARCHITECTURES) == list(LAMBDA_PLATFORMS) == list(WITH_PRICES)


def test_all_functions_of_a_variant_run_on_the_chosen_architecture(
    any_variant: StackTemplate, synthesis_of: Callable[[str], Synthesis]
) -> None:
    assert architectures(any_variant) == {"x86_64"}
    for template in synthesis_of("everything").templates.values():
        assert architectures(template) == {"arm64"}


def test_the_image_of_the_endpoint_is_for_x86_64_in_any_case(synthesis_of: Callable[[str], Synthesis]) -> None:
    assets = json.loads((synthesis_of("everything").folder / "SageMaker.assets.json").read_text())
    assert {image["source"]["platform"] for image in assets["dockerImages"].values()} == {"linux/amd64"}


def test_on_arm64_the_dashboard_counts_its_prices() -> None:
    per_hour = ((3600.0, price("lambda.provisioned.gb_second")),)
    x86, arm = (
        Cost(memory_mb=1024, architecture=name, per_hour=per_hour, leaves_out="INIT") for name in ("x86_64", "arm64")
    )
    assert usd(x86) == pytest.approx([1e6 * 1.66667e-05 / 1000, 0.2, 1e6 * 3600 * 4.1667e-06], rel=1e-4)
    assert usd(arm) == pytest.approx([1e6 * 1.33334e-05 / 1000, 0.2, 1e6 * 3600 * 3.3334e-06], rel=1e-4)


def usd(cost: Cost) -> list[float]:
    """The factors of duration, invocations and hours in the formula."""
    metric = file_metric("Stack", "Duration")
    figure = cost.per_million(duration=metric, invocations=metric, cold_starts=metric, succeeded=metric, label="USD")
    return [float(factor) for factor in re.findall(r"\* ([0-9.]+)", figure.expression)]


@pytest.mark.parametrize("stack", PREDICTING)
def test_on_arm64_a_failed_init_raises_an_alarm(
    templates: dict[str, StackTemplate], synthesis_of: Callable[[str], Synthesis], stack: str
) -> None:
    """The lines of a log are in https://github.com/microsoft/onnxruntime/pull/15661."""
    template = synthesis_of("everything").templates[stack]
    failures = template.resources["Compute/InitFailures"].properties
    alarm = template.resources["Monitoring/InitFailures"].properties
    [transformation] = failures["MetricTransformations"]

    assert failures["FilterPattern"] == '"INIT_REPORT" "Status:"'
    assert failures["LogGroupName"] == "<Compute/FunctionLogs>"
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Sum", 1, 1)
    assert "architecture=x86_64" in alarm["AlarmDescription"]
    assert "Monitoring/InitFailures" not in templates[stack].resources

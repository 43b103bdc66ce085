"""The properties of every function."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match

from app import add_stacks
from crossover.cdk.python_function import LIMITS, FunctionOptions
from crossover.handler_sources import inference
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app


@pytest.mark.parametrize(
    ("stack", "handler", "memory_mb"),
    [
        ("Standard", "standard_handler.handler", 4096),
        ("SnapStart", "snapstart_handler.handler", 4096),
        ("SageMaker", "sagemaker_trigger_handler.handler", 128),
    ],
)
def test_a_function_has_the_published_settings(
    templates: dict[str, StackTemplate], stack: str, handler: str, memory_mb: int
):
    function = templates[stack].resources["Compute/Function"].properties

    assert function["Handler"] == handler
    assert function["MemorySize"] == memory_mb
    assert function["Timeout"] == 120
    assert function["Runtime"] == "python3.12"
    assert function["Architectures"] == ["x86_64"]
    assert "ReservedConcurrentExecutions" not in function  # accounts with the lowest limit cannot reserve


@pytest.mark.parametrize(
    ("stack", "own"),
    [
        ("Standard", {"PREDICTOR", "MODEL_S3_URI", "INPUT_KIND", "MAX_AUDIO_SECONDS", "MAX_CHANNELS"}),
        ("SnapStart", {"PREDICTOR", "MODEL_S3_URI", "INPUT_KIND", "MAX_AUDIO_SECONDS", "MAX_CHANNELS"}),
        ("SageMaker", {"PREDICTOR", "ENDPOINT_NAME"}),
    ],
)
def test_a_functions_environment_has_what_its_handler_reads(
    templates: dict[str, StackTemplate], stack: str, own: set[str]
):
    environment = templates[stack].resources["Compute/Function"].properties["Environment"]["Variables"]

    assert set(environment) == own | {"MAX_FILE_BYTES", "PREDICTIONS_TABLE", "METRICS_STACK"}
    assert environment["PREDICTOR"] == stack.lower()
    assert environment["PREDICTIONS_TABLE"] == "<Storage/PredictionsTable>"
    assert environment["MAX_FILE_BYTES"] == str(200 * 1024 * 1024)
    assert environment.get("INPUT_KIND", "audio") == "audio"
    assert environment.get("MAX_AUDIO_SECONDS", "600") == "600"
    assert environment.get("MAX_CHANNELS", "8") == "8"
    assert environment["METRICS_STACK"] == "<AWS::StackName>"


def test_only_with_tracing_the_functions_send_traces(
    templates: dict[str, StackTemplate], synthesis_of: Callable[[str], Synthesis]
):
    traces = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
    for name, template in synthesis_of("everything").templates.items():
        assert template.resources["Compute/Function"].properties["TracingConfig"] == {"Mode": "Active"}
        assert template.grants("Compute/FunctionRole") >= traces
        assert "TracingConfig" not in template.resources["Compute/Rollout/HealthCheck"].properties
        assert "TracingConfig" not in templates[name].resources["Compute/Function"].properties
        assert not template.grants("Compute/Rollout/HealthCheckRole") & traces


def test_the_settings_reach_the_functions(model_path: Path, tmp_path: Path):
    app = new_app(
        tmp_path,
        model_path=str(model_path),
        memory_mb="2048",
        timeout_seconds="300",
        proxy_memory_mb="256",
        max_file_mb="50",
        max_audio_seconds="60",
        max_channels="2",
        monitoring="false",
        item_lifetime_days="7",
        reserved_concurrency="3",
        log_retention_days="14",
        log_level="error",
    )
    add_stacks(app)
    templates = {stack.hierarchical_id: StackTemplate(stack.template) for stack in app.synth().stacks}

    assert {name: _memory(template) for name, template in templates.items()} == {
        "Standard": 2048,
        "SnapStart": 2048,
        "SageMaker": 256,
    }
    for template in templates.values():
        function = template.resources["Compute/Function"].properties
        environment = function["Environment"]["Variables"]
        assert function["Timeout"] == 300
        assert function["ReservedConcurrentExecutions"] == 3
        assert environment["MAX_FILE_BYTES"] == str(50 * 1024 * 1024)
        if "MODEL_S3_URI" in environment:  # not the proxy, which decodes nothing
            assert environment["MAX_AUDIO_SECONDS"] == "60"
            assert environment["MAX_CHANNELS"] == "2"
        assert "METRICS_STACK" not in environment
        assert environment["ITEM_LIFETIME_DAYS"] == "7"
        assert environment["LOG_LEVEL"] == "error"
        assert "LoggingConfig" not in function or "LogFormat" not in function["LoggingConfig"]  # REPORT lines are text
        assert template.resources["Compute/FunctionLogs"].properties["RetentionInDays"] == 14


def test_every_function_logs_to_a_group_that_ends_with_the_stack(any_variant: StackTemplate):
    functions = any_variant.of_type("AWS::Lambda::Function")

    ours = 3 if "Compute/Files/Loader" in any_variant.resources else 1
    assert len(functions) == ours + 2  # of CDK: one configures the notifications, one empties the bucket
    for function in functions:
        group = any_variant.resources[function.properties["LoggingConfig"]["LogGroup"].strip("<>")]
        assert group.type == "AWS::Logs::LogGroup"
        assert group.properties["RetentionInDays"] <= 30
        assert group.definition["DeletionPolicy"] == "Delete"


def _memory(template: StackTemplate) -> int:
    memory: int = template.resources["Compute/Function"].properties["MemorySize"]
    return memory


def test_the_limits_of_every_kind_are_options_with_the_handlers_defaults():
    options = FunctionOptions()
    by_variable = {variable: getattr(options, name) for name, variable in LIMITS.items()}
    by_variable["MAX_FILE_BYTES"] = options.max_file_mb * 1024**2
    for kind in inference("inputs").KINDS.values():
        defaults = {each.metadata["variable"]: each.default for each in fields(kind.limits)}
        assert {variable: by_variable[variable] for variable in defaults} == defaults


def test_what_is_for_another_kind_or_variant_has_no_effect_and_is_warned_of(model_path: Path, tmp_path: Path):
    settings = {"max_pixels": "1000", "image_snap_start": "true", "max_channels": "2"}
    app = new_app(tmp_path, model_path=str(model_path), variants="standard", **settings)
    add_stacks(app)

    stack = next(child for child in app.node.children if isinstance(child, Stack) and child.node.id == "Standard")
    annotations = Annotations.from_stack(stack)
    annotations.has_warning("/Standard", Match.string_like_regexp("max_pixels has no effect: the model takes audio"))
    annotations.has_no_warning("/Standard", Match.string_like_regexp("max_channels has no effect"))
    text = "image_snap_start has no effect: of the variants only container takes it"
    annotations.has_warning("/Standard", Match.string_like_regexp(text))
    annotations.has_no_warning("/Standard", Match.string_like_regexp("memory_mb has no effect"))


def test_variants_without_a_queue_warn_that_max_concurrency_has_no_effect(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path, model_path=str(model_path), variants="standard,sagemaker", max_concurrency="4")
    add_stacks(app)

    stacks = {stack.node.id: Annotations.from_stack(stack) for stack in app.node.children if isinstance(stack, Stack)}
    text = "max_concurrency has no effect: the variant standard has no queue"
    stacks["Standard"].has_warning("/Standard", Match.string_like_regexp(text))
    stacks["SageMaker"].has_no_warning("*", Match.string_like_regexp("max_concurrency has no effect"))

"""The variants compared: a line for each, found without references between the stacks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.cx_api import CloudAssembly

from tests.crossover.cdk.dashboards import lines, shown, synthesize, widgets
from tests.crossover.cdk.templates import StackTemplate
from tests.synthesis import STACKS

VARIANTS = ["standard", "snapstart", "sagemaker", "provisioned", "efs", "container"]


@pytest.fixture
def comparison(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["Comparison"]


def searches(widget: dict[str, Any]) -> list[tuple[str, ...]]:
    """What a widget searches for: (schema, metric, dimension, name, statistic)."""
    pattern = r"""SUM\(SEARCH\('\{(.+)\} MetricName="(\w+)" (\w+)=([\w-]+)', '(\w+)'\)\)"""
    found = [options["expression"] for words, options in lines(widget) if not words]
    return [re.fullmatch(pattern, text).groups() for text in found if "SEARCH" in text]  # type: ignore[union-attr]


def titled(template: StackTemplate, title: str) -> dict[str, Any]:
    (widget,) = [widget for widget in widgets(template) if widget["properties"].get("title") == title]
    return widget


def logical_id(template: StackTemplate, path: str) -> str:
    found: str
    (found,) = [
        key
        for key, resource in template.body["Resources"].items()
        if resource["Metadata"]["aws:cdk:path"].endswith(f"/{path}/Resource")
    ]
    return found


def test_there_is_nothing_to_compare_with_one_variant(model_path: Path, tmp_path: Path):
    assert set(synthesize(tmp_path, model_path=str(model_path), variants="snapstart")) == {"SnapStart"}


def test_it_is_deployed_without_the_others_and_they_without_it(assembly: CloudAssembly, comparison: StackTemplate):
    names = {stack.hierarchical_id for stack in assembly.stacks}
    for stack in assembly.stacks:
        assert not names & {other.id for other in stack.dependencies}, stack.hierarchical_id
    text = json.dumps([StackTemplate(stack.template).body for stack in assembly.stacks])
    assert not re.search(r"Fn::ImportValue|Fn::GetStackOutput|resolve:cloudformation", text)
    assert '"Export"' not in text
    assert [resource.type for resource in comparison.resources.values()] == ["AWS::CloudWatch::Dashboard"]


def test_the_command_line_does_not_treat_the_dashboard_as_a_variant(comparison: StackTemplate):
    assert comparison.outputs == {"DashboardName": "<Dashboard>"}  # a variant has the output Predictor


def test_every_graph_has_a_line_for_each_variant(comparison: StackTemplate):
    for widget in widgets(comparison):
        visible = [options["label"] for _, options in lines(widget) if options.get("visible", True)]
        assert visible == ([] if widget["type"] == "text" else VARIANTS), widget


def test_it_shows_durations_cold_starts_errors_dead_letters_and_cost(comparison: StackTemplate):
    titles = {widget["properties"].get("title") for widget in widgets(comparison)}

    assert titles >= {"Cold starts", "Errors", "Dead letters", "Cost per million predictions, USD"}
    assert shown(comparison) >= {
        *((f"Duration of a file, {name}", "Duration", name) for name in ("p50", "p95", "p99")),
        ("Cold starts", "ColdStart", "Sum"),
    }


def test_file_metrics_are_selected_by_stack_name(comparison: StackTemplate):
    for title in ("Duration of a file, p95", "Cold starts"):
        by_label = {options["label"]: words[2:] for words, options in lines(titled(comparison, title))}
        assert by_label == {name: ["Stack", f"Crossover-{stack}"] for name, stack in zip(VARIANTS, STACKS, strict=True)}


@pytest.mark.parametrize(
    ("title", "path", "schema", "metric", "statistic"),
    [
        ("Errors", "Compute/Function", "AWS/Lambda,FunctionName", "Errors", "Sum"),
        (
            "Dead letters",
            "Pipeline/DeadLetterQueue",
            "AWS/SQS,QueueName",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
        ),
    ],
)
def test_resources_named_by_cloudformation_are_found_by_search(
    templates: dict[str, StackTemplate],
    comparison: StackTemplate,
    title: str,
    path: str,
    schema: str,
    metric: str,
    statistic: str,
):
    assert searches(titled(comparison, title)) == [
        (schema, metric, schema.partition(",")[2], f"Crossover-{stack}-{logical_id(templates[stack], path)}", statistic)
        for stack in STACKS
    ]


def test_the_cost_adds_up_the_searched_time_and_requests(comparison: StackTemplate):
    widget = titled(comparison, "Cost per million predictions, USD")

    assert {metric for _, metric, *_ in searches(widget)} == {"Duration", "Invocations"}
    assert len(searches(widget)) == 2 * len(VARIANTS)
    assert widget["properties"]["setPeriodToTimeRange"] is True
    named = [options["id"] for _, options in lines(widget) if "id" in options]
    assert len(named) == len(set(named))
    # PERIOD takes a metric, no search.
    periods = {options["id"]: words for words, options in lines(widget) if words}
    formulas = " ".join(options["expression"] for words, options in lines(widget) if not words)
    assert set(re.findall(r"PERIOD\((\w+)\)", formulas)) <= set(periods)


def test_a_note_says_for_each_variant_where_its_figure_is_from(comparison: StackTemplate):
    (note,) = [widget["properties"]["markdown"] for widget in widgets(comparison) if widget["type"] == "text"]

    assert re.findall(r"- \*\*(\w+)\*\*: us-east-1, prices of .*\d{4}-\d\d-\d\d.*; without .+", note) == VARIANTS


def test_a_variant_without_a_price_has_no_figure_but_a_note(model_path: Path, tmp_path: Path):
    template = synthesize(tmp_path, model_path=str(model_path), instance_type="ml.m7i.12xlarge")["Comparison"]
    widget = titled(template, "Cost per million predictions, USD")
    (note,) = [widget["properties"]["markdown"] for widget in widgets(template) if widget["type"] == "text"]

    assert [options["label"] for _, options in lines(widget) if options.get("visible", True)] == [
        "standard",
        "snapstart",
    ]
    assert "- **sagemaker**: no price is known" in note


def test_another_prefix_compares_its_own_stacks(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), stack_prefix="Trial")

    text = json.dumps(templates["Comparison"].body)
    assert "Trial-Standard" in text
    assert "Crossover-" not in text

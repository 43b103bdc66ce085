"""Dashboards show the right metrics; alarms go off for the right reason and say what to do."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from app import add_stacks
from crossover.cdk.dashboard_cost import Cost
from tests.crossover.cdk.dashboards import lines, shown, synthesize, widgets
from tests.crossover.cdk.linting import lint_findings
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app
from tests.synthesis import STACKS

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
OF_EVERY_VARIANT = {
    "DeadLetters",
    "EventsNotKept",
    "EventsGivenUp",
    "Errors",
    "Throttles",
    "SlowestPercent",
}
OF_THE_ENDPOINT = {"EndpointErrors", "EndpointSilent"}


def alarms(template: StackTemplate) -> dict[str, dict[str, Any]]:
    """The properties of each alarm of the monitoring, by its name there; dimensions as a dictionary."""
    return {
        resource.path.removeprefix("Monitoring/"): {
            **resource.properties,
            "Dimensions": {entry["Name"]: entry["Value"] for entry in resource.properties["Dimensions"]},
        }
        for resource in template.of_type("AWS::CloudWatch::Alarm")
        if resource.path.startswith("Monitoring/")
    }


def expression(template: StackTemplate) -> str:
    """The formula of the cost figure."""
    found: str
    (found,) = [
        options["expression"]
        for widget in widgets(template)
        for words, options in lines(widget)
        if not words and "Cost" in widget["properties"]["title"]
    ]
    return found


# --- alarms


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("Standard", OF_EVERY_VARIANT),
        ("SnapStart", OF_EVERY_VARIANT),
        ("SageMaker", OF_EVERY_VARIANT | OF_THE_ENDPOINT | {"UploadsWaiting"}),
        ("Provisioned", OF_EVERY_VARIANT | {"ColdStarts"}),
    ],
)
def test_a_stack_has_the_alarms_of_its_variant(templates: dict[str, StackTemplate], stack: str, expected: set[str]):
    assert set(alarms(templates[stack])) == expected


@pytest.mark.parametrize("stack", ["Standard", "SageMaker"])
def test_with_a_queue_the_age_of_what_waits_raises_an_alarm_as_well(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    found = alarms(synthesis_of("isolated").templates[stack])

    assert set(found) >= OF_EVERY_VARIANT | {"UploadsWaiting"}
    waiting = found["UploadsWaiting"]
    assert (waiting["Namespace"], waiting["MetricName"]) == ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    assert waiting["Dimensions"] == {"QueueName": "<Pipeline/UploadQueue/Queue.QueueName>"}
    assert waiting["Threshold"] == 3600
    assert "max_concurrency" in waiting["AlarmDescription"]


def test_an_upload_that_is_hidden_between_its_attempts_is_none_that_waits(model_path: Path, tmp_path: Path):
    settings = {"variants": "sagemaker", "timeout_seconds": "900"}
    (template,) = synthesize(tmp_path, model_path=str(model_path), **settings).values()
    hidden = template.resources["Pipeline/UploadQueue/Queue"].properties["VisibilityTimeout"]

    assert alarms(template)["UploadsWaiting"]["Threshold"] == 3 * hidden


@pytest.mark.parametrize("stack", ["Standard", "SnapStart", "SageMaker"])
def test_an_event_that_the_rule_neither_delivers_nor_keeps_raises_an_alarm(
    synthesis_of: Callable[[str], Synthesis], templates: dict[str, StackTemplate], stack: str
):
    template = synthesis_of("narrowed").templates[stack]
    alarm = alarms(template)["EventsLostByRule"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Events", "InvocationsFailedToBeSentToDlq")
    assert alarm["Dimensions"] == {"RuleName": f"<{template.only('AWS::Events::Rule').path}>"}
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == (
        "Sum",
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
    )
    assert "EventsLostByRule" not in alarms(templates[stack])


@pytest.mark.parametrize("name", ["Errors", "Throttles", "SlowestPercent"])
def test_an_alarm_on_invocations_watches_what_s3_invokes(templates: dict[str, StackTemplate], name: str):
    on_function = {"FunctionName": "<Compute/Function>"}
    on_alias = {**on_function, "Resource": "<Compute/Function>:live"}

    assert alarms(templates["Standard"])[name]["Dimensions"] == on_function
    assert alarms(templates["SnapStart"])[name]["Dimensions"] == on_alias
    assert alarms(templates["SageMaker"])[name]["Dimensions"] == on_function


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic", "operator", "threshold", "missing"),
    [
        ("DeadLetters", "SQS", "ApproximateNumberOfMessagesVisible", "Maximum", ">=", 1, "ignore"),
        ("EventsNotKept", "Lambda", "DestinationDeliveryFailures", "Sum", ">=", 1, "notBreaching"),
        ("EventsGivenUp", "Lambda", "AsyncEventsDropped", "Sum", ">=", 1, "notBreaching"),
        ("Errors", "Lambda", "Errors", "Sum", ">=", 1, "notBreaching"),
        ("Throttles", "Lambda", "Throttles", "Sum", ">=", 1, "notBreaching"),
        ("SlowestPercent", "Lambda", "Duration", "p99", ">", 30_000, "notBreaching"),
        ("EndpointErrors", "SageMaker", "Invocation5XXErrors", "Sum", ">=", 1, "notBreaching"),
    ],
)
def test_an_alarm_goes_off_when_its_metric_passes_the_limit(
    sagemaker: StackTemplate,
    name: str,
    namespace: str,
    metric: str,
    statistic: str,
    operator: str,
    threshold: float,
    missing: str,
):
    alarm = alarms(sagemaker)[name]
    operators = {"GreaterThanOrEqualToThreshold": ">=", "GreaterThanThreshold": ">"}

    assert (alarm["Namespace"], alarm["MetricName"]) == (f"AWS/{namespace}", metric)
    assert alarm.get("Statistic", alarm.get("ExtendedStatistic")) == statistic
    assert (operators[alarm["ComparisonOperator"]], alarm["Threshold"]) == (operator, threshold)
    assert alarm["TreatMissingData"] == missing


def test_instances_that_stop_reporting_raise_an_alarm_though_there_is_no_data(sagemaker: StackTemplate):
    alarm = alarms(sagemaker)["EndpointSilent"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("/aws/sagemaker/Endpoints", "CPUUtilization")
    assert alarm["Dimensions"] == {"EndpointName": "<Compute/Endpoint.EndpointName>", "VariantName": "live"}
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "SampleCount",
        "LessThanThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "breaching"
    # So it is not on while the endpoint is being made, or deleted.
    assert "Compute/Endpoint" in sagemaker.created_before("Monitoring/EndpointSilent")


def test_the_dead_letters_are_those_of_the_stacks_own_queue(any_variant: StackTemplate):
    assert alarms(any_variant)["DeadLetters"]["Dimensions"] == {"QueueName": "<Pipeline/DeadLetterQueue.QueueName>"}


def test_a_transient_error_raises_no_alarm_but_a_lost_event_does_immediately(any_variant: StackTemplate):
    def patience(name: str) -> tuple[int, int]:
        alarm = alarms(any_variant)[name]
        return alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]), alarm["EvaluationPeriods"]

    assert {name: patience(name) for name in OF_EVERY_VARIANT} == {
        "DeadLetters": (1, 1),
        "EventsNotKept": (1, 1),
        "EventsGivenUp": (1, 1),
        "Errors": (2, 3),
        "Throttles": (3, 3),
        "SlowestPercent": (2, 3),
    }
    assert {alarm["Period"] for alarm in alarms(any_variant).values()} == {300}


def test_every_alarm_says_what_it_means_and_what_to_do(any_variant: StackTemplate):
    texts = {name: alarm["AlarmDescription"] for name, alarm in alarms(any_variant).items()}

    assert all(len(text.split()) > 15 and text.endswith(".") for text in texts.values())
    assert "`crossover deadletters redrive`" in texts["DeadLetters"]
    assert "`crossover deadletters list`" in texts["EventsGivenUp"]


def test_the_p99_limit_is_a_setting(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), variants="standard", p99_alarm_seconds="7")
    alarm = alarms(templates["Standard"])["SlowestPercent"]

    assert alarm["Threshold"] == 7_000
    assert "longer than 7 s" in alarm["AlarmDescription"]


def test_alarms_send_nothing_without_a_topic(any_variant: StackTemplate):
    assert all("AlarmActions" not in alarm and "OKActions" not in alarm for alarm in alarms(any_variant).values())


def test_the_topic_gets_an_alarm_and_its_end(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), variants="sagemaker", alarm_topic_arn=TOPIC)

    for alarm in alarms(templates["SageMaker"]).values():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([TOPIC], [TOPIC])


def test_an_address_gets_the_alarms_through_a_topic_that_only_cloudwatch_publishes_to(
    synthesis_of: Callable[[str], Synthesis],
):
    for template in synthesis_of("narrowed").templates.values():
        for alarm in alarms(template).values():
            assert alarm["AlarmActions"] == alarm["OKActions"] == ["<Monitoring/AlarmTopic>"]
        subscription = template.only("AWS::SNS::Subscription").properties
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.org")
        denial, permission = template.only("AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]
        assert (denial["Effect"], denial["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert (permission["Effect"], permission["Action"]) == ("Allow", "sns:Publish")
        assert permission["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert permission["Condition"]["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}


# --- dashboards


@pytest.mark.parametrize("stack", [*STACKS, "Comparison"])
def test_a_dashboard_is_well_formed_and_within_the_free_size(templates: dict[str, StackTemplate], stack: str):
    everything = widgets(templates[stack])
    metrics = [line for widget in everything for line in lines(widget)]

    for words, options in metrics:
        assert all(isinstance(word, str) and word for word in words), words
        assert "Token[" not in str((words, options))
        if words:
            assert len(words) % 2 == 0, f"a dimension without a value: {words}"
        else:
            assert set(options) <= {"label", "expression", "id", "visible"}, options
            assert options["expression"]
    assert all(widget["properties"]["region"] == "<AWS::Region>" for widget in everything if widget["type"] == "metric")
    assert 0 < len(metrics) <= (50 if stack in STACKS else 75)  # the comparison of six variants is beyond it
    places = [(widget["x"] + dx, widget["y"] + dy) for widget in everything for dx, dy in _cells(widget)]
    assert max(Counter(places).values()) == 1, "two widgets lie on each other"
    assert all(widget["x"] + widget["width"] <= 24 for widget in everything)


def _cells(widget: dict[str, Any]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(widget["width"]) for y in range(widget["height"])]


def test_the_dashboard_shows_every_alarm_of_its_stack(any_variant: StackTemplate):
    (status,) = [widget for widget in widgets(any_variant) if widget["type"] == "alarm"]

    assert set(status["properties"]["alarms"]) == {f"<Monitoring/{name}.Arn>" for name in alarms(any_variant)}


def test_the_dashboard_of_a_stack_shows_the_state_of_events(any_variant: StackTemplate):
    assert shown(any_variant) >= {
        *(("Duration, without INIT", "Duration", name) for name in ("p50", "p95", "p99")),
        *(("Files", name, "Sum") for name in ("Succeeded", "Refused", "Failed")),
        *(("Invocations", name, "Sum") for name in ("Invocations", "Errors", "Throttles")),
        ("Cold starts", "ColdStart", "Sum"),
        ("Model", "Inference", "p50"),
        ("Kept or lost", "ApproximateNumberOfMessagesVisible", "Maximum"),
        ("Kept or lost", "AsyncEventsDropped", "Sum"),
        ("Kept or lost", "DestinationDeliveryFailures", "Sum"),
        ("Waiting for the function", "AsyncEventAge", "Maximum"),
    }


def test_the_dashboard_of_the_endpoint_shows_its_latency_errors_and_load(sagemaker: StackTemplate):
    assert shown(sagemaker) >= {
        *(("Endpoint: latency", "ModelLatency", name) for name in ("p50", "p99")),
        *(("Endpoint: latency", "OverheadLatency", name) for name in ("p50", "p99")),
        *(("Endpoint: invocations", name, "Sum") for name in ("Invocations", "Invocation4XXErrors")),
        ("Endpoint: invocations", "Invocation5XXErrors", "Sum"),
        ("Endpoint: instances", "CPUUtilization", "Average"),
        ("Endpoint: instances", "MemoryUtilization", "Average"),
    }


@pytest.mark.parametrize("stack", ["Standard", "SnapStart", "SageMaker"])
def test_the_handlers_metrics_are_those_that_this_stack_writes(templates: dict[str, StackTemplate], stack: str):
    environment = templates[stack].resources["Compute/Function"].properties["Environment"]["Variables"]
    ours = [words for widget in widgets(templates[stack]) for words, _ in lines(widget) if words[:1] == ["Crossover"]]

    assert environment["METRICS_STACK"] == "<AWS::StackName>"
    assert {tuple(words[2:]) for words in ours} == {("Stack", f"Crossover-{stack}")}


def test_without_monitoring_there_is_no_dashboard_no_alarm_and_no_metric(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), monitoring="false")

    assert set(templates) == {"Standard", "SnapStart", "SageMaker"}
    for template in templates.values():
        assert not [path for path, resource in template.resources.items() if "CloudWatch" in resource.type]
        assert "DashboardName" not in template.outputs
        assert "METRICS_STACK" not in template.resources["Compute/Function"].properties["Environment"]["Variables"]


# --- the cost figure


def test_the_cost_of_the_standard_variant_is_billed_time_and_requests(standard: StackTemplate):
    # 4 GB for 204 ms and a request are 13.80 USD a million.
    assert evaluate(expression(standard), duration=204, invocations=1, succeeded=1) == pytest.approx(13.80, abs=0.01)


def test_the_cost_of_snapstart_has_its_snapshot_by_the_hour_and_its_restores(snapstart: StackTemplate):
    month = 2_628_000
    figure = evaluate(expression(snapstart), duration=0, invocations=0, coldStarts=0, succeeded=1e6, period=month)
    restores = evaluate(expression(snapstart), duration=0, invocations=0, coldStarts=1e6, succeeded=1e6, period=60)

    assert figure == pytest.approx(15.82, abs=0.01)  # 4 GB for a month
    assert restores == pytest.approx(559.2, abs=0.5)  # 0.00056 USD each


def test_the_cost_of_provisioned_concurrency_is_what_is_kept_ready_and_its_use(templates: dict[str, StackTemplate]):
    formula = expression(templates["Provisioned"])
    kept = evaluate(formula, duration=0, invocations=0, succeeded=1e6, period=730 * 3600)

    assert kept == pytest.approx(43.80, abs=0.01)  # 4 GB for a month
    # 4 GB for 204 ms at 9.7222 USD a million GB-s, and a request.
    assert evaluate(formula, duration=204, invocations=1, succeeded=1, period=0) == pytest.approx(8.13, abs=0.01)


def test_the_cost_of_the_endpoint_is_its_instances_by_the_hour_and_its_proxy(sagemaker: StackTemplate):
    month = 730 * 3600
    figure = evaluate(expression(sagemaker), duration=0, invocations=0, succeeded=1e6, period=month)
    proxy = evaluate(expression(sagemaker), duration=292, invocations=1, succeeded=1, period=0)

    assert figure == pytest.approx(40.88, abs=0.01)
    assert proxy == pytest.approx(0.81, abs=0.01)


def evaluate(formula: str, *, period: float = 60, **metrics: float) -> float:
    """What CloudWatch makes of the formula."""
    names = re.sub(r"PERIOD\(\w+\)", str(period), formula)
    assert re.fullmatch(r"[\w\s()+*/.]+", names)
    return float(eval(names, {"__builtins__": {}}, metrics))


def test_the_figure_covers_the_whole_time_range_shown(any_variant: StackTemplate):
    (widget,) = [widget for widget in widgets(any_variant) if "Cost" in widget["properties"].get("title", "")]

    assert widget["properties"]["setPeriodToTimeRange"] is True


def test_the_title_says_where_and_when_the_prices_are_from_and_what_is_left_out(sagemaker: StackTemplate):
    (title,) = [
        widget["properties"]["title"]
        for widget in widgets(sagemaker)
        if "Cost" in widget["properties"].get("title", "")
    ]

    assert title == (
        "Cost per million predictions (us-east-1, prices of 2026-10-04, undated (unconfirmed); "
        "without data processing, SQS, INIT of the proxy, S3, DynamoDB, logs, free tier)"
    )


def test_an_instance_without_a_known_price_has_no_figure(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), variants="sagemaker", instance_type="ml.m7i.12xlarge")

    assert not [title for title, *_ in shown(templates["SageMaker"]) if "Cost" in title]


def test_figures_in_one_widget_do_not_share_names():
    cost = Cost(memory_mb=1024, leaves_out="nothing")
    metric = cloudwatch.Metric(namespace="N", metric_name="M")
    named = dict.fromkeys(("duration", "invocations", "cold_starts", "succeeded"), metric)
    figures = [cost.per_million(**named, label="x", suffix=suffix) for suffix in ("0", "1")]

    cloudwatch.SingleValueWidget(metrics=figures).to_json()  # raises if they do
    assert set(figures[0].using_metrics).isdisjoint(figures[1].using_metrics)
    for figure in figures:
        assert set(re.findall(r"[a-zA-Z]\w*", figure.expression)) == set(figure.using_metrics)


@pytest.mark.slow
def test_the_settings_of_the_monitoring_pass_cfn_lint(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path, model_path=str(model_path), alarm_topic_arn=TOPIC)
    add_stacks(app)
    app.synth()

    findings = {path.name: lint_findings(path.read_text()) for path in tmp_path.glob("*.template.json")}
    assert findings == {name: [] for name in findings}
    assert len(findings) == 4


def test_an_alarm_needs_no_metric_math_which_the_local_aws_does_not_know(any_variant: StackTemplate):
    assert all("Metrics" not in alarm.properties for alarm in any_variant.of_type("AWS::CloudWatch::Alarm"))

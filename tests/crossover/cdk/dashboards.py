"""What a dashboard shows, read from a template."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import add_stacks
from tests.crossover.cdk.templates import StackTemplate, new_app


def synthesize(folder: Path, **settings: Any) -> dict[str, StackTemplate]:
    """The templates of an app with these settings, by the stack's construct id."""
    app = new_app(folder, **settings)
    add_stacks(app)
    return {stack.hierarchical_id: StackTemplate(stack.template) for stack in app.synth().stacks}


def widgets(template: StackTemplate) -> list[dict[str, Any]]:
    """The widgets of the template's one dashboard, references as text."""
    body: dict[str, Any] = json.loads(template.only("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    found: list[dict[str, Any]] = body["widgets"]
    return found


def lines(widget: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """A widget's metrics: (namespace, name, dimension, value, ...), empty for an expression, and options."""
    for entry in widget["properties"].get("metrics", []):
        *words, options = entry if isinstance(entry[-1], dict) else [*entry, {}]
        yield words, options


def shown(template: StackTemplate) -> set[tuple[str, ...]]:
    """Every line of a metric: (title, metric's name, statistic)."""
    return {
        (widget["properties"]["title"], words[1], options.get("stat", "Average"))
        for widget in widgets(template)
        for words, options in lines(widget)
        if words
    }

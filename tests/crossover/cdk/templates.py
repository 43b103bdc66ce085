"""Helpers for template tests: an app without bundling, queries of its templates, and cdk-nag's findings."""

import json
from pathlib import Path

from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from tools.synthesized import Resource, SynthesizedTemplate, as_list, new_app

__all__ = ["Resource", "StackTemplate", "nag_findings", "new_app"]


def nag_findings(app: App) -> list[str]:
    """What cdk-nag's AwsSolutions pack does not accept, errors and warnings: "rule at construct"."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)  # the report says why
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    return [
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "AwsSolutions"
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


class StackTemplate(SynthesizedTemplate):
    @classmethod
    def of(cls, app: App, stack: Stack) -> "StackTemplate":
        return cls(app.synth().get_stack_by_name(stack.stack_name).template)

    def only(self, type_: str) -> Resource:
        (resource,) = self.of_type(type_)
        return resource

    def grants(self, role: str) -> set[tuple[str, str]]:
        """What a role's policies allow: (action, resource)."""
        assert self.resources[role].type == "AWS::IAM::Role"
        return {
            (action, resource)
            for statement in self.statements(role)
            if statement["Effect"] == "Allow"
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def created_before(self, path: str) -> set[str]:
        """All that CloudFormation creates before a resource, because it refers to it or depends on it."""
        found: set[str] = set()
        waiting = [path]
        while waiting:
            text = json.dumps(self.resources[waiting.pop()].definition)
            for other in self.resources:
                referred = any(mark in text for mark in (f"<{other}>", f"<{other}.", f'"{other}"'))
                if referred and other not in found and other != path:
                    found.add(other)
                    waiting.append(other)
        return found

"""Synthesized templates, asked by meaning: resources go by their path in the construct tree, never by a hashed id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

# What the CDK command line sets, and skipping the bundling, which template tests do not need.
CDK_CONTEXT = {"aws:cdk:enable-path-metadata": True, "aws:cdk:bundling-stacks": []}
FEATURE_FLAGS = {
    key: value
    for key, value in json.loads((Path(__file__).resolve().parents[2] / "cdk.json").read_text())["context"].items()
    if key.startswith("@aws-cdk")
}


def new_app(folder: Path, **settings: Any) -> App:
    return App(outdir=str(folder), context={**FEATURE_FLAGS, **CDK_CONTEXT, **settings})


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


@dataclass(frozen=True)
class Resource:
    """A resource of a template: its path in the construct tree, and its definition with references as text."""

    path: str
    type: str
    definition: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        return self.definition.get("Properties", {})


class StackTemplate:
    """A template in which every reference is written as text: <path> for Ref, <path.Attribute> for Fn::GetAtt."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self._paths = {key: _path(key, value) for key, value in body["Resources"].items()}
        resources = [
            Resource(self._paths[key], value["Type"], self._flatten(value)) for key, value in body["Resources"].items()
        ]
        self.resources = {resource.path: resource for resource in resources}
        assert len(self.resources) == len(resources), "two resources have the same path"
        self.outputs = {key: self._flatten(value["Value"]) for key, value in body.get("Outputs", {}).items()}

    @classmethod
    def of(cls, app: App, stack: Stack) -> "StackTemplate":
        return cls(app.synth().get_stack_by_name(stack.stack_name).template)

    def of_type(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type == type_]

    def only(self, type_: str) -> Resource:
        (resource,) = self.of_type(type_)
        return resource

    def grants(self, role: str) -> set[tuple[str, str]]:
        """What a role's policies allow: (action, resource)."""
        return {
            (action, resource)
            for statement in self.statements(role)
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
        }

    def statements(self, role: str) -> list[dict[str, Any]]:
        assert self.resources[role].type == "AWS::IAM::Role"
        assert "Policies" not in self.resources[role].properties
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy")
            if f"<{role}>" in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

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

    def _flatten(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return f"<{self._paths.get(name, name)}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{self._paths[name]}.{attribute}>"
            case {"Fn::Join": [delimiter, list(parts)]}:
                return str(delimiter).join(map(self._flatten, parts))
            case {"Fn::Sub": str(text)}:
                return text.replace("${", "<").replace("}", ">")
            case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
                return json.dumps({key: self._flatten(item) for key, item in value.items()})
            case {"DependsOn": names, **rest}:
                return {"DependsOn": [self._paths[name] for name in _list(names)], **self._flatten(rest)}
            case dict():
                return {key: self._flatten(item) for key, item in value.items() if key != "Metadata"}
            case list():
                return [self._flatten(item) for item in value]
        return value


def _path(logical_id: str, resource: dict[str, Any]) -> str:
    """Standard/Compute/Function/Resource -> Compute/Function."""
    path = resource.get("Metadata", {}).get("aws:cdk:path", f"/{logical_id}")
    return path.partition("/")[2].removesuffix("/Resource").removesuffix("/Default")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

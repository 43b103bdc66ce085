"""Synthesized templates, read by meaning: a resource is found by its construct path, never by a hashed id."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aws_cdk import App

# What the CDK command line sets, and skipping the bundling, which no template shows.
CDK_CONTEXT = {"aws:cdk:enable-path-metadata": True, "aws:cdk:bundling-stacks": []}
CDK_JSON = Path(__file__).resolve().parents[1] / "cdk.json"


def new_context(**settings: Any) -> dict[str, Any]:
    """The feature flags of cdk.json and these settings."""
    context = json.loads(CDK_JSON.read_text())["context"]
    flags = {key: value for key, value in context.items() if key.startswith("@aws-cdk")}
    return {**flags, **CDK_CONTEXT, **settings}


def new_app(folder: Path, **settings: Any) -> App:
    """An app with the context of these settings, whose assembly goes into the folder."""
    return App(outdir=str(folder), context=new_context(**settings))


@dataclass(frozen=True)
class Resource:
    """A resource of a template: its path in the construct tree, and its definition with references as text."""

    path: str
    type: str
    definition: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.definition.get("Properties", {})
        return properties


class SynthesizedTemplate:
    """A template in which every reference is written as text: <path> for Ref, <path.Attribute> for Fn::GetAtt."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self._paths = {key: _path(key, value) for key, value in body["Resources"].items()}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """By path."""
        resources = [
            Resource(self._paths[key], value["Type"], self._flatten(value))
            for key, value in self.body["Resources"].items()
        ]
        by_path = {resource.path: resource for resource in resources}
        if len(by_path) < len(resources):
            raise ValueError("Two resources have the same path.")
        return by_path

    @cached_property
    def outputs(self) -> dict[str, str]:
        return {key: self._flatten(value["Value"]) for key, value in self.body.get("Outputs", {}).items()}

    def of_type(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type == type_]

    def statements(self, role: str) -> Iterator[dict[str, Any]]:
        """What a role's own policies say: those written into it, and those that name it."""
        for policy in self.resources[role].properties.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]
        for policy in self.of_type("AWS::IAM::Policy"):
            if f"<{role}>" in policy.properties["Roles"]:
                yield from policy.properties["PolicyDocument"]["Statement"]

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
                return {"DependsOn": [self._paths[name] for name in as_list(names)], **self._flatten(rest)}
            case dict():
                return {key: self._flatten(item) for key, item in value.items() if key != "Metadata"}
            case list():
                return [self._flatten(item) for item in value]
        return value


def as_list(value: Any) -> list[Any]:
    """A policy's one action, resource or condition value may stand alone."""
    return value if isinstance(value, list) else [value]


def _path(logical_id: str, resource: dict[str, Any]) -> str:
    """Standard/Compute/Function/Resource -> Compute/Function; as for logical ids, "Default" adds nothing."""
    path: str = resource.get("Metadata", {}).get("aws:cdk:path", f"/{logical_id}")
    return "/".join(part for part in path.removesuffix("/Resource").split("/")[1:] if part != "Default")

"""cfn-lint for templates that share most of their resources: it takes 50 ms a resource, and each is checked once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

# cfnlint is imported when a test asks for it: that takes two seconds.
if TYPE_CHECKING:
    from cfnlint.rules import Match
    from cfnlint.runner import Runner

_checked: set[str] = set()


def lint_findings(template: str) -> list[Match]:
    """What cfn-lint says of a template, without the resources that it has seen in another one.

    Those that the others depend on keep their types and references, so that references are checked, and for cycles.
    """
    from cfnlint.decode.decode import decode_str

    body, findings = decode_str(template)
    resources: dict[str, Any] = body.get("Resources", {}) if body else {}
    keys = {name: _key(name, resources) for name in resources}
    new = {name for name in resources if keys[name] not in _checked}
    waiting = [*new, *_references({section: body[section] for section in body or {} if section != "Resources"})]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in resources and name not in needed:
            needed.add(name)
            waiting += _references(resources[name])
    for name in resources.keys() - needed:
        del resources[name]
    for name in needed - new:
        references = [{"Ref": other} for other in _references(resources[name])]
        resources[name] = {"Type": resources[name]["Type"], "Metadata": {"References": references}}
    findings += [
        finding
        for finding in _runner().validate_template(body)
        # A resource without its properties lacks some.
        if finding.path[:1] != ["Resources"] or finding.path[1] in new
    ]
    if not findings:
        _checked.update(keys.values())
    return list(findings)


@cache
def _runner() -> Runner:
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(regions=["us-east-1"]))


def _key(name: str, resources: dict[str, Any]) -> str:
    """All that cfn-lint looks at where it checks a resource: its definition, and the types that it refers to."""
    definition = {key: value for key, value in resources[name].items() if key != "Metadata"}
    types = sorted((other, resources.get(other, {}).get("Type", "")) for other in _references(resources[name]))
    return json.dumps([definition, types])


def _references(value: Any) -> Iterator[str]:
    """The names of the resources and parameters that a definition refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case dict():
            depends_on = value.get("DependsOn", [])
            yield from [depends_on] if isinstance(depends_on, str) else depends_on
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)

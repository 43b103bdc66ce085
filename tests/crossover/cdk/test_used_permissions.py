"""No permission is too many: the requests of the end-to-end tests need every statement, or it has a written reason."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.crossover.cdk.calls import CALLS, REASONS, UPLOADS, Call, is_allowed, matches
from tests.crossover.cdk.option_sets import Synthesis
from tools.synthesized import as_list

BY_CDK = ("Custom::", "BucketNotificationsHandler")  # roles of functions that the CDK adds


def roles(synthesis: Synthesis) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Variant, role and statements."""
    for variant, template in synthesis.templates.items():
        for role in template.of_type("AWS::IAM::Role"):
            if not role.path.startswith(BY_CDK):
                yield variant, role.path, list(template.statements(role.path))


def calls_of(variant: str, role: str, synthesis: Synthesis) -> list[Call]:
    """The requests that are made under these settings: those to a key or an upload queue take one."""
    missing = {"<Key.Arn>": "Key", UPLOADS: "Pipeline/UploadQueue/Queue"}
    resources = synthesis.templates[variant].resources
    return [call for call in CALLS.get((variant, role), ()) if missing.get(call.resource, role) in resources]


def test_a_role_may_do_what_it_does(any_synthesis: Synthesis):
    denied = [
        (variant, role, call)
        for variant, role, statements in roles(any_synthesis)
        for call in calls_of(variant, role, any_synthesis)
        if not is_allowed(call, statements)
    ]

    assert denied == []


def test_every_permission_is_used_or_has_a_reason(any_synthesis: Synthesis):
    unexplained = [
        (variant, role, action)
        for variant, role, statements in roles(any_synthesis)
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        if action not in REASONS.get(role, {})
        and not any(matches({**statement, "Action": action}, call) for call in calls_of(variant, role, any_synthesis))
    ]

    assert unexplained == []


def test_without_any_one_statement_something_would_be_denied(any_synthesis: Synthesis):
    needless = [
        (variant, role, statement)
        for variant, role, statements in roles(any_synthesis)
        for statement in statements
        if statement["Effect"] == "Allow"
        and not set(as_list(statement["Action"])) <= set(REASONS.get(role, {}))
        and all(
            is_allowed(call, [other for other in statements if other is not statement])
            for call in calls_of(variant, role, any_synthesis)
        )
    ]

    assert needless == []


def test_an_isolated_network_lets_through_what_the_roles_do_and_nothing_else(synthesis_of: Callable[[str], Synthesis]):
    """The network does not depend on the variant, so that each statement must be needed by one of them."""
    let_through, needed = set(), set()
    for variant, template in synthesis_of("isolated").templates.items():
        statements = [
            statement
            for endpoint in template.of_type("AWS::EC2::VPCEndpoint")
            for statement in endpoint.properties["PolicyDocument"]["Statement"]
        ]
        calls = [
            replace(call, context={**call.context, "aws:PrincipalAccount": "<AWS::AccountId>"})
            for role in ("Compute/FunctionRole", "Compute/ExecutionRole")
            for call in CALLS.get((variant, role), ())
            if call.action.startswith(("s3:", "dynamodb:", "sagemaker:"))
        ]

        assert [call for call in calls if not is_allowed(call, statements)] == []
        let_through |= {str(statement) for statement in statements}
        for statement in statements:
            others = [other for other in statements if other is not statement]
            if not all(is_allowed(call, others) for call in calls):
                needed.add(str(statement))

    assert needed == let_through


def test_every_reason_is_for_a_permission_that_some_role_has(synthesis_of: Callable[[str], Synthesis]):
    granted = {
        (role, action)
        for name in ("everything", "default")  # without a network of its own, and with one
        for _, role, statements in roles(synthesis_of(name))
        for statement in statements
        for action in as_list(statement["Action"])
    }

    assert {(role, action) for role, reasons in REASONS.items() for action in reasons} <= granted

"""Roles are held to their policies: each variant's functions and container use what they have, and need it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from crossover import deployed
from crossover.aws import Clients
from crossover.dead_letter_queue import MAX_RECEIVE_COUNT, DeadLetter
from crossover.deployed import Upload, Variant
from crossover.function_log import log_group
from crossover.local.work import LocalAws
from tests.crossover.cdk.calls import CALLS, DEAD_LETTER, POLL
from tests.crossover.waiting import wait_until
from tests.lambda_src.events import event, record
from tools.synthesized import as_list

from .model_updates import CLIP, items_of, upload_to

pytestmark = pytest.mark.slow
# By variant: an action of its function's role, and what cannot be done without it.
TAKEN_AWAY = {
    "standard": ("dynamodb:PutItem", "PutItem"),
    "snapstart": ("s3:GetObjectVersion", "GetObject"),
    "sagemaker": ("sagemaker:InvokeEndpoint", "InvokeEndpoint"),
    "container": ("dynamodb:PutItem", "PutItem"),
    "efs": ("s3:GetObjectVersion", "GetObject"),
    "provisioned": ("dynamodb:PutItem", "PutItem"),
}


def roles(clients: Clients, variant: Variant) -> dict[str, str]:
    """The names of the variant's roles, by their path in the construct tree, of which CDK makes the logical id."""
    resources = clients("cloudformation").describe_stack_resources(StackName=variant.stack)["StackResources"]
    names = {each["LogicalResourceId"][:-8]: each["PhysicalResourceId"] for each in resources}
    paths = [path for stack, path in CALLS if stack == variant.stack.rpartition("-")[2]]
    return {path: names[path.replace("/", "")] for path in paths if path.replace("/", "") in names}


def letter_of(clients: Clients, upload: Upload) -> DeadLetter:
    wait_until(lambda: deployed.find_dead_letter(clients, upload) is not None)
    letter = deployed.find_dead_letter(clients, upload)
    assert letter
    return letter


def log_of(clients: Clients, variant: Variant) -> list[str]:
    """The lines of the function's log."""
    pages = (
        clients("logs").get_paginator("filter_log_events").paginate(logGroupName=log_group(clients, variant.function))
    )
    return [event["message"] for page in pages for event in page["events"]]


def has(document: dict[str, Any], action: str) -> bool:
    """Whether a statement of a policy has this action."""
    return any(action in as_list(statement["Action"]) for statement in document["Statement"])


@contextmanager
def without(clients: Clients, role: str, action: str) -> Iterator[None]:
    """The role without the statements that have this action, while the block runs."""
    iam = clients("iam")
    documents: dict[str, Any] = {
        policy: iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    [policy] = [name for name, document in documents.items() if has(document, action)]  # a VPC brings another one
    document = documents[policy]
    less = [statement for statement in document["Statement"] if action not in as_list(statement["Action"])]
    assert len(less) == len(document["Statement"]) - 1
    put = {"RoleName": role, "PolicyName": policy}
    iam.put_role_policy(**put, PolicyDocument=json.dumps({**document, "Statement": less}))
    try:
        yield
    finally:
        iam.put_role_policy(**put, PolicyDocument=json.dumps(document))


def test_an_object_that_was_deleted_is_a_failed_item_in_every_variant(
    clients: Clients, variants: dict[str, Variant]
) -> None:
    """S3 says so only to who may list the bucket."""
    for variant in variants.values():
        gone = record("gone.wav")
        gone["s3"]["bucket"]["name"] = variant.bucket
        clients("lambda").invoke(FunctionName=variant.handler_arn, Payload=json.dumps(event(gone)))
        item = clients("dynamodb").get_item(TableName=variant.table, Key={"object_key": {"S": "gone.wav"}})["Item"]
        assert item["error_code"]["S"] == "OBJECT_NOT_FOUND"


def test_without_a_statement_of_its_role_a_function_is_denied_and_its_event_is_kept(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant]
) -> None:
    with ExitStack() as taken_away:
        for name, (action, _) in TAKEN_AWAY.items():
            role = roles(clients, variants[name])["Compute/FunctionRole"]
            taken_away.enter_context(without(clients, role, action))
        uploads = {name: deployed.upload(clients, variant, CLIP) for name, variant in variants.items()}
        letters = {name: letter_of(clients, upload) for name, upload in uploads.items()}
    for name, letter in letters.items():
        _, operation = TAKEN_AWAY[name]
        reason = letter.error_message
        if variants[name].upload_queue:  # SQS keeps no reason
            assert letter.condition == MAX_RECEIVE_COUNT
            reason = "\n".join(line for line in log_of(clients, variants[name]) if uploads[name].key in line)
        assert "AccessDenied" in reason
        assert f"when calling the {operation} operation" in reason
    for variant in variants.values():
        clients("sqs").purge_queue(QueueUrl=variant.dead_letter_queue)


def test_the_roles_use_what_they_are_listed_with(aws: LocalAws, clients: Clients, variants: dict[str, Variant]) -> None:
    """All that the tests of this folder have made them use so far."""
    items_of(clients, upload_to(clients, *variants.values()))
    assert aws.started
    used = aws.started.used_permissions()
    for variant in variants.values():
        stack, names = variant.stack.rpartition("-")[2], roles(clients, variant)
        assert "Compute/FunctionRole" in names
        for path, role in names.items():
            its = {action for who, action in used if who == role}
            if path == "Backfill/Role" and not its:
                continue  # test_backfill.py has not run
            # Of an upload that waits in a queue SQS makes the dead letter, else the function.
            not_used = DEAD_LETTER if variant.upload_queue else POLL
            listed = {call.action for call in CALLS[stack, path] if call not in not_used}
            assert its == listed, (stack, path)

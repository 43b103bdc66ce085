"""What is deployed already, and what a deployment would take away."""

from typing import Any

import pytest

from crossover.doctor import deployed_stacks
from tests.crossover.doctor.stubs import Aws, run, stack

STATES, PROTECTION, LEFT_OUT = deployed_stacks.CHECKS


def deploys(aws: Aws, *, state: str = "UPDATE_COMPLETE", is_protected: bool = False, **stacks: dict[str, str]) -> None:
    """Stacks named Crossover-..., with their outputs."""
    entries = [
        {
            "StackName": f"Crossover-{name}",
            "StackStatus": state,
            "EnableTerminationProtection": is_protected,
            "CreationTime": "2026-01-01",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }
        for name, outputs in stacks.items()
    ]
    aws.answers("cloudformation", "describe_stacks", {"Stacks": entries})


def test_what_is_not_deployed_yet_or_complete_is_fine(aws: Aws) -> None:
    deploys(aws)
    assert run(STATES, aws, stack()) == [("ok", "none is deployed yet", "")]
    deploys(aws, Standard={}, Other={})
    assert run(STATES, aws, stack()) == [("ok", "deployed, and can be updated: Crossover-Standard", "")]


@pytest.mark.parametrize(
    ("state", "status", "todo"),
    [
        ("CREATE_COMPLETE", "ok", ""),
        ("UPDATE_ROLLBACK_COMPLETE", "ok", ""),
        ("REVIEW_IN_PROGRESS", "ok", ""),
        ("ROLLBACK_COMPLETE", "warning", "describe-stack-events --stack-name Crossover-Standard"),
        ("ROLLBACK_FAILED", "warning", "describe-stack-events --stack-name Crossover-Standard"),
        ("DELETE_FAILED", "fails", "`npx cdk destroy Standard`"),
        ("UPDATE_ROLLBACK_FAILED", "fails", "`npx cdk rollback Standard`"),
        ("UPDATE_FAILED", "fails", "`npx cdk rollback Standard`"),
        ("UPDATE_IN_PROGRESS", "fails", "Wait"),
        ("DELETE_IN_PROGRESS", "fails", "Wait"),
    ],
)
def test_a_stack_must_be_in_a_state_that_can_be_updated(aws: Aws, state: str, status: str, todo: str) -> None:
    deploys(aws, state=state, Standard={})
    [finding] = run(STATES, aws, stack())
    assert finding[0] == status
    assert todo in finding[2]


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_a_stack_that_was_never_created_and_is_protected_cannot_be_deleted(aws: Aws, state: str) -> None:
    deploys(aws, state=state, is_protected=True, Standard={})
    [(status, found, todo)] = run(STATES, aws, stack())
    assert (status, "protected from termination" in found) == ("fails", True)
    assert "--no-enable-termination-protection --stack-name Crossover-Standard`" in todo


def test_stacks_that_may_not_be_listed_are_said(aws: Aws) -> None:
    for check in deployed_stacks.CHECKS:
        aws.refuses("cloudformation", "describe_stacks", "AccessDenied")
        [(status, found, _)] = run(check, aws, stack())
        assert (status, found) == ("unknown", "could not be checked: needs cloudformation:DescribeStacks")


@pytest.mark.parametrize(
    ("now", "then", "is_weaker"),
    [
        ("encryption=customer", "encryption=aws", True),
        ("removal_policy=retain", "removal_policy=destroy", True),
        ("bucket_versioning=true", "bucket_versioning=false", True),
        ("point_in_time_recovery=true", "point_in_time_recovery=false", True),
        ("network=isolated", "network=public", True),
        ("permissions_boundary=team", "permissions_boundary=none", True),
        ("input_lifetime_days=90", "input_lifetime_days=none", True),
        ("item_lifetime_days=none", "item_lifetime_days=30", True),
        ("log_retention_days=365", "log_retention_days=30", True),
        ("bucket_versioning=true", "", True),
        ("encryption=aws", "encryption=customer", False),
        ("removal_policy=destroy", "removal_policy=retain", False),
        ("bucket_versioning=true", "bucket_versioning=true", False),
        ("permissions_boundary=none", "permissions_boundary=team", False),
    ],
)
def test_protection_that_would_be_dropped_is_named(aws: Aws, now: str, then: str, is_weaker: bool) -> None:
    deploys(aws, Standard={"Predictor": "standard", "Protection": f"other=1 {now}"})
    [(status, found, todo)] = run(PROTECTION, aws, stack(outputs={"Protection": f"other=1 {then}"}))
    if is_weaker:
        name = now.partition("=")[0]
        assert (status, found) == ("warning", f"Crossover-Standard has {now}, and would get {then or f'{name}=none'}")
        assert f'"{name}"' in todo
    else:
        assert (status, found) == ("ok", "as deployed, or more: Crossover-Standard")


@pytest.mark.parametrize(
    ("name", "what", "output"),
    [("input_bucket", "bucket", "InputBucketName"), ("predictions_table", "table", "PredictionsTableName")],
)
def test_another_bucket_or_table_is_said_with_what_becomes_of_the_deployed_one(
    aws: Aws, name: str, what: str, output: str
) -> None:
    def check(now: str, then: str) -> tuple[str, str, str]:
        deploys(aws, Standard={"Predictor": "standard", "Protection": now, output: "mine"})
        [finding] = run(PROTECTION, aws, stack(outputs={"Protection": then}))
        return finding

    existing = f"{name}=existing"
    status, found, todo = check(f"{name}=own removal_policy=destroy", f"{existing} removal_policy=destroy")
    assert (status, found.partition(": ")[2]) == ("warning", "its own is deleted with all that it holds")
    assert f'leave "{name}" at "none"' in todo
    assert '"removal_policy": "retain" first, or copy' in todo
    status, found, todo = check(f"{name}=own removal_policy=retain", f"{existing} removal_policy=retain")
    assert (status, found.partition(": ")[2]) == ("warning", "its own stays, but outside the stack")
    status, found, todo = check(existing, f"{name}=own")
    assert found.startswith(f"Crossover-Standard uses the existing {what} mine, and would get its own: ")
    assert (status, todo) == ("warning", f'Unless you mean it, write "{name}": "mine" into cdk.json.')


KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
OTHER_KEY = "arn:aws:kms:us-east-1:123456789012:key/2"
OWN_KEY = {"Fn::GetAtt": ["Key", "Arn"]}


def may_decrypt_with(*keys: Any) -> tuple[str, dict[str, Any]]:
    """A role's policy, in the two forms that the CDK writes."""
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": keys[0] if len(keys) == 1 else list(keys)}
    return "AWS::IAM::Policy", {"PolicyDocument": {"Statement": [statement]}}


@pytest.mark.parametrize(
    ("planned", "decryption_keys", "is_lost"),
    [
        (None, [], True),
        (OTHER_KEY, [], True),
        (OTHER_KEY, [OTHER_KEY], True),
        (KEY, [], False),
        (OWN_KEY, [], False),
        (None, [KEY], False),
        (OTHER_KEY, [OTHER_KEY, OWN_KEY, KEY], False),
    ],
)
def test_a_key_with_which_nothing_could_decrypt_any_more_is_named(
    aws: Aws, planned: Any, decryption_keys: list[Any], is_lost: bool
) -> None:
    deploys(aws, Standard={"Predictor": "standard", "Protection": "encryption=customer", "KeyArn": KEY})
    outputs = {"Protection": "encryption=customer", **({"KeyArn": planned} if planned else {})}
    policies = [may_decrypt_with(*decryption_keys)] if decryption_keys else []
    [(status, found, todo)] = run(PROTECTION, aws, stack(*policies, outputs=outputs))
    if is_lost:
        assert (status, "files under that key would become unreadable" in found) == ("warning", True)
        assert f'`"decryption_key_arns": "{KEY}"`' in todo
    else:
        assert (status, found) == ("ok", "as deployed, or more: Crossover-Standard")


def test_with_the_customers_key_dropped_it_is_said_how_earlier_data_stay_readable(aws: Aws) -> None:
    deploys(aws, Standard={"Predictor": "standard", "Protection": "encryption=customer", "KeyArn": KEY})
    [(_, weaker, _), (_, _, todo)] = run(PROTECTION, aws, stack(outputs={"Protection": "encryption=aws"}))
    assert weaker == "Crossover-Standard has encryption=customer, and would get encryption=aws"
    assert f'`"decryption_key_arns": "{KEY}"`' in todo


def test_a_stack_of_an_earlier_release_cannot_be_compared(aws: Aws) -> None:
    deploys(aws, Standard={"Predictor": "standard"})
    [(status, found, _)] = run(PROTECTION, aws, stack(outputs={"Protection": "encryption=aws"}))
    assert status == "unknown"
    assert "Crossover-Standard is of an earlier release" in found


def test_what_is_new_and_what_has_no_settings_is_not_compared(aws: Aws) -> None:
    deploys(aws, Comparison={})
    assert run(PROTECTION, aws, stack(outputs={"Protection": "encryption=aws"}), stack(id="Comparison")) == []


def test_a_variant_that_is_no_longer_chosen_is_named(aws: Aws) -> None:
    deploys(aws, Standard={"Predictor": "standard"}, SageMaker={"Predictor": "sagemaker"}, Comparison={})
    [(status, found, todo)] = run(LEFT_OUT, aws, stack())
    assert status == "warning"
    assert found.startswith("Crossover-SageMaker is deployed, but sagemaker is no longer in `variants`")
    assert "`npx cdk destroy SageMaker -c variants=sagemaker`" in todo


def test_stacks_that_are_deployed_one_by_one_leave_nothing_out(aws: Aws) -> None:
    assert run(LEFT_OUT, aws, stack(), is_everything=False) == []

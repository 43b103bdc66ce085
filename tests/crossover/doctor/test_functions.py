"""Lambda's quotas."""

from typing import Any

import pytest

from crossover.doctor import functions
from crossover.doctor.plan import Stack
from tests.crossover.doctor.stubs import Aws, run, stack

MEMORY, CONCURRENCY, QUEUES, PROVISIONED = functions.CHECKS


def with_function(**properties: Any) -> Stack:
    return stack(("AWS::Lambda::Function", {"MemorySize": 128}), ("AWS::Lambda::Function", properties))


def has_limit(aws: Aws, limit: int, unreserved: int | None = None) -> None:
    limits = {
        "ConcurrentExecutions": limit,
        "UnreservedConcurrentExecutions": limit if unreserved is None else unreserved,
    }
    aws.answers("lambda", "get_account_settings", {"AccountLimit": limits})


def deploys(aws: Aws, **outputs: str) -> None:
    entry = {
        "StackName": "Crossover-Standard",
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": "2026-01-01",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    aws.answers("cloudformation", "describe_stacks", {"Stacks": [entry]})


def test_more_uploads_at_once_than_the_account_runs_is_a_warning(aws: Aws) -> None:
    mappings = stack(*[("AWS::Lambda::EventSourceMapping", {"ScalingConfig": {"MaximumConcurrency": 10}})] * 2)
    has_limit(aws, 10)
    [(status, found, todo)] = run(QUEUES, aws, mappings)
    assert (status, found) == (
        "warning",
        "up to 20 uploads at once from the queues, but the account runs 10 functions at once: what is throttled counts "
        "as an attempt",
    )
    assert todo.startswith("Set max_concurrency lower")


def test_uploads_that_the_account_runs_at_once_are_fine(aws: Aws) -> None:
    mapping = stack(("AWS::Lambda::EventSourceMapping", {"ScalingConfig": {"MaximumConcurrency": 10}}))
    has_limit(aws, 1000)
    assert run(QUEUES, aws, mapping) == [("ok", "10 uploads at once from the queues, of 1,000", "")]
    assert run(QUEUES, Aws(), stack()) == []


def test_memory_that_every_account_allows_is_fine_without_asking(aws: Aws) -> None:
    assert run(MEMORY, aws, with_function(MemorySize=3008)) == [("ok", "3,008 MB", "")]
    assert run(MEMORY, aws, stack()) == []


def test_memory_that_another_function_has_is_fine(aws: Aws) -> None:
    listed = [{"FunctionName": "small", "MemorySize": 3008}, {"FunctionName": "large", "MemorySize": 10240}]
    aws.answers("lambda", "list_functions", {"Functions": listed})
    assert run(MEMORY, aws, with_function(MemorySize=4096)) == [("ok", "4,096 MB, which large has, too", "")]


@pytest.mark.parametrize("answer", ["none", "denied"])
def test_memory_that_a_new_account_refuses_is_a_warning(aws: Aws, answer: str) -> None:
    if answer == "denied":
        aws.refuses("lambda", "list_functions", "AccessDeniedException")
    else:
        aws.answers("lambda", "list_functions", {"Functions": [{"FunctionName": "small", "MemorySize": 3008}]})
    [(status, found, todo)] = run(MEMORY, aws, with_function(MemorySize=4096))
    assert (status, found) == ("warning", "4,096 MB; a new account allows 3,008, and no API tells the account's limit")
    assert "`-c memory_mb=3008`" in todo


def test_concurrency_of_an_account_that_was_raised_is_fine(aws: Aws) -> None:
    has_limit(aws, 1000)
    assert run(CONCURRENCY, aws, with_function()) == [("ok", "1,000 at once", "")]
    assert run(CONCURRENCY, aws, stack()) == []


def test_a_new_account_runs_few_functions_at_once(aws: Aws) -> None:
    has_limit(aws, 10)
    [(status, found, todo)] = run(CONCURRENCY, aws, with_function())
    assert (status, found) == ("warning", "the account runs 10 functions at once; other events wait")
    assert "L-B99A9384" in todo


@pytest.mark.parametrize(
    ("limit", "unreserved", "reserved", "found"),
    [
        (1000, 1000, 900, ("ok", "1,000 at once, 900 of them reserved")),
        (1000, 1000, 901, ("fails", "901 reserved, but only 900 of the account's 1,000 can be")),
        (1000, 150, 51, ("fails", "51 reserved, but only 50 of the account's 1,000 can be")),
        (10, 10, 1, ("fails", "1 reserved, but only 0 of the account's 10 can be")),
        (1000, 80, 1, ("fails", "1 reserved, but only 0 of the account's 1,000 can be")),
    ],
)
def test_what_is_reserved_must_leave_100(
    aws: Aws, limit: int, unreserved: int, reserved: int, found: tuple[str, str]
) -> None:
    has_limit(aws, limit, unreserved)
    aws.answers("cloudformation", "describe_stacks", {"Stacks": []})
    [finding] = run(CONCURRENCY, aws, with_function(ReservedConcurrentExecutions=reserved))
    assert finding[:2] == found


@pytest.mark.parametrize(("now", "status"), [(50, "ok"), (49, "fails"), (0, "fails")])
def test_what_the_deployed_function_reserves_is_reserved_again(aws: Aws, now: int, status: str) -> None:
    has_limit(aws, 1000, 100)
    deploys(aws, FunctionName="the-function")
    answer = {"ReservedConcurrentExecutions": now} if now else {}
    aws.answers("lambda", "get_function_concurrency", answer, FunctionName="the-function")
    [finding] = run(CONCURRENCY, aws, with_function(ReservedConcurrentExecutions=50))
    assert finding[0] == status


def test_a_function_that_was_deleted_by_hand_reserves_nothing(aws: Aws) -> None:
    has_limit(aws, 1000)
    deploys(aws, FunctionName="the-function")
    aws.refuses("lambda", "get_function_concurrency", "ResourceNotFoundException")
    [finding] = run(CONCURRENCY, aws, with_function(ReservedConcurrentExecutions=50))
    assert finding[0] == "ok"


@pytest.mark.parametrize(
    ("service", "method", "action"),
    [
        ("lambda", "get_account_settings", "lambda:GetAccountSettings"),
        ("cloudformation", "describe_stacks", "cloudformation:DescribeStacks"),
        ("lambda", "get_function_concurrency", "lambda:GetFunctionConcurrency"),
    ],
)
def test_a_missing_permission_is_named(aws: Aws, service: str, method: str, action: str) -> None:
    if method != "get_account_settings":
        has_limit(aws, 1000)
    if method == "get_function_concurrency":
        deploys(aws, FunctionName="the-function")
    aws.refuses(service, method, "AccessDeniedException")
    [(status, found, _)] = run(CONCURRENCY, aws, with_function(ReservedConcurrentExecutions=50))
    assert (status, found) == ("unknown", f"could not be checked: needs {action}")


def target(resource: str, most: int, scheduled: int = 0, dimension: str = "lambda:function:ProvisionedConcurrency"):
    actions = [{"ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": scheduled}}] if scheduled else []
    properties = {"ResourceId": {"Fn::Sub": resource}, "ScalableDimension": dimension, "MaxCapacity": most}
    return ("AWS::ApplicationAutoScaling::ScalableTarget", {**properties, "ScheduledActions": actions})


def provisioned(first: int, *, most: int = 0, scheduled: int = 0, reserved: int | None = None) -> Stack:
    config = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": first}} if first else {}
    return stack(
        ("AWS::Lambda::Function", {"ReservedConcurrentExecutions": reserved} if reserved else {}),
        ("AWS::Lambda::Alias", {"FunctionName": {"Ref": "R0"}, **config}),
        *([target("function:${R0}:live", most, scheduled)] if most else []),
        id="Provisioned",
    )


@pytest.mark.parametrize(
    ("limit", "planned", "status", "found"),
    [
        (1000, provisioned(900), "ok", "900 of 1,000 at most (Crossover-Provisioned)"),
        (
            1000,
            provisioned(901),
            "fails",
            "901 kept ready (Crossover-Provisioned), but of the account's 1,000 only 900 can be, as 100 must remain",
        ),
        (
            10,
            provisioned(1),
            "fails",
            "1 kept ready (Crossover-Provisioned), but of the account's 10 only 0 can be, as 100 must remain",
        ),
        (110, provisioned(5, most=10), "ok", "10 of 110 at most (Crossover-Provisioned)"),
        (
            110,
            provisioned(5, most=10, scheduled=11),
            "warning",
            "up to 11 kept ready (Crossover-Provisioned), but of the account's 110 only 10 can be, as 100 must remain",
        ),
    ],
)
def test_what_is_kept_ready_must_leave_100_of_the_accounts_limit(
    aws: Aws, limit: int, planned: Stack, status: str, found: str
) -> None:
    has_limit(aws, limit)
    [finding] = run(PROVISIONED, aws, planned)
    what = found.replace("(Crossover-Provisioned)", "(Crossover-Provisioned; that of other stacks is not counted)")
    assert finding[:2] == (status, what)


def test_what_several_aliases_may_keep_ready_adds_up_and_other_targets_count_nothing(aws: Aws) -> None:
    config = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}
    planned = stack(
        ("AWS::Lambda::Function", {}),
        ("AWS::Lambda::Function", {}),
        ("AWS::Lambda::Alias", {"FunctionName": {"Ref": "R0"}, **config}),
        ("AWS::Lambda::Alias", {"FunctionName": {"Ref": "R1"}, **config}),
        target("function:${R0}:live", 500, scheduled=600),
        target("function:${R1}:live", 301),
        target("table/items", 40000, dimension="dynamodb:table:ReadCapacityUnits"),
    )
    has_limit(aws, 1000)
    [(status, found, _)] = run(PROVISIONED, aws, planned)
    assert (status, found.partition(" kept ready")[0]) == ("warning", "up to 901")


def test_what_is_kept_ready_of_what_is_reserved_is_not_counted_again(aws: Aws) -> None:
    assert run(PROVISIONED, aws, provisioned(5, reserved=5)) == run(PROVISIONED, aws, provisioned(0)) == []


def test_what_others_reserve_cannot_be_kept_ready(aws: Aws) -> None:
    has_limit(aws, 1000)
    aws.answers("cloudformation", "describe_stacks", {"Stacks": []})
    other = with_function(ReservedConcurrentExecutions=890)
    [(status, found, _)] = run(PROVISIONED, aws, other, provisioned(11))
    assert status == "fails"
    assert "only 10 can be" in found

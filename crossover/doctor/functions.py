"""Lambda's quotas: memory and concurrency, which are lower in a new account."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover.doctor.context import Context
from crossover.doctor.plan import Stack
from crossover.doctor.result import Check, Outcome, fails, ok, warning
from crossover.errors import CrossoverError

NEW_ACCOUNT_MB = 3008  # docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: "reduced ... memory quotas"
UNRESERVED = 100  # of the account's concurrency, less where that is lower
LISTED_PAGES = 20
QUOTA = "Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)"


def check_memory(context: Context) -> Iterator[Outcome]:
    """The quota is in no API; a function that has as much shows that it is raised."""
    memory = max((p.get("MemorySize", 128) for p in context.plan.properties("AWS::Lambda::Function")), default=0)
    if memory <= NEW_ACCOUNT_MB:
        if memory:
            yield ok(f"{memory:,} MB")
        return
    example = _function_with(memory, context)
    if example:
        yield ok(f"{memory:,} MB, which {example} has, too")
    else:
        yield warning(
            f"{memory:,} MB; a new account allows {NEW_ACCOUNT_MB:,}, and no API tells the account's limit",
            f"If AWS refuses it, use `-c memory_mb={NEW_ACCOUNT_MB}`, or ask AWS Support for 10,240 MB.",
        )


def _function_with(memory: int, context: Context) -> str:
    """A function of at least this memory; empty where there is none, or where functions cannot be listed."""
    try:
        pages = context.clients("lambda").get_paginator("list_functions").paginate()
        functions = [function for page in islice(pages, LISTED_PAGES) for function in page["Functions"]]
    except (BotoCoreError, ClientError, CrossoverError):
        return ""
    return next((each["FunctionName"] for each in functions if each["MemorySize"] >= memory), "")


def check_concurrency(context: Context) -> Iterator[Outcome]:
    """What is reserved must leave 100 of the account's concurrency, or all of it where it is lower."""
    functions = context.plan.properties("AWS::Lambda::Function")
    if not functions:
        return
    reserved = sum(int(properties.get("ReservedConcurrentExecutions", 0)) for properties in functions)
    limits = context.clients("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    free = unreserved + (_reserved_now(context) if reserved else 0) - min(UNRESERVED, limit)
    if reserved > free:
        yield fails(
            f"{reserved:,} reserved, but only {max(free, 0):,} of the account's {limit:,} can be",
            f"Set reserved_concurrency lower, to none, or ask for more: {QUOTA}.",
        )
    elif limit < UNRESERVED:
        yield warning(f"the account runs {limit:,} functions at once; other events wait", f"Ask for more: {QUOTA}.")
    else:
        yield ok(f"{limit:,} at once, {reserved:,} of them reserved" if reserved else f"{limit:,} at once")


def check_queues(context: Context) -> Iterator[Outcome]:
    """What is throttled between a queue and its function counts as an attempt, of which there are five."""
    mappings = context.plan.properties("AWS::Lambda::EventSourceMapping")
    most = sum(int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)) for mapping in mappings)
    if not most:
        return
    limit = context.clients("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if most > limit:
        yield warning(
            f"up to {most:,} uploads at once from the queues, but the account runs {limit:,} functions at once: what "
            "is throttled counts as an attempt",
            f"Set max_concurrency lower, or ask for more: {QUOTA}.",
        )
    else:
        yield ok(f"{most:,} uploads at once from the queues, of {limit:,}")


def check_provisioned(context: Context) -> Iterator[Outcome]:
    """What is provisioned must leave 100 of the account's concurrency, too, unless it is a part of what is reserved."""
    counts = {stack.name: counted for stack in context.plan.stacks if (counted := _provisioned(stack))[1]}
    if not counts:
        return
    functions = context.plan.properties("AWS::Lambda::Function")
    reserved = sum(int(properties.get("ReservedConcurrentExecutions", 0)) for properties in functions)
    limits = context.clients("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    now = _reserved_now(context) if reserved else 0
    free = max(unreserved + now - reserved - min(UNRESERVED, limit), 0)
    first, most = (sum(counted[index] for counted in counts.values()) for index in (0, 1))
    names = f"{', '.join(counts)}; that of other stacks is not counted"  # of it, GetAccountSettings tells nothing
    can_be = f"of the account's {limit:,} only {free:,} can be, as {UNRESERVED} must remain"
    if first > free:
        yield fails(
            f"{first:,} kept ready ({names}), but {can_be}",
            f"Deploy another variant, set provisioned_concurrency lower, or ask for more: {QUOTA}.",
        )
    elif most > free:
        yield warning(
            f"up to {most:,} kept ready ({names}), but {can_be}",
            f"Set max_provisioned_concurrency or provisioned_schedule lower, or ask for more: {QUOTA}.",
        )
    else:
        yield ok(f"{most:,} of {limit:,} at most ({names})")


def _provisioned(stack: Stack) -> tuple[int, int]:
    """How many environments a stack keeps ready when it is deployed, and at most; without those that are reserved."""
    resources = stack.template.get("Resources", {})
    aliases = [
        properties
        for properties in stack.properties("AWS::Lambda::Alias")
        if not _function_of(properties, resources).get("ReservedConcurrentExecutions")
    ]
    configs = [alias.get("ProvisionedConcurrencyConfig", {}) for alias in aliases]
    first = sum(int(config.get("ProvisionedConcurrentExecutions", 0)) for config in configs)
    if not first:
        return 0, 0
    most: dict[str, int] = {}
    for target in stack.properties("AWS::ApplicationAutoScaling::ScalableTarget"):
        if target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency":
            bounds = [target, *(action["ScalableTargetAction"] for action in target.get("ScheduledActions", []))]
            alias = json.dumps(target["ResourceId"])
            most[alias] = max(most.get(alias, 0), *(int(each.get("MaxCapacity", 0)) for each in bounds))
    return first, max(first, sum(most.values()))


def _function_of(alias: Mapping[str, Any], resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of an alias's function; empty where the template does not have it."""
    name = alias["FunctionName"]
    function: Mapping[str, Any] = resources.get(str(name.get("Ref")), {}) if isinstance(name, dict) else {}
    properties: Mapping[str, Any] = function.get("Properties", {})
    return properties


def _reserved_now(context: Context) -> int:
    """What the deployed functions of these stacks reserve, which the deployment replaces."""
    reserved = 0
    for stack in context.plan.stacks:
        function = context.deployed_outputs(stack.name).get("FunctionName")
        if function:
            try:
                answer = context.clients("lambda").get_function_concurrency(FunctionName=function)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                continue  # deleted by hand
            reserved += answer.get("ReservedConcurrentExecutions", 0)
    return reserved


CHECKS = (
    Check("Lambda memory", ("lambda:ListFunctions",), check_memory),
    Check(
        "Lambda concurrency",
        ("lambda:GetAccountSettings", "lambda:GetFunctionConcurrency", "cloudformation:DescribeStacks"),
        check_concurrency,
    ),
    Check("upload concurrency", ("lambda:GetAccountSettings",), check_queues),
    Check(
        "provisioned concurrency",
        ("lambda:GetAccountSettings", "lambda:GetFunctionConcurrency", "cloudformation:DescribeStacks"),
        check_provisioned,
    ),
)

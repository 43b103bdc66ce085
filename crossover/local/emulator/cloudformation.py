"""CloudFormation handles ministack's resource types as AWS does, and accepts a few that ministack lacks.

- A SnapStart version whose INIT fails fails the deployment; a custom resource cannot block it for an hour.
- A deleted or updated function finishes what it is doing, and leaves no process running.
- Functions keep their reserved concurrency, network and file systems, and are refused above the account's quotas.
- Buckets keep their tags, without which `auto_delete_objects` cannot empty them.
- Parts of networks and alarms of metric math are recorded only.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import custom_resource

from crossover.local.emulator.functions import is_snapshot
from crossover.local.emulator.ministack_internals import (
    RESOURCE_HANDLERS,
    Created,
    Properties,
    change_alarms,
    end_environments,
    function_version_config,
    on_change,
    on_function_update,
    physical_name,
    run_on_a_thread,
    set_bucket_tags,
    set_network,
    set_reserved_concurrency,
    unreserved_concurrency,
)

# A custom resource that does not respond blocks for an hour on AWS; the CDK's own take a second here.
CUSTOM_RESOURCE_SECONDS = 60
# Types that need nothing but a record here: there is no network that could be logged or guarded.
RECORDED = ("AWS::EC2::FlowLog", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress")


def install() -> None:
    """Change ministack's resource types, and add those that are recorded only."""
    _fail_like_aws()
    _end_processes_when_idle()
    _enforce_quotas()
    _keep_settings_of_functions()
    _keep_bucket_tags()
    _record()
    change_alarms(_without_metric_math)


def _fail_like_aws() -> None:
    """Let what fails on AWS fail here too, and quickly."""
    version = RESOURCE_HANDLERS["AWS::Lambda::Version"]
    create_version, invoke = version["create"], custom_resource.invoke_custom_resource

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = create_version(logical_id, properties, stack)
        config = function_version_config(physical_id)
        while is_snapshot(config) and config["State"] == "Pending":
            time.sleep(0.05)
        if config["State"] == "Failed":
            version["delete"](physical_id, properties)  # as the rollback does on AWS, which knows the version by then
            raise ValueError(f"INIT of the function failed: {config['StateReason']}")
        return physical_id, attributes

    def invoke_soon(request_type: str, logical_id: str, properties: Properties, *more: Any, **named: Any) -> Any:
        limited = {"ServiceTimeout": CUSTOM_RESOURCE_SECONDS, **properties}
        return invoke(request_type, logical_id, limited, *more, **named)

    version["create"] = create
    custom_resource.invoke_custom_resource = invoke_soon
    run_on_a_thread("AWS::Lambda::Version")


def _end_processes_when_idle() -> None:
    """Let the execution environments of a deleted or updated function finish what they are doing, and then end them.

    ministack would end them at once, and with them the invocations.
    """

    def ending(delete: Callable[..., Any]) -> Callable[[str, Properties], None]:
        def delete_and_end(physical_id: str, properties: Properties) -> None:
            # The physical id of a function is its name, that of a version an ARN that ends in name:version.
            end_environments(*physical_id.split(":")[-2:])
            delete(physical_id, properties)

        return delete_and_end

    for kind in ("Function", "Version"):
        handlers = RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
        handlers["delete"] = ending(handlers["delete"])
    on_function_update(lambda function: end_environments(function, "$LATEST"))


def _enforce_quotas() -> None:
    """Refuse functions that are above the quotas of the account, in AWS's words."""
    most_memory = int(os.environ.get("LAMBDA_MAX_MEMORY_MB", "10240"))
    limit = int(os.environ.get("LAMBDA_ACCOUNT_CONCURRENCY", "1000"))
    least = min(100, limit)  # stays for functions that reserve nothing

    def check(function: str | None, properties: Properties) -> None:
        if int(properties.get("MemorySize", 128)) > most_memory:
            bound = f"Member must have value less than or equal to {most_memory}"
            raise ValueError(
                f"'MemorySize' value failed to satisfy constraint: {bound} (Service: Lambda, Status Code: 400)"
            )
        reserved = int(properties.get("ReservedConcurrentExecutions", 0))
        if reserved and unreserved_concurrency(limit, except_of=function) - reserved < least:
            raise ValueError(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{least}]. (Service: Lambda, Status Code: 400)"
            )

    on_change("AWS::Lambda::Function", before=check)


def _keep_settings_of_functions() -> None:
    """Apply the properties of AWS::Lambda::Function that ministack ignores."""

    def keep(created: Created, properties: Properties) -> None:
        reserved = properties.get("ReservedConcurrentExecutions")
        set_reserved_concurrency(created[0], None if reserved is None else int(reserved))
        set_network(created[0], properties.get("VpcConfig"), properties.get("FileSystemConfigs"))

    on_change("AWS::Lambda::Function", after=keep)


def _keep_bucket_tags() -> None:
    """Store the tags of AWS::S3::Bucket: the CDK marks with one which buckets may be emptied."""

    def tag(created: Created, properties: Properties) -> None:
        set_bucket_tags(created[0], {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []})

    on_change("AWS::S3::Bucket", after=tag)


def _record() -> None:
    """Accept resources of the types that are recorded only."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        name = physical_name(stack, logical_id, max_len=100)
        return name, {"Id": name}

    for kind in RECORDED:
        RESOURCE_HANDLERS[kind] = {
            "create": create,
            "update": lambda physical_id, old, new, stack: (physical_id, {"Id": physical_id}),
            "delete": lambda physical_id, properties: None,
        }


def _without_metric_math(name: str, properties: Properties) -> Properties:
    """An alarm over an expression in a form that ministack accepts. It never has data: expressions are not computed."""
    if not properties.get("Metrics"):
        return properties
    return {**properties, "Metrics": None, "Namespace": "metric math", "MetricName": name}

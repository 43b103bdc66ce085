"""The private names of ministack that CloudFormation's resource types need, and the shapes they have.

ministack offers no public way to add a resource type or to change one. Its version is pinned in requirements.txt; this
package's tests deploy the resource types, so an upgrade that moves a name fails them. The names that functions.py and
events.py need, which replace how functions are invoked, are there.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import provisioners, stacks

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]  # a resource's physical id and its attributes

# By resource type: create(logical_id, properties, stack), update(physical_id, old, new, stack, ...),
# delete(physical_id, properties).
RESOURCE_HANDLERS: dict[str, dict[str, Callable[..., Any]]] = provisioners._RESOURCE_HANDLERS


def on_change(
    resource_type: str,
    *,
    before: Callable[[str | None, Properties], None] = lambda physical_id, properties: None,
    after: Callable[[Created, Properties], None] = lambda created, properties: None,
) -> None:
    """Call functions with the properties whenever a resource of this type is created or updated.

    Args:
        before: gets the physical id of what is updated, and None for what is created.
    """
    handlers = RESOURCE_HANDLERS[resource_type]
    create, update = handlers["create"], handlers["update"]

    def create_resource(logical_id: str, properties: Properties, *more: Any) -> Created:
        before(None, properties)
        created: Created = create(logical_id, properties, *more)
        after(created, properties)
        return created

    def update_resource(physical_id: str, old: Properties, new: Properties, *more: Any) -> Created:
        before(physical_id, new)
        updated: Created = update(physical_id, old, new, *more)
        after(updated, new)
        return updated

    handlers |= {"create": create_resource, "update": update_resource}


def physical_name(stack: str, logical_id: str, *, max_len: int) -> str:
    """The name of a resource that the template does not name."""
    name: str = provisioners._physical_name(stack, logical_id, max_len=max_len)
    return name


def run_on_a_thread(resource_type: str) -> None:
    """Keep the emulator responsive while a resource of this type is created."""
    blocking = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name == resource_type or blocking(name)


def send_back_failed_updates(resource_type: str) -> None:
    """Let a rollback update a resource of this type again if its own update has failed, as CloudFormation does."""
    sends_back = stacks._sends_back_failed_update
    stacks._sends_back_failed_update = lambda name: name == resource_type or sends_back(name)


def function_version_config(arn: str) -> Properties:
    """The configuration of a function's version, which changes while its INIT runs."""
    _, config, _ = lambda_svc._get_func_record_for_ref(arn)
    properties: Properties = config
    return properties


def set_reserved_concurrency(function: str, reserved: int | None) -> None:
    """Limit how many invocations of a function run at once; None lifts the limit."""
    lambda_svc._functions[function]["concurrency"] = reserved


def end_environments(function: str, version: str | None = None) -> None:
    """End the execution environments of a function, or of one of its versions, as soon as they are idle.

    They get no more invocations from now on.
    """
    with lambda_runtime._lock:
        names = {key: key.split(":")[-2:] for key in lambda_runtime._workers}  # account:region:function:version
        keys = [key for key, (name, of) in names.items() if name == function and version in (of, None)]
        environments = [environment for key in keys for environment in lambda_runtime._workers.pop(key)]
    end_when_idle(environments)


def end_when_idle(environments: list[Any]) -> None:
    """End execution environments that get no more invocations, each once it is idle."""

    def end() -> None:
        for environment in environments:
            while environment.in_use:
                time.sleep(0.05)
            lambda_runtime.kill_workers([environment])

    threading.Thread(target=end, daemon=True).start()


def on_function_update(before: Callable[[str], None]) -> None:
    """Call a function with the name of every function whose code or configuration is about to be updated."""

    def calling(update: Callable[[str, Properties], Any]) -> Callable[[str, Properties], Any]:
        def update_function(name: str, *request: Any) -> Any:
            before(name)
            return update(name, *request)

        return update_function

    lambda_svc._update_code = calling(lambda_svc._update_code)
    lambda_svc._update_config = calling(lambda_svc._update_config)


def after_change(change: Callable[..., Any], after: Callable[..., None]) -> Callable[..., Any]:
    """A function of ministack that calls `after` with its positional arguments once it has returned."""

    def change_and_follow(*arguments: Any, **named: Any) -> Any:
        result = change(*arguments, **named)
        after(*arguments)
        return result

    return change_and_follow


def unreserved_concurrency(limit: int, *, except_of: str | None) -> int:
    """What is left of the account's limit after what all functions but one reserve, or provision without reserving."""
    taken = 0
    for name, record in lambda_svc._functions.items():
        if name != except_of:
            configs = record["provisioned_concurrency"].values()
            provisioned = sum(config["RequestedProvisionedConcurrentExecutions"] for config in configs)
            taken += provisioned if record["concurrency"] is None else record["concurrency"]
    return limit - taken


def set_network(function: str, vpc: Properties | None, file_systems: list[Properties] | None) -> None:
    """Set the network and the file systems of a function's configuration."""
    config = lambda_svc._functions[function]["config"]
    config["VpcConfig"] = lambda_svc._vpc_config_with_id(vpc)
    config["FileSystemConfigs"] = file_systems or []


def set_bucket_tags(bucket: str, tags: dict[str, str]) -> None:
    """Set all tags of a bucket."""
    s3._bucket_tags[bucket] = tags


def change_alarms(change: Callable[[str, Properties], Properties]) -> None:
    """Change the properties of every AWS::CloudWatch::Alarm before it is recorded; `change` gets its name too."""
    record = provisioners._cw_metric_alarm_record
    provisioners._cw_metric_alarm_record = lambda name, properties: record(name, change(name, properties))

"""The private names of ministack that CloudFormation's resource types need, and the shapes they have.

ministack offers no public way to add a resource type or to change one. Its version is pinned in requirements.txt; this
package's tests deploy the resource types, so an upgrade that moves a name fails them. The names that functions.py and
events.py need, which replace how functions are invoked, are there.
"""

from collections.abc import Callable
from typing import Any

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
    before: Callable[[Properties], None] = lambda properties: None,
    after: Callable[[Created, Properties], None] = lambda created, properties: None,
) -> None:
    """Call functions with the properties whenever a resource of this type is created or updated."""
    handlers = RESOURCE_HANDLERS[resource_type]

    def calling(change: Callable[..., Created], properties_at: int) -> Callable[..., Created]:
        def change_resource(*arguments: Any, **named: Any) -> Created:
            properties = arguments[properties_at]
            before(properties)
            created = change(*arguments, **named)
            after(created, properties)
            return created

        return change_resource

    handlers["create"] = calling(handlers["create"], 1)
    handlers["update"] = calling(handlers["update"], 2)


def physical_name(stack: str, logical_id: str, *, max_len: int) -> str:
    """The name of a resource that the template does not name."""
    name: str = provisioners._physical_name(stack, logical_id, max_len=max_len)
    return name


def run_on_a_thread(resource_type: str) -> None:
    """Keep the emulator responsive while a resource of this type is created."""
    blocking = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name == resource_type or blocking(name)


def function_version_config(arn: str) -> Properties:
    """The configuration of a function's version, which changes while its INIT runs."""
    _, config, _ = lambda_svc._get_func_record_for_ref(arn)
    properties: Properties = config
    return properties


def set_reserved_concurrency(function: str, reserved: int | None) -> None:
    """Limit how many invocations of a function run at once; None lifts the limit."""
    lambda_svc._functions[function]["concurrency"] = reserved


def set_bucket_tags(bucket: str, tags: dict[str, str]) -> None:
    """Set all tags of a bucket."""
    s3._bucket_tags[bucket] = tags


def change_alarms(change: Callable[[str, Properties], Properties]) -> None:
    """Change the properties of every AWS::CloudWatch::Alarm before it is recorded; `change` gets its name too."""
    record = provisioners._cw_metric_alarm_record
    provisioners._cw_metric_alarm_record = lambda name, properties: record(name, change(name, properties))

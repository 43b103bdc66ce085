"""CloudFormation does with the resource types that ministack knows what AWS does.

- a SnapStart version whose INIT fails fails the deployment, as on AWS; a custom resource cannot hang it for an hour;
- a deleted function leaves no process behind;
- functions keep their reserved concurrency;
- buckets keep their tags, without which `auto_delete_objects` cannot empty them.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import custom_resource, provisioners, stacks

from crossover.local.emulator.functions import is_snapshot
from crossover.local.emulator.shapes import Created, Properties

# A custom resource that got no answer waits an hour on AWS; what the CDK's own do here takes a second.
CUSTOM_RESOURCE_SECONDS = 60


def fail_like_aws() -> None:
    """Let what fails on AWS fail here too, and soon."""
    version = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Version"]
    create_version, invoke = version["create"], custom_resource.invoke_custom_resource

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = create_version(logical_id, properties, stack)
        _, config, _ = lambda_svc._get_func_record_for_ref(physical_id)
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


def end_processes_of_what_is_deleted() -> None:
    """End the execution environments of a deleted function or version."""

    def ending(delete: Callable[[str, Properties], None]) -> Callable[[str, Properties], None]:
        def delete_and_end(physical_id: str, properties: Properties) -> None:
            delete(physical_id, properties)
            # The physical id of a function is its name, that of a version an ARN that ends in name:version.
            *_, name, version = [physical_id, None] if ":" not in physical_id else physical_id.split(":")
            lambda_runtime.invalidate_worker(name, qualifier=version)

        return delete_and_end

    for kind in ("Function", "Version"):
        handlers = provisioners._RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
        handlers["delete"] = ending(handlers["delete"])


def keep_reserved_concurrency() -> None:
    """Heed the ReservedConcurrentExecutions of AWS::Lambda::Function, which ministack leaves out."""
    function = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create_function, update_function = function["create"], function["update"]

    def reserving(created: Created, properties: Properties) -> Created:
        reserved = properties.get("ReservedConcurrentExecutions")
        lambda_svc._functions[created[0]]["concurrency"] = None if reserved is None else int(reserved)
        return created

    function["create"] = lambda logical_id, new, stack: reserving(create_function(logical_id, new, stack), new)
    function["update"] = lambda physical_id, old, new, stack, logical_id=None: reserving(
        update_function(physical_id, old, new, stack, logical_id), new
    )


def keep_bucket_tags() -> None:
    """Store the tags of AWS::S3::Bucket: the CDK marks with one which buckets may be emptied."""
    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create_bucket, update_bucket = bucket["create"], bucket["update"]

    def tagged(created: Created, properties: Properties) -> Created:
        s3._bucket_tags[created[0]] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
        return created

    bucket["create"] = lambda logical_id, new, stack: tagged(create_bucket(logical_id, new, stack), new)
    bucket["update"] = lambda physical_id, old, new, stack: tagged(update_bucket(physical_id, old, new, stack), new)


def run_on_a_thread(resource_type: str) -> None:
    """Keep the emulator answering while a resource of this type is created."""
    blocking = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name == resource_type or blocking(name)

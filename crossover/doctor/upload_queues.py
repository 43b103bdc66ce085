"""Queues of uploads that the deployment would delete, with what waits in them."""

from collections.abc import Iterator

from crossover.doctor.context import Context
from crossover.doctor.result import Check, Outcome, ok, warning

ATTRIBUTES = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def check_upload_queues(context: Context) -> Iterator[Outcome]:
    """A stack whose uploads wait in a queue, and would no longer."""
    for stack in context.plan.stacks:
        outputs = context.deployed_outputs(stack.name)
        if "UploadQueueUrl" not in outputs or "UploadQueueUrl" in stack.template.get("Outputs", {}):
            continue
        answer = context.clients("sqs").get_queue_attributes(
            QueueUrl=outputs["UploadQueueUrl"], AttributeNames=ATTRIBUTES
        )
        waiting = sum(int(answer["Attributes"][name]) for name in ATTRIBUTES)
        if waiting or outputs.get("Ingest") != "drain":
            yield warning(
                f"{stack.name} would lose its upload queue with what waits there, now about {waiting:,} uploads, and "
                "what S3 sends to it for some minutes more",
                "Deploy it with ingest=drain, and with ingest=direct once the queue is empty.",
            )
        else:
            yield ok(f"the upload queue of {stack.name} is empty")


CHECKS = (Check("upload queues", ("cloudformation:DescribeStacks", "sqs:GetQueueAttributes"), check_upload_queues),)

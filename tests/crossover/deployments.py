"""Deployed stacks and their dead letters, with AWS answered by moto."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from crossover.aws import Clients
from crossover.deployed import Variant

TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "object_key", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "object_key", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
    }
}


def create_stack(clients: Clients, stack: str, predictor: str, *, outputs: dict[str, str] | None = None) -> None:
    """A stack with a variant's outputs, or with others."""
    values: Mapping[str, Any] = {
        "InputBucketName": {"Ref": "Bucket"},
        "PredictionsTableName": {"Ref": "Table"},
        "DeadLetterQueueUrl": {"Ref": "Queue"},
        "FunctionName": f"{stack}-Function",
        "HandlerArn": f"arn:aws:lambda:eu-central-1:123456789012:function:{stack}-Function:live",
        "Predictor": predictor,
        **(outputs or {}),
    }
    template = {**TEMPLATE, "Outputs": {name: {"Value": value} for name, value in values.items()}}
    clients("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))


def failed_event(variant: Variant, *keys: str, age: timedelta = timedelta(0)) -> dict[str, Any]:
    """What S3 sends for uploads of these keys, as long ago as `age`."""
    event_time = (datetime.now(UTC) - age).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "eventTime": event_time,
                "s3": {
                    "bucket": {"name": variant.bucket},
                    "object": {"key": quote_plus(key, safe="/"), "sequencer": "617F08299329"},
                },
            }
            for key in keys
        ]
    }


def eventbridge_event(variant: Variant, key: str) -> dict[str, Any]:
    """What EventBridge sends for an upload of this key just now."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{variant.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": variant.bucket},
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617F08299329"},
            "reason": "PutObject",
        },
    }


def sns_message(event: Any) -> dict[str, Any]:
    """What SNS sends to a queue for an event that S3 has sent to a topic."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:uploads",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(event),
        "Timestamp": "2026-11-14T18:10:06.000Z",
    }


def letter_of(event: Any, *, error: str = "EndpointConnectionError", message: str = "Could not connect.") -> str:
    """Lambda's record of an event whose attempts have all failed."""
    record = {
        "version": "1.0",
        "timestamp": "2026-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-4a7a-8880-a18cdf61200e",
            "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:of-the-dead-letter:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": error, "errorMessage": message},
    }
    return json.dumps(record)


def put_dead_letter(clients: Clients, variant: Variant, body: str, **attributes: str) -> str:
    """Put a message into the variant's dead-letter queue; returns its id."""
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    answer = clients("sqs").send_message(QueueUrl=variant.dead_letter_queue, MessageBody=body, MessageAttributes=typed)
    message_id: str = answer["MessageId"]
    return message_id


def put_failure(clients: Clients, variant: Variant, *keys: str, **more: Any) -> str:
    """Put the dead letter of an event about these keys into the queue; returns its id."""
    return put_dead_letter(clients, variant, letter_of(failed_event(variant, *keys), **more))


def messages_in(clients: Clients, variant: Variant) -> tuple[int, int]:
    """How many messages of the dead-letter queue can be seen, and how many are hidden."""
    attributes = clients("sqs").get_queue_attributes(
        QueueUrl=variant.dead_letter_queue,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])

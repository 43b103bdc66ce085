"""S3's event notifications as S3 sends them.

Structure: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
from typing import Any
from urllib.parse import quote_plus

BUCKET = "uploads"


def record(
    key: str, *, size: int = 1024, sequencer: str = "0055AED6DCD90281E5", **object_fields: Any
) -> dict[str, Any]:
    """One record of S3's notification, with the key encoded the way S3 encodes it."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": "2026-11-20T09:30:00.123Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.3"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads-to-function",
            "bucket": {
                "name": BUCKET,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{BUCKET}",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": size,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": sequencer,
                **object_fields,
            },
        },
    }


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def through_sqs(*events: Any) -> dict[str, Any]:
    """Each event in a message of its own, m0, m1, ...: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    bodies = [each if isinstance(each, str) else json.dumps(each) for each in events]
    return {
        "Records": [
            {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": body} for number, body in enumerate(bodies)
        ]
    }


def batch_task(key: str, **fields: Any) -> dict[str, Any]:
    """What a job of S3 Batch Operations sends for one object, in schema 1.0."""
    task = {"taskId": "t0", "s3Key": quote_plus(key, safe="/"), "s3VersionId": None}
    return {
        "invocationSchemaVersion": "1.0",
        "invocationId": "i",
        "job": {"id": "j"},
        "tasks": [{**task, "s3BucketArn": f"arn:aws:s3:::{BUCKET}", **fields}],
    }

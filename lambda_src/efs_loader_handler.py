"""Copies a model from S3 to EFS, or removes one; runs in the file system's VPC, called by efs_provider_handler.py.

A model's file is complete once it has its name: it is written as `.onnx.tmp`, checked and renamed.
"""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CHUNK_BYTES = 8 * 1024**2
DENIED_SECONDS = 60
"""How long reading is tried while it is denied: a deployment calls seconds after it has written the permissions."""

s3 = boto3.client("s3", config=Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard"}))


class LoadingError(Exception):
    """The model cannot be copied; the message is one sentence for the person who deploys."""


def handler(event: dict[str, str], context: object) -> None:
    """Copy the object `bucket`, `key` to the file `name`, or remove that file where there is no key."""
    path = Path(os.environ["MODEL_FOLDER"], event["name"])
    if "key" in event:
        load(path, bucket=event["bucket"], key=event["key"], sha256=event["sha256"])
    else:
        path.unlink(missing_ok=True)
        temporary(path).unlink(missing_ok=True)


def load(path: Path, *, bucket: str, key: str, sha256: str) -> None:
    """Copy a model, unless it is there already.

    Raises:
        LoadingError: the object is not the model, or cannot be read.
        OSError: the file cannot be written.
    """
    if path.is_file() and _sha256_of(path) == sha256:
        return
    digest = hashlib.sha256()
    with temporary(path).open("wb") as file:
        for chunk in _chunks(bucket, key):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())  # the file system has it all before anybody finds it under its name
    if digest.hexdigest() != sha256:
        temporary(path).unlink()
        raise LoadingError(
            f"The model s3://{bucket}/{key} has the SHA-256 {digest.hexdigest()}, but the one to deploy has {sha256}."
        )
    temporary(path).chmod(0o644)  # it is read as another user
    temporary(path).rename(path)


def temporary(path: Path) -> Path:
    """The name of a model's file while it is written."""
    return path.with_name(f"{path.name}.tmp")


def _chunks(bucket: str, key: str) -> Any:
    """An object's bytes, never more than CHUNK_BYTES of them in memory."""
    deadline = time.monotonic() + DENIED_SECONDS
    while True:
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            return body.iter_chunks(CHUNK_BYTES)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != "AccessDenied" or time.monotonic() > deadline:
                raise LoadingError(f"The model s3://{bucket}/{key} cannot be read: {code}.") from error
        time.sleep(1)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

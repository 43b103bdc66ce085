"""Predict in this process: download the object, decode it, run the model."""

import contextlib
import hashlib
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import content
from .input_error import InputError
from .kinds import ResultFile
from .limits import Limits
from .model import Model
from .prediction import Prediction, ReadObject, ResultNotStoredError
from .s3_events import S3Object

RESULTS_PREFIX = "results/"


class LocalPredictor:
    """The model in this process; used by the Lambda variants and, inside the container, by the SageMaker variant.

    Args:
        s3: a botocore S3 client.
        model: the loaded model.
        limits: the maximum size of an input, of the model's kind.
        results_bucket: where results go that do not fit an item; empty for none.
    """

    def __init__(self, *, s3: Any, model: Model, limits: Limits, results_bucket: str = "") -> None:
        self.s3 = s3
        self.model = model
        self.limits = limits
        self.results_bucket = results_bucket

    def predict(self, s3_object: S3Object) -> Prediction:
        """Predict for an object in S3.

        Raises:
            InputError: the object can never give a prediction; it tells what S3 said of it, unless S3 did not give it.
            botocore.exceptions.BotoCoreError, ClientError, ResultNotStoredError: S3 did not answer, or not completely;
                a later attempt may succeed.
        """
        started = time.perf_counter()
        response = self._open(s3_object)
        read = _read_object(response)
        try:
            data = self._read(response)
            return self._predict(data, read, (time.perf_counter() - started) * 1000)
        except InputError as error:
            error.read, error.model_sha256 = read, self.model.sha256
            raise

    def predict_bytes(self, data: bytes) -> Prediction:
        """Predict for a file that is in memory.

        Raises:
            InputError: the bytes can never give a prediction.
        """
        self.limits.check_size(len(data))
        return self._predict(data, {"etag": ""}, 0.0)

    def prime(self) -> Prediction:
        """Decode and predict the kind's own samples, so that no request has to wait for the first run.

        Returns:
            The prediction for the last sample.

        Raises:
            Exception: predictions cannot be made.
        """
        kind = self.model.contract.input
        usual = kind.limits()  # the settings may allow less than a sample has
        *others, last = kind.samples()
        for data in others:
            kind.decode(data, usual)
        return self._predict(last, {"etag": ""}, 0.0, limits=usual, store=False)

    def _predict(
        self, data: bytes, read: ReadObject, download_ms: float, *, limits: Limits | None = None, store: bool = True
    ) -> Prediction:
        started = time.perf_counter()
        decoded = self.model.contract.input.decode(data, limits or self.limits)
        ready = time.perf_counter()
        outcome = self.model.predict(decoded)
        finished = time.perf_counter()
        values, timings = {**outcome.values, **decoded.facts}, {}
        if outcome.file and store:
            values["result_uri"] = self._store(outcome.file, data)
            timings["store_result"] = round((time.perf_counter() - finished) * 1000, 3)
        return Prediction(
            values=values,
            model_sha256=self.model.sha256,
            read=read,
            timings_ms={
                "download": round(download_ms, 3),
                "decode": round((ready - started) * 1000, 3),
                "inference": round((finished - ready) * 1000, 3),
                **timings,
            },
        )

    def _store(self, file: ResultFile, data: bytes) -> str:
        """Write what does not fit the item, under a name that its input and its model make.

        So a retry writes the same again, and the event of a newer upload of the key something else.
        """
        if not self.results_bucket:
            raise InputError(
                "NO_RESULTS_BUCKET",
                f"The result {file.reason}, so it needs a file of {len(file.content):,} bytes, but there is no bucket "
                "for it: RESULTS_BUCKET is not set.",
            )
        key = f"{RESULTS_PREFIX}{hashlib.sha256(data).hexdigest()[:32]}-{self.model.sha256[:16]}{file.suffix}"
        try:
            self.s3.put_object(Bucket=self.results_bucket, Key=key, Body=file.content, ContentType=file.media_type)
        except (BotoCoreError, ClientError) as error:
            raise ResultNotStoredError(f"The result could not be stored in {self.results_bucket}: {error}") from error
        return f"s3://{self.results_bucket}/{key}"

    def _open(self, s3_object: S3Object) -> Any:
        """S3's answer, whose body is still to be read."""
        version = {"VersionId": s3_object.version_id} if s3_object.version_id else {}
        try:
            return self.s3.get_object(Bucket=s3_object.bucket, Key=s3_object.key, **version)
        except ClientError as error:
            # S3 is strongly consistent: an object that it does not find was deleted and will not reappear.
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "NoSuchVersion"):
                raise InputError(
                    "OBJECT_NOT_FOUND", f"The object {s3_object.key!r} was deleted before it could be read."
                ) from error
            if code == "InvalidObjectState":
                storage = error.response["Error"].get("StorageClass", "an archive")
                raise InputError(
                    "OBJECT_ARCHIVED", f"The object is archived in {storage}; restore it and copy it to its own key."
                ) from error
            raise

    def _read(self, response: Any) -> bytes:
        # Not `with response["Body"]`: that yields urllib3's stream, without botocore's errors and checksum validation.
        with contextlib.closing(response["Body"]) as body:
            self.limits.check_size(response["ContentLength"])
            data = body.read()
        return content.decoded(data, response.get("ContentEncoding", ""), self.limits)


def _read_object(response: Any) -> ReadObject:
    """What GetObject's answer says of the object."""
    read: ReadObject = {"etag": response["ETag"].strip('"'), "size_bytes": response["ContentLength"]}
    if "VersionId" in response:
        read["version_id"] = response["VersionId"]
    if "LastModified" in response:
        utc = response["LastModified"].replace(tzinfo=None)
        read["uploaded_at"] = f"{utc.isoformat(timespec='milliseconds')}Z"  # as in S3's events
    return read

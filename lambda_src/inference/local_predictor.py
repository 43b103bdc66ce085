"""Predict in this process: download the object, decode it, run the model."""

import contextlib
import io
import time
from typing import Any

import numpy as np
import soundfile
from botocore.exceptions import ClientError

from inference import audio, content
from inference.input_error import InputError
from inference.limits import Limits
from inference.model import Model
from inference.prediction import Prediction, top_labels
from inference.s3_events import S3Object


class LocalPredictor:
    """The model in this process; used by the Lambda variants and, inside the container, by the SageMaker variant.

    Args:
        s3: a botocore S3 client.
        model: the loaded model.
        limits: the maximum size of an input.
    """

    def __init__(self, *, s3: Any, model: Model, limits: Limits) -> None:
        self.s3 = s3
        self.model = model
        self.limits = limits

    def predict(self, s3_object: S3Object) -> Prediction:
        """Predict for an object in S3.

        Raises:
            InputError: the object can never give a prediction.
            botocore.exceptions.BotoCoreError, ClientError: S3 did not answer, or not completely; a later attempt may
                succeed.
        """
        started = time.perf_counter()
        data, etag = self._download(s3_object)
        return self._predict(data, etag, (time.perf_counter() - started) * 1000)

    def predict_bytes(self, data: bytes) -> Prediction:
        """Predict for a file that is in memory.

        Raises:
            InputError: the bytes can never give a prediction.
        """
        self.limits.check_size(len(data))
        return self._predict(data, "", 0.0)

    def prime(self) -> None:
        """Decode, resample and predict a second of faint noise, so that no request has to wait for the first run.

        Not silence, whose logarithm or level some models divide by.

        Raises:
            Exception: predictions cannot be made.
        """
        noise = 1e-3 * np.sin(np.arange(96_000, dtype=np.float32) ** 2).reshape(-1, 2)
        ogg, flac = io.BytesIO(), io.BytesIO()
        soundfile.write(ogg, noise, 48_000, format="OGG")
        soundfile.write(flac, noise, 48_000, format="FLAC")
        audio.decode(ogg.getvalue(), self.model.sample_rate, self.limits)  # by the other library
        self.predict_bytes(flac.getvalue())

    def _predict(self, data: bytes, etag: str, download_ms: float) -> Prediction:
        started = time.perf_counter()
        waveform = audio.decode(data, self.model.sample_rate, self.limits)
        decoded = time.perf_counter()
        scores = self.model.scores(waveform)
        finished = time.perf_counter()
        return Prediction(
            top_labels=top_labels(self.model.labels, scores.tolist()),
            audio_seconds=round(len(waveform) / self.model.sample_rate, 3),
            model_sha256=self.model.sha256,
            etag=etag,
            timings_ms={
                "download": round(download_ms, 3),
                "decode": round((decoded - started) * 1000, 3),
                "inference": round((finished - decoded) * 1000, 3),
            },
        )

    def _download(self, s3_object: S3Object) -> tuple[bytes, str]:
        version = {"VersionId": s3_object.version_id} if s3_object.version_id else {}
        try:
            response = self.s3.get_object(Bucket=s3_object.bucket, Key=s3_object.key, **version)
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
        # Not `with response["Body"]`: that yields urllib3's stream, without botocore's errors and checksum validation.
        with contextlib.closing(response["Body"]) as body:
            self.limits.check_size(response["ContentLength"])
            data = body.read()
        encoding = response.get("ContentEncoding", "")
        return content.decoded(data, encoding, self.limits), response["ETag"].strip('"')

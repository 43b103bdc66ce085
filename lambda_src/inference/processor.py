"""One S3 event: every object in it becomes one item, or the event fails and is retried."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from inference import s3_events
from inference.environment import Environment
from inference.errors import InputError
from inference.prediction import Prediction
from inference.s3_events import S3Object
from inference.store import PredictionStore


class Predictor(Protocol):
    """Where the model runs."""

    def predict(self, s3_object: S3Object) -> Prediction: ...


PredictorT = TypeVar("PredictorT", bound=Predictor)


class Processor(Generic[PredictorT]):
    """Takes S3 events and leaves items: what every handler does.

    Args:
        environment: the handler's settings.
        predictor: in this process or behind an endpoint.
        store: the predictions table.

    Attributes:
        cold_start: True until the first event; a restored snapshot sets it again.
    """

    def __init__(self, *, environment: Environment, predictor: PredictorT, store: PredictionStore) -> None:
        self.environment = environment
        self.predictor = predictor
        self.store = store
        self.cold_start = True

    def process(self, event: Mapping[str, Any], request_id: str) -> None:
        """Turn every object of an S3 event into an item.

        An object that fails for now does not hold up the others: all are tried, then the first failure is raised, so
        that Lambda retries the event. Objects that were done are not written again.

        Raises:
            s3_events.InvalidEventError: what arrived is no S3 event.
            Exception: whatever may succeed later, as the predictor or the store raised it.
        """
        cold_start, self.cold_start = self.cold_start, False
        base = {"request_id": request_id, "predictor": self.environment.predictor, "cold_start": cold_start}
        failures = []
        for s3_object in s3_events.parse(event):
            started = time.perf_counter()
            try:
                item = {**base, **self._result(s3_object, started)}
                _log("prediction", item, stored=self.store.put(item))
            except Exception as error:
                _log("failure", {**base, "object_key": s3_object.key}, error=f"{type(error).__name__}: {error}")
                failures.append(error)
        if failures:
            raise failures[0]

    def _result(self, s3_object: S3Object, started: float) -> dict[str, Any]:
        timings: dict[str, float] = {}
        try:
            if s3_object.size_bytes is not None:
                self.environment.limits.check_size(s3_object.size_bytes)
            prediction = self.predictor.predict(s3_object)
            timings.update(prediction.timings_ms)
            outcome = {
                "status": "SUCCEEDED",
                "label": prediction.label,
                "score": prediction.score,
                "top_labels": [label._asdict() for label in prediction.top_labels],
                "audio_seconds": prediction.audio_seconds,
                "model_sha256": prediction.model_sha256,
                "etag": prediction.etag or s3_object.etag,
            }
        except InputError as error:
            outcome = {
                "status": "FAILED",
                "error_code": error.code,
                "error_message": error.message,
                "etag": s3_object.etag,
            }
        completed = datetime.now(UTC)
        lifetime = self.environment.item_lifetime_days
        return {
            "object_key": s3_object.key,
            "bucket": s3_object.bucket,
            "version_id": s3_object.version_id,
            "sequencer": s3_object.sequencer,
            "size_bytes": s3_object.size_bytes,
            **outcome,
            "timings_ms": {**timings, "total": round((time.perf_counter() - started) * 1000, 3)},
            "uploaded_at": s3_object.uploaded_at,
            "completed_at": completed.isoformat(timespec="milliseconds"),
            "expires_at": int((completed + timedelta(days=lifetime)).timestamp()) if lifetime else None,
        }


def _log(event: str, item: Mapping[str, Any], **more: Any) -> None:
    """One line of JSON for each file, never its content."""
    print(json.dumps({"event": event, **item, **more}, ensure_ascii=False), flush=True)

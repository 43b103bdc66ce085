"""One S3 event: every object in it becomes an item, or the event or its part fails and is retried."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from . import answers, metrics, s3_events
from .answers import Outcome
from .environment import Environment
from .failures import cause_of, describe, for_the_runtime
from .input_error import InputError
from .prediction import Prediction
from .s3_events import InvalidEventError, Part, PassedOver, S3Object
from .store import PredictionStore

MAX_LOGGED_CHARACTERS = 4_000
"""Of one value of the item: logs are billed by their size, and a result may have 300 KB."""
CLOCK_TOLERANCE = timedelta(seconds=2)
"""By which the clocks of S3 and of execution environments may differ."""


class Predictor(Protocol):
    """Where the model runs."""

    def predict(self, s3_object: S3Object) -> Prediction: ...

    def prime(self) -> object: ...


PredictorT = TypeVar("PredictorT", bound=Predictor)


class Processor(Generic[PredictorT]):
    """Turns S3 events into items: what every handler does.

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

    def process(self, event: Any, request_id: str) -> dict[str, Any] | None:
        """Turn every object of an S3 event into an item, or answer a health check.

        A malformed record, or an object that fails for now, does not stop the others: all are tried. Items that exist
        already are not written again.

        Returns:
            None to an asynchronous event; to messages of SQS which of them failed, to tasks of S3 Batch Operations
            what became of each: the answers of answers.py.

        Raises:
            s3_events.InvalidEventError: this is not an S3 event, or one of its records is malformed.
            failures.RedactedError: replaces one of the next kind whose message might contain a credential.
            Exception: what may succeed later, as the predictor or the store raised it; the event must be retried.
        """
        base = {"request_id": request_id, "predictor": self.environment.predictor}
        if s3_events.is_health_check(event):
            failure = self._answer_health_check(base)
            if failure:
                raise for_the_runtime(failure) from None
            return None
        outcomes = []
        for part in _parts(event):
            outcomes.append((part, [self._process_one(entry, base) for entry in part.entries]))
        return answers.answer(event, outcomes)

    def check_health(self) -> None:
        """Predict a sample, and send a conditional write that never writes.

        Raises:
            Exception: events cannot be turned into items at the moment.
        """
        self.predictor.prime()
        self.store.check()

    def _answer_health_check(self, base: Mapping[str, Any]) -> Exception | None:
        try:
            self.check_health()
        except Exception as error:
            _log("health_check", base, healthy=False, cause=cause_of(error), error=describe(error))
            return error
        _log("health_check", base, healthy=True)
        return None

    def _process_one(self, entry: s3_events.Entry, base: Mapping[str, Any]) -> Outcome:
        """Turn one object into an item and log one line."""
        started = time.perf_counter()
        # Only an event's first record is marked, so that counting the marks gives the number of cold starts.
        base = {**base, "cold_start": self.cold_start}
        self.cold_start = False
        if isinstance(entry, InvalidEventError):
            return self._failed(entry, base, started)
        if isinstance(entry, PassedOver):
            _log("passed_over", {**base, "object_key": entry.key, "bucket": entry.bucket}, reason=entry.reason)
            return Outcome(text=f"PASSED_OVER: {entry.reason}")
        try:
            item = {**base, **self._result(entry, started)}
            stored = self.store.put(item, newest_at=_newest_at(entry, item))
        except Exception as error:
            return self._failed(error, {**base, "object_key": entry.key, "bucket": entry.bucket}, started)
        succeeded = item["status"] == "SUCCEEDED"
        values = self._metrics("Succeeded" if succeeded else "Refused", started, item)
        if self.environment.log_level == "info" or not succeeded:
            _log("prediction", _without_large(item), stored=stored, **values)
        elif values:
            _log("metrics", values)
        text = "SUCCEEDED" if succeeded else f"FAILED {item['error_code']}: {item['error_message']}"
        return Outcome(text=text, kept="" if stored else _why_not_stored(item))

    def _failed(self, error: Exception, record: Mapping[str, Any], started: float) -> Outcome:
        """Log one line."""
        timings = {"total": _milliseconds_since(started)}
        why = {"cause": cause_of(error), "error": describe(error)}
        _log("failure", {**record, "timings_ms": timings}, **why, **self._metrics("Failed", started, record))
        return Outcome(failure=error)

    def _metrics(self, outcome: str, started: float, item: Mapping[str, Any]) -> dict[str, Any]:
        stack = self.environment.metrics_stack
        if not stack:
            return {}
        inference = item.get("timings_ms", {}).get("inference")
        return metrics.embed(
            stack,
            {
                "Duration": _milliseconds_since(started),
                **({} if inference is None else {"Inference": inference}),
                "ColdStart": int(item["cold_start"]),
                **{"Succeeded": 0, "Refused": 0, "Failed": 0} | {outcome: 1},
            },
        )

    def _result(self, s3_object: S3Object, started: float) -> dict[str, Any]:
        timings: dict[str, float] = {}
        try:
            if s3_object.size_bytes is not None:
                self.environment.limits.check_size(s3_object.size_bytes)
            prediction = self.predictor.predict(s3_object)
            timings.update(prediction.timings_ms)
            read: Mapping[str, Any] = prediction.read
            outcome: dict[str, Any] = {
                **prediction.values,
                "status": "SUCCEEDED",
                "model_sha256": prediction.model_sha256,
            }
        except InputError as error:
            read = error.read
            outcome = {
                "status": "FAILED",
                "error_code": error.code,
                "error_message": error.message,
                "model_sha256": error.model_sha256 or None,
            }
        completed = datetime.now(UTC)
        lifetime = self.environment.item_lifetime_days
        return {
            **outcome,
            "object_key": s3_object.key,
            "bucket": s3_object.bucket,
            "sequencer": s3_object.sequencer,
            **_upload(s3_object, read),
            "timings_ms": {**timings, "total": _milliseconds_since(started)},
            "completed_at": completed.isoformat(timespec="milliseconds"),
            "expires_at": int((completed + timedelta(days=lifetime)).timestamp()) if lifetime else None,
        }


def answer_unready(event: Any, request_id: str, error: Exception) -> dict[str, Any] | None:
    """What a handler answers whose processor could not be started, so that nothing of the event was tried.

    Raises:
        failures.RedactedError: replaces the next kind where its message might contain a credential.
        Exception: `error`, unless S3 Batch Operations has sent the event.
    """
    _log("failure", {"request_id": request_id}, cause=cause_of(error), error=describe(error))
    return answers.answer(event, [(part, [Outcome(failure=error)]) for part in _parts(event)])


def _parts(event: Any) -> list[Part]:
    try:
        return s3_events.parts(event)
    except InvalidEventError as error:
        return [Part(entries=[error])]


def _upload(s3_object: S3Object, read: Mapping[str, Any]) -> dict[str, Any]:
    """Which upload the result is about: as the event says, which tells the time more exactly, and then as S3 said.

    The other way round where the event's object was replaced before it was read.
    """
    names = ("etag", "version_id", "size_bytes", "uploaded_at")
    sent = {name: value for name in names if (value := getattr(s3_object, name)) not in (None, "")}
    was_replaced = s3_object.etag and (read.get("etag") or s3_object.etag) != s3_object.etag
    return {**dict.fromkeys(names), "etag": "", **({**sent, **read} if was_replaced else {**read, **sent})}


def _newest_at(s3_object: S3Object, item: Mapping[str, Any]) -> str:
    """When the object that a task has read was the newest upload of its key, as PredictionStore.put takes it.

    What is read without a version is the newest, as S3 is strongly consistent; a version was, when it was stored.
    """
    if s3_object.sequencer or not item["etag"]:
        return ""
    if not s3_object.version_id:
        moment = datetime.fromisoformat(item["completed_at"]) - timedelta(milliseconds=item["timings_ms"]["total"])
    elif item["uploaded_at"]:
        moment = datetime.fromisoformat(item["uploaded_at"])
    else:
        return ""
    return (moment - CLOCK_TOLERANCE).isoformat(timespec="milliseconds")


def _why_not_stored(item: Mapping[str, Any]) -> str:
    """Without an etag it cannot be said whether the item in the table is about the same bytes."""
    if item["sequencer"] or item["etag"]:
        return "not stored: the table has a newer result"
    return "not stored: the table keeps the result of an upload"


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _without_large(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item without large results."""
    return {
        name: value
        for name, value in item.items()
        if not isinstance(value, list | dict) or len(json.dumps(value)) <= MAX_LOGGED_CHARACTERS
    }


def _log(event: str, item: Mapping[str, Any], **more: Any) -> None:
    """One line of JSON for each file, never its content. In ASCII, so that it is one line for any key."""
    print(json.dumps({"event": event, **item, **more}), flush=True)

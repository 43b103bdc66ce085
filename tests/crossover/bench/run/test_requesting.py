"""One request, with AWS answered by moto; what a handler would do happens while the request sleeps."""

from collections.abc import Callable
from typing import Any

import pytest

from crossover.aws import Clients
from crossover.bench.run.context import Clock, Control
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.requesting import Requester
from crossover.deployed import Variant
from tests.crossover.deployments import put_failure

from .fakes import FILES, WALL, FakeTime, client_error
from .test_plan import plan

PREFIX = "bench-abc/"
LOAD = plan(3, cold=1).load


class Pipeline:
    """What becomes of an upload, at so many sleeps after it.

    Attributes:
        keys: of the objects that were uploaded.
    """

    def __init__(self, clients: Clients, variant: Variant) -> None:
        self.clients = clients
        self.variant = variant
        self.time = FakeTime()
        self.control = Control()
        self.after: dict[int, Callable[[str], None]] = {}

    @property
    def keys(self) -> list[str]:
        listed = self.clients("s3").list_objects_v2(Bucket=self.variant.bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        action = self.after.get(len(self.time.slept))
        if action:
            action(self.keys[-1])

    def requester(self, clients: Clients | None = None, *, segment: int = 0, timeout: float = 60) -> Requester:
        clock = Clock(wall=self.time.clock.wall, monotonic=self.time.clock.monotonic, sleep=self.sleep)
        return Requester(
            clients or self.clients,
            FILES,
            prefix=PREFIX,
            segment=segment,
            clock=clock,
            control=self.control,
            timeout_seconds=timeout,
        )

    def put_item(self, key: str, **more: Any) -> None:
        item = {
            "object_key": {"S": key},
            "sequencer": {"S": "01"},
            "status": {"S": "SUCCEEDED"},
            "request_id": {"S": "r0"},
            "cold_start": {"BOOL": True},
            "timings_ms": {"M": {"total": {"N": "70.5"}}},
            "uploaded_at": {"S": "2026-09-21T14:13:20.000Z"},
            "completed_at": {"S": "2026-09-21T14:13:20.250+00:00"},
            "label": {"S": "Speech"},
            **more,
        }
        self.clients("dynamodb").put_item(TableName=self.variant.table, Item=item)


@pytest.fixture
def pipeline(clients: Clients, variant: Variant) -> Pipeline:
    return Pipeline(clients, variant)


def perform(pipeline: Pipeline, requester: Requester, number: int = 0, intended: float = 0.0) -> Observation:
    observation = requester.perform(pipeline.variant, LOAD[number], intended)
    assert observation is not None
    return observation


def test_a_request_becomes_its_item(pipeline: Pipeline) -> None:
    pipeline.after[2] = pipeline.put_item
    requester = pipeline.requester()
    pipeline.time.now += 5
    seen = perform(pipeline, requester, number=1, intended=4.5)
    file = FILES[LOAD[1].file]
    assert pipeline.keys == [f"{PREFIX}0-load-000001-{file.name}"]
    body = pipeline.clients("s3").get_object(Bucket=pipeline.variant.bucket, Key=pipeline.keys[0])["Body"].read()
    assert body == file.content
    assert (seen.outcome, seen.error, seen.request_id, seen.is_cold) == (Outcome.SUCCEEDED, "", "r0", True)
    assert (seen.intended_s, seen.sent_s, seen.uploaded_s) == (4.5, 5.0, 5.0)
    assert "label" not in seen.item  # what the model said is no measurement


def test_latency_counts_from_the_intended_sending_by_differences_of_one_clock_each(pipeline: Pipeline) -> None:
    pipeline.after[1] = pipeline.put_item
    requester = pipeline.requester()
    pipeline.time.now += 5
    seen = perform(pipeline, requester, intended=4.5)
    assert seen.upload_ms == pytest.approx(500)  # it was sent late
    assert seen.item_ms == 250
    assert seen.latency_ms == pytest.approx(750)


def test_a_file_that_was_refused_is_counted_with_its_reason(pipeline: Pipeline) -> None:
    why = {"status": {"S": "FAILED"}, "error_code": {"S": "CORRUPT_AUDIO"}, "error_message": {"S": "It is cut off."}}
    pipeline.after[1] = lambda key: pipeline.put_item(key, **why)
    seen = perform(pipeline, pipeline.requester())
    assert (seen.outcome, seen.error) == (Outcome.REFUSED, "CORRUPT_AUDIO: It is cut off.")


def test_a_dead_letter_ends_the_wait_with_its_reason_and_request(pipeline: Pipeline) -> None:
    def fail(key: str) -> None:
        put_failure(pipeline.clients, pipeline.variant, key)

    pipeline.after[3] = fail
    seen = perform(pipeline, pipeline.requester(timeout=1000))
    assert seen.outcome is Outcome.DEAD_LETTER
    assert seen.error == "EndpointConnectionError: Could not connect."
    assert seen.request_id == "e4b46cbf-b738-4a7a-8880-a18cdf61200e"
    assert pipeline.time.now < 1000 + 40


def test_an_upload_without_an_item_times_out(pipeline: Pipeline) -> None:
    seen = perform(pipeline, pipeline.requester(timeout=30))
    assert (seen.outcome, seen.error) == (Outcome.NO_ITEM, "There was no item after 30 s.")
    assert 1030 <= pipeline.time.now < 1031


class Counting:
    """A queue that counts how often it is searched for dead letters."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        self.looks += name == "receive_message"
        return getattr(self._real, name)


def test_the_queue_is_read_periodically_and_at_the_end(pipeline: Pipeline) -> None:
    queue = Counting(pipeline.clients("sqs"))
    requester = pipeline.requester(lambda name: queue if name == "sqs" else pipeline.clients(name), timeout=40)
    perform(pipeline, requester)
    assert queue.looks == 3  # after 15, 30 and 40 s


class Broken:
    """A service whose one operation fails, and otherwise the real one."""

    def __init__(self, real: Any, operation: str, times: int) -> None:
        self._real, self._operation, self._times = real, operation, times

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._times:
            self._times -= 1

            def fail(**_: Any) -> None:
                raise client_error("SlowDown", name)

            return fail
        return getattr(self._real, name)


def breaking(clients: Clients, service: str, operation: str, times: int) -> Clients:
    broken = Broken(clients(service), operation, times)
    return lambda name: broken if name == service else clients(name)


def test_an_upload_that_s3_refuses_is_counted(pipeline: Pipeline) -> None:
    seen = perform(pipeline, pipeline.requester(breaking(pipeline.clients, "s3", "put_object", 1)))
    assert (seen.outcome, seen.uploaded_s, seen.item) == (Outcome.NOT_UPLOADED, None, {})
    assert seen.error.startswith("ClientError: ")
    assert "SlowDown" in seen.error


def test_a_failed_read_of_the_table_is_retried(pipeline: Pipeline) -> None:
    pipeline.after[1] = pipeline.put_item
    seen = perform(pipeline, pipeline.requester(breaking(pipeline.clients, "dynamodb", "get_item", 1)))
    assert seen.outcome is Outcome.SUCCEEDED


def test_an_abandoned_request_is_not_an_observation(pipeline: Pipeline) -> None:
    pipeline.after[2] = lambda key: pipeline.control.abandoned.set()
    assert pipeline.requester().perform(pipeline.variant, LOAD[0], 0.0) is None


def test_a_resumed_benchmark_ignores_old_items(pipeline: Pipeline) -> None:
    pipeline.after[1] = lambda key: pipeline.put_item(key, request_id={"S": "old"})
    assert perform(pipeline, pipeline.requester()).request_id == "old"
    pipeline.after[3] = lambda key: pipeline.put_item(key, request_id={"S": "new"})
    resumed = perform(pipeline, pipeline.requester(segment=1))
    assert (resumed.request_id, resumed.segment) == ("new", 1)


class Dated:
    """An S3 whose answers have a Date, after so many attempts."""

    def __init__(self, real: Any, retries: int) -> None:
        self._real, self._retries = real, retries

    def put_object(self, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._real.put_object(**asked)
        headers = {**answer["ResponseMetadata"]["HTTPHeaders"], "date": "Mon, 21 Sep 2026 14:13:21 GMT"}
        metadata = {**answer["ResponseMetadata"], "HTTPHeaders": headers, "RetryAttempts": self._retries}
        return {**answer, "ResponseMetadata": metadata}


@pytest.mark.parametrize(("retries", "answers"), [(0, [(WALL, WALL, 1_790_000_001.0)]), (1, [])])
def test_records_clock_answers_only_of_single_attempts(
    pipeline: Pipeline, retries: int, answers: list[tuple[float, float, float]]
) -> None:
    pipeline.after[1] = pipeline.put_item
    dated = Dated(pipeline.clients("s3"), retries)
    requester = pipeline.requester(lambda name: dated if name == "s3" else pipeline.clients(name))
    seen = perform(pipeline, requester)
    assert requester.answers == answers
    assert (seen.s3_date, seen.upload_retries) == ("Mon, 21 Sep 2026 14:13:21 GMT", retries)

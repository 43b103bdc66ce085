"""One observation: a request, and all that is known about it."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Self, TypedDict, cast

from crossover.bench.run.plan import Phase
from crossover.bench.run.report_lines import Report, ReportJson
from crossover.deployed import Item


class Outcome(Enum):
    """How a request ended. Only those that succeeded have a latency; all are counted."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"  # a FAILED item: the file itself cannot be processed
    DEAD_LETTER = "dead letter"
    NO_ITEM = "no item"
    NOT_UPLOADED = "not uploaded"


# What a measurement needs of an item; the rest is the prediction.
ITEM_FIELDS = (
    "request_id",
    "status",
    "error_code",
    "cold_start",
    "timings_ms",
    "audio_seconds",
    "width",
    "height",
    "rows",
    "model_sha256",
    "uploaded_at",
    "completed_at",
)


class ObservationJson(TypedDict):
    """An observation in a result or a journal."""

    variant: str
    phase: str
    number: int
    file: str
    concurrency: int | None
    segment: int
    intended_s: float
    sent_s: float
    uploaded_s: float | None
    s3_date: str
    upload_retries: int
    outcome: str
    error: str
    request_id: str
    item: Item
    reports: list[ReportJson]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A request to a variant.

    Attributes:
        variant: its name.
        phase, number: which request of the plan.
        file: name of the file.
        concurrency: requests in progress at once; None in an open loop.
        segment: how often the benchmark had been resumed.
        intended_s, sent_s, uploaded_s: when it should have been sent, was sent, and S3 had taken it, s since the
            segment began, by this machine's monotonic clock.
        s3_date: when S3 answered by its own clock, to the second; empty where it did not.
        upload_retries: how often botocore tried the upload again.
        outcome: how it ended.
        error: why it did not succeed, in a sentence.
        request_id: of the invocation; empty where it is unknown.
        item: the fields ITEM_FIELDS of the item; empty where there is none.
        reports: the REPORT lines of all its attempts; empty where none was found.
    """

    variant: str
    phase: Phase
    number: int
    file: str
    concurrency: int | None
    segment: int
    intended_s: float
    sent_s: float
    uploaded_s: float | None
    s3_date: str
    upload_retries: int
    outcome: Outcome
    error: str = ""
    request_id: str = ""
    item: Item = field(default_factory=Item)
    reports: tuple[Report, ...] = ()

    @property
    def key(self) -> tuple[str, Phase, int]:
        """Identifies the request."""
        return self.variant, self.phase, self.number

    @property
    def succeeded(self) -> bool:
        return self.outcome is Outcome.SUCCEEDED

    @property
    def is_cold(self) -> bool:
        """Whether it was the first of its execution environment, as the handler says: the same for all variants."""
        return bool(self.item.get("cold_start"))

    @property
    def upload_ms(self) -> float:
        """From the intended sending until S3 had taken it, with any wait for a free thread of this client."""
        assert self.uploaded_s is not None
        return 1000 * (self.uploaded_s - self.intended_s)

    @property
    def item_ms(self) -> float:
        """From S3's time of the upload to the handler's time of the item: both are AWS's clocks."""
        spent = datetime.fromisoformat(self.item["completed_at"]) - datetime.fromisoformat(self.item["uploaded_at"])
        return spent / timedelta(milliseconds=1)

    @property
    def latency_ms(self) -> float:
        """From the intended sending to the item.

        The sum of two differences, each taken on one clock, so that no two clocks are compared. It is too long by the
        time that S3's answer travelled, which is in both parts.
        """
        return self.upload_ms + self.item_ms

    @property
    def billed_ms(self) -> float | None:
        """Billed duration of all its attempts; None where no REPORT line was found."""
        return sum(report.billed_ms for report in self.reports) if self.reports else None

    def with_reports(self, reports: tuple[Report, ...]) -> Self:
        """The same observation with these REPORT lines."""
        return replace(self, reports=reports)

    def to_json(self) -> ObservationJson:
        """For JSON."""
        values = {**asdict(self), "phase": self.phase.value, "outcome": self.outcome.value}
        return cast(ObservationJson, values)

    @classmethod
    def from_json(cls, values: ObservationJson) -> Self:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: the values are not those of an observation.
        """
        fields: Any = {
            **values,
            "phase": Phase(values["phase"]),
            "outcome": Outcome(values["outcome"]),
            "reports": tuple(Report(**report) for report in values["reports"]),
        }
        return cls(**fields)

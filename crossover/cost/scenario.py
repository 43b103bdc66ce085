"""What a bill depends on: the traffic, the work of one request, and how each variant is set up."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossover.cost.architectures import ARCHITECTURES
from crossover.cost.cold_share import poisson_quick
from crossover.cost.numbers import Amount
from crossover.errors import UsageError

HOURS_PER_MONTH = 730  # as in AWS's calculator and price pages
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
MINUTES_PER_MONTH = HOURS_PER_MONTH * 60
MB_PER_VCPU = 1769  # of a Lambda function: docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html

MB_PER_GB = 2**30 / 1e6  # files are counted in MB of 10^6 bytes, storage is billed by 2^30

# Where a default comes from.
SETTING = "setting"  # chosen by the user; the stacks' default
MEASURED = "measured"  # on two shared cores, with the 7.1 s speech clip in model/samples, not on AWS; see kinds.py
ASSUMED = "assumed"  # a guess: measure it


def _number(default: float | None, unit: str, low: float, high: float, origin: str, meaning: str) -> Any:
    """A field that takes one number, or an array with one for each scenario."""
    return field(default=default, metadata={"unit": unit, "bounds": (low, high), "origin": origin, "meaning": meaning})


def _count(default: float | None, low: float, high: float, meaning: str) -> Any:
    """A setting that takes one whole number, or an array of them."""
    metadata = {"unit": "", "bounds": (low, high), "origin": SETTING, "meaning": meaning, "step": 1}
    return field(default=default, metadata=metadata)


def _other(default: Any, origin: str, meaning: str) -> Any:
    """A field that takes no number."""
    return field(default=default, metadata={"unit": "", "bounds": None, "origin": origin, "meaning": meaning})


INGESTS = ("direct", "queue")


@dataclass(frozen=True, kw_only=True)
class Rent:
    """A server or a service for a flat amount a month, in any currency.

    Attributes:
        amount: a month, in `currency`.
        currency: such as EUR.
        usd: what one unit of the currency is worth, USD.
        vcpus: how many it has; None: it is never too small.

    Raises:
        UsageError: a number is not above 0.
    """

    amount: float
    currency: str = "USD"
    usd: float = 1.0
    vcpus: float | None = None

    def __post_init__(self) -> None:
        _refuse_unless_positive("rent", amount=self.amount, exchange=self.usd, vcpus=self.vcpus)


@dataclass(frozen=True, kw_only=True)
class CallPrice:
    """A third-party service, paid per call: `amount` in `currency`, of which one unit is `usd` USD.

    Raises:
        UsageError: a number is not above 0.
    """

    amount: float
    currency: str = "USD"
    usd: float = 1.0

    def __post_init__(self) -> None:
        _refuse_unless_positive("price of a call", amount=self.amount, exchange=self.usd)


def _refuse_unless_positive(what: str, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"The {name} of the {what} is {value:g}; it must be a number above 0.")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario, or many at once: every number may be an array with one axis, all of one length.

    Each field says in its metadata its unit, its bounds, where its default comes from, and what it means;
    `crossover cost assumptions` prints them.

    Raises:
        UsageError: a number is out of its bounds.
    """

    requests: Amount = _number(438_000.0, "a month", 1, 1e12, SETTING, "predictions")
    peak_factor: Amount = _number(1.0, "", 1, 1000, ASSUMED, "the busiest hour's traffic, as a multiple of the mean")
    file_mb: Amount = _number(0.227, "10^6 bytes", 0, 10_240, MEASURED, "size of an uploaded file")
    result_kb: Amount = _number(
        0.0, "KB", 0, 5 * 1024**2, SETTING, "size of a result in the results bucket, where the model's output needs one"
    )
    storage_days: Amount = _number(30.0, "days", 0, 36_500, ASSUMED, "how long an upload and its result are kept in S3")
    item_kb: Amount = _number(1.0, "KB", 0, 400, MEASURED, "size of an item; DynamoDB counts whole KB")
    log_kb: Amount = _number(1.5, "KB", 0, 1024, MEASURED, "log of a request, the platform's lines included")

    cpu_seconds: Amount = _number(0.02, "CPU-s", 1e-6, 900, MEASURED, "CPU time of one request, on one core")
    wait_seconds: Amount = _number(0.05, "s", 0, 900, ASSUMED, "waiting time of one request, for S3 and DynamoDB")
    warm_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "warm duration; by default from cpu_seconds, wait_seconds and memory_mb"
    )
    init_seconds: Amount = _number(
        0.7, "s", 0, 130, MEASURED, "duration of a cold start's INIT, billed since August 2025"
    )
    billing_ms: Amount = _number(
        1.0, "ms", 0, 100, SETTING, "step to which durations are rounded up; 0 for means of billed durations"
    )
    architecture: str = _other("x86_64", SETTING, "of the functions, x86_64 or arm64; durations are as on x86_64")
    memory_mb: Amount = _number(4096.0, "MB", 128, 10_240, SETTING, "memory of the function; 1,769 MB = 1 vCPU")

    cold_share: Amount | None = _number(
        None, "", 0, 1, MEASURED, "share of requests that meet a cold start; by default that of Poisson arrivals"
    )
    idle_seconds: Amount = _number(
        300.0, "s", 1, 86_400, ASSUMED, "how long an idle environment is kept; AWS does not document it"
    )
    lifetime_hours: Amount = _number(4.0, "h", 0.1, 1000, ASSUMED, "how long an environment is kept at most")
    least_recently_used: bool = _other(
        False, ASSUMED, "take the lower end of the cold share, as if the least recently used environment got a request"
    )

    snapstart_warm_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "duration of a warm invocation with SnapStart; by default warm_seconds"
    )
    restore_seconds: Amount = _number(0.3, "s", 0, 10, ASSUMED, "billed duration of restoring a snapshot")
    snapstart_versions: Amount = _count(1.0, 0, 100, "published versions whose snapshots are kept")

    provisioned: Amount | None = _count(
        None, 1, 100_000, "environments kept ready; by default as many as provisioned_overflow needs"
    )
    provisioned_overflow: Amount = _number(
        0.01, "", 1e-6, 0.99, SETTING, "share of requests that may find none of them free"
    )
    provisioned_hours: Amount = _number(
        float(HOURS_PER_MONTH), "h", 1, HOURS_PER_MONTH, SETTING, "hours a month in which environments are kept ready"
    )
    provisioned_share: Amount | None = _number(
        None,
        "",
        0,
        1,
        SETTING,
        "share of the requests in provisioned_hours, if they are not all; by default in proportion",
    )

    provisioned_warm_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "duration of a warm invocation there, overflow too; by default warm_seconds"
    )

    efs_gb: Amount | None = _number(None, "GB", 0, 10_000, SETTING, "what is stored on EFS; by default the model")
    efs_warm_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "duration of a warm invocation with EFS; by default warm_seconds"
    )
    efs_init_seconds: Amount | None = _number(
        None, "s", 0, 130, MEASURED, "INIT of a cold start that mounts EFS; by default init_seconds"
    )
    model_mb: Amount = _number(
        4.6, "10^6 bytes", 0, 100_000, MEASURED, "size of the model, read at each cold start from EFS"
    )
    nat_gateways: Amount = _count(0.0, 0, 10, "NAT gateways; S3 and DynamoDB need none")
    vpc_endpoints: Amount = _count(0.0, 0, 100, "interface endpoints, multiplied by their zones")
    ingest: str | None = _other(
        None,
        SETTING,
        "direct: an upload invokes the function; queue: it waits in a queue; by default as each variant has it",
    )

    image_gb: Amount = _number(0.6, "GB", 0, 10, ASSUMED, "size of the container image in ECR")
    image_snap_start: bool = _other(False, SETTING, "container has SnapStart")
    container_warm_seconds: Amount | None = _number(
        None,
        "s",
        1e-6,
        900,
        MEASURED,
        "duration of a warm invocation from a container image; by default warm_seconds, or snapstart_warm_seconds",
    )
    container_init_seconds: Amount | None = _number(
        None, "s", 0, 130, MEASURED, "INIT of a cold start from a container image; by default init_seconds"
    )
    connection_seconds: Amount = _number(5.0, "s", 0, 7200, ASSUMED, "how long a WebSocket stays open for a request")

    instance_type: str = _other("ml.t2.medium", SETTING, "instance type of the SageMaker endpoint")
    instances: Amount | None = _count(None, 1, 10_000, "number of instances; by default as many as needed")
    min_instances: Amount = _count(1.0, 1, 10_000, "minimum number of instances")
    utilisation: Amount = _number(
        0.65, "", 0.01, 1, SETTING, "share of an instance's sustained capacity that may be in use"
    )
    waiting: Amount = _number(0.5, "", 1e-4, 1, SETTING, "share of requests that may have to wait for a vCPU")
    autoscaling: bool = _other(False, SETTING, "instances follow the traffic: sized for the mean, not for the peak")
    single_instance: bool = _other(
        False, SETTING, "one instance whatever the load: the published tables' assumption, for comparison only"
    )
    volume_gb: Amount = _number(30.0, "GB", 0, 16_384, ASSUMED, "size of the volume of an endpoint's instance")
    proxy_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "duration of the proxy; by default from the prediction and proxy_overhead"
    )
    proxy_overhead: Amount = _number(
        0.08, "s", 0, 900, ASSUMED, "duration of the proxy besides waiting for the prediction"
    )
    proxy_init_seconds: Amount = _number(0.7, "s", 0, 10, ASSUMED, "duration of the proxy's INIT")
    proxy_memory_mb: Amount = _number(128.0, "MB", 128, 10_240, SETTING, "memory of the proxy")
    send_files: bool = _other(False, SETTING, "the proxy sends the file itself, not a reference to it")
    message_kb: Amount = _number(0.5, "KB", 0, 25_000, ASSUMED, "size of a request with a reference to a file")
    answer_kb: Amount = _number(1.0, "KB", 0, 25_000, ASSUMED, "size of the answer to it")

    serverless_memory_mb: Amount = field(
        default=3072.0,
        metadata={
            "unit": "MB",
            "bounds": (1024, 6144),
            "origin": SETTING,
            "meaning": "memory of SageMaker Serverless",
            "step": 1024,
        },
    )
    serverless_seconds: Amount | None = _number(
        None, "s", 1e-6, 900, MEASURED, "billed duration of a request there; by default from cpu_seconds and its memory"
    )

    disk_gb: Amount = _number(8.0, "GB", 0, 16_384, ASSUMED, "size of an EC2 instance's disk")

    lambda_discount: Amount = _number(0.0, "", 0, 1, SETTING, "discount of a savings plan, on Lambda's durations")
    sagemaker_discount: Amount = _number(0.0, "", 0, 1, SETTING, "discount of a savings plan, on SageMaker's instances")
    ec2_discount: Amount = _number(0.0, "", 0, 1, SETTING, "discount of a savings plan, on EC2's instances")
    free_tier: bool = _other(False, SETTING, "subtract the monthly free tier, as if nothing else ran in the account")
    shared_lines: bool = _other(True, SETTING, "count S3, DynamoDB and logs, which all variants share")
    model_on_efs: bool = _other(False, SETTING, "the model has to be on EFS, as it does when the bundle is over 250 MB")

    rent: Rent | None = _other(None, SETTING, "a flat monthly rent to compare with")
    call_price: CallPrice | None = _other(None, SETTING, "a price per call to compare with")

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UsageError(
                f"The architecture is {self.architecture!r}; it must be one of {', '.join(ARCHITECTURES)}."
            )
        if self.ingest not in (None, *INGESTS):
            raise UsageError(f"The ingest is {self.ingest!r}; it must be {' or '.join(INGESTS)}.")
        for name, low, high, step in _CHECKS:
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, np.ndarray):
                fits = low <= value <= high and (not step or value % step == 0)
            else:
                fits = not value.size or bool(low <= value.min() <= value.max() <= high)
                fits = fits and (not step or not (value % step).any())
            if not fits:
                check_bounds(name, value, (low, high))
                allowed = "a whole number" if step == 1 else f"a multiple of {step:,}"
                raise UsageError(f"The value of {name} is {value}; it must be {allowed}.")

    @property
    def cases(self) -> int:
        """How many scenarios these are: the length of its arrays, 1 where there are none.

        Raises:
            ValueError: an array has more than one axis, or two have different lengths.
        """
        lengths = {np.shape(value) for value in vars(self).values() if np.ndim(value) > 0}
        if len(lengths) > 1 or any(len(shape) > 1 for shape in lengths):
            raise ValueError(
                f"The arrays have the shapes {sorted(lengths)}; they must all have one axis of one length."
            )
        return lengths.pop()[0] if lengths else 1

    def pick(self, indices: NDArray[np.int64], **others: Amount) -> "Scenario":
        """The cases of these numbers; `others` are fields that take these values instead."""
        picked: dict[str, Any] = {
            name: value[indices] for name, value in vars(self).items() if isinstance(value, np.ndarray) and value.ndim
        }
        return dataclasses.replace(self, **{**picked, **others})

    @property
    def rate(self) -> Amount:
        """Requests/s, on average."""
        return self.requests / SECONDS_PER_MONTH

    @property
    def peak_rate(self) -> Amount:
        """Requests/s in the busiest hour."""
        return self.rate * self.peak_factor

    @property
    def rpm(self) -> Amount:
        """Requests a minute, on average."""
        return self.requests / MINUTES_PER_MONTH

    def warm(self) -> Amount:
        """A warm invocation of the function, s."""
        return self.seconds_at(self.memory_mb) if self.warm_seconds is None else self.warm_seconds

    def served(self) -> Amount:
        """A prediction by an instance that has a whole vCPU for it, s."""
        return self.wait_seconds + self.cpu_seconds

    def proxy(self, prediction_seconds: Amount | None = None) -> Amount:
        """An invocation of the proxy, which waits for such a prediction (by default as `served`), s."""
        if self.proxy_seconds is not None:
            return self.proxy_seconds
        return self.proxy_overhead + (self.served() if prediction_seconds is None else prediction_seconds)

    def seconds_at(self, memory_mb: Amount) -> Amount:
        """One request on so much memory, s: its waiting, and its work on that share of a vCPU.

        More than one vCPU does not help, since decoding and resampling use one.
        """
        return self.wait_seconds + self.cpu_seconds / np.minimum(1.0, np.asarray(memory_mb) / MB_PER_VCPU)

    def billed(self, seconds: Amount) -> Amount:
        """A duration as it is billed, s: up to the next millisecond."""
        step = np.asarray(self.billing_ms) / 1000
        # A thousandth of a step less, against rounding errors.
        rounded = np.ceil(np.asarray(seconds) / np.where(step > 0, step, 1.0) - 1e-3) * step
        return np.where(step > 0, rounded, seconds)

    def cold(self, service_seconds: Amount) -> Amount:
        """The cold share where a request takes so long: measured, else that of Poisson arrivals.

        The upper end of the bracket, unless `least_recently_used`. The quick form is exact enough for a bill: where it
        is too low by more than a few percent, cold starts are too few to be seen in the sum.
        """
        if self.cold_share is not None:
            return self.cold_share
        bracket = poisson_quick(self.rate, service_seconds, self.idle_seconds, lifetime_hours=self.lifetime_hours)
        return bracket.low if self.least_recently_used else bracket.high


def check_bounds(name: str, value: Any, bounds: tuple[float, float]) -> None:
    """Refuse a number, or an array with one, that is not within its bounds.

    Raises:
        UsageError: naming the field, the value and the bounds.
    """
    low, high = bounds
    numbers = np.asarray(value, dtype=float).ravel()
    wrong = numbers[~((numbers >= low) & (numbers <= high))]
    if wrong.size:
        shown = "not a number" if math.isnan(wrong[0]) else f"{wrong[0]:g}"
        raise UsageError(f"The value of {name} is {shown}; it must be from {low:g} to {high:,g}.")


# (field, least, most, step or None) of each number, looked up once: a comparison makes thousands of scenarios.
_CHECKS = [
    (each.name, *each.metadata["bounds"], each.metadata.get("step"))
    for each in dataclasses.fields(Scenario)
    if each.metadata["bounds"] is not None
]

"""The values that the constructs accept. An app's settings are read by the same rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from aws_cdk import Token
from aws_cdk import aws_logs as logs

from crossover.cdk.architectures import ARCHITECTURES


class InvalidValueError(ValueError):
    """A value that a construct does not accept. The message is one sentence with name, value and what is allowed."""


@dataclass(frozen=True)
class Rule:
    """How a value is read: `read` returns it in its type or raises ValueError; `allowed` describes the valid values."""

    allowed: str
    read: Callable[[Any], Any]


def check(rule: Rule, **values: Any) -> None:
    """Refuse a value that the rule does not allow; a CDK token, which is known at deployment only, passes.

    Raises:
        InvalidValueError: one of the values is not allowed.
    """
    for name, value in values.items():
        if not Token.is_unresolved(value):
            try:
                rule.read(value)
            except ValueError:
                raise InvalidValueError(f"{name} is {value!r}, but must be {rule.allowed}.") from None


def as_text(value: Any) -> str:
    """A value as a rule reads it from a command line."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def whole_number(minimum: int, maximum: int) -> Rule:
    def read(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            value = int(value)
        if type(value) is not int or not minimum <= value <= maximum:  # type(), because True is an int too
            raise ValueError
        return value

    return Rule(f"a whole number from {minimum} to {maximum}", read)


def number_among(choices: tuple[int, ...]) -> Rule:
    def read(value: Any) -> int:
        number: int = whole_number(min(choices), max(choices)).read(value)
        if number not in choices:
            raise ValueError
        return number

    return Rule("one of " + ", ".join(map(str, choices)), read)


def number(minimum: float, maximum: float) -> Rule:
    def read(value: Any) -> float:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", value):
            value = float(value)
        if type(value) not in (int, float) or not minimum <= value <= maximum:
            raise ValueError
        return float(value)

    return Rule(f"a number from {minimum:g} to {maximum:g}", read)


def text(pattern: str, allowed: str) -> Rule:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Rule(allowed, read)


def one_of(*choices: str) -> Rule:
    return text("|".join(map(re.escape, choices)), " or ".join(choices))


def switch() -> Rule:
    def read(value: Any) -> bool:
        known = {"true": True, "false": False}
        if isinstance(value, str):
            value = known.get(value)
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Rule("true or false", read)


def some_of(choices: tuple[str, ...]) -> Rule:
    """`all`, a list, or a string with commas, of at least one of the choices; read as a tuple in the choices' order."""

    def read(value: Any) -> tuple[str, ...]:
        if value == "all":
            return choices
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names or any(name not in choices for name in names):
            raise ValueError
        return tuple(choice for choice in choices if choice in names)

    return Rule(f"all, or one or more of {', '.join(choices)}", read)


def optional(rule: Rule) -> Rule:
    def read(value: Any) -> Any:
        return None if value in (None, "", "none") else rule.read(value)

    return Rule(f"{rule.allowed}, or none", read)


def list_of(rule: Rule, *, most: int) -> Rule:
    """A list, or a string with commas, read as a tuple; none and the empty string are the empty one."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = () if value in ("", "none") else [part.strip() for part in value.split(",")]
        values = () if value is None else value
        if not isinstance(values, list | tuple) or len(values) > most:
            raise ValueError
        return tuple(rule.read(each) for each in values)

    return Rule(f"at most {most} of: {rule.allowed}", read)


@dataclass(frozen=True)
class Scheduled:
    """Bounds of a number from a time on, until the next one of the schedule."""

    cron: str
    least: int
    most: int


# Minutes, hours, day of month, month, day of week, year. Only what Application Auto Scaling surely takes.
# https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
_CRON = r"cron\([0-9*,/-]+ [0-9*,/-]+ ([0-9*,/LW-]+ [0-9A-Z*,/-]+ \?|\? [0-9A-Z*,/-]+ [0-9A-Z*,/#-]+) [0-9*,/-]+\)"

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# What the numbers and the names of each field may be.
_CRON_FIELDS = (
    range(60),
    range(24),
    range(1, 32),
    (*range(1, 13), *_MONTHS),
    (*range(1, 8), *_DAYS),
    range(1970, 2200),
)


def _check_fields(cron: str) -> None:
    """Refuse what no time can match, such as hour 77: AWS would only while it deploys.

    Raises:
        ValueError: there is such a part.
    """
    for field, allowed in zip(cron.removeprefix("cron(").removesuffix(")").split(), _CRON_FIELDS, strict=True):
        for part in re.split(r"[,/#-]", field):
            number = re.fullmatch(r"([0-9]+)[LW]?", part)
            if part not in ("*", "?", "L", "LW") and (int(number[1]) if number else part) not in allowed:
                raise ValueError


def scheduled(text: str) -> Scheduled:
    """Read `cron(...) least-most`, both from 1 to 10,000.

    At 0 Application Auto Scaling would delete the configuration that CloudFormation expects the alias to have: no new
    version could be deployed until the next line of the schedule. https://github.com/aws/aws-cdk/issues/29992

    Raises:
        ValueError: it is something else.
    """
    match = re.fullmatch(rf"(?P<cron>{_CRON}) (?P<least>[0-9]{{1,5}})-(?P<most>[0-9]{{1,5}})", text)
    if not match or not 1 <= int(match["least"]) <= int(match["most"]) <= 10_000:
        raise ValueError
    _check_fields(match["cron"])
    return Scheduled(match["cron"], int(match["least"]), int(match["most"]))


def _schedule(*, most: int) -> Rule:
    """A list of what `scheduled` reads, or a string with commas between, read as a tuple of strings."""

    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, str):  # a cron expression has commas, too
            value = () if value in ("", "none") else [part.strip() for part in re.split(r",(?![^(]*\))", value)]
        values = () if value is None else value
        if not isinstance(values, list | tuple) or len(values) > most or not all(isinstance(v, str) for v in values):
            raise ValueError
        for each in values:
            scheduled(each)
        return tuple(values)

    return Rule(
        f"at most {most} of: `cron(fields) least-most` from 1 to 10000, with ? as one of the days, as in "
        "`cron(0 7 ? * MON-FRI *) 5-20`",
        read,
    )


def _time_zone() -> Rule:
    name = text(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*", "a time zone as Europe/Berlin")

    def read(value: Any) -> str:
        zone: str = name.read(value)
        known = available_timezones()  # none where the system has no list of them
        if known and zone not in known:
            raise ValueError
        return zone

    return Rule(name.allowed, read)


def _tags() -> Rule:
    """A mapping, or `key=value` separated by commas, read as pairs in the order of their keys."""
    key, value = r"(?![aA][wW][sS]:)[\w +.:/@-]{1,128}", r"[\w +.:/@=-]{0,256}"

    def read(given: Any) -> tuple[tuple[str, str], ...]:
        if given in (None, "", "none"):
            return ()
        if isinstance(given, str):  # dict() refuses a part without =
            given = dict(part.strip().split("=", 1) for part in given.split(","))
        if isinstance(given, tuple):  # what this returns
            given = dict(given)
        if not isinstance(given, dict) or len(given) > 40:
            raise ValueError
        for pair in given.items():
            for pattern, text in zip((key, value), pair, strict=True):
                if not isinstance(text, str) or not re.fullmatch(pattern, text):
                    raise ValueError
        return tuple(sorted(given.items()))

    return Rule("at most 40 tags, as a JSON object or key=value with commas between, no key beginning with aws:", read)


Days = logs.RetentionDays
# The periods that CloudWatch Logs knows, in days.
LOG_RETENTION = {
    1: Days.ONE_DAY,
    3: Days.THREE_DAYS,
    5: Days.FIVE_DAYS,
    7: Days.ONE_WEEK,
    14: Days.TWO_WEEKS,
    30: Days.ONE_MONTH,
    60: Days.TWO_MONTHS,
    90: Days.THREE_MONTHS,
    120: Days.FOUR_MONTHS,
    150: Days.FIVE_MONTHS,
    180: Days.SIX_MONTHS,
    365: Days.ONE_YEAR,
    400: Days.THIRTEEN_MONTHS,
    545: Days.EIGHTEEN_MONTHS,
    731: Days.TWO_YEARS,
    1096: Days.THREE_YEARS,
    1827: Days.FIVE_YEARS,
    2192: Days.SIX_YEARS,
    2557: Days.SEVEN_YEARS,
    2922: Days.EIGHT_YEARS,
    3288: Days.NINE_YEARS,
    3653: Days.TEN_YEARS,
}

ARCHITECTURE = one_of(*ARCHITECTURES)
MEMORY_MB = whole_number(128, 10240)  # Lambda's limits
TIMEOUT_SECONDS = whole_number(120, 900)  # the handlers' waits for AWS add up to less than 120 s; 900 is Lambda's limit
RESERVED_CONCURRENCY = optional(whole_number(1, 10000))
MAX_FILE_MB = whole_number(1, 2048)
MAX_AUDIO_SECONDS = whole_number(1, 3600)
MAX_CHANNELS = whole_number(1, 64)
MAX_PIXELS = whole_number(1, 500_000_000)
MAX_ELEMENTS = whole_number(1, 1_000_000_000)
LIFETIME_DAYS = optional(whole_number(1, 3650))
LOG_LEVEL = one_of("info", "error")
LOG_RETENTION_DAYS = number_among(tuple(LOG_RETENTION))
INGESTS = ("direct", "queue", "drain")
MAX_CONCURRENCY = optional(whole_number(2, 1000))  # Lambda's limits, of a queue's event source mapping
PROVISIONED_CONCURRENCY = whole_number(1, 10000)
UTILIZATION = number(0.1, 0.9)  # Application Auto Scaling's limits
PROVISIONED_SCHEDULE = _schedule(most=20)
TIME_ZONE = _time_zone()
MODEL_LOADING = one_of("eager", "lazy")
RETRY_ATTEMPTS = whole_number(0, 2)  # Lambda's, of asynchronous invocations
INSTANCE_COUNT = whole_number(1, 100)
# SageMaker hosts no t3 and t4g types. The image is built for x86_64: on a Graviton type (a g after the generation, as
# in ml.m6g.large) the endpoint would fail, but only after half an hour of deploying.
INSTANCE_TYPE = text(
    r"ml\.(?!t3\.|t4g\.|[a-z]+\d+g[a-z]*\.)[a-z]+\d[a-z0-9-]*\.[a-z0-9]+",
    "an x86_64 SageMaker hosting type such as ml.t2.medium or ml.c5.large (no ml.t3, no Graviton)",
)
TAGS = _tags()
BUCKET = text(r"(arn:[a-z-]+:s3:::)?[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name or ARN of a bucket")
TABLE = text(
    r"(arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/)?[A-Za-z0-9_.-]{3,255}", "the name or ARN of a DynamoDB table"
)
VPC_ID = text(r"vpc-[0-9a-f]{8,17}", "the id of a VPC such as vpc-0123456789abcdef0")
SUBNET_ID = text(r"subnet-[0-9a-f]{8,17}", "the id of a subnet such as subnet-0123456789abcdef0")
EMAIL = text(r"[^\s,@]{1,64}@[^\s,@.]+(\.[^\s,@.]+)+", "an e-mail address")
# Policies know no alias, and an alias may come to name another key.
KEY_ARN = text(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}", "the ARN of a KMS key, not of an alias")
# S3 takes a notification's filter literally, so a wildcard would silently match no upload, and requires other
# characters than these percent-encoded (S3 user guide, "Configuring event notifications using object key filtering").
KEY_FILTER = text(r"[A-Za-z0-9/!_.'()-]{0,1024}", "at most 1024 letters, digits and / ! _ . ' ( ) -, no wildcards")

"""Lines that several variants have: functions, the proxy, and what they all share."""

import numpy as np

from crossover.cost.architectures import price_for
from crossover.cost.bill import Line, Problem, line
from crossover.cost.numbers import Amount
from crossover.cost.prices import Price, Prices
from crossover.cost.scenario import HOURS_PER_MONTH, MB_PER_GB, Scenario

FREE_GB_SECONDS = 400_000.0  # a month, always: aws.amazon.com/lambda/pricing
FREE_REQUESTS = 1_000_000.0
FREE_LOG_GB = 5.0  # a month, always: aws.amazon.com/cloudwatch/pricing
MAX_CONCURRENCY = 1000  # of an account, unless raised: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_SECONDS = 900  # as the next
MAX_INIT_SECONDS = 10  # docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
FREE_QUEUE_REQUESTS = 1_000_000.0  # a month, always: aws.amazon.com/sqs/pricing
QUEUE_REQUESTS = 3  # of an upload: it is sent, received and deleted
# Lambda asks a queue by five long polls of 20 s: docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html and
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html. Counted for the
# whole month, though a poll that finds an upload is one of the three.
POLLS_PER_HOUR = 5 * 3600 / 20
DAYS_PER_MONTH = HOURS_PER_MONTH / 24
KB_PER_GB = 1024**2


def lambda_price(scenario: Scenario, prices: Prices, price_id: str) -> Price:
    """The price of that name for the scenario's architecture."""
    return prices[price_for(scenario.architecture, price_id)]


def function_lines(
    scenario: Scenario,
    prices: Prices,
    *,
    requests: Amount,
    memory_mb: Amount,
    warm_seconds: Amount,
    init_seconds: Amount,
    cold_share: Amount,
    init_name: str = "INIT",
    of_what: str = "Lambda",
    has_free_tier: bool = True,
) -> list[Line]:
    """A function on demand: its time, what a cold start adds to it, and its requests.

    n m [(1 - p) w + p (i + w)] GB-s, each duration up to the next millisecond; INIT is billed since 2025-08-01, source:
    aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase. The first line takes the free tier and
    the lower tiers, the second what remains of them.
    """
    gb = np.asarray(memory_mb) / 1024
    warm, cold = scenario.billed(warm_seconds), scenario.billed(np.asarray(warm_seconds) + init_seconds)
    is_free = scenario.free_tier and has_free_tier
    free_gb_seconds, free_requests = (FREE_GB_SECONDS, FREE_REQUESTS) if is_free else (0.0, 0.0)
    price, discount = lambda_price(scenario, prices, "lambda.gb_second"), scenario.lambda_discount
    duration = line(f"{of_what} duration", requests * gb * warm, price, free=free_gb_seconds, discount=discount)
    added = requests * gb * np.asarray(cold_share) * (cold - warm)
    both = line("both", duration.quantity + added, price, free=free_gb_seconds, discount=discount)
    return [
        duration,
        Line(name=f"{of_what} {init_name}", quantity=added, price=price, usd=both.usd - duration.usd),
        line(f"{of_what} requests", requests, prices["lambda.request"], free=free_requests),
    ]


def on_demand_lines(scenario: Scenario, prices: Prices) -> list[Line]:
    """The function that predicts, on demand."""
    warm = scenario.warm()
    return function_lines(
        scenario,
        prices,
        requests=scenario.requests,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm,
        init_seconds=scenario.init_seconds,
        cold_share=scenario.cold(warm),
    )


def proxy_lines(scenario: Scenario, prices: Prices, *, prediction_seconds: Amount | None = None) -> list[Line]:
    """The small function that waits for another server's prediction and writes the item."""
    seconds = scenario.proxy(prediction_seconds)
    return function_lines(
        scenario,
        prices,
        requests=scenario.requests,
        memory_mb=scenario.proxy_memory_mb,
        warm_seconds=seconds,
        init_seconds=scenario.proxy_init_seconds,
        cold_share=scenario.cold(seconds),
        of_what="proxy",
    )


def shared_lines(scenario: Scenario, prices: Prices, *, has_bucket: bool = True) -> list[Line]:
    """Files and results in S3, items in DynamoDB, logs: nearly the same in all variants, but part of the bill.

    Left out: the storage of the items, and of the logs.
    """
    if not scenario.shared_lines:
        return []
    n = scenario.requests
    months = np.asarray(scenario.storage_days) / DAYS_PER_MONTH
    stored_gb = n * np.asarray(scenario.file_mb) / MB_PER_GB * months
    bucket = [
        line("S3 uploads", n, prices["s3.put"]),
        line("S3 downloads", n, prices["s3.get"]),
        line("S3 storage", stored_gb, prices["s3.storage_gb_month"]),
    ]
    result_kb = np.asarray(scenario.result_kb)
    if np.any(result_kb > 0):
        bucket.append(line("S3 results", np.where(result_kb > 0, n, 0.0), prices["s3.put"]))
        bucket.append(line("S3 result storage", n * result_kb / KB_PER_GB * months, prices["s3.storage_gb_month"]))
    free_logs = FREE_LOG_GB if scenario.free_tier else 0.0
    return [
        *(bucket if has_bucket else []),
        line("DynamoDB writes", n * np.maximum(1.0, np.ceil(scenario.item_kb)), prices["dynamodb.write_unit"]),
        line("logs", n * np.asarray(scenario.log_kb) / KB_PER_GB, prices["logs.ingest_gb"], free=free_logs),
    ]


def network_lines(scenario: Scenario, prices: Prices, *, sent_gb: Amount = 0.0) -> list[Line]:
    """NAT gateways and interface endpoints, where the compute lies in a VPC that has any.

    Args:
        sent_gb: what passes them a month, GB. Files, model and items do not: the gateways to S3 and DynamoDB are free,
            and Lambda's logs do not pass through the VPC.
    """
    lines = []
    nat, endpoints = np.asarray(scenario.nat_gateways), np.asarray(scenario.vpc_endpoints)
    if np.any(nat > 0):
        lines.append(line("NAT gateways", nat * HOURS_PER_MONTH, prices["nat.hour"]))
        lines.append(line("NAT data", np.where((nat > 0) & (endpoints == 0), sent_gb, 0.0), prices["nat.gb"]))
    if np.any(endpoints > 0):
        lines.append(line("VPC endpoints", endpoints * HOURS_PER_MONTH, prices["vpc_endpoint.hour"]))
        lines.append(line("VPC endpoint data", np.where(endpoints > 0, sent_gb, 0.0), prices["vpc_endpoint.gb"]))
    return lines


def queue_lines(scenario: Scenario, prices: Prices, *, by_default: bool = False) -> list[Line]:
    """The requests of the queue between bucket and function, where the uploads wait in one.

    Args:
        by_default: whether the variant has one where the scenario does not say.
    """
    if scenario.ingest != "queue" and not (by_default and scenario.ingest is None):
        return []
    uploads, polls = scenario.requests * QUEUE_REQUESTS, HOURS_PER_MONTH * POLLS_PER_HOUR
    free = FREE_QUEUE_REQUESTS if scenario.free_tier else 0.0
    price = prices["sqs.request"]
    polling = line("queue polling", polls, price, free=free)
    both = line("both", uploads + polls, price, free=free)
    return [Line(name="queue requests", quantity=uploads, price=price, usd=both.usd - polling.usd), polling]


def sent_kb(scenario: Scenario) -> Amount:
    """A request to another server, KB: a reference to the file, or the file itself."""
    return np.asarray(scenario.file_mb) * 1e6 / 1024 if scenario.send_files else np.asarray(scenario.message_kb)


def exchanged_gb(scenario: Scenario) -> Amount:
    """Requests to another server and its answers, GB a month."""
    return scenario.requests * (sent_kb(scenario) + np.asarray(scenario.answer_kb)) / KB_PER_GB


def function_problems(scenario: Scenario, seconds: Amount) -> list[Problem]:
    """Problems of a function of this duration: its timeout, and how many run at once."""
    at_once = scenario.peak_rate * np.asarray(seconds)
    return [
        Problem(
            text=f"An invocation takes longer than Lambda's {MAX_SECONDS} s.",
            where=np.asarray(seconds) > MAX_SECONDS,
        ),
        Problem(
            text=f"About {np.max(at_once):,.0f} run at once; an account allows {MAX_CONCURRENCY:,} unless raised.",
            where=at_once > MAX_CONCURRENCY,
            fatal=False,
        ),
    ]


def init_problems(scenario: Scenario, init_seconds: Amount | None = None) -> list[Problem]:
    """Problems of a function whose INIT, by default the scenario's, is not done ahead."""
    return [
        Problem(
            text=f"INIT takes longer than {MAX_INIT_SECONDS} s: Lambda begins it again in the first invocation.",
            where=np.asarray(scenario.init_seconds if init_seconds is None else init_seconds) > MAX_INIT_SECONDS,
            fatal=False,
        )
    ]


def zip_problems(scenario: Scenario) -> list[Problem]:
    """Problems of a function that is a zip file, without EFS."""
    text = "What does not fit into a zip file must be mounted: see efs."
    return [Problem(text=text, where=scenario.model_on_efs), *init_problems(scenario)]

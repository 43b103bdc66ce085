"""Prices in round numbers, so that a bill can be worked out by hand whatever the snapshot says."""

from collections.abc import Mapping, Sequence

from crossover.cost.bill import Bill
from crossover.cost.prices import Price, Prices

Tiers = Sequence[tuple[float, float]]

# USD a unit. Different for everything, so that a wrong one shows.
USD: dict[str, float] = {
    "lambda.request": 3e-7,
    "lambda.gb_second": 2e-5,
    "lambda.arm.gb_second": 1.6e-5,
    "lambda.arm.ready_gb_second": 3e-6,
    "lambda.arm.used_gb_second": 8e-6,
    "lambda.provisioned.gb_second": 4e-6,
    "lambda.provisioned.duration_gb_second": 1e-5,
    "lambda.snapstart.cache_gb_second": 1e-6,
    "lambda.snapstart.restore_gb": 1e-4,
    "s3.put": 5e-6,
    "s3.get": 4e-7,
    "s3.storage_gb_month": 0.02,
    "dynamodb.write_unit": 6e-7,
    "logs.ingest_gb": 0.5,
    "sqs.request": 7e-7,
    "nat.hour": 0.05,
    "nat.gb": 0.045,
    "vpc_endpoint.hour": 0.01,
    "vpc_endpoint.gb": 0.02,
    "efs.storage_gb_month": 0.3,
    "efs.read_gb": 0.03,
    "ecr.gb_month": 0.1,
    "websocket.message": 1e-6,
    "websocket.minute": 2.5e-7,
    "sagemaker.host.ml.t2.medium": 0.06,
    "sagemaker.host.ml.c5.large": 0.11,
    "sagemaker.host.ml.c7g.large": 0.09,
    "sagemaker.host.ml.g4dn.xlarge": 0.7,
    "sagemaker.host.storage_gb_month": 0.14,
    "sagemaker.data_in_gb": 0.016,
    "sagemaker.data_out_gb": 0.032,
    "sagemaker.serverless.gb_second": 3e-5,
    "ec2.c5.large": 0.08,
    "ec2.c6i.large": 0.081,
    "ec2.c7i.large": 0.082,
    "ec2.c7g.large": 0.07,
    "ec2.m5.large": 0.09,
    "ec2.t3.medium": 0.04,
    "ec2.t4g.small": 0.016,
    "ec2.t4g.medium": 0.03,
    "ec2.credit.t3": 0.05,
    "ec2.credit.t4g": 0.041,
    "ebs.gp3_gb_month": 0.083,
    "ipv4.hour": 0.005,
    "nlb.hour": 0.02,
    "nlb.lcu_hour": 0.006,
}

# What us-east-1 had in November 2026, for the break-even points that were published for it.
US_EAST_1: dict[str, Tiers] = {
    "lambda.gb_second": [(0, 1.66667e-5)],
    "lambda.request": [(0, 2e-7)],
    "lambda.provisioned.gb_second": [(0, 4.1667e-6)],
    "lambda.provisioned.duration_gb_second": [(0, 9.7222e-6)],
    "lambda.snapstart.cache_gb_second": [(0, 1.5046e-6)],
    "lambda.snapstart.restore_gb": [(0, 0.0001397998)],
}


def price(price_id: str, tiers: Tiers) -> Price:
    return Price(
        id=price_id,
        region="nowhere",
        tiers=tuple((float(start), float(usd)) for start, usd in tiers),
        unit="USD",
        source="by hand",
        date="undated",
        status="given",
    )


def prices(changes: Mapping[str, Tiers] | None = None) -> Prices:
    """Those above, some of them with other tiers."""
    tiers: dict[str, Tiers] = {price_id: [(0, usd)] for price_id, usd in USD.items()} | dict(changes or {})
    return Prices(region="nowhere", by_id={price_id: price(price_id, each) for price_id, each in tiers.items()})


def quantities(bill: Bill) -> dict[str, float]:
    return {name: float(quantity) for name, quantity, _ in _rows(bill)}


def dollars(bill: Bill) -> dict[str, float]:
    return {name: float(usd) for name, _, usd in _rows(bill)}


def reasons(bill: Bill, *, fatal: bool) -> list[str]:
    """What is said against a variant in this one scenario."""
    return [problem.text for problem in bill.problems if problem.where and problem.fatal is fatal]


def _rows(bill: Bill) -> list[tuple[str, float, float]]:
    rows = [(line.name, line.quantity, line.usd) for line in bill.lines]
    names = [name for name, _, _ in rows]
    if len(set(names)) < len(names):
        raise AssertionError(f"A line stands twice in the bill: {names}.")
    return rows  # type: ignore[return-value]

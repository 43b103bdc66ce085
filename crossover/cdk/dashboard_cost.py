"""A few dated prices, and the formula that makes a figure of a dashboard out of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch

_DATA: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text())
REGION: str = _DATA["region"]
SHARED_LINES = "S3, DynamoDB, logs, free tier"  # alike in all variants, or the account's


@dataclass(frozen=True, kw_only=True)
class Price:
    """A price in USD; `date` is when its source had it, `status` confirmed, derived or unconfirmed."""

    id: str
    value: float
    unit: str
    source: str
    date: str
    status: str


PRICES = {entry["id"]: Price(**entry) for entry in _DATA["entries"]}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a variant costs: its function's time and requests, and what comes on top.

    Attributes:
        memory_mb: of the function, in MiB.
        per_cold_start, per_hour: (quantity, price) of what is paid by the cold start, and by the hour in any case.
        leaves_out: what the figure lacks beyond SHARED_LINES.
    """

    memory_mb: int
    per_cold_start: tuple[tuple[float, Price], ...] = ()
    per_hour: tuple[tuple[float, Price], ...] = ()
    leaves_out: str

    @property
    def note(self) -> str:
        """Where and when the prices are from, and what is left out."""
        prices = [PRICES["lambda.gb_second"], PRICES["lambda.request"]]
        prices += [price for _, price in self.per_cold_start + self.per_hour]
        dates = ", ".join(sorted({p.date if p.status == "confirmed" else f"{p.date} ({p.status})" for p in prices}))
        return f"{REGION}, prices of {dates}; without {self.leaves_out}, {SHARED_LINES}"

    def per_million(
        self,
        *,
        duration: cloudwatch.IMetric,
        invocations: cloudwatch.IMetric,
        cold_starts: cloudwatch.IMetric,
        succeeded: cloudwatch.Metric,
        label: str,
        suffix: str = "",
    ) -> cloudwatch.MathExpression:
        """USD per million predictions; empty where nothing succeeded.

        The metrics are sums over the same period, `duration` in ms. `suffix` tells their names apart from those of
        another figure in the same widget.
        """
        usd = {
            "duration": self.memory_mb / 1024 / 1000 * PRICES["lambda.gb_second"].value,
            "invocations": PRICES["lambda.request"].value,
            "coldStarts": _sum(self.per_cold_start),
        }
        metrics = {"duration": duration, "invocations": invocations, "coldStarts": cold_starts}
        used = {name: metric for name, metric in metrics.items() if usd[name]}
        terms = [f"{name}{suffix} * {usd[name] * 1e6:.6f}" for name in used]
        if self.per_hour:  # PERIOD, in s, takes no expression, which the other metrics may be
            terms.append(f"PERIOD(succeeded{suffix}) / 3600 * {_sum(self.per_hour) * 1e6:.6f}")
        return cloudwatch.MathExpression(
            expression=f"({' + '.join(terms)}) / succeeded{suffix}",
            using_metrics={f"{name}{suffix}": metric for name, metric in {**used, "succeeded": succeeded}.items()},
            label=label,
        )


def _sum(amounts: tuple[tuple[float, Price], ...]) -> float:
    return sum(quantity * price.value for quantity, price in amounts)

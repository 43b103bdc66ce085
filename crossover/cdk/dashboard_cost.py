"""The cost of a variant as a figure of a dashboard: CloudWatch metrics times the cost model's prices."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from crossover.cost.architectures import price_for
from crossover.cost.prices import Price, load

REGION = "us-east-1"
SHARED_LINES = "S3, DynamoDB, logs, free tier"  # the same in all variants, or the account's


def find_price(price_id: str) -> Price | None:
    """The price of that name in REGION, such as lambda.request; None where it is not known."""
    return load(REGION).by_id.get(price_id)


def price(price_id: str) -> Price:
    """The price of that name in REGION.

    Raises:
        UsageError: there is none.
    """
    return load(REGION)[price_id]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a variant costs: its function's time and requests, and what comes on top.

    Attributes:
        memory_mb: of the function, in MiB.
        architecture: of the function; the prices are given as for x86_64.
        duration_price: the id of the price of its time, by the GB-s.
        per_cold_start, per_hour: (quantity, price) of what is billed by the cold start, and by the hour in any case.
        leaves_out: what the figure does not include, in addition to SHARED_LINES.
    """

    memory_mb: int
    architecture: str = "x86_64"
    duration_price: str = "lambda.gb_second"
    per_cold_start: tuple[tuple[float, Price], ...] = ()
    per_hour: tuple[tuple[float, Price], ...] = ()
    leaves_out: str

    @property
    def note(self) -> str:
        """Region and dates of the prices, and what the figure does not include."""
        prices = [self._price(self.duration_price), price("lambda.request")]
        prices += [self._price(each.id) for _, each in self.per_cold_start + self.per_hour]
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
            "duration": self.memory_mb / 1024 / 1000 * self._price(self.duration_price).value,
            "invocations": price("lambda.request").value,
            "coldStarts": self._sum(self.per_cold_start),
        }
        metrics = {"duration": duration, "invocations": invocations, "coldStarts": cold_starts}
        used = {name: metric for name, metric in metrics.items() if usd[name]}
        terms = [f"{name}{suffix} * {usd[name] * 1e6:.6f}" for name in used]
        if self.per_hour:  # PERIOD, in s, takes no expression, which the other metrics may be
            terms.append(f"PERIOD(succeeded{suffix}) / 3600 * {self._sum(self.per_hour) * 1e6:.6f}")
        return cloudwatch.MathExpression(
            expression=f"({' + '.join(terms)}) / succeeded{suffix}",
            using_metrics={f"{name}{suffix}": metric for name, metric in {**used, "succeeded": succeeded}.items()},
            label=label,
        )

    def _price(self, price_id: str) -> Price:
        return price(price_for(self.architecture, price_id))

    def _sum(self, amounts: tuple[tuple[float, Price], ...]) -> float:
        return sum(quantity * self._price(each.id).value for quantity, each in amounts)

"""Whether "on demand up to 10 requests a minute, provisioned beyond" holds: the tables of docs/cost.md."""

from dataclasses import dataclass, replace

import numpy as np

from crossover.cost.bill import Bill
from crossover.cost.numbers import number, significant
from crossover.cost.prices import Prices, load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS

TRAFFIC = (1.0, 10.0, 50.0, 200.0, 1000.0, 5000.0)  # requests a minute
SEARCHED = np.geomspace(0.01, 100, 1201)  # requests at once, for the break-even points


@dataclass(frozen=True)
class Case:
    """A request whose break-even points the second table has; by default that of the first."""

    what: str
    scenario: Scenario


DEFAULT = Scenario()
CASES = (
    Case("0.07 s, INIT 0.7 s: the first table's", DEFAULT),
    Case("the same, 1,024 MB", replace(DEFAULT, memory_mb=1024.0, warm_seconds=0.07)),
    Case("the same, INIT 8 s", replace(DEFAULT, init_seconds=8.0)),
    Case("0.63 s", replace(DEFAULT, warm_seconds=0.63)),
    Case("3 s", replace(DEFAULT, warm_seconds=3.0)),
    Case("9 s", replace(DEFAULT, warm_seconds=9.0)),
    Case("30 s", replace(DEFAULT, warm_seconds=30.0)),
)


def markdown() -> str:
    """Both tables."""
    prices = load("us-east-1")
    return "\n".join([*_bills(prices), "", *_break_even_points(prices)])


def _bills(prices: Prices) -> list[str]:
    lines = [
        "| requests a minute | cold share | `standard` | `snapstart` | `provisioned` | kept ready | cold share then |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rpm in TRAFFIC:
        scenario = replace(DEFAULT, requests=rpm * MINUTES_PER_MONTH)
        standard, snapstart, provisioned = (
            VARIANTS[name].bill(scenario, prices) for name in ("standard", "snapstart", "provisioned")
        )
        usd = [f"{float(np.asarray(each.usd)):,.2f}" for each in (standard, snapstart, provisioned)]
        cold = float(np.asarray(scenario.cold(scenario.warm())))
        cells = [
            _percent(cold),
            *usd,
            number(float(np.asarray(provisioned.instances))),
            _percent(cold_share(provisioned)),
        ]
        lines.append(f"| {number(rpm)} | " + " | ".join(cells) + " |")
    return lines


def cold_share(bill: Bill) -> float:
    """The share of the requests that begin with INIT, though environments are kept ready."""
    quantities = {line.name: float(np.asarray(line.quantity)) for line in bill.lines}
    requests = quantities["requests"] + quantities["overflow requests"]
    gb = float(np.asarray(DEFAULT.memory_mb)) / 1024
    return quantities["overflow INIT"] / gb / float(np.asarray(DEFAULT.init_seconds)) / requests


def _break_even_points(prices: Prices) -> list[str]:
    lines = [
        "| a request takes | one kept ready: cheaper than `standard` from | than `snapstart` from | "
        "1 % may find none: cheaper than `standard` from |",
        "|---|---:|---:|---:|",
    ]
    for case in CASES:
        one = replace(case.scenario, provisioned=1.0)
        cells = (
            cheaper_from(one, "standard", prices),
            cheaper_from(one, "snapstart", prices),
            cheaper_from(case.scenario, "standard", prices),
        )
        lines.append(f"| {case.what} | " + " | ".join(_traffic(rpm) for rpm in cells) + " |")
    return lines


def cheaper_from(scenario: Scenario, other: str, prices: Prices) -> float | None:
    """Requests a minute from which provisioned concurrency costs less than the other, up to 100 requests at once."""
    rpm = SEARCHED * 60 / scenario.warm()
    swept = replace(scenario, requests=rpm * MINUTES_PER_MONTH)
    saved = np.asarray(VARIANTS[other].bill(swept, prices).usd) - np.asarray(
        VARIANTS["provisioned"].bill(swept, prices).usd
    )
    dearer = np.flatnonzero(saved <= 0)
    if not dearer.size:
        return float(rpm[0])
    return float(rpm[dearer[-1] + 1]) if dearer[-1] + 1 < len(rpm) else None


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2):g} %" if share >= 0.0001 else "below 0.01 %"


def _traffic(rpm: float | None) -> str:
    return "never" if rpm is None else number(significant(rpm, 2))

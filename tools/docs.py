"""The parts of README and docs that are made from the code. `make docs` writes them, and a test compares them.

A part stands between `<!-- begin NAME, made by make docs -->` and `<!-- end NAME -->`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import performance
from crossover import documents
from crossover.cost.bill_comparison import compare
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import by_default
from stacks import settings
from tools import constructs_page, permissions, provisioned_rule

ROOT = Path(__file__).resolve().parents[1]
TRAFFIC = (1, 10, 72, 150, 300, 1000)  # requests a minute; 72 is where published comparisons see the lines cross


def costs_table() -> str:
    """USD a month of every deployable variant at some traffic, the cheapest in bold, and where that changes."""
    prices = load("us-east-1")
    lines = [
        "| requests a minute | " + " | ".join(f"`{name}`" for name in by_default()) + " |",
        "|---:|" + "---:|" * len(by_default()),
    ]
    for rpm in TRAFFIC:
        bills = compare(Scenario(requests=rpm * MINUTES_PER_MONTH), prices, candidates=by_default()).bills
        usd = {name: bills[name].usd for name in by_default()}
        cells = (f"**{usd[name]:,.2f}**" if usd[name] == min(usd.values()) else f"{usd[name]:,.2f}" for name in usd)
        lines.append(f"| {rpm:,} | " + " | ".join(cells) + " |")
    verdict = compare(Scenario(requests=72 * MINUTES_PER_MONTH), prices, candidates=by_default()).verdict
    return "\n".join([*lines, "", f"*{verdict}*"])


def speed_table() -> str:
    """The medians of the committed results."""
    micro, peers = (documents.read(path) for path in (performance.MICRO, performance.PEERS))
    return performance.speed_table(micro, peers)


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "costs": ("README.md", costs_table),
    "speed": ("docs/README.md", speed_table),
    "provisioned": ("docs/cost.md", provisioned_rule.markdown),
    "settings": ("docs/settings.md", settings.markdown_table),
    "constructs": ("docs/constructs.md", constructs_page.markdown),
    "permissions": ("docs/security.md", permissions.markdown),
}


def with_part(page: str, name: str, text: str) -> str:
    """The page with this text as the part.

    Raises:
        ValueError: the page has no such part.
    """
    begin, end = f"<!-- begin {name}, made by make docs -->\n", f"\n<!-- end {name} -->"
    pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"The page has no part {name}, between {begin.strip()} and {end.strip()}.")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)


def main() -> None:
    for name, (file, make) in PARTS.items():
        page = ROOT / file
        page.write_text(with_part(page.read_text(), name, make()))


if __name__ == "__main__":
    main()

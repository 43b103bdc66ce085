"""The sentences of the page."""

import pytest

from crossover.cost.break_even import HIGHEST, HIGHEST_RPM, LOWEST, LOWEST_RPM, BreakEven, BreakEvens, Cause
from crossover.report.sentences import at_traffic, span, verdict

TITLES = {"one": "Lambda", "other": "an endpoint"}


def found(first: str | None, *changes: tuple[float, str | None]) -> BreakEvens:
    """With these changes: (requests a minute, the cheapest from there on)."""
    cheapest = [first, *[above for _, above in changes]]
    return BreakEvens(
        first=first,
        points=tuple(
            BreakEven(requests=rpm * 43_800, below=below, above=above, usd=1.0, cause=Cause.LINES)
            for (rpm, above), below in zip(changes, cheapest, strict=False)
        ),
        lowest=LOWEST,
        highest=HIGHEST,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (found("other"), "An endpoint is cheaper at any traffic from 0.1 to 10,000 requests a minute."),
        (found(None), "Neither is possible from 0.1 to 10,000 requests a minute."),
        (found("one", (71.93, "other")), "Lambda is cheaper up to 71.9 requests a minute, an endpoint from there on."),
        (
            found("one", (72, "other"), (106, "one")),
            "Lambda is cheaper up to 72 requests a minute and again from 106 on; in between, an endpoint is.",
        ),
        (
            found("one", (72, "other"), (106, "one"), (144, "other")),
            "Lambda is cheaper up to 72 requests a minute, an endpoint from 144 on; "
            "in between, the cheaper one changes once.",
        ),
        (
            found("one", (1, "other"), (2, "one"), (3, "other"), (4, "one"), (5, "other"), (6, "one")),
            "Lambda is cheaper up to 1 requests a minute and again from 6 on; "
            "in between, the cheaper one changes 4 times.",
        ),
    ],
)
def test_the_verdict_names_the_first_and_the_last_point(given: BreakEvens, said: str) -> None:
    assert verdict(given, TITLES) == said


def test_the_scenarios_traffic_has_each_cost_and_what_is_impossible() -> None:
    said = at_traffic(72, 3_153_600, {"Lambda": 43.51, "an endpoint": None})
    assert (
        said
        == "At 72 requests a minute, 3,153,600 a month: Lambda costs 43.51 USD a month, an endpoint is not possible."
    )


def test_a_range_is_open_where_the_page_ends() -> None:
    lowest, highest = LOWEST_RPM, HIGHEST_RPM
    assert span(lowest, 62.8) == "up to 62.8"
    assert span(62.8, 78) == "62.8 to 78"
    assert span(78, highest) == "from 78 on"
    assert span(lowest, highest) == "0.1 to 10,000"

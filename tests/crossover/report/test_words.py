"""The sentences of the page."""

import pytest

from crossover.report import words
from crossover.report.races import MEET, Crossing, Race
from crossover.report.words import at_traffic, span, verdict

NAMES = {0: "Lambda", 1: "an endpoint", None: "neither"}


def race(first: int | None, *crossings: tuple[float, int | None]) -> Race:
    """A race with these changes: (requests a minute, who is the cheapest from there on)."""
    winners = [first, *[above for _, above in crossings]]
    return Race(
        first=first,
        crossings=tuple(
            Crossing(requests=rpm * 43_800, below=below, above=above, usd=1.0, cause=MEET)
            for (rpm, above), below in zip(crossings, winners, strict=False)
        ),
    )


@pytest.mark.parametrize(
    ("raced", "said"),
    [
        (race(1), "An endpoint is cheaper at any traffic from 0.1 to 10,000 requests a minute."),
        (race(None), "Neither can be had from 0.1 to 10,000 requests a minute."),
        (race(0, (71.93, 1)), "Lambda is cheaper up to 71.9 requests a minute, an endpoint from there on."),
        (
            race(0, (72, 1), (106, 0)),
            "Lambda is cheaper up to 72 requests a minute and again from 106 on; in between, an endpoint is.",
        ),
        (
            race(0, (72, 1), (106, 0), (144, 1)),
            "Lambda is cheaper up to 72 requests a minute, an endpoint from 144 on; "
            "in between, the cheaper one changes once.",
        ),
        (
            race(0, (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0)),
            "Lambda is cheaper up to 1 requests a minute and again from 6 on; "
            "in between, the cheaper one changes 4 times.",
        ),
    ],
)
def test_the_verdict_names_the_first_and_the_last_crossing(raced: Race, said: str) -> None:
    assert verdict(raced, NAMES.__getitem__) == said


def test_the_own_traffic_says_what_each_costs_and_who_cannot_be_had() -> None:
    said = at_traffic(72, 3_153_600, {"Lambda": 43.51, "an endpoint": None})
    assert (
        said == "At 72 requests a minute, 3,153,600 a month: Lambda costs 43.51 USD a month, an endpoint cannot be had."
    )


def test_a_range_is_open_where_the_page_ends() -> None:
    lowest, highest = words.LOWEST_RPM, words.HIGHEST_RPM
    assert span(lowest, 62.8) == "up to 62.8"
    assert span(62.8, 78) == "62.8 to 78"
    assert span(78, highest) == "from 78 on"
    assert span(lowest, highest) == "0.1 to 10,000"

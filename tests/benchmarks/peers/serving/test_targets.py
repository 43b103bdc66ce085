"""The targets of this project's server, and when they hold."""

from typing import Any, cast

import pytest

from benchmarks.peers.serving.server_summary import Section
from benchmarks.peers.serving.server_tables import targets

NAMES = [
    "throughput with 4 clients, of the baseline's",
    "throughput with 16 clients, of the baseline's",
    "throughput with 1 client, of the best server with one session",
    "p99 with 16 clients, of p50",
]
WORKERS = {"ours": 2, "single": 1, "other single": 1, "double": 2}


def row(
    server: str,
    clients: int,
    *,
    ratio_to_ours: float | None = 1.0,
    ratio_to_baseline: float | None = 1.0,
    p50_ms: float | None = 100.0,
    p99_ms: float | None = 100.0,
) -> dict[str, Any]:
    """A row of a summary, in which ours answers 80 requests a second."""
    return {
        "server": server,
        "clients": clients,
        "figures": {
            "requests_per_second": 80.0 * (ratio_to_ours or 0.0),
            "p50_ms": p50_ms,
            "p99_ms": p99_ms,
        },
        "ratio_to_ours": {"requests_per_second": ratio_to_ours},
        "ratio_to_baseline": {"requests_per_second": ratio_to_baseline},
        "ratio_to_baseline_interval": (0.9, 0.99),
    }


def section(*rows: dict[str, Any]) -> Section:
    """Only what the targets are made of."""
    servers = {name: {"workers": workers} for name, workers in WORKERS.items()}
    return cast(Section, {"servers": servers, "summary": list(rows)})


def met(*rows: dict[str, Any]) -> list[tuple[float | None, bool]]:
    """Value and whether it holds, of each target."""
    found = targets(section(*rows))
    assert [target[0] for target in found] == NAMES
    assert [target[2] for target in found] == ["at least 0.95"] * 3 + ["at most 1.2"]
    return [(target[1], target[3]) for target in found]


def assert_met(found: tuple[float | None, bool], value: float, *, holds: bool) -> None:
    assert found[0] == pytest.approx(value)
    assert found[1] is holds


def test_throughput_of_many_clients_is_compared_with_the_baseline() -> None:
    four, sixteen, *_ = met(
        row("ours", 4, ratio_to_baseline=0.94), row("ours", 16, ratio_to_baseline=0.95), row("double", 4)
    )
    assert four == (0.94, False)
    assert sixteen == (0.95, True)
    assert targets(section(row("ours", 4)))[0].between == (0.9, 0.99)


def test_throughput_of_one_client_is_compared_with_the_best_server_with_one_session() -> None:
    rows = [row("ours", 1), row("single", 1, ratio_to_ours=0.5), row("other single", 1, ratio_to_ours=1.25)]
    assert_met(met(*rows)[2], 0.8, holds=False)
    assert_met(met(*rows[:2])[2], 2.0, holds=True)


def test_servers_with_two_sessions_and_more_clients_are_left_out_of_that() -> None:
    rows = [
        row("ours", 1),
        row("single", 1, ratio_to_ours=0.8),
        row("double", 1, ratio_to_ours=3.0),
        row("single", 4, ratio_to_ours=2.0),
    ]
    assert_met(met(*rows)[2], 1.25, holds=True)


def test_a_server_that_answered_nothing_is_not_the_best_one() -> None:
    rows = [row("ours", 1), row("single", 1, ratio_to_ours=0.0), row("other single", 1, ratio_to_ours=0.8)]
    assert_met(met(*rows)[2], 1.25, holds=True)
    assert met(*rows[:2])[2] == (None, False)


@pytest.mark.parametrize(("p99_ms", "value", "holds"), [(120.0, 1.2, True), (121.0, 1.21, False)])
def test_p99_of_many_clients_is_compared_with_p50(p99_ms: float, value: float, holds: bool) -> None:
    rows = [row("ours", 4, p99_ms=900.0), row("double", 16, p99_ms=900.0), row("ours", 16, p99_ms=p99_ms)]
    assert_met(met(*rows)[3], value, holds=holds)


def test_what_was_not_measured_has_no_value_and_does_not_hold() -> None:
    nothing = [(None, False)] * 4
    assert met() == nothing
    assert met(row("single", 1, ratio_to_ours=None), row("double", 16, ratio_to_ours=None)) == nothing
    assert met(row("ours", 2)) == nothing  # another crowd
    assert met(row("ours", 1), row("double", 1)) == nothing  # no peer with one session
    assert (
        met(row("ours", 4, ratio_to_baseline=None), row("ours", 16, ratio_to_baseline=None))[:2] == [(None, False)] * 2
    )


def test_without_answers_there_is_no_p99() -> None:
    assert met(row("ours", 16, p50_ms=None, p99_ms=None))[3] == (None, False)

"""When requests are sent."""

from itertools import pairwise
from pathlib import Path

import pytest

from crossover.bench.run.schedule import parse_schedule
from crossover.errors import UsageError


def offsets(text: str, requests: int | None = None, *, seed: int = 1) -> list[float]:
    slots = parse_schedule(text, requests, seed=seed)
    assert all(slot.concurrency is None for slot in slots)
    return [slot.offset for slot in slots if slot.offset is not None]


def test_poisson_arrivals_have_their_rate_and_depend_on_the_seed_only() -> None:
    times = offsets("poisson:60rpm", 4000)
    assert times[0] == 0
    assert times == sorted(times)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert sum(gaps) / len(gaps) == pytest.approx(1.0, rel=0.05)
    # The gaps of a Poisson process scatter as much as they last.
    assert sum((gap - 1) ** 2 for gap in gaps) / len(gaps) == pytest.approx(1.0, rel=0.15)
    assert times == offsets("poisson:60rpm", 4000)
    assert times != offsets("poisson:60rpm", 4000, seed=2)


def test_constant_arrivals_come_evenly() -> None:
    assert offsets("constant:120rpm", 4) == [0, 0.5, 1.0, 1.5]


def test_batches_come_at_once_and_the_last_may_be_smaller() -> None:
    assert offsets("batch:2:30s", 5) == [0, 0, 30, 30, 60]


def test_there_are_200_requests_by_default() -> None:
    assert len(offsets("constant:60rpm")) == 200


def test_a_single_request_is_allowed() -> None:
    assert offsets("poisson:60rpm", 1) == [0]


def test_a_ramp_doubles_and_shares_the_requests_evenly() -> None:
    slots = parse_schedule("ramp:1-16", 82, seed=1)
    assert [slot.concurrency for slot in slots] == [1] * 17 + [2] * 17 + [4] * 16 + [8] * 16 + [16] * 16
    assert {slot.offset for slot in slots} == {None}
    assert {slot.concurrency for slot in parse_schedule("ramp:3-10", 100, seed=1)} == {3, 6, 10}


def test_a_trace_begins_at_its_first_time_and_holds_all_unless_fewer_are_asked_for(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("# seconds\n12.5\n10\n11\n")
    assert offsets(f"trace:{trace}") == [0, 1, 2.5]
    assert offsets(f"trace:{trace}", 2) == [0, 1]
    with pytest.raises(UsageError, match=r"4 requests are asked for; the trace .* holds 3"):
        parse_schedule(f"trace:{trace}", 4, seed=1)


@pytest.mark.parametrize(
    ("text", "requests", "named"),
    [
        ("", None, r"The arrivals are ''; they must be poisson:RATErpm, "),
        ("burst:10", None, r"'burst:10'; they must be"),
        ("poisson", None, r"the rate must be more than 0rpm"),
        ("poisson:60", None, r"the rate must be more than 0rpm and at most 60,000rpm, as in 60rpm"),
        ("constant:0rpm", None, "the rate must be more"),
        ("constant:60001rpm", None, "the rate must be more"),
        ("batch:0:30s", None, "batches are batch:SIZE:EVERYs"),
        ("batch:1001:30s", None, "of 1 to 1,000"),
        ("batch:10:0s", None, "batches are"),
        ("batch:10:30", None, "batches are"),
        ("ramp:0-4", None, "a ramp is ramp:LOW-HIGH"),
        ("ramp:8-4", None, "a ramp is"),
        ("ramp:1-65", None, "from 1 to 64 at once"),
        ("ramp:1-16", 79, "a ramp of 5 steps up to 16 at once needs at least 80"),
        ("trace:/nowhere", None, "The trace /nowhere cannot be read"),
        ("constant:60rpm", 0, "There are 0 requests; there must be 1 to 100,000"),
        ("constant:60rpm", 100_001, "There are 100,001 requests"),
    ],
)
def test_refuses_invalid_values_by_name(text: str, requests: int | None, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        parse_schedule(text, requests, seed=1)

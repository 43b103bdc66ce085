"""The plan: everything that is sent, fixed beforehand."""

from collections import Counter
from typing import Any

import pytest

from crossover.bench.run.plan import Phase, Plan, difference, make_plan
from crossover.bench.run.schedule import parse_schedule

from .fakes import FILES


def plan(requests: int = 11, *, cold: int = 4, **values: Any) -> Plan:
    text = values.pop("arrivals", "constant:60rpm")
    seed = values.pop("seed", 1)
    known: dict[str, Any] = {"variants": ["standard", "snapstart"], "files": FILES, "idle_seconds": 60.0}
    slots = parse_schedule(text, requests, seed=seed)
    return make_plan(arrivals=text, slots=slots, cold=cold, seed=seed, **{**known, **values})


def test_all_files_occur_equally_often() -> None:
    made = plan()
    counts = Counter(planned.file for planned in (*made.load, *made.cold))
    assert max(counts.values()) - min(counts.values()) <= 1
    assert [(planned.phase, planned.number) for planned in made.cold] == [(Phase.COLD, number) for number in range(4)]
    assert [planned.number for planned in made.load] == list(range(11))


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan(arrivals="poisson:60rpm") == plan(arrivals="poisson:60rpm")
    one, other = plan(40, seed=1), plan(40, seed=2)
    assert [planned.file for planned in one.load] != [planned.file for planned in other.load]


def test_the_json_has_the_whole_plan_without_the_files_bytes() -> None:
    written = plan(3, cold=1).to_json()
    assert [entry["offset"] for entry in written["load"]] == [0.0, 1.0, 2.0]
    assert {entry["concurrency"] for entry in written["load"]} == {None}
    assert len(written["cold_files"]) == 1
    assert written["loop"] == "open"
    assert written["files"][0] == FILES[0].to_json()
    assert "content" not in written["files"][0]
    assert plan(80, arrivals="ramp:1-16").to_json()["loop"] == "closed"


def test_the_plan_states_the_uploaded_bytes() -> None:
    made = plan(2, cold=2)
    assert made.upload_bytes == 2 * 2 * (FILES[0].size_bytes + FILES[1].size_bytes)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({}, None),
        ({"seed": 2}, "seed is 1 there and 2 here"),
        ({"requests": 12}, "requests is 11 there and 12 here"),
        ({"cold": 0}, "cold is 4 there and 0 here"),
        ({"variants": ["standard"]}, r"variants is \['standard', 'snapstart'\] there"),
        ({"files": FILES[:1]}, "its files differ"),
    ],
)
def test_the_first_difference_of_two_plans_is_named(other: dict[str, Any], named: str | None) -> None:
    found = difference(plan().to_json(), plan(**other).to_json())
    if named is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(named.replace("\\", ""))

"""Forced cold starts: the calls in their order, and that everything is restored at the end."""

from typing import Any

import pytest

from crossover.bench.run.cold import (
    DESCRIPTION,
    SETTLE_SECONDS,
    VARIABLE,
    NewConfigurations,
    NewVersions,
    Overflow,
    cold_starts,
)
from crossover.errors import CrossoverError

from .fakes import FakeLambda, FakeTime, variant

OWN = {"PREDICTOR": "standard"}


def configurations(function: FakeLambda) -> NewConfigurations:
    return NewConfigurations(function, "f", run_id="abc", clock=FakeTime().clock)


def versions(function: FakeLambda) -> NewVersions:
    return NewVersions(function, "f", "live", run_id="abc", clock=FakeTime().clock)


def snapstart() -> FakeLambda:
    return FakeLambda(versions=("3", "4"), alias="4")


def names(function: FakeLambda) -> list[str]:
    return [f"{name} {what}" if isinstance(what, str) else name for name, what in function.calls]


def test_what_s3_invokes_decides_how_cold_starts_are_forced() -> None:
    clock = FakeTime().clock
    itself = cold_starts(lambda service: FakeLambda(), variant(), run_id="abc", clock=clock)
    alias = cold_starts(lambda service: FakeLambda(), variant(alias="live"), run_id="abc", clock=clock)
    assert (type(itself), type(alias)) == (NewConfigurations, NewVersions)
    ready = cold_starts(lambda service: FakeLambda(), variant(alias="live"), run_id="abc", clock=clock, provisioned=2)
    assert type(ready) is Overflow


def test_a_function_gets_a_new_variable_each_time_and_finally_its_own_again() -> None:
    function = FakeLambda()
    ways = configurations(function)
    ways.force()
    ways.force()
    assert [what for name, what in function.calls if name == "configure"] == [
        {**OWN, VARIABLE: "abc-1"},
        {**OWN, VARIABLE: "abc-2"},
    ]
    assert names(function) == ["configure", "wait function_updated_v2"] * 2
    assert ways.undo() == []
    assert function.variables == OWN
    assert names(function)[-1] == "wait function_updated_v2"


def test_nothing_is_changed_where_nothing_was_forced() -> None:
    function = FakeLambda(versions=("1",), alias="1")
    assert configurations(function).undo() == versions(function).undo() == []
    assert function.calls == []


def test_undoing_twice_is_harmless() -> None:
    function = snapstart()
    ways = versions(function)
    ways.force()
    assert ways.undo() == []
    before = list(function.calls)
    assert ways.undo() == []
    assert function.calls == before


def test_an_interrupted_change_is_undone_too() -> None:
    """It was taken, and the wait for it was ended."""
    function = FakeLambda()
    function.fails = {"wait"}
    ways = configurations(function)
    with pytest.raises(Exception, match="it failed"):
        ways.force()
    function.fails = set()
    assert ways.undo() == []
    assert function.variables == OWN


def test_an_alias_moves_to_a_new_version_once_that_is_ready() -> None:
    function = snapstart()
    versions(function).force()
    assert names(function) == [
        "configure",
        "wait function_updated_v2",
        "publish 5",
        "wait published_version_active",
        "alias 5",
    ]
    assert function.versions["5"] == DESCRIPTION


@pytest.mark.parametrize("alias", ["", "live"])
def test_waits_until_a_change_is_applied_everywhere(alias: str) -> None:
    time = FakeTime()
    ways = cold_starts(lambda service: snapstart(), variant(alias=alias), run_id="abc", clock=time.clock)
    ways.force()
    assert time.slept == [SETTLE_SECONDS]


def test_keeps_only_the_newest_of_several_versions_meanwhile() -> None:
    function = snapstart()
    ways = versions(function)
    for _ in range(3):
        ways.force()
    assert set(function.versions) == {"3", "4", "7"}
    assert function.alias == "7"


def test_finally_restores_alias_and_configuration_and_deletes_the_versions() -> None:
    function = snapstart()
    ways = versions(function)
    ways.force()
    ways.force()
    function.calls.clear()
    assert ways.undo() == []
    assert (function.alias, set(function.versions), function.variables) == ("4", {"3", "4"}, OWN)
    # The alias first: what S3 sends goes to the own version again, and only then can the made one be deleted.
    assert names(function)[0] == "alias 4"


@pytest.mark.parametrize("fails", ["configure", "wait", "publish", "wait published_version_active", "alias"])
def test_undoes_a_failure_in_the_middle(fails: str) -> None:
    function = snapstart()
    ways = versions(function)
    ways.force()
    function.fails = {fails}
    with pytest.raises(Exception, match=r"no|it failed"):
        ways.force()
    function.fails = set()
    assert ways.undo() == []
    assert (function.alias, set(function.versions), function.variables) == ("4", {"3", "4"}, OWN)


def test_reports_what_cannot_be_restored_and_restores_the_rest() -> None:
    function = snapstart()
    ways = versions(function)
    ways.force()
    function.fails = {"alias"}
    problems = ways.undo()
    assert [problem.partition(" is not as it was")[0] for problem in problems] == [
        "The alias live of the function f",
        "Version 5 of the function f",  # because the alias still names it
    ]
    assert function.variables == OWN
    function.fails = set()
    assert ways.undo() == []
    assert (function.alias, set(function.versions)) == ("4", {"3", "4"})


def test_a_version_that_is_already_gone_is_ignored() -> None:
    function = snapstart()
    ways = versions(function)
    ways.force()
    function.alias = "4"
    del function.versions["5"]
    assert ways.undo() == []


def killed(ways: Any) -> None:
    """Of a killed benchmark everything is forgotten."""
    ways.force()
    ways.force()


def test_finds_and_undoes_the_versions_of_a_killed_benchmark() -> None:
    function = snapstart()
    killed(versions(function))
    again = versions(function)
    again.find_leftovers()
    assert again.undo() == []
    assert (function.alias, set(function.versions), function.variables) == ("4", {"3", "4"}, OWN)


def test_finds_and_undoes_the_variable_of_a_killed_benchmark() -> None:
    function = FakeLambda()
    killed(configurations(function))
    again = configurations(function)
    again.find_leftovers()
    assert again.undo() == []
    assert function.variables == OWN


def test_a_resumed_benchmark_restores_the_original_state() -> None:
    function = snapstart()
    killed(versions(function))
    again = versions(function)
    again.find_leftovers()
    again.force()
    assert again.undo() == []
    assert (function.alias, set(function.versions), function.variables) == ("4", {"3", "4"}, OWN)


def test_an_unchanged_function_is_not_touched() -> None:
    function = snapstart()
    ways = versions(function)
    ways.find_leftovers()
    assert ways.undo() == []
    assert function.calls == []


def test_a_rollout_in_progress_is_not_disturbed() -> None:
    function = snapstart()
    function.weights = {"5": 0.1}
    with pytest.raises(CrossoverError, match="A rollout of f is in progress"):
        versions(function).force()
    assert function.calls == []


def test_a_configuration_that_cannot_be_read_is_not_changed() -> None:
    function = FakeLambda()
    function.unreadable = True
    with pytest.raises(CrossoverError, match="cannot be read, so it could not be put back: no key"):
        configurations(function).force()
    assert function.calls == []


# --- provisioned concurrency: what exceeds it


def provisioned(ready: int | None = 3) -> FakeLambda:
    function = FakeLambda(versions=("3", "4"), alias="4")
    function.ready = ready
    return function


def overflow(function: FakeLambda, time: FakeTime | None = None) -> Overflow:
    return Overflow(function, "f", "live", run_id="abc", clock=(time or FakeTime()).clock, provisioned=3)


def test_what_is_kept_ready_is_taken_before_the_alias_moves_and_given_back_at_the_end() -> None:
    function, time = provisioned(), FakeTime()
    starts = overflow(function, time)
    starts.force()
    starts.force()
    assert names(function).count("take live") == 1
    assert names(function).index("take live") < names(function).index("publish 5")
    assert not function.ready

    function.allocating = 3
    assert starts.undo() == []
    assert (function.ready, function.alias, function.variables) == (3, "4", OWN)
    assert names(function)[-1] == "give 3"
    assert starts.allocation_seconds == 6.0
    before = list(function.calls)
    assert starts.undo() == []
    assert function.calls == before


def test_what_a_killed_benchmark_took_is_given_back() -> None:
    function = provisioned()
    overflow(function).force()
    after = overflow(function)
    after.find_leftovers()
    assert after.undo() == []
    assert (function.ready, function.alias, function.variables) == (3, "4", OWN)


def test_what_cannot_be_given_back_is_named() -> None:
    function = provisioned()
    starts = overflow(function)
    starts.force()
    function.fails = {"give 3"}
    [problem] = starts.undo()
    assert problem.startswith("The provisioned concurrency (3) of the alias live of f is not as it was: ")
    function.fails = set()
    assert starts.undo() == []
    assert function.ready == 3

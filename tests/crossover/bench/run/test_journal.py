"""The journal: what is complete survives whatever ends a benchmark."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossover.bench.run.journal import Journal
from crossover.bench.run.observation import Outcome
from crossover.errors import UsageError

from .fakes import WALL, observation, report
from .test_plan import plan

PLAN = plan(3, cold=1).to_json()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "result.json.journal"


def create(path: Path, count: int = 2) -> Journal:
    journal = Journal.create(path, PLAN, run_id="abc", started=WALL)
    for number in range(count):
        journal.add(observation(number, reports=(report(),)))
    return journal


def test_a_resumed_journal_continues_where_it_ended(path: Path) -> None:
    create(path)
    failed = observation(2, outcome=Outcome.DEAD_LETTER, item={}, error="ModelError: no.")
    resumed = Journal.resume(path, PLAN, started=WALL + 60)
    assert (resumed.run_id, resumed.started, resumed.segments) == ("abc", WALL, [WALL, WALL + 60])
    assert resumed.observations == [observation(number, reports=(report(),)) for number in range(2)]
    resumed.add(failed)
    again = Journal.resume(path, PLAN, started=WALL + 90)
    assert again.observations[2:] == [failed]
    assert len(again.segments) == 3


def test_an_incomplete_line_is_dropped_and_written_again(path: Path) -> None:
    create(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    resumed = Journal.resume(path, PLAN, started=WALL + 60)
    assert [each.number for each in resumed.observations] == [0]
    resumed.add(observation(1))
    assert [each.number for each in Journal.resume(path, PLAN, started=WALL).observations] == [0, 1]


def test_refuses_the_journal_of_another_plan_and_names_the_difference(path: Path) -> None:
    create(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"is of another benchmark: requests is 3 there and 4 here\.$"):
        Journal.resume(path, plan(4, cold=1).to_json(), started=WALL)
    assert path.read_bytes() == before


def test_a_new_journal_does_not_overwrite_an_old_one(path: Path) -> None:
    create(path)
    with pytest.raises(UsageError, match=r"did not end; resume it with --resume"):
        Journal.create(path, PLAN, run_id="def", started=WALL)


def written(**changes: Any) -> str:
    header = {"schema": 1, "run_id": "abc", "started": WALL, "plan": json.loads(json.dumps(PLAN)), **changes}
    return json.dumps(header) + "\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is not a journal of a benchmark"),
        ("{\n", "is not a journal of a benchmark"),
        ("[]\n", "is not a journal of a benchmark"),
        ('{"plan": {}}\n', "is not a journal of a benchmark"),
        (written() + '{"variant": "standard"}\n', "is not a journal of a benchmark"),
        (written(schema=2), "has schema 2; this version reads 1"),
    ],
)
def test_refuses_a_file_that_is_not_a_journal(path: Path, text: str, named: str) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match=named):
        Journal.resume(path, PLAN, started=WALL)


def test_without_a_journal_there_is_nothing_to_resume(path: Path) -> None:
    with pytest.raises(UsageError, match="There is nothing to resume"):
        Journal.resume(path, PLAN, started=WALL)


def test_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        Journal.create(tmp_path / "gone" / "journal", PLAN, run_id="abc", started=WALL)


def test_the_journal_is_deleted_once_the_result_is_written(path: Path) -> None:
    create(path).remove()
    assert not path.exists()

"""What the app itself warns of."""

from crossover.doctor import annotations
from tests.crossover.doctor.stubs import Aws, run, stack

[APP] = annotations.CHECKS


def test_what_several_stacks_warn_of_is_said_once_and_an_error_fails(aws: Aws) -> None:
    first, second = stack(warnings=("Beware.",)), stack(id="Two", warnings=("Beware.", "And this."), errors=("No.",))
    assert [finding[:2] for finding in run(APP, aws, first, second)] == [
        ("fails", "No."),
        ("warning", "Beware."),
        ("warning", "And this."),
    ]


def test_an_app_without_warnings_has_nothing_to_say(aws: Aws) -> None:
    assert run(APP, aws, stack()) == []

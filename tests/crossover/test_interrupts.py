"""Signals that end the work."""

import os
import signal

import pytest

from crossover import interrupts
from crossover.interrupts import InterruptedBySignalError


@pytest.fixture(autouse=True)
def installed() -> None:
    interrupts.install()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_work_with_the_exit_code_that_shells_use(number: int, exit_code: int) -> None:
    with pytest.raises(InterruptedBySignalError) as interrupted:
        os.kill(os.getpid(), number)
    assert interrupted.value.exit_code == exit_code


def test_a_signal_waits_for_the_end_of_a_block_that_must_not_be_interrupted() -> None:
    done = []
    with pytest.raises(InterruptedBySignalError), interrupts.delayed():
        with interrupts.delayed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_a_second_signal_does_not_interrupt_the_clean_up() -> None:
    with pytest.raises(InterruptedBySignalError):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)


def test_an_error_in_such_a_block_is_not_hidden_by_a_signal() -> None:
    with pytest.raises(ValueError, match="the error"), interrupts.delayed():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("the error")
    with pytest.raises(InterruptedBySignalError), interrupts.delayed():
        pass

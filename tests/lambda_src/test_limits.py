"""The limits of an input, as settings."""

import pytest

from inference.input_error import InputError
from inference.inputs.audio import AudioLimits
from inference.limits import Limits


def test_each_limit_is_a_setting() -> None:
    environ = {"MAX_FILE_BYTES": "1000", "MAX_AUDIO_SECONDS": "2.5", "MAX_CHANNELS": "12"}
    limits = AudioLimits.from_environment(environ)
    assert limits == AudioLimits(max_bytes=1000, max_seconds=2.5, max_channels=12)
    assert AudioLimits.from_environment({}) == AudioLimits()
    assert Limits.from_environment(environ) == Limits(max_bytes=1000)
    assert AudioLimits.variables() == tuple(environ)


@pytest.mark.parametrize("value", ["ten", "", "-1", "0", "nan", "inf"])
def test_a_limit_that_is_not_a_number_is_named(value: str) -> None:
    with pytest.raises(ValueError, match=f"MAX_AUDIO_SECONDS is '{value}'; a number above 0 is allowed."):
        AudioLimits.from_environment({"MAX_AUDIO_SECONDS": value})


@pytest.mark.parametrize("value", ["", "two", "0", "-1", "1.5", "1e1", "nan", "²", " 2"])
def test_the_number_of_channels_must_be_a_whole_number(value: str) -> None:
    with pytest.raises(ValueError, match=rf"MAX_CHANNELS is '{value}'; a whole number above 0 is allowed\."):
        AudioLimits.from_environment({"MAX_CHANNELS": value})


@pytest.mark.parametrize(("size", "code"), [(0, "EMPTY_FILE"), (1001, "FILE_TOO_LARGE")])
def test_a_size_is_refused_before_any_byte_is_downloaded(size: int, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Limits(max_bytes=1000).check_size(size)
    assert caught.value.code == code


def test_the_largest_size_is_allowed() -> None:
    Limits(max_bytes=1000).check_size(1000)

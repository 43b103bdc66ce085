"""What a job endangers, as nothing but the function's reserved concurrency bounds it."""

from dataclasses import replace

import pytest

from crossover.backfill.concurrency import SMALL_JOB, reserved_concurrency, warning
from crossover.deployed import Variant

from .jobs_service import Lambda

VARIANT = Variant(
    name="sagemaker",
    stack="Crossover-SageMaker",
    bucket="files",
    table="predictions",
    function="proxy",
    handler_arn="",
    dead_letter_queue="",
)


@pytest.mark.parametrize(
    ("endpoint", "queue", "reserved", "warned"),
    [
        ("e", "q", None, ["proxy itself, past the upload queue", "An endpoint refuses", "about 500 objects: by --key"]),
        ("e", "", None, ["nothing bounds", "An endpoint refuses", "reserved_concurrency for as long"]),
        ("", "q", None, ["What max_concurrency is to protect is not protected from it", "by --key-prefix, or by day"]),
        ("", "", None, ["It takes from the account's concurrency"]),
        ("", "q", 5, ["shares the 5 reserved", "throttled five times becomes a dead letter", "redrive"]),
        ("", "", 5, ["shares the 5 reserved", "throttled for six hours becomes a dead letter"]),
    ],
)
def test_a_large_job_endangers_what_shares_its_concurrency(
    endpoint: str, queue: str, reserved: int | None, warned: list[str]
) -> None:
    variant = replace(VARIANT, endpoint=endpoint, upload_queue=queue)
    for objects in (SMALL_JOB + 1, None):
        said = warning(variant, reserved, objects)
        assert all(part in said for part in warned), said
    assert warning(variant, reserved, SMALL_JOB) == ""


def test_a_function_that_was_stopped_by_hand_cannot_run_even_a_small_job() -> None:
    assert "proxy has a reserved concurrency of 0, so nothing can invoke it" in warning(VARIANT, 0, 1)


@pytest.mark.parametrize("reserved", [None, 0, 5])
def test_the_function_knows_what_it_has_reserved(reserved: int | None) -> None:
    assert reserved_concurrency(lambda _, /: Lambda(reserved=reserved), VARIANT) == reserved

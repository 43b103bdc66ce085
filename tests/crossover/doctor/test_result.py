"""A check that AWS does not answer, or not as expected, says so and ends no other."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from crossover.doctor.checks import CHECKS, least_policy
from crossover.doctor.context import Context
from crossover.doctor.result import Check, Outcome, ok
from crossover.errors import CrossoverError
from tests.crossover.doctor.stubs import Aws, run


def client_error(code: str, operation: str = "GetThing") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "No."}}, operation)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (client_error("AccessDeniedException"), "needs things:GetThing"),
        (client_error("UnauthorizedOperation", "ListThings"), "needs ListThings"),  # which it does not declare
        (client_error("403", "HeadBucket"), "needs s3:ListBucket"),
        (client_error("InvalidAction"), "GetThing was refused: InvalidAction, No"),
        (client_error("Throttling"), "GetThing was refused: Throttling, No"),
        (EndpointConnectionError(endpoint_url="http://here"), 'Could not connect to the endpoint URL: "http://here"'),
        (ResponseParserError("Not\n XML."), "Not XML"),
        (CrossoverError("there are no credentials"), "there are no credentials"),
        (KeyError("Quota"), "the template or AWS's answer is not as expected (KeyError('Quota'))"),
        (ValueError("abc"), "the template or AWS's answer is not as expected (ValueError('abc'))"),
    ],
)
def test_what_could_not_be_checked_is_said_after_what_was(error: Exception, found: str) -> None:
    def examine(context: Context) -> Iterator[Outcome]:
        yield ok("the first part")
        raise error

    first, second = run(Check("thing", ("things:GetThing",), examine), Aws())
    assert first == ("ok", "the first part", "")
    assert second[:2] == ("unknown", f"could not be checked: {found}")


def test_the_checks_have_names_of_their_own_and_only_read() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    verbs = {action.partition(":")[2] for action in least_policy()}
    assert len(verbs) > 5
    assert all(verb.startswith(("Get", "List", "Describe")) for verb in verbs)

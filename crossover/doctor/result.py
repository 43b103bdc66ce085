"""What a check finds, and how a check is run so that what it may not ask does not end the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from crossover.errors import CrossoverError

if TYPE_CHECKING:
    from crossover.doctor.context import Context

# What the services answer where IAM does not allow a request; HEAD of S3 has no code but the status.
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403"}
# Operations whose IAM action has another name.
ACTIONS = {"HeadBucket": "s3:ListBucket"}


class Status(Enum):
    """The outcome of a check, as it is shown."""

    OK = "ok"
    WARNING = "warning"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name.
        status: whether the deployment would fail on it.
        what: was found, a clause or a sentence.
        todo: what to do, a sentence; empty where there is nothing.
    """

    check: str
    status: Status
    what: str
    todo: str = ""


@dataclass(frozen=True)
class Check:
    """A check: a name, the IAM actions that it needs, and a function that yields its findings.

    Attributes:
        name: shown in the first column.
        actions: of IAM, such as lambda:GetAccountSettings.
        examine: may raise what an AWS client raises.
    """

    name: str
    actions: tuple[str, ...]
    examine: Callable[["Context"], Iterable["Outcome"]]

    def run(self, context: "Context") -> list[Finding]:
        """The findings; the last of unknown status where AWS does not answer; none where there is nothing to check."""
        found: list[Outcome] = []
        try:
            for outcome in self.examine(context):
                found.append(outcome)  # one by one, since those before an error count
        except ClientError as error:
            found.append(self._refused(error))
        except (BotoCoreError, ResponseParserError, CrossoverError) as error:
            found.append(unknown(" ".join(str(error).split()).rstrip(".")))
        # A reference in an own app's template where a value is read, or an answer of another form.
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            found.append(unknown(f"the template or AWS's answer is not as expected ({error!r})"))
        return [Finding(self.name, *outcome) for outcome in found]

    def _refused(self, error: ClientError) -> "Outcome":
        code, operation = error.response.get("Error", {}).get("Code", ""), error.operation_name
        if code not in DENIED:
            message = " ".join(error.response["Error"].get("Message", "").split()).rstrip(".")
            return unknown(f"{operation} was refused: {code}{f', {message}' if message else ''}")
        action = ACTIONS.get(operation) or next(
            (action for action in self.actions if action.endswith(f":{operation}")), operation
        )
        return unknown(f"needs {action}", "Ask for this permission, or check by hand.")


Outcome = tuple[Status, str, str]


def ok(what: str) -> Outcome:
    """Nothing to do."""
    return Status.OK, what, ""


def warning(what: str, todo: str) -> Outcome:
    """The deployment does not fail, or may not."""
    return Status.WARNING, what, todo


def fails(what: str, todo: str) -> Outcome:
    """The deployment fails."""
    return Status.FAILS, what, todo


def unknown(why: str, todo: str = "") -> Outcome:
    """Not checked."""
    return Status.UNKNOWN, f"could not be checked: {why}", todo

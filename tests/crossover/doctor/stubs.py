"""AWS answered by botocore's Stubber: each check meets exactly the answers that a test names."""

from typing import Any

import boto3
from botocore.stub import Stubber

from crossover.doctor.context import Context
from crossover.doctor.plan import Plan, Stack
from crossover.doctor.result import ACTIONS, Check

ACCOUNT, REGION = "123456789012", "us-east-1"


class Aws:
    """Clients whose answers are given in advance, in the order of the requests to each service."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._stubbers: dict[str, Stubber] = {}
        self.actions: set[str] = set()

    def __call__(self, service: str, /) -> Any:
        if service not in self._clients:
            client = boto3.client(service, REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
            client.meta.events.register("provide-client-params", self._record)
            self._clients[service] = client
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._clients[service]

    def _record(self, model: Any, **_: Any) -> None:
        self.actions.add(ACTIONS.get(model.name, f"{model.service_model.signing_name}:{model.name}"))

    def answers(self, service: str, method: str, answer: dict[str, Any], **arguments: Any) -> None:
        """The next request to this service, with these arguments where they are given."""
        self(service)
        self._stubbers[service].add_response(method, answer, arguments or None)

    def refuses(self, service: str, method: str, code: str) -> None:
        self(service)
        self._stubbers[service].add_client_error(method, service_error_code=code)

    def check_that_all_was_asked(self) -> None:
        assert bool(self.actions) == bool(self._stubbers)
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


def run(check: Check, aws: Any, *stacks: Stack, is_everything: bool = True, **more: Any) -> list[tuple[str, str, str]]:
    """The findings of a check: status, what was found, what to do. It uses no action that it does not declare."""
    context = Context(
        clients=aws,
        account=ACCOUNT,
        region=REGION,
        plan=Plan(stacks, is_everything=is_everything),
        prefix="Crossover",
        **more,
    )
    found = [(finding.status.value, finding.what, finding.todo) for finding in check.run(context)]
    if isinstance(aws, Aws):
        aws.check_that_all_was_asked()
        assert aws.actions <= set(check.actions)
    return found


def stack(*resources: tuple[str, dict[str, Any]], id: str = "Standard", **more: Any) -> Stack:  # noqa: A002
    """A stack of the plan with these resources, as type and properties."""
    outputs = {name: {"Value": value} for name, value in more.pop("outputs", {}).items()}
    template = {
        "Resources": {
            f"R{number}": {"Type": kind, "Properties": properties}
            for number, (kind, properties) in enumerate(resources)
        },
        "Outputs": outputs,
    }
    return Stack(id=id, name=f"Crossover-{id}", template=template, **more)

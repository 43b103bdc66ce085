"""What the checks work with: the account, the plan, and the stacks that are deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crossover.aws import Clients
from crossover.doctor.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the checks work with.

    Attributes:
        clients: of the account; they raise CrossoverError where it cannot be asked.
        account: number of the account that the credentials belong to; empty where there are none.
        region: that the clients and the CDK use.
        plan: what would be deployed.
        prefix: of the names of the app's stacks.
        bundles_in_docker: whether the functions' code is built in Docker, too.
    """

    clients: Clients
    account: str
    region: str
    plan: Plan
    prefix: str
    bundles_in_docker: bool = False

    @cached_property
    def deployed(self) -> dict[str, Mapping[str, Any]]:
        """The stacks of this account and region, by name, as DescribeStacks has them."""
        pages = self.clients("cloudformation").get_paginator("describe_stacks").paginate()
        return {stack["StackName"]: stack for page in pages for stack in page["Stacks"]}

    def deployed_outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack; none where it is not deployed."""
        outputs = self.deployed.get(stack, {}).get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def here(self, text: str) -> str:
        """A name with the CDK's placeholders filled in."""
        for name, value in ("AccountId", self.account), ("Region", self.region):
            text = text.replace(f"${{AWS::{name}}}", value)
        return text

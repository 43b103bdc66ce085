"""All checks one after the other: the account, the app, and what the deployment needs."""

import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from crossover.aws import Clients
from crossover.doctor.account import Account, find_account
from crossover.doctor.checks import CHECKS
from crossover.doctor.context import Context
from crossover.doctor.plan import Plan, read_plan, synthesize
from crossover.doctor.result import Finding, Status
from crossover.errors import CrossoverError, UsageError
from crossover.project import bundling, stack_prefix

APP = "app"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the checks found.

    Attributes:
        account, region: that the stacks would be deployed to; the account is empty where it is not known.
        stacks: that would be deployed, by name.
        findings: in the order of the checks.
    """

    account: str
    region: str
    stacks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def fails(self) -> bool:
        """Whether a deployment would fail."""
        return any(finding.status is Status.FAILS for finding in self.findings)


def examine(
    clients: Clients,
    *,
    stacks: Collection[str] = (),
    settings: Mapping[str, str] | None = None,
    assembly: Path | None = None,
    announce: Callable[[str], None] = lambda what: None,
) -> Report:
    """Run all checks.

    Args:
        clients: of the account, for the CDK's default region where none is set.
        stacks: ids of those that would be deployed, as `cdk deploy` takes them; empty for all.
        settings: values as of `-c`.
        assembly: of `cdk synth`; None runs the app.
        announce: gets what is being done.

    Raises:
        UsageError: there is no such stack or assembly, or the project's cdk.json cannot be read.
    """
    settings = settings or {}
    announce("credentials")
    account = find_account(clients)
    announce("cdk synth")
    try:
        plan = _plan(account, stacks, settings, assembly)
    except UsageError:
        raise
    except CrossoverError as error:
        problem = Finding(APP, Status.FAILS, f"it cannot be synthesized: {error}", "Correct that, then run this again.")
        return _report(account, Plan(()), [problem])
    context = Context(
        clients=clients if account.is_known else _no_clients,
        account=account.number,
        region=account.region,
        plan=plan,
        prefix=settings.get("stack_prefix") or stack_prefix(),
        bundles_in_docker=assembly is None and settings.get("bundling", bundling()) == "docker",
    )
    findings = []
    for check in CHECKS:
        announce(check.name)
        findings += check.run(context)
    return _report(account, plan, findings)


def _plan(account: Account, stacks: Collection[str], settings: Mapping[str, str], assembly: Path | None) -> Plan:
    if assembly is not None:
        return read_plan(assembly, stacks)
    with tempfile.TemporaryDirectory(prefix="crossover-doctor-") as folder:
        synthesize(Path(folder), settings, account=account.number, region=account.region)
        return read_plan(Path(folder), stacks)


def _no_clients(service: str, /) -> NoReturn:
    raise CrossoverError("there are no valid credentials")


def _report(account: Account, plan: Plan, findings: list[Finding]) -> Report:
    return Report(
        account=account.number,
        region=account.region,
        stacks=tuple(stack.name for stack in plan.stacks),
        findings=(*account.findings, *findings),
    )

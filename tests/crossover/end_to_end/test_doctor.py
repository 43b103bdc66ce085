"""`crossover doctor` on the local AWS: what is deployed passes, and what that AWS lacks is said."""

import pytest

from crossover.aws import Clients
from crossover.deployed import Variant
from crossover.doctor.examine import examine
from crossover.local.work import LocalAws

pytestmark = pytest.mark.slow


def test_the_deployed_stacks_can_be_deployed_again(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant]
) -> None:
    report = examine(clients, assembly=aws.workspace.assembly)
    found = {finding.check: (finding.status.value, finding.what) for finding in report.findings}
    stacks = ", ".join(variant.stack for variant in variants.values())
    assert found["credentials"][0] == found["bootstrap"][0] == found["cost"][0] == "ok"
    assert found["stacks"][1].startswith(f"deployed, and can be updated: {stacks}")
    assert found["protection"] == ("ok", f"as deployed, or more: {stacks}")
    assert found["Lambda concurrency"][0] in ("ok", "warning")
    assert found["SageMaker quota"][0] == "unknown"  # the local AWS has no Service Quotas
    # Whether this machine can build an image is another question.
    assert {check for check, (status, _) in found.items() if status == "fails"} <= {"image"}

"""The machines that an endpoint or a server of one's own can run on.

Sources: https://aws.amazon.com/ec2/instance-types/ for sizes;
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html for baselines.
"""

from dataclasses import dataclass

from crossover.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One type, without the `ml.` that SageMaker puts before it.

    Attributes:
        name: such as c5.large.
        vcpus: how many.
        sustained_vcpus: what it holds for ever; the rest of a burstable machine's are for as long as its credits last.
        is_arm: whether it runs arm64, and not the x86_64 that the container is built for.
        has_gpu: whether it has a graphics processor, which the container does not use.
    """

    name: str
    vcpus: int
    sustained_vcpus: float
    is_arm: bool = False
    has_gpu: bool = False

    @property
    def is_burstable(self) -> bool:
        return self.sustained_vcpus < self.vcpus

    @property
    def family(self) -> str:
        """What stands before the point of its name."""
        return self.name.partition(".")[0]


def _machine(name: str, vcpus: int, sustained: float | None = None) -> Machine:
    family = name.partition(".")[0]
    return Machine(
        name=name,
        vcpus=vcpus,
        sustained_vcpus=vcpus if sustained is None else sustained,
        is_arm=family in ("t4g", "c6g", "c7g", "m6g"),
        has_gpu=family.startswith("g"),
    )


MACHINES = {
    machine.name: machine
    for machine in (
        _machine("t2.medium", 2, 0.4),
        _machine("t3.medium", 2, 0.4),
        _machine("t4g.small", 2, 0.4),
        _machine("t4g.medium", 2, 0.4),
        _machine("c5.large", 2),
        _machine("c6i.large", 2),
        _machine("c7i.large", 2),
        _machine("c6g.large", 2),
        _machine("c7g.large", 2),
        _machine("m5.large", 2),
        _machine("m6g.large", 2),
        _machine("m5.xlarge", 4),
        _machine("m5.2xlarge", 8),
        _machine("g4dn.xlarge", 4),
    )
}


# The API's list of types for endpoints has none of these: ProductionVariantInstanceType in SageMaker's service model.
NOT_FOR_HOSTING = ("t3", "t4g")


def hosting_machine(instance_type: str) -> Machine:
    """The machine of a SageMaker endpoint, such as ml.c5.large.

    Raises:
        UsageError: there is no such type here.
    """
    hosting = {f"ml.{name}": machine for name, machine in MACHINES.items() if machine.family not in NOT_FOR_HOSTING}
    if instance_type not in hosting:
        raise UsageError(f"The instance_type is {instance_type!r}; it must be one of {', '.join(hosting)}.")
    return hosting[instance_type]

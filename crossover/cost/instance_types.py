"""The instance types that an endpoint or an EC2 server can run on.

Sources: https://aws.amazon.com/ec2/instance-types/ for sizes;
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html for baselines.
"""

from dataclasses import dataclass

from crossover.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One type, without the `ml.` that SageMaker puts before it.

    Attributes:
        name: such as c5.large.
        vcpus: how many.
        sustained_vcpus: how many it can use without end; a burstable type uses the others while its credits last.
        is_arm: whether it runs arm64, and not the x86_64 that the container is built for.
        has_gpu: whether it has a GPU, which the container does not use.
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
        """The part of its name before the dot."""
        return self.name.partition(".")[0]


def _type(name: str, vcpus: int, sustained: float | None = None) -> InstanceType:
    family = name.partition(".")[0]
    return InstanceType(
        name=name,
        vcpus=vcpus,
        sustained_vcpus=vcpus if sustained is None else sustained,
        is_arm=family in ("t4g", "c6g", "c7g", "m6g"),
        has_gpu=family.startswith("g"),
    )


INSTANCE_TYPES = {
    each.name: each
    for each in (
        _type("t2.medium", 2, 0.4),
        _type("t3.medium", 2, 0.4),
        _type("t4g.small", 2, 0.4),
        _type("t4g.medium", 2, 0.4),
        _type("c5.large", 2),
        _type("c6i.large", 2),
        _type("c7i.large", 2),
        _type("c6g.large", 2),
        _type("c7g.large", 2),
        _type("m5.large", 2),
        _type("m6g.large", 2),
        _type("m5.xlarge", 4),
        _type("m5.2xlarge", 8),
        _type("g4dn.xlarge", 4),
    )
}

# The API's list of types for endpoints has none of these: ProductionVariantInstanceType in SageMaker's service model.
NOT_FOR_HOSTING = ("t3", "t4g")
HOSTING_TYPES = {f"ml.{name}": each for name, each in INSTANCE_TYPES.items() if each.family not in NOT_FOR_HOSTING}


def hosting_vcpus(instance_type: str) -> int | None:
    """How many vCPUs a hosting type has: of one that is not listed here by its size; None where that does not say."""
    if known := HOSTING_TYPES.get(instance_type):
        return known.vcpus
    size = instance_type.rpartition(".")[2]
    factor = size.removesuffix("xlarge") or "1"
    if size.endswith("xlarge") and factor.isdigit():
        return 4 * int(factor)
    return 2 if size in ("medium", "large") else None


def hosting_type(instance_type: str) -> InstanceType:
    """The type of a SageMaker endpoint's instances, such as ml.c5.large.

    Raises:
        UsageError: there is no such type here.
    """
    if instance_type not in HOSTING_TYPES:
        raise UsageError(f"The instance_type is {instance_type!r}; it must be one of {', '.join(HOSTING_TYPES)}.")
    return HOSTING_TYPES[instance_type]

"""The memory of SageMaker's instance types, which limits a container.

https://aws.amazon.com/ec2/instance-types/
"""

# GiB of the size "large", by family.
GIB_OF_LARGE = {
    **dict.fromkeys(("t2", "m4", "m5", "m5d", "m6i", "m6id", "m7i", "g4dn", "g5"), 8),
    **dict.fromkeys(("c5", "c5d", "c6i", "c6id", "c7i"), 4),
    **dict.fromkeys(("r5", "r5d", "r6i", "r6id", "r7i"), 16),
    "c4": 3.75,
}


def memory_mb(instance_type: str) -> int | None:
    """The memory of a type such as ml.c5.large, MiB; None where the family or the size is not known here."""
    _, family, size = instance_type.split(".")
    large = GIB_OF_LARGE.get(family)
    if size in ("medium", "large"):
        of_large = 0.5 if size == "medium" else 1
    elif size.endswith("xlarge"):
        of_large = 2 * int(size.removesuffix("xlarge") or 1)
    else:
        return None
    return int(large * of_large * 1024) if large else None

"""All checks, in the order in which they are shown, and the permissions that they need."""

from crossover.doctor import (
    annotations,
    bootstrap,
    deployed_stacks,
    functions,
    idle_cost,
    images,
    quotas,
    upload_queues,
)

CHECKS = (
    *annotations.CHECKS,
    *bootstrap.CHECKS,
    *images.CHECKS,
    *functions.CHECKS,
    *quotas.CHECKS,
    *deployed_stacks.CHECKS,
    *upload_queues.CHECKS,
    *idle_cost.CHECKS,
)


def least_policy() -> list[str]:
    """The IAM actions that the checks need, all of which only read."""
    return sorted({action for check in CHECKS for action in check.actions})

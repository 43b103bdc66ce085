"""What the app itself warns of while it is synthesized, such as a setting that the next deployment would forget."""

from collections.abc import Iterator

from crossover.doctor.context import Context
from crossover.doctor.result import Check, Outcome, fails, warning


def check_annotations(context: Context) -> Iterator[Outcome]:
    """Each once, though every stack may have it. The CDK deploys no stack with an error."""
    stacks = context.plan.stacks
    for error in dict.fromkeys(text for stack in stacks for text in stack.errors):
        yield fails(error, "Correct that, then run this again.")
    for text in dict.fromkeys(text for stack in stacks for text in stack.warnings):
        yield warning(text, "")


CHECKS = (Check("app", (), check_annotations),)

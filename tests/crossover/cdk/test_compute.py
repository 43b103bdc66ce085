"""What holds for every variant."""

from crossover.cdk import DEFAULT_VARIANTS, VARIANTS
from tests.synthesis import STACKS


def test_the_tests_go_over_every_variant() -> None:
    assert [variant.stack_id for variant in VARIANTS.values()] == STACKS


def test_the_variants_that_nobody_chooses_are_a_part_of_all() -> None:
    assert DEFAULT_VARIANTS == ("standard", "snapstart", "sagemaker")

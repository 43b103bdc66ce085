"""What holds for every variant."""

import pytest

from crossover.cdk import DEFAULT_VARIANTS, VARIANTS
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS as BILLS
from tests.crossover.cost.by_hand import prices
from tests.synthesis import STACKS


def test_the_tests_go_over_every_variant() -> None:
    assert [variant.stack_id for variant in VARIANTS.values()] == STACKS


def test_the_variants_that_nobody_chooses_are_a_part_of_all() -> None:
    assert DEFAULT_VARIANTS == ("standard", "snapstart", "sagemaker")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_bill_has_a_queue_where_the_construct_has_one(name: str) -> None:
    bill = BILLS[name].bill(Scenario(), prices())
    assert ("queue polling" in {line.name for line in bill.lines}) == (VARIANTS[name].ingest == "queue")

"""The model reproduces published figures under their assumptions, and differs without them."""

import pytest

from crossover.cost import published
from crossover.cost.prices import load
from crossover.cost.published import Claim
from crossover.cost.variants import VARIANTS

CLAIMS = published.claims()
CELLS = [claim for claim in CLAIMS if claim.unit == "USD a month"]


def claim_of(text: str) -> Claim:
    (claim,) = [claim for claim in CLAIMS if text in claim.what]
    return claim


@pytest.mark.parametrize("claim", CELLS, ids=lambda claim: claim.what)
def test_every_cell_of_the_table_within_five_cents(claim: Claim) -> None:
    assert claim.reproduced == pytest.approx(claim.published, abs=0.05)


def test_the_table_has_all_its_cells() -> None:
    assert len(CELLS) == 5 * 3
    assert {claim.published for claim in CELLS} >= {6.05, 36.87, 43.43, 147.32, 76.38}


def test_the_lines_per_million_and_fixed_are_the_tables_too() -> None:
    prices = load("us-east-1")
    per_million = {"standard": 13.80, "snapstart": 16.82, "sagemaker": 0.81}
    for name, expected in per_million.items():
        bill = VARIANTS[name].bill(published.SCENARIO, prices)
        fixed = sum(float(line.usd) for line in bill.lines if "instances" in line.name)
        assert fixed == pytest.approx(40.88 if name == "sagemaker" else 0.0)
        million = (float(bill.usd) - fixed) / float(published.SCENARIO.requests) * 1e6
        assert million == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("text", "figure", "within"),
    [
        ("cheaper than Lambda", 72, 0.5),
        ("c5.large", 0.69, 0.005),
        ("t4g.medium", 3.55, 0.005),
        ("Lambda of 1 GB", 10.70, 0.005),
        ("750 EUR", 52_800, 50),
        ("1,800 EUR", 126_800, 50),
    ],
)
def test_the_other_figures(text: str, figure: float, within: float) -> None:
    assert claim_of(text).reproduced == pytest.approx(figure, abs=within)


def test_the_corrected_bills_are_higher_for_what_the_table_leaves_out() -> None:
    assert all(claim.corrected[0] > claim.published for claim in CELLS)


def test_a_thousand_requests_a_minute_need_fifteen_small_instances_not_one() -> None:
    # 0.227 CPU-s x 1000 / 60 = 3.78 CPU-s a second; 65 % of 0.4 vCPU an instance.
    at_1000 = claim_of("SageMaker endpoint at 1000")
    assert "15 of them" in at_1000.why
    assert at_1000.corrected[0] > 15 * 40.88


def test_with_the_instances_that_it_needs_the_small_one_never_becomes_cheaper() -> None:
    crossover = claim_of("cheaper than Lambda")
    assert crossover.corrected == ()
    assert "ml.c5.large is cheaper than Lambda from 138 requests a minute" in crossover.why


def test_each_difference_has_its_reason_in_one_sentence() -> None:
    for claim in CLAIMS:
        assert claim.why.endswith(".") and claim.why.count(". ") == 0

"""docs/cost.md's table agrees with the model."""

from pathlib import Path

from crossover.cost import published

PAGE = (Path(__file__).parents[1] / "docs/cost.md").read_text()


def test_the_published_figures_are_those_of_the_model() -> None:
    assert published.markdown_table() in PAGE

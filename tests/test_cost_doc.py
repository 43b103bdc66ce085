"""docs/cost.md's tables agree with the model."""

from pathlib import Path

from crossover.cost import image_models, published

PAGE = (Path(__file__).parents[1] / "docs/cost.md").read_text()


def test_the_published_figures_are_those_of_the_model() -> None:
    assert published.markdown_table() in PAGE


def test_so_are_those_of_the_image_models() -> None:
    assert image_models.markdown_table() in PAGE

"""The parts of README and docs that are made from the code are current."""

import pytest

from tools.docs import PARTS, ROOT, with_part

SLOW = {"permissions"}  # synthesizes every variant with every option


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in PARTS]
)
def test_a_generated_part_agrees_with_the_code(name: str) -> None:
    file, make = PARTS[name]
    page, text = (ROOT / file).read_text(), make()
    assert len(text.splitlines()) > 5
    assert page == with_part(page, name, text), f"{file} is out of date: run `make docs`"


def test_a_part_is_replaced_and_the_rest_of_the_page_stays() -> None:
    page = "a\n<!-- begin x, made by make docs -->\n\nold \\1\n\n<!-- end x -->\nb\n"
    assert with_part(page, "x", r"new \2") == page.replace(r"old \1", r"new \2")


def test_a_page_without_the_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="no part y"):
        with_part("<!-- begin x, made by make docs -->\n\n<!-- end x -->", "y", "")

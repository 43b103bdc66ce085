"""The permissions that docs/security.md shows are those of the templates."""

from pathlib import Path

import pytest

from tools.permissions import markdown

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text()


@pytest.mark.slow
def test_the_tables_of_permissions_are_the_templates() -> None:
    tables = markdown()

    assert len(tables.splitlines()) > 40
    assert tables in PAGE

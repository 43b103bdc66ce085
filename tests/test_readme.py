"""The README's tables are made from the code, so that they cannot go stale."""

from pathlib import Path

from stacks.settings import markdown_table

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_settings_table_is_the_code_s() -> None:
    assert markdown_table() in README

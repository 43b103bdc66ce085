"""mypy reads the annotations of every part of the CDK that is imported, and of no other."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imported_from_the_cdk(source: Path) -> set[str]:
    """The modules of aws_cdk that a file imports."""
    text, modules = source.read_text(), set[str]()
    for node in ast.walk(ast.parse(text)) if "aws_cdk" in text else ():
        if isinstance(node, ast.ImportFrom) and node.module == "aws_cdk":
            modules |= {f"aws_cdk.{name.name}" for name in node.names if name.name.startswith("aws_")}
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        modules |= {name for name in names if name.partition(".")[0] == "aws_cdk"}
    return modules


def test_mypy_reads_what_is_imported_of_the_cdk() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    read = {
        module for each in settings["overrides"] if each.get("follow_imports") == "normal" for module in each["module"]
    }
    files = [ROOT / "app.py", *(path for folder in settings["files"] for path in (ROOT / folder).rglob("*.py"))]
    assert read == set[str]().union(*map(imported_from_the_cdk, files))

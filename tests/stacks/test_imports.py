"""The app's stacks show how the constructs are used: through their public names only."""

import ast
import re
from pathlib import Path

import crossover.cdk

STACKS = Path(__file__).parents[2] / "stacks"


def test_the_stacks_import_only_the_public_names_of_the_package() -> None:
    imported = set()
    for path in (*STACKS.glob("*.py"), STACKS.parent / "app.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not [alias.name for alias in node.names if alias.name.startswith("crossover")], path
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crossover"):
                assert node.module == "crossover.cdk", path
                imported |= {alias.name for alias in node.names}

    assert imported
    assert imported <= set(crossover.cdk.__all__)


def test_every_public_class_and_function_has_a_docstring() -> None:
    for name in crossover.cdk.__all__:
        value = getattr(crossover.cdk, name)
        if callable(value) and getattr(value, "__module__", "").startswith("crossover"):
            assert value.__doc__ and not value.__doc__.startswith(f"{name}("), name


def test_every_construct_states_its_benefit_and_its_cost() -> None:
    from constructs import Construct

    public = [getattr(crossover.cdk, name) for name in crossover.cdk.__all__]
    constructs = [each for each in public if isinstance(each, type) and issubclass(each, Construct)]
    assert len(constructs) >= 10
    for construct in constructs:
        assert {"Benefit", "Cost"} <= set(re.findall(r"^    (\w+)", construct.__doc__ or "", re.MULTILINE)), construct

"""A new deployable variant is one file and one line in each of the two registries; nothing else names it.

The tests add one to a copy of the project, with a handler of its own, and use the copy as a person would.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossover.local.ports import free_port
from crossover.local.workspace import Workspace
from crossover.paths import sources

pytestmark = pytest.mark.slow

COPIED = ("app.py", "cdk.json", "package.json", "crossover", "stacks", "lambda_src", "sagemaker_container", "model")
CONSTRUCT = '''
"""Variant `dummy`: a function with less memory."""

from typing import ClassVar

from crossover.cdk.compute.inference_function import InferenceFunction


class DummyLambda(InferenceFunction):
    """Predicts in a Lambda function, too."""

    predictor: ClassVar[str] = "dummy"
    stack_id: ClassVar[str] = "Dummy"
    handler: ClassVar[str] = "dummy_handler"
'''
BILL = '''
"""A function, billed like the standard one."""

from crossover.cost.variants import standard
from crossover.cost.variants.variant import Variant

VARIANT = Variant(name="dummy", title="Dummy function", bill=standard.bill, is_deployable=True, by_default=True)
'''
SYNTHESIZE = """
import json, sys
from pathlib import Path
from aws_cdk import App
from app import add_stacks
from crossover.bundling import inference_bundle
from crossover.bundling.cache import SOURCES
from crossover.cdk import VARIANTS
from stacks.settings import Settings

app = App(outdir=sys.argv[1], context={"aws:cdk:bundling-stacks": [], "model_path": sys.argv[2], "variants": "all"})
add_stacks(app)
variant = VARIANTS["dummy"]
bundle = inference_bundle("audio").including(variant.handler)
app.synth()
print(json.dumps({
    "variants": Settings(variants="all").variants,
    "bundle": [path.relative_to(SOURCES).as_posix() for path in bundle.files(SOURCES)],
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with the variant."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = sources() / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / "node_modules").symlink_to(sources() / "node_modules")

    compute = folder / "crossover/cdk/compute"
    (compute / "dummy_lambda.py").write_text(CONSTRUCT)
    add_line(compute / "__init__.py", "        SageMakerEndpoint,", "        DummyLambda,")
    add_line(
        compute / "__init__.py",
        "from crossover.cdk.compute.interface import Compute",
        "from crossover.cdk.compute.dummy_lambda import DummyLambda",
    )
    shutil.copy(folder / "lambda_src/standard_handler.py", folder / "lambda_src/dummy_handler.py")

    bills = folder / "crossover/cost/variants"
    (bills / "dummy.py").write_text(BILL)
    add_line(bills / "__init__.py", "        endpoint.VARIANT,", "        dummy.VARIANT,")
    add_line(
        bills / "__init__.py",
        "from crossover.cost.variants.variant import",
        "from crossover.cost.variants import dummy",
    )
    return folder


def add_line(path: Path, after: str, line: str) -> None:
    """Add a line after the only one that begins so."""
    lines = path.read_text().splitlines()
    (place,) = [number for number, each in enumerate(lines) if each.startswith(after)]
    path.write_text("\n".join([*lines[: place + 1], line, *lines[place + 1 :]]) + "\n")


def run(project: Path, *arguments: str, seconds: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, where its own packages come first."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    answer = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**own, "PYTHONPATH": str(project), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert answer.returncode == 0, answer.stderr
    return answer


def crossover(project: Path, *arguments: str, **options: object) -> str:
    command = "import sys; from crossover.cli import main; sys.exit(main())"
    return run(project, "-c", command, *arguments, **options).stdout  # type: ignore[arg-type]


def test_a_new_variant_is_synthesized_with_its_handler_and_compared(
    project: Path, model_path: Path, tmp_path: Path
) -> None:
    answer = json.loads(run(project, "-c", SYNTHESIZE, str(tmp_path), str(model_path)).stdout)
    template = json.loads((tmp_path / "Dummy.template.json").read_text())
    comparison = (tmp_path / "Comparison.template.json").read_text()
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    handlers = {each["Properties"]["Handler"] for each in functions}

    assert "dummy" in answer["variants"]
    assert "dummy_handler.py" in answer["bundle"]
    assert "inference/processor.py" in answer["bundle"]
    assert "dummy_handler.handler" in handlers
    assert template["Outputs"]["Predictor"]["Value"] == "dummy"
    assert "**dummy**: us-east-1, prices of" in comparison


def test_a_new_variant_has_a_bill_and_a_line_on_the_page(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "cost.html"
    crossover(project, "report", "--cost", "--output", str(page))

    bills = json.loads(crossover(project, "cost", "--rpm", "72", "--json"))["variants"]
    assert bills["dummy"]["usd"] == bills["standard"]["usd"]
    assert "Dummy function" in page.read_text()


def test_a_new_variant_is_deployed_to_the_local_aws_and_predicts(project: Path, workspace: Workspace) -> None:
    port = str(free_port())
    output = crossover(
        project, "demo", "--variants", "dummy", "--port", port, seconds=600, CROSSOVER_FOLDER=str(workspace.folder)
    )

    assert "dummy" in output
    assert "Speech" in output

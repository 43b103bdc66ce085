"""The constructs in an app of the user's own, installed from the wheel: README's snippet, and examples/own_cdk_app."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossover.paths import cache
from tests.package.distributions import ROOT, Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written_into_site_packages(with_node: Installation) -> Iterator[None]:
    before = with_node.files()
    yield
    assert with_node.files() == before


@pytest.fixture(scope="module")
def snippet() -> str:
    """The app in README.md."""
    section = (ROOT / "README.md").read_text().partition("## In your own CDK app")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def resources(assembly: Path, stack: str) -> Counter[str]:
    template: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text())
    return Counter(resource["Type"] for resource in template["Resources"].values())


def synthesize(
    installation: Installation, folder: Path, assembly: Path, *, validation: bool = False, **context: Any
) -> None:
    """Run app.py in the folder without building the functions' packages; it has nothing to say."""
    answer = installation.run(
        *("python", "app.py"),
        folder=folder,
        CDK_OUTDIR=str(assembly),
        CDK_CONTEXT_JSON=json.dumps({"aws:cdk:bundling-stacks": [], **context}),
        CDK_VALIDATION=str(validation).lower(),  # AWS's rules for templates
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_snippet_synthesizes_beside_a_stacks_folder(snippet: str, with_node: Installation, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    shutil.copyfile(ROOT / "model/model.onnx", tmp_path / "model/model.onnx")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/__init__.py").write_text("ANOTHER = 'the user has a package of this name'\n")
    (tmp_path / "app.py").write_text(f"{snippet}\nimport stacks\nprint(stacks.ANOTHER)\n")
    synthesize(with_node, tmp_path, tmp_path / "cdk.out", validation=True)
    found = resources(tmp_path / "cdk.out", "Crossover-Predictions")
    assert (found["AWS::S3::Bucket"], found["AWS::DynamoDB::Table"], found["AWS::SQS::Queue"]) == (1, 1, 1)
    assert found["AWS::Lambda::Version"] == 1  # SnapStart's
    assert found["AWS::CloudWatch::Dashboard"] == 1
    template = json.loads((tmp_path / "cdk.out/Crossover-Predictions.template.json").read_text())
    assert {"InputBucketName", "PredictionsTableName", "DeadLetterQueueUrl"} <= set(template["Outputs"])


def test_mypy_sees_the_types_of_the_constructs(snippet: str, with_node: Installation, tmp_path: Path) -> None:
    """Without those of the CDK itself, which take mypy a minute."""
    (tmp_path / "right.py").write_text(snippet)
    (tmp_path / "wrong.py").write_text(snippet.replace("memory_mb=2048", 'memory_mb="2048"'))
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\n[mypy-aws_cdk.*,constructs.*]\nfollow_imports = skip\n")
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file", str(settings), "--allow-subclassing-any"),
            *("--python-executable", str(with_node.python), "--cache-dir", str(cache() / "mypy-of-the-wheel")),
            *("right.py", "wrong.py"),
        ],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "MYPYPATH"},
        capture_output=True,
        text=True,
    )
    errors = [line for line in answer.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, answer.stdout + answer.stderr
    assert errors[0].startswith("wrong.py:")
    assert '"memory_mb"' in errors[0]


def test_the_example_adds_predictions_to_what_an_app_has(with_node: Installation, tmp_path: Path) -> None:
    example = shutil.copytree(ROOT / "examples/own_cdk_app", tmp_path / "example")
    synthesize(with_node, example, tmp_path / "cdk.out", model_path=str(ROOT / "model/model.onnx"))
    found = resources(tmp_path / "cdk.out", "Recordings")
    assert (found["AWS::S3::Bucket"], found["AWS::EC2::VPC"]) == (1, 1)  # its own, and no second one
    template = json.loads((tmp_path / "cdk.out/Recordings.template.json").read_text())
    assert sum("VpcConfig" in resource["Properties"] for resource in template["Resources"].values()) == 1
    outputs = {"Predictor", "InputBucketName", "PredictionsTableName", "FunctionName", "DeadLetterQueueUrl"}
    assert outputs <= template["Outputs"].keys()  # by which `crossover predict` finds the stack

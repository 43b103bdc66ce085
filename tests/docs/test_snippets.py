"""The Python in README runs as it is printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from tests.docs.pages import ROOT

SNIPPETS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def snippet(word: str) -> str:
    """The one that holds the word."""
    found: str
    [found] = [text for text in SNIPPETS if word in text]
    return found


def run(text: str, folder: Path, **environment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_the_own_cdk_app_synthesizes_beside_a_folder_named_stacks(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.onnx").symlink_to(ROOT / "model/model.onnx")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/__init__.py").write_text("raise ImportError('the constructs must not import it')\n")
    # As `cdk synth` of another stack does: the functions' code is not bundled, which other tests do.
    context = json.dumps({"aws:cdk:bundling-stacks": []})
    run(snippet("aws_cdk"), tmp_path, CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(tmp_path / "out"))
    template = json.loads((tmp_path / "out/Crossover-Predictions.template.json").read_text())
    assert {"InputBucketName", "PredictionsTableName", "DeadLetterQueueUrl"} <= set(template["Outputs"])
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::Lambda::Version",
        "AWS::SQS::Queue",
        "AWS::CloudWatch::Dashboard",
    } <= types


def test_the_contract_has_the_fields_that_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.contract import METADATA_FIELDS

    onnx = MagicMock()  # which only the scripts that make the model need
    monkeypatch.setitem(sys.modules, "onnx", onnx)
    exec(snippet("onnx.load"), {})
    ((model, contract),) = [call.args for call in onnx.helper.set_model_props.call_args_list]
    assert set(contract) == set(METADATA_FIELDS)
    assert all(isinstance(value, str) for value in contract.values())
    onnx.save.assert_called_once_with(model, "model/mine.onnx")

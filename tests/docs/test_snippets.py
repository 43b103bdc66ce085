"""The Python in README runs as it is printed; that of an own CDK app in tests/package, with the wheel."""

import re
from pathlib import Path

import pytest

from crossover.model.contract import check_model
from tests.crossover.cdk.onnx_files import write_model
from tests.docs.pages import ROOT

SNIPPETS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def snippet(word: str) -> str:
    """The one that holds the word."""
    found: str
    [found] = [text for text in SNIPPETS if word in text]
    return found


def test_the_model_that_gets_its_contract_can_be_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "mine.onnx", metadata={})
    Path("model").mkdir()
    exec(snippet("onnx.load"), {})
    contract = check_model(Path("model/mine.onnx")).contract
    assert contract.name == "mine"

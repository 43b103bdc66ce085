"""The Python in README runs as it is printed; that of an own CDK app in tests/package, with the wheel."""

import re
import sys
from unittest.mock import MagicMock

import pytest

from tests.docs.pages import ROOT

SNIPPETS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def snippet(word: str) -> str:
    """The one that holds the word."""
    found: str
    [found] = [text for text in SNIPPETS if word in text]
    return found


def test_the_contract_has_the_fields_that_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.contract import METADATA_FIELDS

    onnx = MagicMock()  # which only the scripts that make the model need
    monkeypatch.setitem(sys.modules, "onnx", onnx)
    exec(snippet("onnx.load"), {})
    ((model, contract),) = [call.args for call in onnx.helper.set_model_props.call_args_list]
    assert set(contract) == set(METADATA_FIELDS)
    assert all(isinstance(value, str) for value in contract.values())
    onnx.save.assert_called_once_with(model, "model/mine.onnx")

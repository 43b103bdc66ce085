"""README's commands for an own model run as they are printed; its Python in tests/package, with the wheel."""

import re
from pathlib import Path

import pytest

from crossover import cli, command_line
from crossover.model.contract import check_model
from tests.crossover.model.graphs import audio_logits
from tests.docs.pages import ROOT


def test_the_model_that_gets_its_contract_can_be_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    audio_logits(tmp_path / "mine.onnx")
    (tmp_path / "labels.txt").write_text("cat\ndog\nbird\n")
    commands = re.findall(r"^crossover (model .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)

    codes = [command_line.run(cli.app, command.split(), program="crossover") for command in commands]

    assert codes == [0, 0]
    contract = check_model(Path("model/mine.onnx")).contract
    assert (contract.name, contract.input.kind, contract.output.kind) == ("mine", "audio", "labels")

"""README's commands for an own model run as they are printed; its Python in tests/package, with the wheel."""

import re
import sys
from pathlib import Path

import pytest

from crossover import cli, command_line
from crossover.model import trying
from crossover.model.awkward_files import wav
from crossover.model.contract import check_model
from crossover.model.trying import Runtime
from tests.crossover.model.graphs import audio_logits
from tests.docs.pages import ROOT


def test_the_model_that_gets_its_contract_can_be_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    audio_logits(tmp_path / "mine.onnx")
    (tmp_path / "labels.txt").write_text("cat\ndog\nbird\n")
    (tmp_path / "recording.wav").write_bytes(wav(8_000, 8_000))
    runtime = Runtime(command=(sys.executable, "-I"), code=ROOT / "lambda_src")
    monkeypatch.setattr(trying, "find_runtime", lambda kind: runtime)
    commands = re.findall(r"^crossover (model .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)

    codes = [command_line.run(cli.app, command.split(), program="crossover") for command in commands]

    assert codes == [0, 0, 0]
    contract = check_model(Path("model/mine.onnx")).contract
    assert (contract.name, contract.input.kind, contract.output.kind) == ("mine", "audio", "labels")

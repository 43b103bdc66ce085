"""A model file is uploaded, with its contract."""

import hashlib
from pathlib import Path

from aws_cdk import App, Stack

from crossover.cdk.model_artifact import ModelArtifact
from tests.crossover.cdk.onnx_files import write_model


def test_an_artifact_knows_its_contract_and_the_hash_of_its_bytes(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx")

    model = ModelArtifact(Stack(App(), "Stack"), "Model", path=path)

    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (model.contract.name, model.contract.version, model.contract.license) == ("tiny", "1", "MIT")
    assert model.contract.labels == ("yes", "no")

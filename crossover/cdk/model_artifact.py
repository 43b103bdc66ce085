"""The ONNX file as an S3 asset: its contract, its hash, its S3 object, and who may read it."""

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import onnxruntime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from crossover.paths import sources


class ModelArtifactError(ValueError):
    """A model file that cannot be deployed. The message is one line with the file and everything that is wrong."""


class ModelContract(Protocol):
    """What a model file declares, as lambda_src/inference/contract.py reads it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def license(self) -> str: ...

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One for each score."""


class ModelArtifact(Construct):
    """An ONNX file, uploaded by `cdk deploy` with the code and shared by all variants.

    Benefit: a new model is a new file, and a file that the handlers could not use is refused at synth.
    Cost: the file is stored in the bootstrap bucket, where old models stay until `cdk gc`; its weights must be inside
    it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, path: str | Path) -> None:
        """Upload the file.

        Raises:
            ModelArtifactError: the file is not a model, or its contract cannot be served.
        """
        super().__init__(scope, construct_id)
        self.contract = read_contract(Path(path))
        self.sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        asset = assets.Asset(self, "File", path=str(path))
        self.s3_uri = asset.s3_object_url
        self.bucket = asset.bucket
        self.object_key = asset.s3_object_key

    @property
    def object_arn(self) -> str:
        return self.bucket.arn_for_objects(self.object_key)

    @property
    def only_its_key(self) -> dict[str, dict[str, str]]:
        """The condition under which listing the bucket shows nothing but this object."""
        return {"StringLike": {"s3:prefix": f"{self.object_key}*"}}

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading this one object: `Asset.grant_read` would open the whole bootstrap bucket."""
        return iam.Grant.add_to_principal(grantee=grantee, actions=["s3:GetObject"], resource_arns=[self.object_arn])


def read_contract(path: Path) -> ModelContract:
    """Read what the model declares, with the handlers' own reader.

    Raises:
        ModelArtifactError: there is no such file, it is not a model, or the handlers could not serve it.
    """
    if not path.is_file():
        raise ModelArtifactError(f"There is no model file {path}.")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base but this
        reason = str(error).partition("\n")[0]
        raise ModelArtifactError(
            f"The model file {path} is not an ONNX model with its weights inside: {reason}"
        ) from None
    reader = _contract_module()
    try:
        contract: ModelContract = reader.read_contract(
            session.get_modelmeta().custom_metadata_map, inputs=session.get_inputs(), outputs=session.get_outputs()
        )
    except reader.ContractError as error:
        raise ModelArtifactError(f"The model file {path} cannot be served: {error}.") from None
    return contract


@cache
def _contract_module() -> Any:
    """lambda_src/inference/contract.py, loaded as a file: what runs in Lambda is not part of this package."""
    name = "crossover.cdk._model_contract"
    spec = importlib.util.spec_from_file_location(name, sources() / "lambda_src/inference/contract.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclass is looked up
    spec.loader.exec_module(module)
    return module

"""The one ONNX file as an S3 asset: where it lies, its hash, and who may read it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

METADATA_FIELDS = ("name", "version", "license", "input_kind", "sample_rate", "labels")


class ModelArtifactError(ValueError):
    """A model file that cannot be deployed. The message is one line: the file, what is wrong, what is needed."""


@dataclass(frozen=True, kw_only=True)
class ModelContract:
    """What a model file says about itself."""

    name: str
    version: str
    license: str
    sample_rate: int  # Hz
    labels: tuple[str, ...]


class ModelArtifact(Construct):
    """An ONNX file, uploaded by `cdk deploy` beside the code and shared by all variants.

    Benefit: swapping the model is swapping the file, and a file that the handlers could not use is refused at synth.
    Cost: the file lies in the bootstrap bucket, where old models stay until `cdk gc`; its weights must be inside it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, path: str | Path) -> None:
        """Raises ModelArtifactError for a file that is no model or does not keep the contract."""
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
        """The condition under which to list the bucket shows nothing but this object."""
        return {"StringLike": {"s3:prefix": f"{self.object_key}*"}}

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading this one object: `Asset.grant_read` would open the whole bootstrap bucket."""
        return iam.Grant.add_to_principal(grantee=grantee, actions=["s3:GetObject"], resource_arns=[self.object_arn])


def read_contract(path: Path) -> ModelContract:
    """Read what the model says about itself, and check that the handlers can serve it.

    The graph takes `waveform`, float32 [samples], and gives `scores`, float32 [classes].
    Raises ModelArtifactError, which names the first thing that does not fit.
    """
    if not path.is_file():
        raise ModelArtifactError(f"There is no model file {path}; model_path must name an ONNX file.")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base but this
        reason = str(error).partition("\n")[0]
        raise ModelArtifactError(f"The model file {path} is no ONNX model with its weights inside: {reason}") from None

    def require(fits: bool, what: str, found: object, needed: str) -> None:
        if not fits:
            raise ModelArtifactError(f"The model file {path} has {what} {found!r}, but must have {needed}.")

    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    for key in METADATA_FIELDS:
        if not metadata.get(key):
            needed = ", ".join(METADATA_FIELDS)
            raise ModelArtifactError(f"The model file {path} lacks the metadata field {key}; needed are {needed}.")
    require(metadata["input_kind"] == "audio", "the input_kind", metadata["input_kind"], "audio")
    rate = metadata["sample_rate"]
    require(rate.isdecimal() and int(rate) > 0, "the sample_rate", rate, "a whole number of Hz above 0")
    labels = _parse_json(metadata["labels"])
    are_labels = isinstance(labels, list) and bool(labels) and all(isinstance(label, str) for label in labels)
    require(are_labels, "the labels", _shorten(metadata["labels"]), "a JSON list of strings")

    inputs = {value.name: (value.type, value.shape) for value in session.get_inputs()}
    require(
        list(inputs) == ["waveform"] and inputs["waveform"][0] == "tensor(float)" and len(inputs["waveform"][1]) == 1,
        "the inputs",
        inputs,
        "one input waveform, float32 [samples]",
    )
    outputs = {value.name: (value.type, value.shape) for value in session.get_outputs()}
    kind, shape = outputs.get("scores", ("", []))
    require(
        # A size that is not fixed in the graph is a name or None.
        kind == "tensor(float)" and len(shape) == 1 and (shape[0] == len(labels) or not isinstance(shape[0], int)),
        "the outputs",
        outputs,
        f"an output scores, float32 [{len(labels)}], one score for each label",
    )
    return ModelContract(
        name=metadata["name"],
        version=metadata["version"],
        license=metadata["license"],
        sample_rate=int(rate),
        labels=tuple(labels),
    )


def _parse_json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _shorten(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."

"""The ONNX file as an S3 asset: its contract, its hash, its S3 object, and who may read it."""

import hashlib
from pathlib import Path

from aws_cdk import Annotations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from crossover.cdk.encryption import allow_use
from crossover.cdk.findings import acknowledge_wildcard
from crossover.model.contract import ModelArtifactError, check_model

SUFFIX = ".onnx"
"""Of the names of models in the bootstrap bucket: the CDK keeps the file's."""


class ModelArtifact(Construct):
    """An ONNX file, uploaded by `cdk deploy` with the code and shared by all variants.

    Benefit: a new model is a new file, and a file that the handlers could not use is refused at synth.
    Cost: the file is stored in the bootstrap bucket, where old models stay until `npx cdk gc --unstable=gc`; its
    weights must be inside it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, path: str | Path, asset_key: kms.IKey | None = None
    ) -> None:
        """Upload the file.

        Args:
            asset_key: that encrypts the bootstrap bucket, if `cdk bootstrap` was run with `--bootstrap-kms-key-id`;
                whoever may read the file may decrypt with it.

        Raises:
            ModelArtifactError: the file is not a model, is not named so, its contract cannot be served, or it fails on
                usual input of its kind. A model that fails on silence, on a black picture or the like gives a warning.
        """
        super().__init__(scope, construct_id)
        self._asset_key = asset_key
        self.path = Path(path)
        if Path(path).suffix != SUFFIX:
            raise ModelArtifactError(f"The model is {Path(path).name!r}, but its name must end in {SUFFIX}.")
        checked = check_model(Path(path))
        self.contract = checked.contract
        for warning in checked.warnings:
            Annotations.of(self).add_warning_v2("crossover:model", warning)
        with Path(path).open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self.size_bytes = file.tell()
        asset = assets.Asset(self, "File", path=str(path))
        self.s3_uri = asset.s3_object_url
        self.bucket = asset.bucket
        self.object_key = asset.s3_object_key

    @property
    def stores_files(self) -> bool:
        """Whether its results may not fit an item, and need a results bucket."""
        return self.contract.output.stores_files

    @property
    def readable_objects(self) -> str:
        """The ARN, with a wildcard, of every model in the bucket.

        A deployment changes what a role may read before it replaces what uses the role: with the ARN of one object, the
        version or the instance that serves the old model could not start again until the new one has taken over. The
        name of an old model is known to none of the templates.
        """
        return self.bucket.arn_for_objects(f"*{SUFFIX}")

    @property
    def only_models(self) -> dict[str, dict[str, str]]:
        """The condition under which listing the bucket shows nothing but the models whose names are known."""
        return {"StringLike": {"s3:prefix": f"*{SUFFIX}*"}}

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading the models: `Asset.grant_read` would open the whole bootstrap bucket."""
        if self._asset_key:
            allow_use(self._asset_key, grantee, "s3", "kms:Decrypt")
        acknowledge_wildcard(
            grantee, self.readable_objects, "During a rollout the old model is read as well as the new."
        )
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetObject"], resource_arns=[self.readable_objects]
        )

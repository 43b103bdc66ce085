"""The ONNX file as an S3 asset: its contract, its hash, its S3 object, and who may read it."""

import hashlib
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from crossover.cdk.encryption import allow_use
from crossover.model_contract import read_contract


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
            ModelArtifactError: the file is not a model, or its contract cannot be served.
        """
        super().__init__(scope, construct_id)
        self._asset_key = asset_key
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
        if self._asset_key:
            allow_use(self._asset_key, grantee, "s3", "kms:Decrypt")
        return iam.Grant.add_to_principal(grantee=grantee, actions=["s3:GetObject"], resource_arns=[self.object_arn])

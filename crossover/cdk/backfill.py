"""For `crossover backfill`: a role for the jobs of S3 Batch Operations, and a bucket for what they read and write."""

from aws_cdk import Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.bucket import create_bucket
from crossover.cdk.compute.interface import Compute
from crossover.cdk.findings import acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.storage import PipelineStorage

MANIFESTS, REPORTS = "manifests/", "reports/"
"""Prefixes in the bucket: lists of objects that a job reads, and what it writes."""


class Backfill(Construct):
    """Lets `crossover backfill` predict what lies in the input bucket already, by a job of S3 Batch Operations.

    The job invokes the compute as an upload would, with a role that may do that, and read the manifests and write the
    reports in a bucket of its own. So no report is ever taken for an upload.

    Benefit: millions of objects with no code, server or queue of one's own; AWS retries, counts and reports.
    Cost: nothing until a job runs: 0.25 USD a job and 1.00 USD a million objects, and what the predictions cost. The
    bucket is encrypted by S3's keys even where the stack has a key of its own: S3 Batch Operations writes its reports
    so, and reads no manifests that a KMS key encrypts. They hold keys of objects and the sentences of refusals.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        compute: Compute,
        key_suffix: str = "",
        lifetime_days: int = 30,
        logs_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
        publish_outputs: bool = False,
    ) -> None:
        """Create the role and the bucket.

        Args:
            model: that the compute has; a backfill can leave out what it has predicted.
            key_suffix: of the keys that are predicted, as the pipeline has it.
            lifetime_days: days after which manifests and reports are deleted.
            logs_key: of the logs of the function that empties the bucket; they name no object.
            removal_policy: of the bucket.
            publish_outputs: whether the stack gets the outputs by which `crossover backfill` finds it; it needs those
                of the pipeline, too.

        Raises:
            InvalidValueError: `key_suffix` or `lifetime_days` is not allowed.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.KEY_FILTER, key_suffix=key_suffix)
        rules.check(rules.LIFETIME_DAYS, lifetime_days=lifetime_days)
        self.bucket = create_bucket(
            self, "Bucket", logs_key=logs_key, lifetime_days=lifetime_days, removal_policy=removal_policy
        )
        # Only who may pass the role, and so only this account, can make a job with it. The condition refuses other
        # accounts once more; IfExists, as AWS does not say whether S3 Batch Operations tells for whom it works.
        self.role = iam.Role(
            self,
            "Role",
            description="Jobs of S3 Batch Operations that predict what lies in the input bucket",
            assumed_by=iam.ServicePrincipal(
                "batchoperations.s3.amazonaws.com",
                conditions={"StringEqualsIfExists": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        for action, resource in {
            "lambda:InvokeFunction": compute.source.function_arn,
            "s3:PutInventoryConfiguration": storage.input_bucket.bucket_arn,
            "s3:GetObject": self.bucket.arn_for_objects(f"{MANIFESTS}*"),
            "s3:PutObject": self.bucket.arn_for_objects(f"{REPORTS}*"),
        }.items():
            iam.Grant.add_to_principal(grantee=self.role, actions=[action], resource_arns=[resource])
            if resource.endswith("*"):
                acknowledge_wildcard(self.role, resource, "Each job has manifests and reports of its own.")
        for earlier in compute.earlier_sources:  # for a job that runs while a setting puts the alias in its place
            arns = [earlier.function_arn]
            iam.Grant.add_to_principal(grantee=self.role, actions=["lambda:InvokeFunction"], resource_arns=arns)
        if publish_outputs:
            outputs = {
                "BackfillRoleArn": self.role.role_arn,
                "BackfillBucketName": self.bucket.bucket_name,
                "ModelSha256": model.sha256,
                **({"KeyPrefix": storage.key_prefix} if storage.key_prefix else {}),
                **({"KeySuffix": key_suffix} if key_suffix else {}),
            }
            for name, value in outputs.items():  # in the stack itself, where they keep these names
                CfnOutput(Stack.of(self), name, value=value)

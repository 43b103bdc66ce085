"""Where files come in and predictions come out: one bucket, one table, and the narrowest grants on them."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.findings import acknowledge, acknowledge_wildcard


class PipelineStorage(Construct):
    """The input bucket and the predictions table; either can be an existing one.

    Benefit: private, encrypted at rest (the table by a key that AWS owns), reached by TLS only, paid by use.
    Cost: with the default removal policy, deleting the stack deletes the files and the predictions. RETAIN keeps both,
    protects the table from deletion and backs it up continuously, which is billed by the GB.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        input_bucket: s3.IBucket | None = None,
        predictions_table: dynamodb.ITable | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        """An existing table needs the partition key `object_key`, a string. An existing bucket must be of this stack or
        imported by name: as another stack's construct, the two stacks would depend on each other.
        """
        super().__init__(scope, construct_id)
        self.input_bucket: s3.IBucket = input_bucket or self._create_bucket(removal_policy)
        self.predictions_table: dynamodb.ITable = predictions_table or self._create_table(removal_policy)

    def grant_read_files(self, grantee: iam.IGrantable) -> None:
        """Allow reading the objects, and listing the bucket, without which a deleted one would be a 403, not a 404."""
        objects = self.input_bucket.arn_for_objects("*")
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetObject", "s3:GetObjectVersion"], resource_arns=[objects]
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.input_bucket.bucket_arn]
        )
        if self.input_bucket.encryption_key:
            self.input_bucket.encryption_key.grant_decrypt(grantee)
        acknowledge_wildcard(grantee, objects, "An upload can have any key, so all objects of the bucket can be read.")

    def grant_write_predictions(self, grantee: iam.IGrantable) -> None:
        """Allow putting items, and nothing else."""
        self.predictions_table.grant(grantee, "dynamodb:PutItem")
        if self.predictions_table.encryption_key:
            self.predictions_table.encryption_key.grant_encrypt_decrypt(grantee)

    def _create_bucket(self, removal_policy: RemovalPolicy) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "InputBucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=removal_policy,
            auto_delete_objects=removal_policy == RemovalPolicy.DESTROY,
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Access logs need a bucket and a retention of their own, which an account has in one place: pass in a "
            "bucket that logs there.",
        )
        return bucket

    def _create_table(self, removal_policy: RemovalPolicy) -> dynamodb.Table:
        keep = removal_policy != RemovalPolicy.DESTROY
        table = dynamodb.Table(
            self,
            "PredictionsTable",
            partition_key=dynamodb.Attribute(name="object_key", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=keep
            ),
            deletion_protection=keep,
            removal_policy=removal_policy,
        )
        if not keep:
            acknowledge(
                table,
                "AwsSolutions-DDB3",
                "The table is deleted with its stack, and made again from the files in the bucket.",
            )
        return table

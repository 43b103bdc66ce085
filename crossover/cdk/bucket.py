"""A private bucket: encrypted, reached by TLS only, deleted or kept with its stack."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from crossover.cdk.findings import acknowledge
from crossover.cdk.provider_logs import EMPTIES_BUCKETS, keep_logs_in_stack

SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"


def create_bucket(
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None = None,
    logs_key: kms.IKey | None = None,
    versioned: bool = False,
    lifetime_days: int | None,
    removal_policy: RemovalPolicy,
) -> s3.Bucket:
    """A bucket that refuses to be public, and uploads that the stack could not decrypt.

    Args:
        encryption_key: None leaves the encryption to S3's keys.
        logs_key: of the logs of the function that empties the bucket, where `encryption_key` is None.
        versioned: keep what is overwritten or deleted.
        lifetime_days: days after which objects are deleted, and old versions as many days after that; None keeps them.
    """
    lifetime = Duration.days(lifetime_days) if lifetime_days else None
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=encryption_key,
        bucket_key_enabled=True if encryption_key else None,  # one request to KMS for many objects
        # The pipeline could not read an object that is encrypted with a key of the uploader's.
        blocked_encryption_types=[s3.BlockedEncryptionType.SSE_C],
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=versioned,
        removal_policy=removal_policy,
        auto_delete_objects=removal_policy == RemovalPolicy.DESTROY,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(1),
                expiration=lifetime,
                noncurrent_version_expiration=lifetime if versioned else None,
            )
        ],
    )
    if removal_policy == RemovalPolicy.DESTROY:
        keep_logs_in_stack(EMPTIES_BUCKETS, bucket, encryption_key or logs_key)
    if encryption_key:
        _refuse_other_keys(bucket, encryption_key)
    acknowledge(
        bucket,
        "AwsSolutions-S1",
        "Access logs need their own bucket and retention, which an account usually has in one place: pass in a "
        "bucket that logs there.",
    )
    return bucket


def _refuse_other_keys(bucket: s3.Bucket, key: kms.IKey) -> None:
    """Allow uploads that do not name an encryption key, and get the bucket's, or that name the bucket's key.

    With another key, the file would be in the bucket, but the pipeline could not read it. `Null` tests whether the
    upload names one: a comparison with a missing header would be true, and refuse the plain upload.
    """
    for conditions in (
        {"Null": {SSE_KEY: "false"}, "StringNotEquals": {SSE_KEY: key.key_arn}},
        {"Null": {SSE: "false", SSE_KEY: "true"}},
    ):
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions=conditions,
            )
        )

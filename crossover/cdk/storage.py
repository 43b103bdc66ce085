"""The input bucket and the predictions table, with the narrowest grants on them."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.bucket import create_bucket
from crossover.cdk.encryption import allow_use
from crossover.cdk.findings import acknowledge, acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact


class PipelineStorage(Construct):
    """The input bucket and the predictions table, and a bucket for large results; each can be an existing one.

    Benefit: private, encrypted at rest (with AWS's keys, or your own), accessible by TLS only, billed by use.
    Cost: with the default removal policy, deleting the stack deletes the files and the predictions. RETAIN keeps both
    and protects the table from deletion. Versions and continuous backups are billed by the GB.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        input_bucket: s3.IBucket | None = None,
        results_bucket: s3.IBucket | bool = False,
        predictions_table: dynamodb.ITable | None = None,
        key_prefix: str = "",
        decryption_keys: Sequence[kms.IKey] = (),
        encryption_key: kms.IKey | None = None,
        versioned: bool = False,
        input_lifetime_days: int | None = None,
        results_lifetime_days: int | None = None,
        point_in_time_recovery: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        """An existing bucket or table is not changed; the arguments after `decryption_keys` are for new ones.

        Args:
            input_bucket: of this stack, or imported by name: with a construct of another stack, the two stacks would
                depend on each other.
            results_bucket: for results that do not fit an item, which only models of some kinds of output have (see
                `ModelArtifact.stores_files`): True makes one.
            predictions_table: with the partition key `object_key`, a string.
            key_prefix: of the keys that are predicted; no other object can be read, in an existing bucket too.
            decryption_keys: of uploads and items that are encrypted otherwise: those from before a change of the key,
                and those of an existing bucket or table. The grants include them.
            encryption_key: None leaves the encryption to keys of AWS.
            versioned: keep what is overwritten or deleted.
            input_lifetime_days: days after which uploads are deleted, and replaced or deleted versions as many days
                after that; None keeps them.
            results_lifetime_days: days after which results are deleted; None keeps them.
            point_in_time_recovery: back up the table continuously, for 35 days.

        Raises:
            InvalidValueError: `key_prefix`, `input_lifetime_days` or `results_lifetime_days` is not allowed.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.KEY_FILTER, key_prefix=key_prefix)
        rules.check(rules.LIFETIME_DAYS, input_lifetime_days=input_lifetime_days)
        rules.check(rules.LIFETIME_DAYS, results_lifetime_days=results_lifetime_days)
        self.key_prefix = key_prefix
        self._decryption_keys = decryption_keys
        self.input_bucket: s3.IBucket = input_bucket or create_bucket(
            self,
            "InputBucket",
            encryption_key=encryption_key,
            versioned=versioned,
            lifetime_days=input_lifetime_days,
            removal_policy=removal_policy,
        )
        self.results_bucket: s3.IBucket | None = None
        if results_bucket is True:
            self.results_bucket = create_bucket(
                self,
                "ResultsBucket",
                encryption_key=encryption_key,
                lifetime_days=results_lifetime_days,
                removal_policy=removal_policy,
            )
        elif results_bucket:
            self.results_bucket = results_bucket
        self.predictions_table: dynamodb.ITable = predictions_table or self._create_table(
            encryption_key, point_in_time_recovery, removal_policy
        )

    @property
    def readable_objects(self) -> str:
        """The ARN, with a wildcard, of the objects that are predicted."""
        return self.input_bucket.arn_for_objects(f"{self.key_prefix}*")

    def grant_read_files(self, grantee: iam.IGrantable) -> None:
        """Allow reading the objects, and listing the bucket: without it S3 answers 403, not 404, for a deleted one."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetObject", "s3:GetObjectVersion"], resource_arns=[self.readable_objects]
        )
        # Without a condition on the prefix: a request for a deleted object has none, so S3 would answer 403 after all.
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.input_bucket.bucket_arn]
        )
        self._allow_decryption(grantee, "s3", self.input_bucket.encryption_key)
        acknowledge_wildcard(
            grantee, self.readable_objects, "An upload can have any key with this prefix, so all of them can be read."
        )

    def grant_write_predictions(self, grantee: iam.IGrantable) -> None:
        """Allow putting items, and nothing else.

        DynamoDB decrypts the table's own key on the writer's behalf; it creates and renews that key itself (developer
        guide, "DynamoDB encryption at rest usage notes").
        """
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["dynamodb:PutItem"], resource_arns=[self.predictions_table.table_arn]
        )
        self._allow_decryption(grantee, "dynamodb", self.predictions_table.encryption_key)

    @property
    def results_environment(self) -> dict[str, str]:
        """What tells a function or a container where results go that do not fit an item."""
        return {"RESULTS_BUCKET": self.results_bucket.bucket_name} if self.results_bucket else {}

    @property
    def writable_results(self) -> str:
        """The ARN, with a wildcard, of the results."""
        assert self.results_bucket
        return self.results_bucket.arn_for_objects("results/*")

    def grant_write_results(self, grantee: iam.IGrantable, model: ModelArtifact) -> None:
        """Allow writing results, where the model has any that may not fit an item.

        Raises:
            InvalidValueError: it has, and there is no bucket for them.
        """
        if not model.stores_files:
            return
        if not self.results_bucket:
            raise rules.InvalidValueError(
                f"results_bucket is False, but must be True or a bucket: the model's output_kind is "
                f"{model.contract.output.kind}, and its results may not fit an item."
            )
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:PutObject"], resource_arns=[self.writable_results])
        if key := self.results_bucket.encryption_key:
            allow_use(key, grantee, "s3", "kms:GenerateDataKey")
        acknowledge_wildcard(grantee, self.writable_results, "A result's name is made of its file's content.")

    def _allow_decryption(self, grantee: iam.IGrantable, service: str, key: kms.IKey | None) -> None:
        for each in [*([key] if key else []), *self._decryption_keys]:
            allow_use(each, grantee, service, "kms:Decrypt")

    def _create_table(self, key: kms.IKey | None, recoverable: bool, removal_policy: RemovalPolicy) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "PredictionsTable",
            partition_key=dynamodb.Attribute(name="object_key", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=recoverable
            ),
            deletion_protection=removal_policy != RemovalPolicy.DESTROY,
            removal_policy=removal_policy,
            resource_policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(  # DynamoDB also answers plain HTTP; "*" is this table
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=["dynamodb:*"],
                        resources=["*"],
                        conditions={"Bool": {"aws:SecureTransport": "false"}},
                    )
                ]
            ),
        )
        if not recoverable:
            acknowledge(
                table,
                "AwsSolutions-DDB3",
                "Continuous backups are a setting; without them the table is made again from the files in the bucket.",
            )
        return table

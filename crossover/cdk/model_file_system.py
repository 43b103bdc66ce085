"""The model on EFS: the file system, what writes the model to it, and what reads it."""

import dataclasses
import hashlib
import json

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from crossover.bundling import MODEL_LOADER
from crossover.cdk.encryption import allow_file_systems
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.mount import MOUNT, Mount, add_suffix
from crossover.cdk.python_function import FunctionOptions, create_function, create_python_function, zip_code

PATH = "/mnt/model"
FOLDER = "/models"  # on the file system
OWNER, READER = "1000", "2000"
"""User and group ids: only the owner may write to the folder."""
LOADER_SECONDS = 870
"""The loader's time-out; its caller's, and so CloudFormation's patience, is Lambda's longest, 900 s. At EFS's and S3's
usual 100 MB/s, 2 GB, ONNX's largest file, take 20 s."""


class ModelFileSystem(Construct):
    """An encrypted EFS file system with the model, copied there by `cdk deploy`, which its readers cannot change.

    The file of a model, `model-<sha256>.onnx`, is a resource of the stack with the model's hash in its name, like a
    version of a function, which depends on it. So CloudFormation makes the new file before the new version, and removes
    the old one after the old version; or removes the new one if the deployment fails.

    With another key, VPC or subnets it is another file system, which gets the model before a new version is published;
    the live version may mount the old one until then. A VPC construct of the app that CloudFormation replaces under the
    same id, for another address range, fails the deployment, which is rolled back: EFS takes no mount target in a
    second VPC. Under another construct id it is replaced. If CloudFormation alone knows the key's ARN, a parameter of
    the stack, a new version is published too, but what starts on the old one meanwhile may not mount.

    Benefit: a model of any size that ONNX allows, read when it is needed, from a file that is there.
    Cost: storage and reading are billed by the GB; a function that copies the model, and one that calls it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, model: ModelArtifact, options: FunctionOptions) -> None:
        """Create the file system and the model's file.

        Args:
            options: with a VPC, where it has a mount target in each subnet, which must be in different zones.
        """
        super().__init__(scope, construct_id)
        assert options.vpc
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=options.vpc, allow_all_outbound=False, description="In by NFS from the functions"
        )
        if options.encryption_key:
            allow_file_systems(options.encryption_key)
        self.file_system = efs.FileSystem(
            self,
            "FileSystem",
            vpc=options.vpc,
            security_group=group,
            encrypted=True,
            kms_key=options.encryption_key,
            throughput_mode=efs.ThroughputMode.ELASTIC,  # with bursting, cold starts at the same time share 100 MiB/s
            # CDK's own policy would let every client write. With this one, clients need a role that may, and TLS.
            allow_anonymous_access=True,
            file_system_policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=[MOUNT],
                        conditions={"Bool": {"aws:SecureTransport": "false"}},
                    )
                ]
            ),
            removal_policy=RemovalPolicy.DESTROY,  # it holds a copy
        )
        self._suffix = _suffix(self, options)
        add_suffix(self.file_system, self._suffix)
        self.name = f"model-{model.sha256}.onnx"
        self.path = f"{PATH}/{self.name}"
        self.reader = self._mount("Reader", READER)
        self.model_file = self._load(model, options)

    def _mount(self, name: str, user: str) -> Mount:
        access_point = self.file_system.add_access_point(
            name,
            path=FOLDER,
            # Whichever is mounted first makes the folder.
            create_acl=efs.Acl(owner_uid=OWNER, owner_gid=OWNER, permissions="755"),
            posix_user=efs.PosixUser(uid=user, gid=user),
        )
        add_suffix(access_point, self._suffix)
        return Mount(
            file_system=self.file_system,
            access_point=access_point,
            suffix=self._suffix,
            path=PATH,
            is_writable=user == OWNER,
        )

    def _load(self, model: ModelArtifact, options: FunctionOptions) -> CustomResource:
        """The model's file."""
        options = dataclasses.replace(options, reserved_concurrency=None, metrics=False, tracing=False)
        in_vpc = dataclasses.replace(options, timeout_seconds=LOADER_SECONDS)
        loader = create_function(
            self,
            "Loader",
            code=zip_code(self, MODEL_LOADER, options=in_vpc),
            handler="efs_loader_handler.handler",
            memory_mb=1769,  # one vCPU, for the hash
            environment={"MODEL_FOLDER": PATH},
            options=in_vpc,
            mount=self._mount("Writer", OWNER),
        )
        model.grant_read(loader)
        provider = create_python_function(
            self,
            "Provider",
            bundle=MODEL_LOADER,
            handler="efs_provider_handler",
            memory_mb=256,
            environment={"LOADER": loader.function_name},
            options=dataclasses.replace(options, vpc=None, timeout_seconds=900),
        )
        iam.Grant.add_to_principal(
            grantee=provider, actions=["lambda:InvokeFunction"], resource_arns=[loader.function_arn]
        )
        file = CustomResource(
            self,
            f"Model{model.sha256[:16]}",
            resource_type="Custom::ModelOnEfs",
            service_token=provider.function_arn,
            service_timeout=Duration.seconds(900),
            properties={
                "Name": self.name,
                "Bucket": model.bucket.bucket_name,
                "Key": model.object_key,
                "Sha256": model.sha256,
                # The functions do not read it: where the file system is replaced, it makes CloudFormation ask again.
                "FileSystemId": self.file_system.file_system_id,
            },
        )
        file.node.add_dependency(provider, loader)
        return file

    def metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the file system, of five minutes."""
        return cloudwatch.Metric(
            namespace="AWS/EFS",
            metric_name=name,
            dimensions_map={"FileSystemId": self.file_system.file_system_id},
            statistic=statistic,
        )

    def metric_throughput(self) -> cloudwatch.MathExpression:
        """Used throughput, % of what is permitted at the time.

        https://docs.aws.amazon.com/efs/latest/ug/monitoring-metric-math.html
        """
        return cloudwatch.MathExpression(
            expression="100 * used / PERIOD(used) / permitted",
            using_metrics={
                "used": self.metric("MeteredIOBytes", "Sum"),
                "permitted": self.metric("PermittedThroughput", "Average"),
            },
            label="throughput",
        )


def _suffix(scope: Construct, options: FunctionOptions) -> str:
    """Of the logical ids of file system and access points: another one where synthesis can tell that they are replaced.

    - EFS keeps the key of a file system, and an access point its user and folder. CloudFormation would replace them
      under the same ids, and the function's template would be the same: CDK would publish no version, and the live one
      would lose its file system.
    - A file system has mount targets in one VPC and one in each zone, and CloudFormation makes new ones before it
      deletes the old ones. So in another network it has to be another file system.
    """
    vpc, key = options.vpc, options.encryption_key
    assert vpc
    kept = [vpc.vpc_id, vpc.select_subnets().subnet_ids, key.key_arn if key else None, FOLDER, OWNER, READER]
    # What AWS names is a reference here, with its resource's logical id.
    return hashlib.sha256(json.dumps(Stack.of(scope).resolve(kept)).encode()).hexdigest()[:8]

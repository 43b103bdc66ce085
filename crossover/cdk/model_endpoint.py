"""A SageMaker endpoint that runs this project's container: a new or an existing one."""

import os
from pathlib import Path

from aws_cdk import Aws, Fn, IgnoreMode, Names, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.findings import acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.network import SAGEMAKER_ACTIONS, allow_network_interfaces, https_only, ways_through
from crossover.cdk.python_function import FunctionOptions, create_log_group
from crossover.cdk.rollout import PRODUCTION_VARIANT, add_blue_green_deployment
from crossover.cdk.storage import PipelineStorage
from crossover.paths import sources


class Endpoint(Construct):
    """What a ModelEndpoint and an ExistingEndpoint have in common: the grant and the metrics.

    Benefit: the variant and its monitoring do not depend on who made the endpoint.
    Cost: none; it creates nothing.

    Attributes:
        endpoint_name: which InvokeEndpoint takes.
        endpoint_arn: which policies name.
    """

    endpoint_name: str
    endpoint_arn: str

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow invoking this endpoint."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[self.endpoint_arn]
        )

    def metric(self, name: str, *, statistic: str = "Sum", of_instance: bool = False) -> cloudwatch.Metric:
        """A metric of the endpoint's production variant, of its invocations or of its instances."""
        return cloudwatch.Metric(
            namespace="/aws/sagemaker/Endpoints" if of_instance else "AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": PRODUCTION_VARIANT},
            statistic=statistic,
        )

    def metric_invocations(self) -> cloudwatch.Metric:
        return self.metric("Invocations")

    def metric_invocation_4xx_errors(self) -> cloudwatch.Metric:
        return self.metric("Invocation4XXErrors")

    def metric_invocation_5xx_errors(self) -> cloudwatch.Metric:
        return self.metric("Invocation5XXErrors")

    def metric_model_latency(self, statistic: str = "p99") -> cloudwatch.Metric:
        """The container's time for a request, in µs."""
        return self.metric("ModelLatency", statistic=statistic)

    def metric_overhead_latency(self, statistic: str = "p99") -> cloudwatch.Metric:
        """SageMaker's own time for a request, in µs."""
        return self.metric("OverheadLatency", statistic=statistic)

    def metric_cpu_utilization(self, statistic: str = "Average") -> cloudwatch.Metric:
        """In percent of a vCPU, so up to 200 on an instance with two; each instance reports every minute."""
        return self.metric("CPUUtilization", statistic=statistic, of_instance=True)

    def metric_memory_utilization(self, statistic: str = "Average") -> cloudwatch.Metric:
        """In percent."""
        return self.metric("MemoryUtilization", statistic=statistic, of_instance=True)


class ExistingEndpoint(Endpoint):
    """An endpoint of another stack. It must run this project's container, with a production variant named `live`.

    Benefit: several pipelines share its instances.
    Cost: its execution role must be allowed to read the pipeline's bucket, which only its own stack can do.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str = "", arn: str = "") -> None:
        """Refer to it.

        Args:
            name: of the endpoint, in the stack's account and region; or
            arn: of the endpoint. SageMaker writes ARNs in lower case.

        Raises:
            InvalidValueError: both or neither is given.
        """
        super().__init__(scope, construct_id)
        if bool(name) == bool(arn):
            raise rules.InvalidValueError(
                f"An existing endpoint has the name {name!r} and the ARN {arn!r}, but must have exactly one of them."
            )
        self.endpoint_name = name or Fn.select(1, Fn.split("endpoint/", arn))
        if not arn:
            in_arn = name if Token.is_unresolved(name) else name.lower()
            arn = Stack.of(self).format_arn(service="sagemaker", resource="endpoint", resource_name=in_arn)
        self.endpoint_arn = arn


class ModelEndpoint(Endpoint):
    """The model in a container on instances that are always on.

    Benefit: no cold start; logs, roles and, in a VPC, the network are the stack's own.
    Cost: the instances are billed by the hour; deploying takes many minutes and, for the image, Docker.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        instance_type: str = "ml.t2.medium",
        instance_count: int = 1,
        canary: bool = False,
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the endpoint.

        Args:
            storage: whose files the container may read.
            instance_type: of x86_64; SageMaker hosts no ml.t3.
            instance_count: 1 to 100.
            canary: whether new instances get some of the traffic first and are rolled back if they fail. Without it
                SageMaker still keeps the old instances if the new ones do not start.

        Raises:
            InvalidValueError: the type or the count is not allowed.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.INSTANCE_TYPE, instance_type=instance_type)
        rules.check(rules.INSTANCE_COUNT, instance_count=instance_count)
        self._options = options or FunctionOptions()
        image = self._create_image(model.contract.input.kind)
        role = self._create_execution_role(storage, model, image)
        config = self._create_config(self._create_model(storage, model, image, role), instance_type, instance_count)
        endpoint = self._create_endpoint(config, role)
        if canary:
            add_blue_green_deployment(self, endpoint, config=config, role=role, instance_count=instance_count)
        self.endpoint_name = endpoint.attr_endpoint_name
        self.endpoint_arn = endpoint.ref

    def _create_image(self, input_kind: str) -> ecr_assets.DockerImageAsset:
        container = sources() / "sagemaker_container"
        return ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(sources()),
            file=f"{container.name}/Dockerfile",
            # The context, and so the image's hash, holds only what the image is made of: no other change in the
            # repository replaces the endpoint's containers.
            exclude=[
                *(container / "Dockerfile.dockerignore").read_text().splitlines(),
                "lambda_src/requirements-*.txt",
                f"!lambda_src/requirements-{input_kind}.txt",
            ],
            build_args={"INPUT_KIND": input_kind},
            ignore_mode=IgnoreMode.DOCKER,
            platform=ecr_assets.Platform.LINUX_AMD64,
            outputs=_outputs(),
            # So that the template does not depend on who builds the image.
            invalidation=ecr_assets.DockerImageAssetInvalidationOptions(outputs=False),
        )

    def _create_execution_role(
        self, storage: PipelineStorage, model: ModelArtifact, image: ecr_assets.DockerImageAsset
    ) -> iam.Role:
        role = iam.Role(self, "ExecutionRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        image.repository.grant_pull(role)
        storage.grant_read_files(role)
        storage.grant_write_results(role, model)
        model.grant_read(role)
        role.add_to_policy(
            iam.PolicyStatement(  # SageMaker's guide asks for it with s3:GetObject ("Execution roles", CreateModel)
                actions=["s3:ListBucket"],
                resources=[model.bucket.bucket_arn],
                conditions=model.only_models,
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
            )
        )
        acknowledge_wildcard(
            role,
            "*",
            "ecr:GetAuthorizationToken and cloudwatch:PutMetricData take no resource; the latter's namespace is fixed.",
        )
        return role

    def _create_model(
        self, storage: PipelineStorage, model: ModelArtifact, image: ecr_assets.DockerImageAsset, role: iam.Role
    ) -> sagemaker.CfnModel:
        cfn_model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.image_uri,
                environment={
                    **self._options.limits(model),
                    **storage.results_environment,
                    "INPUT_KIND": model.contract.input.kind,
                    "AWS_DEFAULT_REGION": Aws.REGION,
                },
                # The plain object, put into /opt/ml/model: the file that the functions read, not a tar.gz of it.
                model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(
                    s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                        s3_uri=model.s3_uri, s3_data_type="S3Object", compression_type="None"
                    )
                ),
            ),
            vpc_config=self._vpc_config(role),
        )
        cfn_model.node.add_dependency(role)  # and so on its policy: SageMaker checks at once what the role may read
        if self._options.vpc:  # through which SageMaker downloads the model
            cfn_model.node.add_dependency(ways_through(self._options.vpc))
        return cfn_model

    def _create_config(
        self, model: sagemaker.CfnModel, instance_type: str, instance_count: int
    ) -> sagemaker.CfnEndpointConfig:
        return sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=PRODUCTION_VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=instance_type,
                    initial_instance_count=instance_count,
                    initial_variant_weight=1,
                )
            ],
        )

    def _create_endpoint(self, config: sagemaker.CfnEndpointConfig, role: iam.Role) -> sagemaker.CfnEndpoint:
        # SageMaker names the log group after the endpoint and would keep it forever. For the stack to make the group,
        # it must choose the endpoint's name: one made of its own id is unique to it and never needs to change.
        stack_uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        unique_in_app = Names.unique_resource_name(self, max_length=40, separator="-")
        name = f"{unique_in_app}-{Fn.select(0, Fn.split('-', stack_uuid))}"
        log_group = create_log_group(
            self, "EndpointLogs", options=self._options, name=f"/aws/sagemaker/Endpoints/{name}"
        )
        log_group.grant(
            role, "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"
        )
        return sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )

    def _vpc_config(self, role: iam.Role) -> sagemaker.CfnModel.VpcConfigProperty | None:
        vpc = self._options.vpc
        if not vpc:
            return None
        allow_network_interfaces(role, SAGEMAKER_ACTIONS)
        return sagemaker.CfnModel.VpcConfigProperty(
            subnets=vpc.select_subnets().subnet_ids,
            security_group_ids=[https_only(self, "EndpointSecurityGroup", vpc).security_group_id],
        )


def _outputs() -> list[str] | None:
    """Let Docker write the one kind of manifest that SageMaker accepts; Docker 29 would write OCI's.

    CDK_DOCKER names what builds. Others than Docker do not know this option: docs/decisions/0015-image-manifests.md.
    """
    is_docker = Path(os.environ.get("CDK_DOCKER") or "docker").stem == "docker"
    return ["type=image,oci-mediatypes=false"] if is_docker else None

"""Variant `sagemaker`: an always-on endpoint, and a small function that hands it each file's address."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from aws_cdk import Aws, Fn, IgnoreMode, Names
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.bundling import Bundle
from stacks.findings import acknowledge_wildcard
from stacks.model_artifact import ModelArtifact
from stacks.network import SAGEMAKER_ACTIONS, allow_network_interfaces, https_only
from stacks.python_function import FunctionOptions, create_log_group, create_python_function
from stacks.storage import PipelineStorage

if TYPE_CHECKING:
    from stacks.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
CONTAINER = REPOSITORY / "sagemaker_container"


class SageMakerEndpoint(Construct):
    """Predicts in a container on machines that are always on.

    Benefit: no cold start, and the cheapest per prediction once the machines are busy.
    Cost: the machines are paid by the hour, also when nothing comes in; a burst waits, or gets a 503 and is retried;
    deploying takes many minutes and, for the image, Docker.
    """

    predictor: ClassVar[str] = "sagemaker"
    stack_id: ClassVar[str] = "SageMaker"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        instance_type: str = "ml.t2.medium",
        instance_count: int = 1,
        proxy_memory_mb: int = 128,
        options: FunctionOptions | None = None,
    ) -> None:
        """`proxy_memory_mb` is 128 to 10,240; the proxy holds no audio, so the least will do."""
        super().__init__(scope, construct_id)
        self._options = options or FunctionOptions()
        image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(REPOSITORY),
            file=f"{CONTAINER.name}/Dockerfile",
            # The context, and so the image's hash, holds only what the image is made of: no other change in the
            # repository replaces the endpoint's containers.
            exclude=(CONTAINER / "Dockerfile.dockerignore").read_text().splitlines(),
            ignore_mode=IgnoreMode.DOCKER,
            platform=ecr_assets.Platform.LINUX_AMD64,
        )
        role = self._create_execution_role(storage, model, image)
        cfn_model = self._create_model(model, image, role)
        self.endpoint = self._create_endpoint(cfn_model, role, instance_type, instance_count)
        self.function = create_python_function(
            self,
            "Function",
            bundle=Bundle.PROXY,
            handler="sagemaker_trigger_handler.handler",
            memory_mb=proxy_memory_mb,
            environment={
                "PREDICTOR": self.predictor,
                "PREDICTIONS_TABLE": storage.predictions_table.table_name,
                "ENDPOINT_NAME": self.endpoint.attr_endpoint_name,
            },
            options=self._options,
        )
        endpoint_arn = self.endpoint.ref
        iam.Grant.add_to_principal(
            grantee=self.function, actions=["sagemaker:InvokeEndpoint"], resource_arns=[endpoint_arn]
        )
        storage.grant_write_predictions(self.function)
        self.handler = self.function
        self.outputs = {"EndpointName": self.endpoint.attr_endpoint_name}

    @classmethod
    def from_settings(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        settings: "Settings",
    ) -> Self:
        return cls(
            scope,
            construct_id,
            storage=storage,
            model=model,
            instance_type=settings.instance_type,
            instance_count=settings.instance_count,
            proxy_memory_mb=settings.proxy_memory_mb,
            options=settings.function_options,
        )

    def _create_execution_role(
        self, storage: PipelineStorage, model: ModelArtifact, image: ecr_assets.DockerImageAsset
    ) -> iam.Role:
        role = iam.Role(self, "ExecutionRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        image.repository.grant_pull(role)
        storage.grant_read_files(role)
        model.grant_read(role)
        role.add_to_policy(
            iam.PolicyStatement(  # SageMaker's guide asks for it beside s3:GetObject ("Execution roles", CreateModel)
                actions=["s3:ListBucket"],
                resources=[model.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{model.object_key}*"}},
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
        self, model: ModelArtifact, image: ecr_assets.DockerImageAsset, role: iam.Role
    ) -> sagemaker.CfnModel:
        cfn_model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.image_uri,
                environment={**self._options.limits, "AWS_DEFAULT_REGION": Aws.REGION},
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
        return cfn_model

    def _create_endpoint(
        self, cfn_model: sagemaker.CfnModel, role: iam.Role, instance_type: str, instance_count: int
    ) -> sagemaker.CfnEndpoint:
        config = sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name="live",
                    model_name=cfn_model.attr_model_name,
                    instance_type=instance_type,
                    initial_instance_count=instance_count,
                    initial_variant_weight=1,
                )
            ],
        )
        # SageMaker names the log group after the endpoint and would keep it for ever. For the stack to make the group,
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

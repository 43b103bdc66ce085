"""Variant `sagemaker`: an always-on endpoint, and a small function that hands it each file's address."""

from typing import TYPE_CHECKING, ClassVar, Self

from aws_cdk import Aws, Duration, Fn, IgnoreMode, Names
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from crossover.cdk.bundled_code import Bundle
from crossover.cdk.dashboard_cost import PRICES, Cost
from crossover.cdk.findings import acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.network import SAGEMAKER_ACTIONS, add_private_endpoint, allow_network_interfaces, https_only
from crossover.cdk.python_function import FunctionOptions, create_log_group, create_python_function
from crossover.cdk.rollout import ERROR_SHARE, publish_live
from crossover.cdk.storage import PipelineStorage
from crossover.paths import sources

if TYPE_CHECKING:
    from crossover.cdk.monitoring import Monitoring
    from stacks.settings import Settings

CONTAINER = sources() / "sagemaker_container"
PRODUCTION_VARIANT = "live"
BAKING_SECONDS = 600
"""After each step of a roll-out, before the old machines go: SageMaker's metrics lag by minutes."""


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
        canary: bool = False,
        options: FunctionOptions | None = None,
    ) -> None:
        """Wire endpoint and proxy.

        Args:
            proxy_memory_mb: 128 to 10,240; the proxy holds no audio, so the least will do.
            canary: whether new machines, and a new version of the proxy, get some of the traffic first and are taken
                back where they fail. Without it SageMaker still keeps the old machines where the new ones do not start.
        """
        super().__init__(scope, construct_id)
        self._options = options or FunctionOptions()
        image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(sources()),
            file=f"{CONTAINER.name}/Dockerfile",
            # The context, and so the image's hash, holds only what the image is made of: no other change in the
            # repository replaces the endpoint's containers.
            exclude=(CONTAINER / "Dockerfile.dockerignore").read_text().splitlines(),
            ignore_mode=IgnoreMode.DOCKER,
            platform=ecr_assets.Platform.LINUX_AMD64,
        )
        role = self._create_execution_role(storage, model, image)
        cfn_model = self._create_model(model, image, role)
        self.endpoint = self._create_endpoint(cfn_model, role, instance_type, instance_count, canary)
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
        if self._options.vpc and self._options.private_endpoints:
            private_endpoint = add_private_endpoint(
                self,
                "Runtime",
                vpc=self._options.vpc,
                service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
                actions=["sagemaker:InvokeEndpoint"],
                resource=endpoint_arn,
                client=self.function,
            )
            self.function.node.add_dependency(private_endpoint)  # no invocation before its way to the endpoint is there
        self.handler: lambda_.IFunction = self.function
        if canary:
            self.handler = publish_live(self, self.function, canary=canary, options=self._options)
        machine_hour = PRICES.get(f"sagemaker.host.{instance_type}")
        self.cost: Cost | None = None
        if machine_hour:
            self.cost = Cost(
                memory_mb=proxy_memory_mb,
                per_hour=((instance_count, machine_hour),),
                leaves_out="data processing, INIT of the proxy",
            )
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
        options: FunctionOptions,
    ) -> Self:
        return cls(
            scope,
            construct_id,
            storage=storage,
            model=model,
            instance_type=settings.instance_type,
            instance_count=settings.instance_count,
            proxy_memory_mb=settings.proxy_memory_mb,
            canary=settings.rollout == "canary",
            options=options,
        )

    def monitor(self, monitoring: "Monitoring") -> None:
        """The endpoint's health and load."""

        def metric(name: str, statistic: str, *, of_machine: bool = False) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="/aws/sagemaker/Endpoints" if of_machine else "AWS/SageMaker",
                metric_name=name,
                dimensions_map={
                    "EndpointName": self.endpoint.attr_endpoint_name,
                    "VariantName": PRODUCTION_VARIANT,
                },
                statistic=statistic,
            )

        server_errors = metric("Invocation5XXErrors", "Sum")
        monitoring.add_alarm(
            "EndpointErrors",
            server_errors,
            description=(
                "The endpoint has answered with 5xx for ten of the last 15 minutes. 503 means that its queue is full: "
                "raise instance_count or instance_type, or set reserved_concurrency. Others are in the endpoint's log."
            ),
            periods=3,
            breaching=2,
        )
        monitoring.add_alarm(
            "EndpointSilent",
            metric("CPUUtilization", "SampleCount", of_machine=True),
            description=(
                "No machine of the endpoint has reported for 15 minutes. Look at its state and its log in SageMaker's "
                "console. Events are retried, then kept: `crossover deadletters list` names them. In a new stack the "
                "alarm may be on until the first report comes."
            ),
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=3,
            missing=cloudwatch.TreatMissingData.BREACHING,  # machines that are on report each minute, idle or not
        )
        latencies = {
            f"{who} {percentile}": metric(name, percentile)
            for who, name in (("model", "ModelLatency"), ("SageMaker", "OverheadLatency"))
            for percentile in ("p50", "p99")
        }
        client_errors = metric("Invocation4XXErrors", "Sum")
        machines = {
            "processor, 100 % a vCPU": metric("CPUUtilization", "Average", of_machine=True),
            "memory": metric("MemoryUtilization", "Average", of_machine=True),
        }
        monitoring.add_graph("Endpoint: latency", latencies, unit="µs")
        monitoring.add_graph(
            "Endpoint: invocations",
            {"invocations": metric("Invocations", "Sum"), "4xx": client_errors, "5xx": server_errors},
        )
        monitoring.add_graph("Endpoint: machines", machines, unit="%")

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
                conditions=model.only_its_key,
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
        self,
        cfn_model: sagemaker.CfnModel,
        role: iam.Role,
        instance_type: str,
        instance_count: int,
        canary: bool,
    ) -> sagemaker.CfnEndpoint:
        config = sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=PRODUCTION_VARIANT,
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
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        if canary:
            self._roll_out_with_care(endpoint, config, role, instance_count)
        return endpoint

    def _roll_out_with_care(
        self, endpoint: sagemaker.CfnEndpoint, config: sagemaker.CfnEndpointConfig, role: iam.Role, instance_count: int
    ) -> None:
        """Let new machines bake beside the old ones, which take over again if the new ones fail.

        A canary is at most half of the new machines, so it takes two; a single one gets all the traffic at once, and
        bakes. For that time both the old and the new machines are paid, and for the alarm 0.10 USD a month.
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
        """
        alarm = cloudwatch.Alarm(
            self,
            "NewMachinesFail",
            alarm_description=(
                "The endpoint's newest configuration answers with 5xx. While it is rolled out, SageMaker goes back to "
                "the machines before. The endpoint's log names the cause."
            ),
            # Of the new machines only: the old ones' errors must not stop the roll-out of what mends them.
            metric=cloudwatch.Metric(
                namespace="AWS/SageMaker",
                metric_name="Invocation5XXErrors",
                dimensions_map={
                    "EndpointName": str(endpoint.endpoint_name),
                    "VariantName": PRODUCTION_VARIANT,
                    "EndpointConfigName": config.attr_endpoint_config_name,
                },
                statistic="Average",  # 1 for an invocation that fails, 0 for another: their share
                period=Duration.minutes(1),
            ),
            threshold=ERROR_SHARE,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=3,
            datapoints_to_alarm=2,  # a full queue, which answers 503, passes
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no invocation, no failure
        )
        tenth = sagemaker.CfnEndpoint.CapacitySizeProperty(type="INSTANCE_COUNT", value=max(1, instance_count // 10))
        several = instance_count >= 2
        endpoint.deployment_config = sagemaker.CfnEndpoint.DeploymentConfigProperty(
            blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
                traffic_routing_configuration=sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                    type="CANARY" if several else "ALL_AT_ONCE",
                    canary_size=tenth if several else None,
                    wait_interval_in_seconds=BAKING_SECONDS,
                )
            ),
            auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
                alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=alarm.alarm_name)]
            ),
        )
        # A policy of its own: the model waits for the role with the policy it has, and the alarm for the model.
        policy = iam.Policy(
            self,
            "SeeAlarm",
            roles=[role],
            statements=[iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarm.alarm_arn])],
        )
        endpoint.node.add_dependency(policy)

    def _vpc_config(self, role: iam.Role) -> sagemaker.CfnModel.VpcConfigProperty | None:
        vpc = self._options.vpc
        if not vpc:
            return None
        allow_network_interfaces(role, SAGEMAKER_ACTIONS)
        return sagemaker.CfnModel.VpcConfigProperty(
            subnets=vpc.select_subnets().subnet_ids,
            security_group_ids=[https_only(self, "EndpointSecurityGroup", vpc).security_group_id],
        )

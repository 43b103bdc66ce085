"""Variant `sagemaker`: an always-on endpoint, and a small function that sends it each S3 object reference."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.bundling import PROXY
from crossover.bundling.recipe import Bundle
from crossover.cdk import rules
from crossover.cdk.compute.interface import NEW_ACCOUNT_CONCURRENCY
from crossover.cdk.dashboard_cost import Cost, find_price
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.model_endpoint import Endpoint, ModelEndpoint
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec
from crossover.cdk.network import add_private_endpoint
from crossover.cdk.python_function import FunctionOptions, create_python_function
from crossover.cdk.rollout import publish_live
from crossover.cdk.storage import PipelineStorage
from crossover.cost.instance_types import hosting_vcpus

REQUESTS_PER_VCPU = 2  # at once: one that it computes, and one on its way, so that it need not wait


class SageMakerEndpoint(Construct):
    """Predicts in a container on instances that are always on; a function passes the events on.

    Benefit: no cold start, and the lowest price per prediction once the instances are busy.
    Cost: the instances are billed by the hour, also when nothing is uploaded; a burst waits in a queue, or with
    ingest=direct gets a 503 and is retried; deploying takes many minutes and, for the image, Docker.
    """

    predictor: ClassVar[str] = "sagemaker"
    stack_id: ClassVar[str] = "SageMaker"
    handler: ClassVar[str] = "sagemaker_trigger_handler"
    bundle: ClassVar[Bundle] = PROXY
    settings: ClassVar[Sequence[str]] = ("instance_type", "instance_count", "proxy_memory_mb", "canary")
    ingest: ClassVar[str] = "queue"
    kept_ready: int = 0
    roles: ClassVar[Mapping[str, str]] = {"ExecutionRole": "endpoint"}

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact | None = None,
        endpoint: Endpoint | None = None,
        instance_type: str = "ml.t2.medium",
        instance_count: int = 1,
        proxy_memory_mb: int = 128,
        canary: bool = False,
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the proxy function, and the endpoint unless there is one.

        Args:
            model: which an endpoint made here serves; `instance_type` and `instance_count` are that endpoint's.
            endpoint: an existing one with its own model, such as an ExistingEndpoint.
            proxy_memory_mb: 128 to 10,240; the proxy never holds the file, so the minimum is enough.
            canary: whether new instances, and a new version of the proxy, get some of the traffic first and are taken
                back if they fail. Without it SageMaker still keeps the old instances if the new ones do not start.

        Raises:
            InvalidValueError: a value is out of range, or not exactly one of `model` and `endpoint` is given.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.MEMORY_MB, proxy_memory_mb=proxy_memory_mb)
        options = options or FunctionOptions()
        price = None
        self.capacity: int | None = None
        if model and not endpoint:
            # "Default" adds nothing to the logical ids of what is in it.
            endpoint = ModelEndpoint(
                self,
                "Default",
                storage=storage,
                model=model,
                instance_type=instance_type,
                instance_count=instance_count,
                canary=canary,
                options=options,
            )
            price = find_price(f"sagemaker.host.{instance_type}")
            if vcpus := hosting_vcpus(instance_type):
                self.capacity = instance_count * vcpus * REQUESTS_PER_VCPU
        elif model or not endpoint:
            given = "both" if model else "neither"
            raise rules.InvalidValueError(f"model and endpoint: {given} is given, but exactly one must be.")
        self.endpoint: Endpoint = endpoint
        self.default_max_concurrency = self.capacity or NEW_ACCOUNT_CONCURRENCY
        self.function = create_python_function(
            self,
            "Function",
            bundle=self.bundle,
            handler=self.handler,
            memory_mb=proxy_memory_mb,
            environment={
                "PREDICTOR": self.predictor,
                "PREDICTIONS_TABLE": storage.predictions_table.table_name,
                "ENDPOINT_NAME": endpoint.endpoint_name,
            },
            options=options,
        )
        endpoint.grant_invoke(self.function)
        storage.grant_write_predictions(self.function)
        if options.vpc and options.private_endpoints:
            private_endpoint = add_private_endpoint(
                self,
                "Runtime",
                vpc=options.vpc,
                service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
                actions=["sagemaker:InvokeEndpoint"],
                resource=endpoint.endpoint_arn,
                client=self.function,
            )
            self.function.node.add_dependency(private_endpoint)  # no invocation before it can reach the endpoint
        self.source: lambda_.IFunction = self.function
        self.earlier_sources: Sequence[lambda_.IFunction] = ()
        if canary:
            self.source = publish_live(self, self.function, canary=canary, options=options)
            self.earlier_sources = (self.function,)
        self.cost: Cost | None = None
        if price:
            self.cost = Cost(
                memory_mb=proxy_memory_mb,
                architecture=options.architecture,
                per_hour=((instance_count, price),),
                leaves_out="data processing, SQS, INIT of the proxy",
            )
        self.outputs: Mapping[str, str] = {"EndpointName": endpoint.endpoint_name}

    @property
    def alarms(self) -> Sequence[AlarmSpec]:
        return (
            AlarmSpec(
                id="EndpointErrors",
                metric=self.endpoint.metric_invocation_5xx_errors(),
                description=(
                    "The endpoint has answered with 5xx for ten of the last 15 minutes. 503 means that its queue is "
                    "full: raise instance_count or instance_type, or let the uploads wait, by ingest=queue or a lower "
                    "max_concurrency. Others are in the endpoint's log."
                ),
                periods=3,
                breaching=2,
            ),
            AlarmSpec(
                id="EndpointSilent",
                metric=self.endpoint.metric_cpu_utilization("SampleCount"),
                description=(
                    "No instance of the endpoint has reported for 15 minutes. Look at its state and its log in "
                    "SageMaker's console. Events are retried, then kept: `crossover deadletters list` names them. In a "
                    "new stack the alarm may be on until the first report comes."
                ),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                periods=3,
                missing=cloudwatch.TreatMissingData.BREACHING,  # an instance reports each minute, idle or not
            ),
        )

    @property
    def graphs(self) -> Sequence[GraphSpec]:
        endpoint = self.endpoint
        return (
            GraphSpec(
                title="Endpoint: latency",
                metrics={
                    "model p50": endpoint.metric_model_latency("p50"),
                    "model p99": endpoint.metric_model_latency("p99"),
                    "SageMaker p50": endpoint.metric_overhead_latency("p50"),
                    "SageMaker p99": endpoint.metric_overhead_latency("p99"),
                },
                unit="µs",
            ),
            GraphSpec(
                title="Endpoint: invocations",
                metrics={
                    "invocations": endpoint.metric_invocations(),
                    "4xx": endpoint.metric_invocation_4xx_errors(),
                    "5xx": endpoint.metric_invocation_5xx_errors(),
                },
            ),
            GraphSpec(
                title="Endpoint: instances",
                metrics={
                    "CPU, 100 % a vCPU": endpoint.metric_cpu_utilization(),
                    "memory": endpoint.metric_memory_utilization(),
                },
                unit="%",
            ),
        )

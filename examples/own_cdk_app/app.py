"""A CDK app that had a bucket of recordings and a VPC, and now predicts every recording that arrives.

Everything but the constructs is the app's own: stack, names, bucket, VPC and context.
"""

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from crossover.cdk import (
    FunctionOptions,
    InferencePipeline,
    ModelArtifact,
    Monitoring,
    PipelineStorage,
    StandardLambda,
)


class Recordings(Stack):
    """What was there before, then the four constructs."""

    def __init__(self, scope: Construct, construct_id: str, *, model_path: str) -> None:
        super().__init__(scope, construct_id, stack_name="Field-Recordings")
        recordings = s3.Bucket(
            self,
            "Recordings",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Own", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDB": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )

        storage = PipelineStorage(self, "Storage", input_bucket=recordings)
        model = ModelArtifact(self, "Model", path=model_path)
        compute = StandardLambda(
            self, "Compute", storage=storage, model=model, memory_mb=2048, options=FunctionOptions(vpc=vpc)
        )
        # The outputs are how `crossover predict FILE --prefix Field` finds this stack.
        pipeline = InferencePipeline(
            self, "Predictions", storage=storage, compute=compute, key_suffix=".wav", publish_outputs=True
        )
        Monitoring(self, "Monitoring", compute=compute, dead_letter_queue=pipeline.dead_letter_queue)


app = App()
Recordings(app, "Recordings", model_path=app.node.get_context("model_path"))
app.synth()

"""Compute inside a VPC that is there already."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2

from stacks.compute import SageMakerEndpoint, StandardLambda
from stacks.model_artifact import ModelArtifact
from stacks.pipeline import InferencePipeline
from stacks.python_function import FunctionOptions
from stacks.storage import PipelineStorage

from .templates import StackTemplate, nag_findings, new_app

VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]


@pytest.fixture
def in_vpc(model_path: Path, tmp_path: Path) -> tuple[App, Stack]:
    app = new_app(tmp_path / "assembly")
    stack = Stack(app, "Stack")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id=VPC, availability_zones=["us-east-1a", "us-east-1b"], private_subnet_ids=SUBNETS
    )
    options = FunctionOptions(vpc=vpc)
    storage = PipelineStorage(stack, "Storage")
    model = ModelArtifact(stack, "Model", path=model_path)
    compute = StandardLambda(stack, "Compute", storage=storage, model=model, options=options)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)
    SageMakerEndpoint(stack, "Endpoint", storage=storage, model=model, options=options)
    return app, stack


def test_functions_and_containers_run_in_the_subnets(in_vpc: tuple[App, Stack]):
    template = StackTemplate.of(*in_vpc)

    for function in ("Compute/Function", "Endpoint/Function"):
        assert template.resources[function].properties["VpcConfig"]["SubnetIds"] == SUBNETS
    assert template.only("AWS::SageMaker::Model").properties["VpcConfig"]["Subnets"] == SUBNETS


def test_they_reach_https_and_are_reached_by_nothing(in_vpc: tuple[App, Stack]):
    groups = StackTemplate.of(*in_vpc).of_type("AWS::EC2::SecurityGroup")

    assert len(groups) == 3  # of the function, the proxy and the container
    for group in groups:
        assert group.properties["VpcId"] == VPC
        (rule,) = group.properties["SecurityGroupEgress"]
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
        assert "SecurityGroupIngress" not in group.properties


def test_the_roles_may_make_the_network_interfaces(in_vpc: tuple[App, Stack]):
    template = StackTemplate.of(*in_vpc)

    for role in ("Compute/FunctionRole", "Endpoint/FunctionRole", "Endpoint/ExecutionRole"):
        assert ("ec2:CreateNetworkInterface", "*") in template.grants(role)


def test_cdk_nag_has_nothing_to_say_about_it(in_vpc: tuple[App, Stack]):
    app, _ = in_vpc

    assert nag_findings(app) == []

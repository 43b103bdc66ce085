"""Compute inside a VPC: an existing one, and one without internet access."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from crossover.cdk.compute import EfsLambda, SageMakerEndpoint, SnapStartLambda, StandardLambda
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.network import IsolatedNetwork
from crossover.cdk.pipeline import InferencePipeline
from crossover.cdk.python_function import FunctionOptions, create_log_group
from crossover.cdk.storage import PipelineStorage
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, nag_findings, new_app
from tests.synthesis import STACKS
from tools.synthesized import as_list

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


def test_cdk_nag_reports_nothing_for_a_network(in_vpc: tuple[App, Stack]):
    app, _ = in_vpc

    assert nag_findings(app) == []


@pytest.fixture(params=["Standard", "SnapStart", "SageMaker"])
def isolated(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis]) -> StackTemplate:
    return synthesis_of("isolated").templates[request.param]


def test_an_isolated_network_has_no_internet_access(isolated: StackTemplate):
    ways_out = {
        "AWS::EC2::InternetGateway",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EC2::EgressOnlyInternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::TransitGatewayAttachment",
        "AWS::EC2::VPCPeeringConnection",
        "AWS::EC2::Route",  # to 0.0.0.0/0 or anywhere: the routes to gateway endpoints are AWS's own
        "AWS::EC2::EIP",
    }

    assert not ways_out & {resource.type for resource in isolated.resources.values()}
    assert not any(subnet.properties["MapPublicIpOnLaunch"] for subnet in isolated.of_type("AWS::EC2::Subnet"))


def test_it_spans_two_zones_that_are_chosen_when_it_is_deployed(isolated: StackTemplate):
    zones = [subnet.properties["AvailabilityZone"] for subnet in isolated.of_type("AWS::EC2::Subnet")]

    assert len(set(zones)) == 2
    assert all("Fn::GetAZs" in zone for zone in zones)


def test_its_groups_let_https_out_and_nothing_else(isolated: StackTemplate):
    for group in isolated.of_type("AWS::EC2::SecurityGroup"):
        for rule in group.properties["SecurityGroupEgress"]:
            if rule["CidrIp"] == "255.255.255.255/32":  # CDK's way to write: no rule
                continue
            assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
        assert "SecurityGroupIngress" not in group.properties
    assert isolated.of_type("AWS::EC2::SecurityGroupEgress") == []


def endpoints(template: StackTemplate) -> dict[str, dict[str, Any]]:
    """By service, without com.amazonaws.<region>."""
    return {
        endpoint.properties["ServiceName"].partition("<AWS::Region>.")[2]: endpoint.properties
        for endpoint in template.of_type("AWS::EC2::VPCEndpoint")
    }


def test_there_are_endpoints_for_the_services_that_the_variant_calls_and_for_no_other(isolated: StackTemplate):
    found = endpoints(isolated)
    has_endpoint = bool(isolated.of_type("AWS::SageMaker::Endpoint"))

    assert set(found) == {"s3", "dynamodb"} | ({"sagemaker.runtime"} if has_endpoint else set())
    tables = {f"<{table.path}>" for table in isolated.of_type("AWS::EC2::RouteTable")}
    for service in ("s3", "dynamodb"):
        assert (found[service]["VpcEndpointType"], set(found[service]["RouteTableIds"])) == ("Gateway", tables)
    if has_endpoint:
        assert found["sagemaker.runtime"]["PrivateDnsEnabled"] is True
        (rule,) = isolated.of_type("AWS::EC2::SecurityGroupIngress")
        assert rule.properties["SourceSecurityGroupId"] == "<Compute/FunctionSecurityGroup.GroupId>"
        assert rule.properties["FromPort"] == rule.properties["ToPort"] == 443


def test_the_endpoints_allow_only_the_stacks_own_bucket_table_model_and_endpoint(isolated: StackTemplate):
    for service, properties in endpoints(isolated).items():
        for statement in properties["PolicyDocument"]["Statement"]:
            assert statement["Condition"]["StringEquals"] == {"aws:PrincipalAccount": "<AWS::AccountId>"}
            assert not any("*" in action for action in as_list(statement["Action"]))
            assert statement["Resource"].startswith(
                {
                    "s3": ("<Storage/InputBucket.Arn>", "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-"),
                    "dynamodb": "<Storage/PredictionsTable.Arn>",
                    "sagemaker.runtime": "<Compute/Endpoint>",
                }[service]
            )
    model = [
        statement
        for statement in endpoints(isolated)["s3"]["PolicyDocument"]["Statement"]
        if "assets" in statement["Resource"]
    ]
    assert {statement["Action"]: ".onnx" in str(statement) for statement in model} == {
        "s3:GetObject": True,
        "s3:ListBucket": True,
    }


def test_all_compute_is_in_the_vpc_and_is_created_after_its_endpoints(isolated: StackTemplate):
    ways = {"Network/Vpc/S3", "Network/Vpc/DynamoDb", "Network/Vpc/IsolatedSubnet1/RouteTableAssociation"}
    compute = ["Compute/Function", *(model.path for model in isolated.of_type("AWS::SageMaker::Model"))]
    for path in compute:
        properties = isolated.resources[path].properties["VpcConfig"]
        subnets = properties.get("SubnetIds") or properties["Subnets"]
        assert subnets == ["<Network/Vpc/IsolatedSubnet1/Subnet>", "<Network/Vpc/IsolatedSubnet2/Subnet>"]
        # SnapStart reads the model while its version is published, the endpoint before it is in service.
        assert ways <= isolated.created_before(path)
    if "Compute/Runtime" in isolated.resources:
        assert "Compute/Runtime" in isolated.created_before("Compute/Function")


def test_in_an_own_app_what_reads_the_model_at_once_waits_for_the_endpoints(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path / "assembly")
    stack, other = Stack(app, "Own"), Stack(app, "Other")
    storage, model = PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=model_path)
    flow_logs = create_log_group(stack, "FlowLogs", options=FunctionOptions())
    network = IsolatedNetwork(stack, "Network", storage=storage, model=model, log_group=flow_logs)
    options = FunctionOptions(vpc=network.vpc, private_endpoints=True)
    SnapStartLambda(stack, "SnapStart", storage=storage, model=model, options=options)
    SageMakerEndpoint(stack, "SageMaker", storage=storage, model=model, options=options)
    EfsLambda(
        other,
        "Efs",
        storage=PipelineStorage(other, "Storage"),
        model=ModelArtifact(other, "Model", path=model_path),
        options=options,
    )
    template = StackTemplate.of(app, stack)

    for path in ("SnapStart/Function/CurrentVersion", "SageMaker/Model"):
        assert {"Network/Vpc/S3", "Network/Vpc/DynamoDb"} <= template.created_before(path)
    assert stack.artifact_id in [each.id for each in app.synth().get_stack_artifact(other.artifact_id).dependencies]


def test_an_own_vpc_may_have_an_interface_endpoint_whose_policy_names_the_compute(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path / "assembly")
    stack = Stack(app, "Own")
    storage, model = PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=model_path)
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    runtime = vpc.add_interface_endpoint("Runtime", service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME)
    options = FunctionOptions(vpc=vpc)
    function = SnapStartLambda(stack, "SnapStart", storage=storage, model=model, options=options).function
    endpoint = SageMakerEndpoint(stack, "SageMaker", storage=storage, model=model, options=options).endpoint
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    named = [endpoint.endpoint_arn, function.function_arn]
    runtime.add_to_policy(iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["*"], resources=named))
    template = StackTemplate.of(app, stack)

    ways = {"Vpc/S3", "Vpc/PrivateSubnet1/DefaultRoute", "Vpc/PrivateSubnet1/RouteTableAssociation"}
    for path in ("SnapStart/Function/CurrentVersion", "SageMaker/Model"):
        assert ways <= template.created_before(path)
        assert "Vpc/Runtime" not in template.created_before(path)  # which would be a cycle


def test_its_traffic_is_recorded_in_flow_logs(isolated: StackTemplate):
    record = isolated.only("AWS::EC2::FlowLog").properties

    assert (record["ResourceId"], record["TrafficType"]) == ("<Network/Vpc>", "ALL")
    assert isolated.resources["FlowLogs"].properties["RetentionInDays"] == 30
    assert record["LogGroupName"] == "<FlowLogs>"


def test_a_functions_code_may_not_touch_the_network_interfaces(isolated: StackTemplate):
    statements = list(isolated.statements("Compute/FunctionRole"))
    (allowed,) = [entry for entry in statements if entry["Resource"] == "*" and entry["Effect"] == "Allow"]
    (denied,) = [entry for entry in statements if entry["Effect"] == "Deny"]

    assert sorted(denied["Action"]) == sorted(allowed["Action"])
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": "<Compute/Function.Arn>"}}


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "Efs"])
def test_by_default_there_is_no_network(templates: dict[str, StackTemplate], stack: str):
    resources = templates[stack].resources.values()

    assert not [resource for resource in resources if resource.type.startswith("AWS::EC2::")]


@pytest.mark.parametrize(
    ("stack", "named"),
    [
        ("SnapStart", ["<Compute/FunctionSecurityGroup.GroupId>"]),
        ("Provisioned", ["<Compute/FunctionSecurityGroup.GroupId>"]),
        ("Efs", ["<Compute/FunctionSecurityGroup.GroupId>", "<Compute/Files/FileSystem/Reader>"]),
    ],
)
def test_a_version_is_replaced_with_the_network_and_the_file_system_that_it_names(
    synthesis_of: Callable[[str], Synthesis], stack: str, named: list[str]
):
    """CloudFormation replaces a version for another description; the template of the function may be the same."""
    version = synthesis_of("isolated").templates[stack].only("AWS::Lambda::Version")

    assert version.properties["Description"].split() == named


def test_a_version_without_a_network_names_nothing(snapstart: StackTemplate):
    assert "Description" not in snapstart.only("AWS::Lambda::Version").properties

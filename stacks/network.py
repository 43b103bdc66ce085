"""What compute needs inside an existing VPC: a way out to AWS's services, and leave to make network interfaces."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.findings import acknowledge_wildcard

# As the developer guides of Lambda (execution role in a VPC) and SageMaker (CreateModel with VpcConfig) ask for.
LAMBDA_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
SAGEMAKER_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)


def https_only(scope: Construct, construct_id: str, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """A security group that lets nothing in, and out only to port 443, where AWS's services answer."""
    group = ec2.SecurityGroup(
        scope, construct_id, vpc=vpc, allow_all_outbound=False, description="Out to AWS services by HTTPS, nothing in"
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "AWS services")
    return group


def allow_network_interfaces(role: iam.Role, actions: Sequence[str]) -> None:
    """Let the service attach its compute to the VPC."""
    iam.Grant.add_to_principal(grantee=role, actions=list(actions), resource_arns=["*"])
    acknowledge_wildcard(role, "*", "EC2 takes no narrower resource for the network interfaces of a VPC.")

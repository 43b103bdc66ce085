"""Compute inside a VPC: one without a way to the internet, and what compute needs in any VPC."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossover.cdk.findings import acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.storage import PipelineStorage

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


class IsolatedNetwork(Construct):
    """A VPC with nothing but the ways to this stack's bucket, table and model: no internet gateway, no NAT, no peer.

    Benefit: what runs here connects to no other address, whatever its code does. The endpoints let through only what
    the roles may do anyway, on the stack's own bucket and table, and the traffic is recorded (flow logs). Names are
    still resolved, by AWS's resolver: what leaks through DNS queries is for a Route 53 DNS firewall.
    Cost: the S3 and DynamoDB endpoints are free; the flow logs are billed as logs, by the GB. The SageMaker variant
    needs an interface endpoint more: 0.01 USD an hour in each of two zones, 14.60 USD a month (us-east-1, public price
    of November 2025). Deleting takes many minutes, since Lambda gives its network interfaces back slowly.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        log_group: logs.ILogGroup,
    ) -> None:
        """`log_group` takes the flow logs."""
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,  # SageMaker wants two; which they are, CloudFormation asks when it deploys
            # Where no subnet is public, CDK makes no internet gateway and no NAT.
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            # Nothing is in the default group; to take its rules away, CDK would add a function that may change groups.
            restrict_default_security_group=False,
        )
        s3_endpoint = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        bucket = storage.input_bucket.bucket_arn
        s3_endpoint.add_to_policy(_let_through(["s3:GetObject", "s3:GetObjectVersion"], storage.readable_objects))
        s3_endpoint.add_to_policy(_let_through(["s3:ListBucket"], bucket))
        # The container's model comes this way as well: with a VPC, SageMaker's own downloads are "routed via your VPC
        # subnet" (developer guide, "Run training and inference containers in internet-free mode"). Its image does not:
        # SageMaker pulls from ECR itself unless ImageConfig says Vpc (API reference, ImageConfig).
        s3_endpoint.add_to_policy(_let_through(["s3:GetObject"], model.object_arn))
        s3_endpoint.add_to_policy(_let_through(["s3:ListBucket"], model.bucket.bucket_arn, model.only_its_key))
        table_endpoint = self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        table_endpoint.add_to_policy(_let_through(["dynamodb:PutItem"], storage.predictions_table.table_arn))
        self._record_traffic(log_group)

    def _record_traffic(self, log_group: logs.ILogGroup) -> None:
        role = iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
        )
        log_group.grant(role, "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
        flow_log = ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_type="VPC",
            resource_id=self.vpc.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=log_group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )
        flow_log.node.add_dependency(role)  # and so on its policy


def add_private_endpoint(
    scope: Construct,
    construct_id: str,
    *,
    vpc: ec2.IVpc,
    service: ec2.InterfaceVpcEndpointAwsService,
    actions: Sequence[str],
    resource: str,
    client: ec2.IConnectable,
) -> ec2.InterfaceVpcEndpoint:
    """A way to a service from inside the VPC: for the client only, and for these actions on this resource."""
    group = ec2.SecurityGroup(
        scope,
        f"{construct_id}SecurityGroup",
        vpc=vpc,
        allow_all_outbound=False,
        description="In by HTTPS from the function that calls the service, nothing out",
    )
    for client_group in client.connections.security_groups:
        group.add_ingress_rule(client_group, ec2.Port.HTTPS, "The function")
    endpoint = ec2.InterfaceVpcEndpoint(
        scope, construct_id, vpc=vpc, service=service, security_groups=[group], open=False
    )
    endpoint.add_to_policy(_let_through(actions, resource))
    return endpoint


def _let_through(
    actions: Sequence[str], resource: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    """A statement of an endpoint's policy. It takes no role as principal, but an account, as a condition."""
    account = {"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}}
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=[resource],
        conditions={**account, **(conditions or {})},
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


def keep_network_from_code(scope: Construct, construct_id: str, role: iam.IRole, function_arn: str) -> None:
    """Leave the network interfaces to Lambda: the function's own code may not touch them.

    As Lambda's developer guide advises ("Giving Lambda functions access to resources in an Amazon VPC"). A policy of
    its own, because the function waits for its role's, and this one waits for the function.
    """
    iam.Policy(
        scope,
        construct_id,
        roles=[role],
        statements=[
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=list(LAMBDA_ACTIONS),
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
            )
        ],
    )

"""Compute inside a VPC: a VPC without internet access, and what compute needs in any VPC."""

from collections.abc import Mapping, Sequence

import jsii
from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, Dependable, DependencyGroup, IConstruct, IDependable

from crossover.cdk.findings import acknowledge_wildcard
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.storage import PipelineStorage

# From the developer guides of Lambda (execution role in a VPC) and SageMaker (CreateModel with VpcConfig).
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
    """A VPC with only VPC endpoints for the bucket, the table and the models: no internet gateway, no NAT, no peering.

    Benefit: code that runs here can connect to nothing else. The endpoints allow only what the roles may do anyway, on
    the pipeline's bucket and table, new or existing, and the traffic is recorded (flow logs). AWS's resolver still
    resolves names; a Route 53 DNS firewall would stop data that leaks through DNS queries.
    Cost: the S3 and DynamoDB endpoints are free; the flow logs are billed as logs, by the GB. The SageMaker variant
    needs an additional interface endpoint: 0.01 USD an hour in each of two zones, 14.60 USD a month (us-east-1, public
    price of November 2025). Deleting takes many minutes, since Lambda releases its network interfaces slowly.
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
        """Create the VPC and its endpoints.

        Args:
            log_group: gets the flow logs.
        """
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,  # SageMaker needs two; CloudFormation chooses them at deployment
            # Without a public subnet, CDK creates no internet gateway and no NAT.
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            # Nothing uses the default group; to remove its rules, CDK would add a function that may change groups.
            restrict_default_security_group=False,
        )
        s3_endpoint = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        bucket = storage.input_bucket.bucket_arn
        s3_endpoint.add_to_policy(
            _endpoint_statement(["s3:GetObject", "s3:GetObjectVersion"], storage.readable_objects)
        )
        s3_endpoint.add_to_policy(_endpoint_statement(["s3:ListBucket"], bucket))
        # The container's model comes through this endpoint as well: with a VPC, SageMaker's own downloads are "routed
        # via your VPC subnet" (developer guide, "Run training and inference containers in internet-free mode"). Its
        # image does not: SageMaker pulls from ECR itself unless ImageConfig says Vpc (API reference, ImageConfig).
        s3_endpoint.add_to_policy(_endpoint_statement(["s3:GetObject"], model.readable_objects))
        s3_endpoint.add_to_policy(_endpoint_statement(["s3:ListBucket"], model.bucket.bucket_arn, model.only_models))
        if storage.results_bucket:
            s3_endpoint.add_to_policy(_endpoint_statement(["s3:PutObject"], storage.writable_results))
        table_endpoint = self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        table_endpoint.add_to_policy(_endpoint_statement(["dynamodb:PutItem"], storage.predictions_table.table_arn))
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
    """A VPC endpoint of a service, for the client only, and for these actions on this resource."""
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
    endpoint.add_to_policy(_endpoint_statement(actions, resource))
    return endpoint


def _endpoint_statement(
    actions: Sequence[str], resource: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    """A statement of an endpoint's policy, which takes no role as principal, but an account as a condition."""
    account = {"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}}
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=[resource],
        conditions={**account, **(conditions or {})},
    )


def ways_through(vpc: ec2.IVpc) -> IDependable:
    """What the first connection from the VPC needs: its routes, its gateway endpoints and its network ACLs.

    Not all of the VPC: an app's own interface endpoint, which CDK puts into it, may have a policy that names the
    compute, and each would wait for the other.
    """
    group = DependencyGroup()
    Dependable.implement(group, _Ways(vpc))
    return group


class _Ways(Dependable):
    """Asked for at synth, so that it includes what an app adds to the VPC after the compute."""

    def __init__(self, vpc: ec2.IVpc) -> None:
        super().__init__()
        self._vpc = vpc

    @property
    @jsii.member(jsii_name="dependencyRoots")
    def dependency_roots(self) -> list[IConstruct]:
        kinds = (ec2.CfnRoute, ec2.CfnSubnetRouteTableAssociation, ec2.GatewayVpcEndpoint, ec2.NetworkAcl)
        return [each for each in self._vpc.node.find_all() if isinstance(each, kinds)]


def https_only(scope: Construct, construct_id: str, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """A security group without ingress, and with egress to port 443 only, which AWS's services use."""
    group = ec2.SecurityGroup(
        scope, construct_id, vpc=vpc, allow_all_outbound=False, description="Out to AWS services by HTTPS, nothing in"
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "AWS services")
    return group


def allow_network_interfaces(role: iam.Role, actions: Sequence[str]) -> None:
    """Allow the service to attach its compute to the VPC."""
    iam.Grant.add_to_principal(grantee=role, actions=list(actions), resource_arns=["*"])
    acknowledge_wildcard(role, "*", "EC2 takes no narrower resource for the network interfaces of a VPC.")


def deny_network_interfaces_to_code(scope: Construct, construct_id: str, role: iam.IRole, function_arn: str) -> None:
    """Deny the function's own code the actions on network interfaces that the Lambda service needs.

    As Lambda's developer guide advises ("Giving Lambda functions access to resources in an Amazon VPC"). It is a
    separate policy, because the function depends on its role's policy, and this one depends on the function.
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

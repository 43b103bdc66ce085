"""How a function mounts an EFS file system, with no more permissions than it uses."""

from dataclasses import dataclass

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

MOUNT, WRITE = "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """An access point, and where a function sees it.

    `lambda_.FileSystem` has the same, but it lets every function write.

    Attributes:
        suffix: of the logical ids of what CloudFormation replaces together with the file system, if they have one.
        path: `/mnt/` and a name of letters, digits, `-`, `_` and `.`; Lambda takes no other.
        is_writable: whether the function's role may write; the access point's POSIX user must be allowed to as well.
    """

    file_system: efs.FileSystem
    access_point: efs.AccessPoint
    suffix: str = ""
    path: str
    is_writable: bool = False

    def attach(self, function: lambda_.Function, role: iam.Role) -> None:
        """Mount it in a function of the file system's VPC."""
        resource = function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.file_system_configs = [
            lambda_.CfnFunction.FileSystemConfigProperty(
                arn=self.access_point.access_point_arn, local_mount_path=self.path
            )
        ]
        # A policy of its own, which stays until the update's cleanup where the file system is replaced: so the old
        # version may mount the old one until the new version is live. The function depends on what is in its role.
        policy = iam.Policy(
            role,
            "Mount",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=[MOUNT, WRITE] if self.is_writable else [MOUNT],
                    resources=[self.file_system.file_system_arn],
                    conditions={
                        "StringEquals": {"elasticfilesystem:AccessPointArn": self.access_point.access_point_arn}
                    },
                )
            ],
        )
        add_suffix(policy, self.suffix)
        function.connections.allow_to_default_port(self.file_system, "EFS")
        function.node.add_dependency(
            self.file_system.mount_targets_available,
            # with their rules, which the function needs as soon as it is invoked
            *self.file_system.connections.security_groups,
            *function.connections.security_groups,
        )


def add_suffix(construct: Construct, suffix: str) -> None:
    """Add to the logical id of the construct's resource: under another one CloudFormation makes another resource."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)
    resource.override_logical_id(f"{Stack.of(construct).get_logical_id(resource)}{suffix}")

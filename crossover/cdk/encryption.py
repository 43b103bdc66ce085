"""The stack's own KMS key: what it encrypts, and who may use it through which service."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

# Key-administration actions: none of these encrypts or decrypts. CloudFormation needs them to create, change and
# delete the key.
ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
# What S3, DynamoDB (developer guide, "Key policy for a customer managed key"), SQS and CloudWatch Logs need.
USE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def create_key(scope: Construct, construct_id: str) -> kms.Key:
    """One key for everything that a stack stores: files, predictions, dead letters, logs. Stacks of an account and a
    region can share it.

    Benefit: reading the data takes the key as well; CloudTrail records its use; disabling it locks everything at once.
    Not even an administrator can use it directly: only through the services that hold the data.
    Cost: 1 USD a month, 2 after its first yearly rotation and 3 after the second, and 0.03 USD for 10,000 requests; the
    bucket and the table make few, since they reuse their data keys (public prices of 2026). CloudFormation never
    deletes the key, neither with its stack nor when it leaves the template: what it has encrypted could not be read any
    more. Only a first deployment that fails takes it back. When nothing needs it, schedule its deletion in KMS.
    """
    account = (
        iam.AccountRootPrincipal()
    )  # every principal that the account's policies allow: the stack's roles and users
    through_services = {
        "StringEquals": {"kms:ViaService": [_endpoint(name) for name in ("s3", "dynamodb", "sqs", "logs")]}
    }
    return kms.Key(
        scope,
        construct_id,
        description="Encrypts the files, predictions, dead letters and logs of one stack",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        policy=iam.PolicyDocument(
            statements=[
                _statement("AccountKeepsTheKey", account, ADMINISTRATION, None),
                _statement("AccountUsesItThroughServices", account, USE, through_services),
                _statement(
                    "DynamoDBGrantsItselfUpkeep",
                    account,
                    ["kms:CreateGrant"],
                    {"StringEquals": {"kms:ViaService": _endpoint("dynamodb")}},
                ),
            ]
        ),
    )


def allow_use(key: kms.IKey, grantee: iam.IGrantable, service: str, *actions: str) -> None:
    """Allow the actions when the service, such as `s3`, calls on the grantee's behalf, and not directly."""
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(actions),
        resource_arns=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": _endpoint(service)}},
    )


def allow_logs(key: kms.IKey, scope: Construct, name: str | None = None) -> None:
    """Allow CloudWatch Logs to use the key for log groups of the scope's stack.

    An imported key's policy does not change.

    Args:
        name: of one log group; None for those that CloudFormation names, and those of endpoints, which SageMaker names.
    """
    stack = Stack.of(scope)
    while stack.nested_stack_parent:  # whose name a nested stack's begins with
        stack = stack.nested_stack_parent
    # The name itself where the key is in another stack: a reference would make the stacks depend on each other.
    stack_name = Aws.STACK_NAME if stack is Stack.of(key) else stack.stack_name
    names = [name] if name else [f"{stack_name}-*", "/aws/sagemaker/Endpoints/*"]
    key.add_to_resource_policy(
        _statement(
            None,
            iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}"),
            USE,
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": [_log_groups(each) for each in names]}},
        )
    )


def allow_file_systems(key: kms.IKey) -> None:
    """Allow the account to use the key through EFS. An imported key's policy does not change.

    The actions are those that the EFS user guide calls required, "Amazon EFS key policies for AWS KMS":
    https://docs.aws.amazon.com/efs/latest/ug/EFSKMS.html
    """
    key.add_to_resource_policy(
        _statement(
            "AccountUsesItThroughEfs",
            iam.AccountRootPrincipal(),
            ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"),
            {"StringEquals": {"kms:ViaService": _endpoint("elasticfilesystem")}},
        )
    )


def _statement(
    sid: str | None, principal: iam.IPrincipal, actions: Sequence[str], conditions: Mapping[str, object] | None
) -> iam.PolicyStatement:
    # In a key's policy "*" is the key itself; KMS has no other notation for it.
    return iam.PolicyStatement(
        sid=sid, principals=[principal], actions=list(actions), resources=["*"], conditions=conditions
    )


def _endpoint(service: str) -> str:
    """A value of kms:ViaService, which the KMS developer guide writes with amazonaws.com.

    It is not proven that this holds in aws-cn too, where the names of endpoints end in amazonaws.com.cn.
    """
    return f"{service}.{Aws.REGION}.amazonaws.com"


def _log_groups(name: str) -> str:
    return f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{name}"

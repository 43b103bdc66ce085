"""What roles have permissions for: the requests that the end-to-end tests make, and the reasons for the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from crossover.cdk.compute import VARIANTS
from tools.synthesized import as_list

BUCKET, TABLE, QUEUE = "<Storage/InputBucket.Arn>", "<Storage/PredictionsTable.Arn>", "<Pipeline/DeadLetterQueue.Arn>"
UPLOADS = "<Pipeline/UploadQueue/Queue.Arn>"
ASSETS = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>"
IMAGES = (
    "arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/"
    "cdk-hnb659fds-container-assets-<AWS::AccountId>-<AWS::Region>"
)
GROUP = (
    "arn:<AWS::Partition>:codedeploy:<AWS::Region>:<AWS::AccountId>:deploymentgroup:"
    "<Compute/Rollout/DeploymentGroup/Application>/<Compute/Rollout/DeploymentGroup>"
)


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        action: that it takes.
        resource: its ARN, in the notation of tools/synthesized.py.
        context: condition keys.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def through(service: str, *actions: str) -> tuple[Call, ...]:
    """Requests of a service to the stack's key."""
    via = {"kms:ViaService": f"{service}.<AWS::Region>.amazonaws.com"}
    return tuple(Call(action, "<Key.Arn>", via) for action in actions)


def logs(group: str) -> tuple[Call, ...]:
    return Call("logs:CreateLogStream", f"<{group}.Arn>"), Call("logs:PutLogEvents", f"<{group}.Arn>")


WRITE = (Call("dynamodb:PutItem", TABLE), *through("dynamodb", "kms:Decrypt"))
DEAD_LETTER = (Call("sqs:SendMessage", QUEUE), *through("sqs", "kms:Decrypt", "kms:GenerateDataKey"))
READ = (
    Call("s3:GetObject", f"{BUCKET}/in/a.wav"),
    Call("s3:GetObjectVersion", f"{BUCKET}/in/a.wav"),  # where the bucket has versions
    Call("s3:ListBucket", BUCKET),  # by a GetObject of an object that has been deleted
    *through("s3", "kms:Decrypt"),
)
POLL = tuple(Call(f"sqs:{action}", UPLOADS) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"))
FUNCTION = (*logs("Compute/FunctionLogs"), *WRITE, *DEAD_LETTER, *POLL)


def mounted(point: str, *actions: str) -> tuple[Call, ...]:
    """Requests to the file system through an access point."""
    arn = "arn:<AWS::Partition>:elasticfilesystem:<AWS::Region>:<AWS::AccountId>:access-point"
    context = {"elasticfilesystem:AccessPointArn": f"{arn}/<Compute/Files/FileSystem/{point}>"}
    return tuple(Call(f"elasticfilesystem:{action}", "<Compute/Files/FileSystem.Arn>", context) for action in actions)


MODELS = (Call("s3:GetObject", f"{ASSETS}/old.onnx"), Call("s3:GetObject", f"{ASSETS}/new.onnx"))
WITHOUT_MODEL = (*FUNCTION, *READ)  # which is in the image, or on EFS
PREDICTOR = (*WITHOUT_MODEL, *MODELS)

# By variant and role.
CALLS: dict[tuple[str, str], tuple[Call, ...]] = {
    ("Standard", "Compute/FunctionRole"): PREDICTOR,
    ("SnapStart", "Compute/FunctionRole"): PREDICTOR,
    ("Provisioned", "Compute/FunctionRole"): PREDICTOR,
    ("Container", "Compute/FunctionRole"): WITHOUT_MODEL,
    ("Efs", "Compute/FunctionRole"): (*WITHOUT_MODEL, *mounted("Reader", "ClientMount")),
    ("Efs", "Compute/Files/LoaderRole"): (
        *logs("Compute/Files/LoaderLogs"),
        *MODELS,
        *mounted("Writer", "ClientMount", "ClientWrite"),
    ),
    ("Efs", "Compute/Files/ProviderRole"): (
        *logs("Compute/Files/ProviderLogs"),
        Call("lambda:InvokeFunction", "<Compute/Files/Loader.Arn>"),
    ),
    ("SageMaker", "Compute/FunctionRole"): (*FUNCTION, Call("sagemaker:InvokeEndpoint", "<Compute/Endpoint>")),
    ("SageMaker", "Compute/ExecutionRole"): (
        *READ,
        Call("s3:ListBucket", ASSETS, {"s3:prefix": "new.onnx"}),
        Call("s3:GetObject", f"{ASSETS}/old.onnx"),
        Call("s3:GetObject", f"{ASSETS}/new.onnx"),
        Call("ecr:GetAuthorizationToken", "*"),
        *(Call(f"ecr:{action}", IMAGES) for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer")),
        Call("ecr:BatchGetImage", IMAGES),
    ),
    **{
        (variant, role): calls
        for variant in ("Standard", "SnapStart", "Provisioned", "Efs", "Container", "SageMaker")
        for role, calls in {
            "Compute/Rollout/HealthCheckRole": (
                *logs("Compute/Rollout/HealthCheckLogs"),
                Call("lambda:InvokeFunction", "<Compute/Function.Arn>:1"),
                Call("codedeploy:PutLifecycleEventHookExecutionStatus", GROUP),
            ),
            "Compute/Rollout/DeploymentGroup/ServiceRole": (
                Call("lambda:InvokeFunction", "<Compute/Rollout/HealthCheck.Arn>"),
            ),
        }.items()
    },
}
# The set of settings with a backfill has a canary rollout as well, so each function has an alias.
CALLS |= {
    (variant.stack_id, "Backfill/Role"): (
        Call("lambda:InvokeFunction", "<Compute/Live>"),
        Call("s3:GetObject", "<Backfill/Bucket.Arn>/manifests/one.csv"),
        Call("s3:PutObject", "<Backfill/Bucket.Arn>/reports/job-1/manifest.json"),
    )
    for variant in VARIANTS.values()
}
NETWORK_INTERFACES = (
    "the service makes and removes network interfaces in the VPC, which the local AWS does not have: {}"
)
LAMBDA_IN_A_VPC = NETWORK_INTERFACES.format(
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions"
)
SAGEMAKER_ROLE = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms"
)
SAGEMAKER_IN_A_VPC = NETWORK_INTERFACES.format(SAGEMAKER_ROLE)
ENDPOINT_LOG = f"SageMaker writes the container's log, which the local AWS keeps as a file: {SAGEMAKER_ROLE}"
FLOW_LOG = (
    "VPC Flow Logs writes them; the local AWS has no network: "
    "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"
)
TRACES = {
    f"xray:{action}": "Lambda sends traces: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
    for action in ("PutTraceSegments", "PutTelemetryRecords")
}
NETWORK_INTERFACES_OF_A_FUNCTION = {
    f"ec2:{action}": LAMBDA_IN_A_VPC
    for action in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "UnassignPrivateIpAddresses",
    )
}
FLOW_LOGS = {f"logs:{action}": FLOW_LOG for action in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents")}
# Why a role has a permission that the local AWS cannot show to be used. By role and action.
REASONS: dict[str, dict[str, str]] = {
    "Backfill/Role": {
        "s3:PutInventoryConfiguration": (
            "S3 lists the objects of a bucket without versions: "
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html"
        )
    },
    "Compute/FunctionRole": TRACES | NETWORK_INTERFACES_OF_A_FUNCTION,
    "Compute/Files/LoaderRole": NETWORK_INTERFACES_OF_A_FUNCTION,
    "Compute/ExecutionRole": {
        "cloudwatch:PutMetricData": f"SageMaker publishes the instances' metrics: {SAGEMAKER_ROLE}",
        "cloudwatch:DescribeAlarms": (
            "SageMaker looks at the rollout's alarm: "
            "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html"
        ),
        **{
            f"logs:{action}": ENDPOINT_LOG
            for action in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        },
        **{
            f"ec2:{action}": SAGEMAKER_IN_A_VPC
            for action in (
                "CreateNetworkInterface",
                "CreateNetworkInterfacePermission",
                "DeleteNetworkInterface",
                "DeleteNetworkInterfacePermission",
                "DescribeDhcpOptions",
                "DescribeNetworkInterfaces",
                "DescribeSecurityGroups",
                "DescribeSubnets",
                "DescribeVpcs",
            )
        },
    },
    "Network/FlowLogRole": FLOW_LOGS,
    "Compute/Network/FlowLogRole": FLOW_LOGS,
}


def is_allowed(call: Call, statements: Iterable[dict[str, Any]]) -> bool:
    """Whether statements of one policy allow a request; a Deny wins."""
    effects = {statement["Effect"] for statement in statements if matches(statement, call)}
    return effects == {"Allow"}


def matches(statement: dict[str, Any], call: Call) -> bool:
    """Whether a statement is about a request: its action, its resource and its conditions."""
    return (
        call.action in as_list(statement["Action"])
        and any(fnmatchcase(call.resource, resource) for resource in as_list(statement["Resource"]))
        and all(
            key in call.context and any(fnmatchcase(call.context[key], value) for value in as_list(values))
            for keys in statement.get("Condition", {}).values()
            for key, values in keys.items()
        )
    )

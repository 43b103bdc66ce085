"""Permissions are enforced as on AWS: a function or a container may do what its role allows, and nothing else.

ministack enforces IAM on its port (AUTH=true). What it lacks is here:

- Requests on this machine count as TLS: policies that refuse plain HTTP would otherwise refuse everything.
- What a customer's key encrypts is usable only to who may use the key; a table's own policy counts; that an object is
  not there is said only to who may list its bucket.
- Services act with the credentials of the role that is meant for them, or as a principal of a function's policy.
- Requests that are answered before they reach ministack are checked by the same rules.
"""

import contextvars
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id, get_region, set_request_account_id, set_request_region
from ministack.services import dynamodb, iam, lambda_svc, s3, sqs, sts

from crossover.local.emulator.ministack_internals import Created, Properties, on_change

# What using a resource that a customer's key encrypts takes on the key, for the requests that this project makes.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
ON_THE_KEY = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "dynamodb:PutItem": ("kms:Decrypt",),
    "sqs:SendMessage": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
}
TO_WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
"""Of a function's role, with which Lambda writes the function's log."""

used: set[tuple[str, str]] = set()
"""Names of roles, each with an action that was allowed to it."""
refused: set[tuple[str, str]] = set()
"""Names of roles, each with an action that was denied to it."""

# By the ARN of what a template makes: of buckets, tables and queues the customer's key, of tables the policy.
_keys: dict[str, str] = {}
_table_policies: dict[str, Properties] = {}


class DeniedError(Exception):
    """A request is refused.

    Attributes:
        code: AWS's error code.
        message: AWS's sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def install() -> None:
    """Add what ministack lacks."""
    pin_origin, write_logs = app.pin_request_origin, lambda_svc._emit_lambda_logs

    def write_logs_if_allowed(function: Properties, *log: Any, **more: Any) -> None:
        config = function.get("config") or function
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:any"
        try:
            check_role(config["Role"], TO_WRITE_LOGS, arn)
        except DeniedError:
            return  # as on AWS, a function without this permission has no log
        write_logs(function, *log, **more)

    app.pin_request_origin = lambda address, is_tls: pin_origin(address, True)
    lambda_svc._emit_lambda_logs = write_logs_if_allowed
    on_change("AWS::Lambda::Function", before=lambda _, function: check_trust(function["Role"], "lambda.amazonaws.com"))
    _find_repositories()
    _enforce_what_else_is_needed()
    _enforce_table_policies()


def _find_repositories() -> None:
    """Check DescribeRepositories, with which the CDK publishes images, on the repository that it names."""
    find = iam_actions.extract_resource_arn

    def find_all(service: str, method: str, path: str, headers: Properties, body: bytes, *more: Any) -> str:
        arn: str = find(service, method, path, headers, body, *more)
        names = json.loads(body or b"{}").get("repositoryNames") if service == "ecr" else None
        return arn if not names else f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{names[0]}"

    iam_actions.extract_resource_arn = find_all


def _enforce_what_else_is_needed() -> None:
    """Let a request take the further permissions that it takes on AWS, and record which ones each role has used."""
    enforce = iam_evaluator.enforce

    def enforce_all(
        access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        principal = sts._sessions.get(access_key, {}).get("Arn", "")
        checks: list[tuple[str, str, str, dict[str, Any]]] = [(action, service, resource_arn, more)]
        if service == "s3" and action in ("s3:GetObject", "s3:GetObjectVersion") and not exists(resource_arn):
            # S3 says that an object is not there only to who may list the bucket.
            checks.append(("s3:ListBucket", "s3", resource_arn.partition("/")[0], {}))
        if key := _keys.get(resource_arn.partition("/")[0] if service == "s3" else resource_arn):
            through = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
            checks += [(needed, "kms", key, {"service_context": through}) for needed in ON_THE_KEY.get(action, ())]
        for checked, of_service, resource, conditions in checks:
            denied = enforce(access_key, checked, of_service, region, resource_arn=resource, **conditions)
            if ":assumed-role/" in principal:
                (refused if denied else used).add((principal.split("/")[1], checked))
            if denied:
                return denied
        return None

    iam_evaluator.enforce = enforce_all
    _note("AWS::S3::Bucket", _keys, _bucket_key)
    _note("AWS::DynamoDB::Table", _keys, lambda table: table.get("SSESpecification", {}).get("KMSMasterKeyId"))
    _note("AWS::SQS::Queue", _keys, lambda queue: queue.get("KmsMasterKeyId"))


def exists(arn: str) -> bool:
    """Whether there is an object with this ARN."""
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    return bucket in s3._buckets and key in s3._buckets[bucket]["objects"]


def _enforce_table_policies() -> None:
    """Let a table's own policy count, which ministack ignores."""

    def policy_and_owner(arn: str) -> tuple[Properties | None, str]:
        return _table_policies.get(arn), get_account_id()

    dynamodb.table_policy_for_arn = policy_and_owner
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["dynamodb"] = ("dynamodb", "table_policy_for_arn")
    _note("AWS::DynamoDB::Table", _table_policies, lambda table: table.get("ResourcePolicy", {}).get("PolicyDocument"))


def _bucket_key(bucket: Properties) -> str | None:
    rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])
    key: str | None = rules[0].get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
    return key


def _note(resource_type: str, notes: dict[str, Any], find: Callable[[Properties], Any]) -> None:
    """Keep a property of every resource of a type, by its ARN."""

    def note(created: Created, properties: Properties) -> None:
        notes.pop(created[1]["Arn"], None)
        if found := find(properties):
            notes[created[1]["Arn"]] = found

    on_change(resource_type, after=note)


def check_request(scope: dict[str, Any], body: bytes, action: str, resource: str) -> None:
    """Check who signed a request, and whether they may do this.

    Args:
        scope: of the request, as in ASGI.

    Raises:
        DeniedError: they may not, or the signature is wrong.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode())
    path = scope.get("raw_path") or scope["path"].encode()
    access_key = router.extract_access_key_id(headers, query)
    set_request_account_id(app._request_account_scope(access_key))
    set_request_region(router.extract_region(headers, query))
    iam_evaluator.pin_signed_request(scope["method"], path.decode("latin-1"), query, scope["headers"])
    iam_evaluator.pin_signed_body(body)
    _check(access_key, action, resource)


def check_role(role: str, actions: Iterable[str], resource: str, *, context: Mapping[str, str] | None = None) -> None:
    """Check whether a role may do all of these.

    Args:
        role: its ARN.
        context: condition keys.

    Raises:
        DeniedError: it may not.
    """
    key = session_of(role, "check")["AWS_ACCESS_KEY_ID"]

    def check(action: str) -> None:
        iam_evaluator.pin_request_origin("127.0.0.1", True)  # services use TLS
        _check(key, action, resource, context)

    for action in actions:
        contextvars.Context().run(check, action)  # apart from the request that is being served


def assume_role(role: str, service: str, session: str) -> dict[str, str]:
    """The environment variables with a role's temporary credentials, which a service gives to what it runs.

    Args:
        role: its ARN.
        service: the principal that the role must trust.
        session: who acts, as in assumed-role/ROLE/SESSION.

    Raises:
        DeniedError: there is no such role, or it does not trust the service.
    """
    check_trust(role, service)
    return session_of(role, session)


def check_trust(role: str, service: str) -> None:
    """Check whether a service may assume a role.

    Raises:
        DeniedError: there is no such role, or it does not trust the service.
    """
    found = iam._roles.get(role.rpartition("/")[2]) or {}
    trust = found.get("AssumeRolePolicyDocument", {})
    statements = (json.loads(trust) if isinstance(trust, str) else trust).get("Statement", [])
    if not any(
        statement["Effect"] == "Allow" and iam_evaluator._service_principal_matches(statement["Principal"], service)
        for statement in statements
    ):
        raise DeniedError("ValidationException", f"The role {role} does not exist or cannot be assumed by {service}.")


@cache
def session_of(role: str, session: str) -> dict[str, str]:
    """The environment variables with temporary credentials of a role, which do not expire here."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(64)
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def check_service(service: str, action: str, function: str, source: str) -> None:
    """Check whether a function's policy lets a service invoke it for a resource of this account.

    Args:
        service: the principal.
        function: the ARN of what is invoked, with its alias or version.
        source: the resource's ARN.

    Raises:
        DeniedError: it does not.
    """
    policy, owner = lambda_svc.function_policy_for_arn(function) or (None, get_account_id())
    context = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=function,
        region=get_region(),
        service_context={"aws:sourcearn": source, "aws:sourceaccount": owner},
    )
    if iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision != "Allow":
        raise DeniedError("AccessDeniedException", f"{service} is not authorized to perform: {action} on {function}")


def check_queue(service: str, queue: str, source: str) -> None:
    """Check whether a queue's policy lets a service send for a resource of this account.

    Args:
        queue, source: the ARNs.

    Raises:
        DeniedError: it does not.
    """
    if not sqs.queue_policy_allows(queue, service, source, get_account_id()):
        raise DeniedError(
            "AccessDeniedException", f"{service} is not authorized to perform: sqs:SendMessage on {queue}"
        )


def _check(access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
    denied = iam_evaluator.enforce(
        access_key, action, action.partition(":")[0], get_region(), resource_arn=resource, service_context=context
    )
    if isinstance(denied, iam_evaluator.AuthError):
        raise DeniedError(denied.code, denied.message)
    if denied:
        message = iam_actions.identity_denial_message(action, denied.principal_arn, resource, denied.decision == "Deny")
        raise DeniedError("AccessDeniedException", message)

"""CodeDeploy moves an alias to a new version: first its hook, then a part of the traffic for a while, then all of it.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
"""

import json
import random
import re
import secrets
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc
from ministack.services.cloudformation import _stacks

from crossover.local.emulator.ministack_internals import (
    RESOURCE_HANDLERS,
    Created,
    Properties,
    physical_name,
    run_on_a_thread,
)
from crossover.local.emulator.permissions import check_request, check_role

CANARY = re.compile(r"CodeDeployDefault\.LambdaCanary(\d+)Percent\d+Minutes")
CANARY_SECONDS = 5
"""How long the new version gets its part of the traffic; minutes on AWS."""


class CodeDeploy:
    """Applications, deployment groups, and the deployments of aliases whose UpdatePolicy names them."""

    def __init__(self) -> None:
        self.groups: dict[str, Properties] = {}  # by name
        self.deployments: dict[str, str] = {}  # the ARN of the group, by the deployment's id
        self.reported: dict[str, str] = {}  # the hook's status, by its execution's id

    def install(self) -> None:
        """Add the resource types, and let traffic follow the weights of an alias."""
        alias = RESOURCE_HANDLERS["AWS::Lambda::Alias"]
        change_alias = alias["update"]

        def update_alias(arn: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
            policy = _stacks[stack]["_template"]["Resources"].get(logical_id, {}).get("UpdatePolicy", {})
            rollout = policy.get("CodeDeployLambdaAliasUpdate")
            if rollout and version_of(arn) != new["FunctionVersion"]:  # a failed deployment leaves it where it was
                resources = _stacks[stack]["_resources"]
                names = {key: resources[value["Ref"]]["PhysicalResourceId"] for key, value in rollout.items()}
                self.deploy(arn, new["FunctionVersion"], names)
            created: Created = change_alias(arn, old, new, stack, logical_id)
            return created

        follow_weights()
        alias["update"] = update_alias
        run_on_a_thread("AWS::Lambda::Alias")
        RESOURCE_HANDLERS["AWS::CodeDeploy::Application"] = self._handlers("ApplicationName", {})
        RESOURCE_HANDLERS["AWS::CodeDeploy::DeploymentGroup"] = self._handlers("DeploymentGroupName", self.groups)

    def _handlers(self, name_property: str, records: dict[str, Properties]) -> dict[str, Any]:
        def create(logical_id: str, properties: Properties, stack: str) -> Created:
            name = properties.get(name_property) or physical_name(stack, logical_id, max_len=100)
            records[name] = properties
            return name, {"Id": name}

        def update(name: str, old: Properties, new: Properties, stack: str) -> Created:
            records[name] = new
            return name, {"Id": name}

        return {"create": create, "update": update, "delete": lambda name, properties: records.pop(name, None)}

    def deploy(self, alias: str, version: str, names: dict[str, str]) -> None:
        """Check a version by the hook, and give it its part of the traffic for a while.

        Args:
            alias: its ARN.
            version: which it is to name.
            names: of application, deployment group and hook, by their properties.

        Raises:
            ValueError: the hook has not reported that the version succeeded.
        """
        function, alias_name = alias.split(":")[-2:]
        group = self.groups[names["DeploymentGroupName"]]
        if hook := names.get("BeforeAllowTrafficHook"):
            self._check(hook, group["ServiceRoleArn"], f"{names['ApplicationName']}/{names['DeploymentGroupName']}")
        if canary := CANARY.fullmatch(group.get("DeploymentConfigName", "")):
            weights = {version: int(canary[1]) / 100}
            lambda_svc._update_alias(function, alias_name, {"RoutingConfig": {"AdditionalVersionWeights": weights}})
            time.sleep(CANARY_SECONDS)
            lambda_svc._update_alias(function, alias_name, {"RoutingConfig": {}})

    def _check(self, hook: str, service_role: str, group: str) -> None:
        found, config, _ = lambda_svc._get_func_record_for_ref(hook)
        check_role(service_role, ["lambda:InvokeFunction"], config["FunctionArn"])
        deployment, execution = f"d-{secrets.token_hex(5).upper()}", secrets.token_hex(16)
        account = f"{get_region()}:{get_account_id()}"
        self.deployments[deployment] = f"arn:aws:codedeploy:{account}:deploymentgroup:{group}"
        event = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution}
        result = lambda_svc._execute_function(lambda_svc._execution_record_for_config(found, config), event)
        if self.reported.get(execution) != "Succeeded":
            raise ValueError(
                f"The deployment {deployment} failed: {hook} reported {self.reported.get(execution)}, "
                f"and responded {result.get('body')}."
            )

    def report(self, scope: dict[str, Any], body: bytes) -> dict[str, str]:
        """Answer PutLifecycleEventHookExecutionStatus.

        Raises:
            DeniedError: the caller may not report for this deployment group.
        """
        request = json.loads(body)
        group = self.deployments.get(request["deploymentId"], "*")
        check_request(scope, body, "codedeploy:PutLifecycleEventHookExecutionStatus", group)
        execution = request["lifecycleEventHookExecutionId"]
        self.reported[execution] = request["status"]
        return {"lifecycleEventHookExecutionId": execution}


def follow_weights() -> None:
    """Invoke the versions of an alias by its weights, which ministack only records."""
    find, invoke = lambda_svc._effective_func_record_for_qualifier, lambda_svc._invoke

    def choose(function: Properties | None, qualifier: str | None) -> str | None:
        routing = ((function or {}).get("aliases", {}).get(qualifier) or {}).get("RoutingConfig", {})
        for version, weight in routing.get("AdditionalVersionWeights", {}).items():
            if random.random() < weight:
                return str(version)
        return qualifier

    def invoke_chosen(
        name: str, event: Any, headers: Properties, qualifier: str | None = None, query: Any = None
    ) -> Any:
        if headers.get("x-amz-invocation-type") == "Event":  # chosen when it is processed
            return invoke(name, event, headers, qualifier, query)
        named = qualifier or next(iter((query or {}).get("Qualifier", [])), None)
        return invoke(name, event, headers, choose(lambda_svc._functions.get(name), named), query)

    lambda_svc._effective_func_record_for_qualifier = lambda function, qualifier: find(
        function, choose(function, qualifier)
    )
    lambda_svc._invoke = invoke_chosen


def version_of(alias: str) -> str:
    """The version that an alias names."""
    function, name = alias.split(":")[-2:]
    version: str = lambda_svc._functions[function]["aliases"][name]["FunctionVersion"]
    return version

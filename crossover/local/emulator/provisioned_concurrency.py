"""Provisioned concurrency: execution environments of a version that are initialized before anything invokes it.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html

AWS begins to allocate after a minute or two; here it takes as long as INIT.
"""

import contextvars
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch, lambda_svc
from ministack.services.cloudformation import provisioners

from crossover.local.emulator.functions import PROVISIONED, initialization_type
from crossover.local.emulator.ministack_internals import (
    RESOURCE_HANDLERS,
    Created,
    Properties,
    after_change,
    end_when_idle,
    on_change,
    send_back_failed_updates,
    unreserved_concurrency,
)

READY, IN_PROGRESS, FAILED = "READY", "IN_PROGRESS", "FAILED"
METHODS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}


class ProvisionedConcurrency:
    """The environments of all versions that have provisioned concurrency, by themselves or through an alias.

    ministack keeps the configurations; this makes what they ask for. When an alias moves to another version, the old
    one keeps all traffic until the environments of the new one are ready.
    """

    def __init__(self) -> None:
        self._environments: dict[tuple[str, str], list[Any]] = {}  # by function and version
        self._peaks: dict[tuple[str, str], int] = {}  # most of them in use at a time since utilization() was asked
        self._moving: set[tuple[str, str]] = set()  # functions and aliases that wait for the new version's environments
        self._lock = threading.Lock()  # of these
        self._allocating = threading.Lock()  # one allocation at a time

    def install(self) -> None:
        """Let ministack's API and CloudFormation allocate, and invocations use, what is allocated."""
        self._acquire, self._release = lambda_svc.acquire_worker, lambda_svc.release_worker
        self._put, self._update_alias = lambda_svc._put_provisioned_concurrency, lambda_svc._update_alias
        self._get = lambda_svc._get_provisioned_concurrency
        lambda_svc.acquire_worker = self.acquire
        lambda_svc.release_worker = self.release
        lambda_svc._put_provisioned_concurrency = self.put
        lambda_svc._get_provisioned_concurrency = self.get
        lambda_svc._update_alias = self.update_alias
        provisioners._lambda_alias_provisioned_concurrency = self.apply
        for name in ("_delete_provisioned_concurrency", "_delete_alias", "_delete_function"):
            setattr(lambda_svc, name, after_change(getattr(lambda_svc, name), self._adjust_owner))
        for kind in ("Alias", "Version"):
            handlers = RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
            handlers["delete"] = after_change(handlers["delete"], self._adjust_owner)
        function = RESOURCE_HANDLERS["AWS::Lambda::Function"]
        function["delete"] = after_change(function["delete"], self._adjust_owner)
        on_change("AWS::Lambda::Version", after=self._apply_to_version)
        send_back_failed_updates("AWS::Lambda::Alias")
        _name_actions()

    # How invocations use them

    def acquire(self, function: str, config: Properties, code_zip: bytes, **named: Any) -> tuple[Any, str]:
        """A free environment for an invocation of a version: a provisioned one, or else one on demand."""
        key = (function, named["qualifier"])
        with self._lock:
            environments = self._environments.get(key, ())
            for environment in environments:
                if not environment.in_use and is_alive(environment):
                    environment.in_use = True
                    in_use = sum(each.in_use for each in environments)
                    self._peaks[key] = max(self._peaks.get(key, 0), in_use)
                    break
            else:
                environment = None
        if not all(map(is_alive, environments)):
            self.adjust(function)
        if environments:
            name = "Invocations" if environment else "SpilloverInvocations"
            record_invocation(config["FunctionArn"], f"ProvisionedConcurrency{name}")
            if environment:
                record_invocation(config["FunctionArn"], "ProvisionedConcurrentExecutions", in_use)
                record_invocation(
                    config["FunctionArn"], "ProvisionedConcurrencyUtilization", in_use / len(environments)
                )
        if environment:
            return environment, "reused"
        if self._is_full(function):
            return None, "func_cap"  # ministack throttles
        acquired: tuple[Any, str] = self._acquire(function, config, code_zip, **named)
        return acquired

    def _is_full(self, function: str) -> bool:
        """Whether nothing of the reserved concurrency is left for environments on demand."""
        record = lambda_svc._functions[function]
        configs = record["provisioned_concurrency"].values()
        if record["concurrency"] is None or not configs:
            return False
        with lambda_runtime._lock:
            pools = [pool for key, pool in lambda_runtime._workers.items() if key.split(":")[2] == function]
            on_demand = sum(environment.in_use for pool in pools for environment in pool)
        return bool(on_demand >= record["concurrency"] - sum(map(requested, configs)))

    def release(self, environment: Any) -> None:
        """Take an environment back; one that has ended in the meantime is replaced."""
        self._release(environment)
        if environment and initialization_type(environment.config) == PROVISIONED and not is_alive(environment):
            self.adjust(environment.func_name)

    def utilization(self, function: str, qualifier: str) -> float | None:
        """The largest share of the environments that were in use at a time since the last call; None if none was."""
        record = lambda_svc._functions[function]
        versions = set(self._wanted(function, record, only=qualifier))
        with self._lock:
            keys = [(function, version) for version in versions if (function, version) in self._environments]
            peak = sum(self._peaks.get(key, 0) for key in keys)
            count = sum(len(self._environments[key]) for key in keys)
            for key in keys:
                self._peaks[key] = sum(environment.in_use for environment in self._environments[key])
        return peak / count if peak else None

    # Configurations

    def get(self, function: str, qualifier: str | None) -> Any:
        """GetProvisionedConcurrencyConfig; without a qualifier, ListProvisionedConcurrencyConfigs."""
        if qualifier or function not in lambda_svc._functions:
            return self._get(function, qualifier)
        configs = lambda_svc._functions[function]["provisioned_concurrency"]
        arn = lambda_svc._func_arn(function)
        listed = [{"FunctionArn": f"{arn}:{qualifier}", **config} for qualifier, config in configs.items()]
        return json_response({"ProvisionedConcurrencyConfigs": listed})

    def put(self, function: str, qualifier: str, data: Properties) -> Any:
        """PutProvisionedConcurrencyConfig: allocate in the background, or refuse in AWS's words."""
        count = int(data.get("ProvisionedConcurrentExecutions", 0))
        record = lambda_svc._functions.get(function)
        if record and (refusal := self._refusal(function, record, qualifier, count)):
            return error_response_json("InvalidParameterValueException", refusal, 400)
        before = record["provisioned_concurrency"].get(qualifier, {}) if record else {}
        answer = self._put(function, qualifier, data)
        if answer[0] >= 400:
            return answer
        config = lambda_svc._functions[function]["provisioned_concurrency"][qualifier]
        available = min(count, before.get("AvailableProvisionedConcurrentExecutions", 0))
        config.update(
            AvailableProvisionedConcurrentExecutions=available,
            AllocatedProvisionedConcurrentExecutions=available,
            Status=IN_PROGRESS,
        )
        self.adjust(function)
        return json_response(config, 202)

    def _refusal(self, function: str, record: Properties, qualifier: str, count: int) -> str:
        """Why AWS would refuse a configuration; empty if it would not."""
        alias = record["aliases"].get(qualifier, {})
        version = alias.get("FunctionVersion", qualifier)
        if count < 1:
            return "ProvisionedConcurrentExecutions must have value greater than or equal to 1"
        if version in (None, "$LATEST"):
            return "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        if alias.get("RoutingConfig"):
            return "Alias with weights can not be used with Provisioned Concurrency"
        if record["versions"].get(version, {}).get("config", {}).get("SnapStart", {}).get("ApplyOn", "None") != "None":
            return "Provisioned Concurrency cannot be used with SnapStart."
        others = {other: config for other, config in record["provisioned_concurrency"].items() if other != qualifier}
        if any(record["aliases"].get(other, {}).get("FunctionVersion", other) == version for other in others):
            return "Alias can not be used for Provisioned Concurrency configuration on an already Provisioned version"
        total = count + sum(map(requested, others.values()))
        reserved = record["concurrency"]
        if reserved is not None and total > reserved:
            return (
                "Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
        limit = int(os.environ.get("LAMBDA_ACCOUNT_CONCURRENCY", "1000"))
        least = min(100, limit)  # stays for functions that neither reserve nor provision
        if reserved is None and unreserved_concurrency(limit, except_of=function) - total < least:
            return (
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{least}]."
            )
        return ""

    def apply(self, function: str, alias: str, old: Properties, new: Properties) -> None:
        """Apply the property of an alias in a template, and wait until it is ready.

        Raises:
            ValueError: AWS would refuse it, INIT failed, or what the template had is gone.
        """
        config, before = new.get("ProvisionedConcurrencyConfig"), old.get("ProvisionedConcurrencyConfig")
        if config and config == before and alias not in lambda_svc._functions[function]["provisioned_concurrency"]:
            # It was deleted past the template, as by scaling to 0. https://github.com/aws/aws-cdk/issues/29992
            raise ValueError("No Provisioned Concurrency Config found for this function (Status Code: 404)")
        self._wait(function, alias)  # for a move, during which the configuration cannot change
        if config and config != before:
            count = {"ProvisionedConcurrentExecutions": int(config["ProvisionedConcurrentExecutions"])}
            check_answer(lambda_svc._put_provisioned_concurrency(function, alias, count))
            self._wait(function, alias)
        elif not config and before:
            check_answer(lambda_svc._delete_provisioned_concurrency(function, alias))

    def _apply_to_version(self, created: Created, properties: Properties) -> None:
        function, version = created[0].split(":")[-2:]
        self.apply(function, version, {}, properties)

    def _wait(self, function: str, qualifier: str) -> None:
        """Wait until a configuration, if there is one, is no more in progress.

        Raises:
            ValueError: INIT failed.
        """
        while config := lambda_svc._functions[function]["provisioned_concurrency"].get(qualifier):
            if config["Status"] == FAILED:
                raise ValueError(f"Provisioned concurrency of {function}:{qualifier} failed: {config['StatusReason']}")
            if config["Status"] == READY:
                return
            time.sleep(0.05)

    def update_alias(self, function: str, alias: str, data: Properties) -> Any:
        """UpdateAlias; a version that the alias moves to gets the traffic once its environments are ready."""
        record = lambda_svc._functions.get(function)
        if not record or alias not in record["provisioned_concurrency"]:
            return self._update_alias(function, alias, data)
        serving = record["aliases"][alias]["FunctionVersion"]
        if is_moving := (function, alias) in self._moving:
            [serving] = record["aliases"][alias]["RoutingConfig"]["AdditionalVersionWeights"]
            if data.get("FunctionVersion") == serving and "RoutingConfig" not in data:
                # So the rollback fails, too, after INIT of the new version: serverless/serverless#7329
                refusal = f"Function version {serving} is already included in routing configuration."
                refusal = f"Invalid function version {serving}. {refusal}"
                return error_response_json("InvalidParameterValueException", refusal, 400)
        answer = self._update_alias(function, alias, data)
        if answer[0] >= 400:
            return answer
        found = record["aliases"][alias]
        if found["FunctionVersion"] != serving and not data.get("RoutingConfig"):
            self._moving.add((function, alias))
            found["RoutingConfig"] = {"AdditionalVersionWeights": {serving: 1.0}}
        elif is_moving:
            self._moving.discard((function, alias))
            found.pop("RoutingConfig", None)
        record["provisioned_concurrency"][alias]["Status"] = IN_PROGRESS
        self.adjust(function)
        return json_response(found)

    # Allocation

    def adjust(self, function: str) -> None:
        """Begin to make and end environments until they are as configured."""
        context = contextvars.copy_context()  # holds the account and the region of the request
        threading.Thread(target=context.run, args=(self._adjust, function), daemon=True).start()

    def _adjust_owner(self, physical_id: str, *_: Any) -> None:
        """Adjust a function by its name, or by the ARN of its alias or version."""
        self.adjust(physical_id.split(":")[-2:][0])

    def _adjust(self, function: str) -> None:
        with self._allocating:
            moving = [each for each in self._moving if each[0] == function]  # before they get their environments
            failures = self._allocate(function)
            record = lambda_svc._functions.get(function) or {"provisioned_concurrency": {}}
            for _, alias in moving:
                found = record["aliases"].get(alias) if record["provisioned_concurrency"].get(alias) else None
                version = found["FunctionVersion"] if found else ""
                if found and (version in failures or version not in record["versions"]):
                    continue  # the old version keeps the traffic
                self._moving.discard((function, alias))
                if found:
                    found.pop("RoutingConfig", None)
                self._allocate(function)
            for qualifier, config in list(record["provisioned_concurrency"].items()):
                version = record["aliases"].get(qualifier, {"FunctionVersion": qualifier})["FunctionVersion"]
                if version in failures:
                    reason = f"FUNCTION_ERROR_INIT_FAILURE: {failures[version]}"
                    config.update(Status=FAILED, StatusReason=reason)
                    continue
                is_whole = config["AllocatedProvisionedConcurrentExecutions"] == requested(config)
                if is_whole and (function, qualifier) not in self._moving:
                    config["Status"] = READY

    def _allocate(self, function: str) -> dict[str, str]:
        """End the environments that are too many, then start those that are missing; none serves before all can.

        Returns:
            Why INIT failed, by version.
        """
        record = lambda_svc._functions.get(function)
        wanted = self._wanted(function, record) if record else {}
        self._end_surplus(function, wanted)
        missing = [
            new_environment(function, record["versions"][version])
            for version, count in wanted.items()
            for _ in range(count - len(self._environments.get((function, version), ())))
        ]
        with ThreadPoolExecutor(max(1, min(len(missing), os.cpu_count() or 1))) as pool:
            spawned = list(zip(missing, pool.map(spawn, missing), strict=True))
        failures = {environment.config["Version"]: failure for environment, failure in spawned if failure}
        end_when_idle([environment for environment in missing if environment.config["Version"] in failures])
        with self._lock:
            for environment in missing:
                if (version := environment.config["Version"]) not in failures:
                    self._environments.setdefault((function, version), []).append(environment)
        for qualifier, config in list(record["provisioned_concurrency"].items()) if record else ():
            versions = self._wanted(function, record, only=qualifier)
            available = sum(len(self._environments.get((function, version), ())) for version in versions)
            available = min(available, requested(config))
            config["AvailableProvisionedConcurrentExecutions"] = available
            config["AllocatedProvisionedConcurrentExecutions"] = available
        return failures

    def _end_surplus(self, function: str, wanted: dict[str, int]) -> None:
        with self._lock:
            surplus = []
            for key in [key for key in self._environments if key[0] == function]:
                environments = sorted(self._environments[key], key=lambda each: (not is_alive(each), not each.in_use))
                kept = [each for each in environments if is_alive(each)][: wanted.get(key[1], 0)]
                surplus += environments[len(kept) :]
                self._environments[key] = kept
                if not kept:
                    del self._environments[key]
        end_when_idle(surplus)

    def _wanted(self, function: str, record: Properties, only: str | None = None) -> dict[str, int]:
        """How many environments each version is to have; an alias with weights shares its own out by them."""
        wanted: dict[str, int] = {}
        for qualifier, config in list(record["provisioned_concurrency"].items()):
            if only not in (None, qualifier):
                continue
            count = requested(config)
            alias = record["aliases"].get(qualifier, {"FunctionVersion": qualifier})
            shares = {alias["FunctionVersion"]: count}
            for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
                if (function, qualifier) in self._moving:
                    shares[version] = count
                else:
                    shares[version] = round(count * weight)
                    shares[alias["FunctionVersion"]] -= shares[version]
            for version, share in shares.items():
                if version in record["versions"]:
                    wanted[version] = wanted.get(version, 0) + share
        return wanted


def requested(config: Properties) -> int:
    """How many environments a configuration asks for."""
    return int(config["RequestedProvisionedConcurrentExecutions"])


def new_environment(function: str, version: Properties) -> Any:
    """An environment of a version, which is not started yet."""
    config = {**version["config"], "InitializationType": PROVISIONED}
    return lambda_runtime._worker_class_for(config)(function, config, version["code_zip"])


def spawn(environment: Any) -> str:
    """Run INIT; returns why it failed, or nothing."""
    try:
        lambda_runtime.ensure_spawned(environment)
    except Exception as failure:  # whatever the function's code raises, or starting it
        return str(failure) or type(failure).__name__
    return ""


def is_alive(environment: Any) -> bool:
    """Whether an environment's process runs."""
    process = environment._proc
    return process is not None and process.poll() is None


def check_answer(answer: Any) -> None:
    """Fail a resource whose request was refused.

    Raises:
        ValueError: it was.
    """
    if answer[0] >= 400:
        raise ValueError(f"{answer[2].decode()} (Service: Lambda, Status Code: {answer[0]})")


def record_invocation(arn: str, name: str, value: float = 1) -> None:
    """Publish a metric of what was invoked, an alias or a version."""
    function, _, qualifier = arn.split(":", 6)[6].partition(":")
    dimensions = {"FunctionName": function, "Resource": f"{function}:{qualifier}"}
    cloudwatch.record_metric("AWS/Lambda", name, value, "Count", dimensions)


def _name_actions() -> None:
    """Check the requests by their own actions of IAM; ministack takes them for others."""
    action_of = iam_actions._lambda_action

    def action(method: str, path: str) -> str | None:
        if path.rstrip("/").endswith("/provisioned-concurrency"):
            return f"{METHODS[method]}ProvisionedConcurrencyConfig"
        name: str | None = action_of(method, path)
        return name

    iam_actions._lambda_action = action

"""Application Auto Scaling of provisioned concurrency: target tracking and scheduled actions.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html#managing-provisioned-concurency

A minute of AWS takes PERIOD_SECONDS here, so that a person sees it scale; the times of scheduled actions are the real
ones.
"""

import contextvars
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, lambda_svc

from crossover.local.emulator.ministack_internals import RESOURCE_HANDLERS, Created, Properties, run_on_a_thread
from crossover.local.emulator.permissions import check_request
from crossover.local.emulator.provisioned_concurrency import ProvisionedConcurrency, check_answer

SERVICE, DIMENSION = "lambda", "lambda:function:ProvisionedConcurrency"
TARGET = "AnyScaleFrontendService."  # of the requests' X-Amz-Target
PERIOD_SECONDS = 5
# Periods above the target until it scales out, and below 90 % of it until it scales in.
PERIODS_HIGH, PERIODS_LOW, LOW_SHARE = 3, 15, 0.9


@dataclass(kw_only=True)
class ScalableTarget:
    """An alias whose provisioned concurrency is changed.

    Attributes:
        function, qualifier: what is scaled.
        low, high: bounds of its provisioned concurrency.
        policies: target values of utilization, by policy name.
        actions: scheduled actions, by name.
        checked_at: until when the scheduled actions are done.
        above, below: for how many periods the utilization has been too high, and too low.
    """

    function: str
    qualifier: str
    low: int
    high: int
    policies: dict[str, float] = field(default_factory=dict)
    actions: dict[str, Properties] = field(default_factory=dict)
    checked_at: datetime
    above: int = 0
    below: int = 0
    created_at: datetime


class ApplicationScaling:
    """Scalable targets of Lambda, by their resource id: function:NAME:ALIAS."""

    def __init__(self, concurrency: ProvisionedConcurrency) -> None:
        self.concurrency = concurrency
        self.targets: dict[str, ScalableTarget] = {}
        self._ticking = threading.Lock()

    def install(self) -> None:
        """Add the resource types, and scale from now on."""
        target: dict[str, Callable[..., Any]] = {
            "create": self._create_target,
            "update": lambda physical_id, old, new, stack: self._create_target("", new, stack),
            "delete": lambda physical_id, properties: self.targets.pop(physical_id.partition("|")[0], None),
        }
        policy: dict[str, Callable[..., Any]] = {
            "create": self._create_policy,
            "update": lambda physical_id, old, new, stack: self._create_policy("", new, stack),
            "delete": self._delete_policy,
        }
        RESOURCE_HANDLERS["AWS::ApplicationAutoScaling::ScalableTarget"] = target
        RESOURCE_HANDLERS["AWS::ApplicationAutoScaling::ScalingPolicy"] = policy
        run_on_a_thread("AWS::ApplicationAutoScaling::ScalableTarget")
        context = contextvars.copy_context()  # of the only account
        threading.Thread(target=context.run, args=(self._keep_scaling,), daemon=True).start()

    def _create_target(self, logical_id: str, properties: Properties, stack: str) -> Created:
        resource = properties["ResourceId"]
        self.register(resource, properties["ScalableDimension"], properties["MinCapacity"], properties["MaxCapacity"])
        actions = properties.get("ScheduledActions") or []
        self.targets[resource].actions = {action["ScheduledActionName"]: action for action in actions}
        physical_id = f"{resource}|{DIMENSION}|{SERVICE}"
        return physical_id, {"Id": physical_id}

    def register(self, resource: str, dimension: str, low: int | str, high: int | str) -> None:
        """Register what is scaled, or change its bounds, and bring it within them.

        Raises:
            ValueError: it is not an alias or version of Lambda's, or the lower bound is above the upper one.
        """
        if dimension != DIMENSION:
            raise ValueError(f"The scalable dimension {dimension} is not {DIMENSION}, the only one that is known here.")
        now = datetime.now(UTC)
        _, function, qualifier = resource.split(":")
        low, high = int(low), int(high)
        if low > high:
            raise ValueError("Maximum capacity cannot be less than minimum capacity")
        target = self.targets.setdefault(
            resource,
            ScalableTarget(function=function, qualifier=qualifier, low=low, high=high, checked_at=now, created_at=now),
        )
        target.low, target.high = low, high
        self._keep_within_bounds(target)

    def _create_policy(self, logical_id: str, properties: Properties, stack: str) -> Created:
        resource = properties.get("ScalingTargetId", "").partition("|")[0] or properties["ResourceId"]
        name, tracking = properties["PolicyName"], properties["TargetTrackingScalingPolicyConfiguration"]
        self.targets[resource].policies[name] = float(tracking["TargetValue"])
        account = f"{get_region()}:{get_account_id()}"
        arn = f"arn:aws:autoscaling:{account}:scalingPolicy:crossover:resource/{SERVICE}/{resource}:policyName/{name}"
        return arn, {"Arn": arn}

    def _delete_policy(self, arn: str, properties: Properties) -> None:
        resource, _, name = arn.partition(f":resource/{SERVICE}/")[2].rpartition(":policyName/")
        if resource in self.targets:
            self.targets[resource].policies.pop(name, None)

    # Scaling

    def _keep_scaling(self) -> None:
        while True:
            time.sleep(PERIOD_SECONDS)
            try:
                self.tick(datetime.now(UTC))
            except Exception as failure:  # of one period; the next may succeed
                print(f"Application Auto Scaling failed: {failure}")

    def tick(self, now: datetime) -> dict[str, int]:
        """Do what is due at the end of a period; returns the provisioned concurrency of all targets.

        Args:
            now: scheduled actions between the last tick and now are done in their order.
        """
        with self._ticking:
            for target in list(self.targets.values()):
                for _, action in sorted(self._due(target, now), key=lambda due: due[0]):
                    bounds = action["ScalableTargetAction"]
                    target.low = int(bounds.get("MinCapacity", target.low))
                    target.high = int(bounds.get("MaxCapacity", target.high))
                    self._keep_within_bounds(target)
                target.checked_at = max(target.checked_at, now)
                self._track(target)
            return {resource: self._capacity(target) for resource, target in self.targets.items()}

    def _due(self, target: ScalableTarget, now: datetime) -> list[tuple[datetime, Properties]]:
        due = []
        for action in target.actions.values():
            zone = ZoneInfo(action.get("Timezone", "UTC"))
            at = next_time(action["Schedule"], target.checked_at, zone)
            while at and at <= now:
                due.append((at, action))
                at = next_time(action["Schedule"], at, zone)
        return due

    def _track(self, target: ScalableTarget) -> None:
        """Follow the utilization; without any traffic there is no metric, and nothing changes."""
        capacity = self._capacity(target)
        utilization = self.concurrency.utilization(target.function, target.qualifier) if capacity else None
        if not target.policies or utilization is None:
            return
        wanted = min(target.policies.values())
        target.above = target.above + 1 if utilization > wanted else 0
        target.below = target.below + 1 if utilization < LOW_SHARE * wanted else 0
        if target.above >= PERIODS_HIGH or target.below >= PERIODS_LOW:
            target.above = target.below = 0
            self._set(target, math.ceil(capacity * utilization / wanted))

    def _keep_within_bounds(self, target: ScalableTarget) -> None:
        self._set(target, self._capacity(target))

    def _capacity(self, target: ScalableTarget) -> int:
        record = lambda_svc._functions.get(target.function) or {}
        config = record.get("provisioned_concurrency", {}).get(target.qualifier, {})
        return int(config.get("RequestedProvisionedConcurrentExecutions", 0))

    def _set(self, target: ScalableTarget, capacity: int) -> None:
        """Set the provisioned concurrency, within the bounds.

        Raises:
            ValueError: Lambda refuses it.
        """
        capacity = max(target.low, min(target.high, capacity))
        name = (target.function, target.qualifier)
        if capacity == self._capacity(target):
            return
        if capacity == 0:
            check_answer(lambda_svc._delete_provisioned_concurrency(*name))
        else:
            config = {"ProvisionedConcurrentExecutions": capacity}
            check_answer(lambda_svc._put_provisioned_concurrency(*name, config))

    # Requests

    def respond(self, operation: str, scope: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Answer a request of the service's API.

        Raises:
            DeniedError: the caller may not.
            ValueError: the operation is not one of those that are known here.
        """
        check_request(scope, body, f"application-autoscaling:{operation}", "*")
        request = json.loads(body)
        if operation == "RegisterScalableTarget":
            bounds = request["MinCapacity"], request["MaxCapacity"]
            self.register(request["ResourceId"], request["ScalableDimension"], *bounds)
            return {}
        if operation == "DeregisterScalableTarget":
            self.targets.pop(request["ResourceId"], None)
            return {}
        asked = request.get("ResourceIds") or ([request["ResourceId"]] if "ResourceId" in request else self.targets)
        found = {resource: target for resource, target in self.targets.items() if resource in asked}
        records = {
            "DescribeScalableTargets": ("ScalableTargets", described_targets),
            "DescribeScalingPolicies": ("ScalingPolicies", described_policies),
            "DescribeScheduledActions": ("ScheduledActions", described_actions),
        }
        if operation not in records:
            raise ValueError(f"The operation {operation} of Application Auto Scaling is not known here.")
        name, describe = records[operation]
        return {name: [{**record_of(resource), **each} for resource in found for each in describe(found[resource])]}


def next_time(schedule: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """When a cron expression is due next; None if never.

    Raises:
        ValueError: it is not a cron expression.
    """
    fields = eventbridge._parse_cron_fields(schedule)
    if fields is None:
        raise ValueError(f"The schedule {schedule} is not a cron expression.")
    found: datetime | None = eventbridge._cron_next_fire(fields, after.astimezone(zone))
    return found and found.astimezone(UTC)


def record_of(resource: str) -> dict[str, Any]:
    return {"ServiceNamespace": SERVICE, "ResourceId": resource, "ScalableDimension": DIMENSION}


def described_targets(target: ScalableTarget) -> list[dict[str, Any]]:
    role = f"arn:aws:iam::{get_account_id()}:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/scaling"
    created_at = target.created_at.timestamp()
    return [{"MinCapacity": target.low, "MaxCapacity": target.high, "RoleARN": role, "CreationTime": created_at}]


def described_policies(target: ScalableTarget) -> list[dict[str, Any]]:
    kind, created_at = "TargetTrackingScaling", target.created_at.timestamp()
    return [
        {
            "PolicyName": name,
            "PolicyType": kind,
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": value},
            "CreationTime": created_at,
        }
        for name, value in target.policies.items()
    ]


def described_actions(target: ScalableTarget) -> list[dict[str, Any]]:
    return [{**action, "CreationTime": target.created_at.timestamp()} for action in target.actions.values()]

"""The settings: flat keys of the CDK context, read into a frozen dataclass in which every value is valid.

A setting is one field: its default, the rule that reads its value, and its meaning. A value comes from cdk.json, from
`-c key=value`, where everything is a string, or from code. `python -m stacks.settings` prints the README's table.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from aws_cdk import PermissionsBoundary, RemovalPolicy
from constructs import Node

from crossover.cdk.compute import VARIANTS
from crossover.cdk.python_function import LOG_RETENTION, FunctionOptions

REPOSITORY = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """A setting that cannot be used. The message is one line: the key, its value and what is allowed."""


@dataclass(frozen=True)
class Rule:
    """How a value is read: `read` returns it in its type or raises ValueError; `allowed` says what it takes."""

    allowed: str
    read: Callable[[Any], Any]


def whole_number(minimum: int, maximum: int) -> Rule:
    def read(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            value = int(value)
        if type(value) is not int or not minimum <= value <= maximum:  # type(), because True is an int too
            raise ValueError
        return value

    return Rule(f"a whole number from {minimum} to {maximum}", read)


def number_among(choices: tuple[int, ...]) -> Rule:
    def read(value: Any) -> int:
        number: int = whole_number(min(choices), max(choices)).read(value)
        if number not in choices:
            raise ValueError
        return number

    return Rule("one of " + ", ".join(map(str, choices)), read)


def text(pattern: str, allowed: str) -> Rule:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Rule(allowed, read)


def one_of(*choices: str) -> Rule:
    return text("|".join(map(re.escape, choices)), " or ".join(choices))


def switch() -> Rule:
    def read(value: Any) -> bool:
        known = {"true": True, "false": False}
        if isinstance(value, str):
            value = known.get(value)
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Rule("true or false", read)


def some_of(choices: tuple[str, ...]) -> Rule:
    """A list, or a string with commas, of at least one of the choices; it comes back in the order of the choices."""

    def read(value: Any) -> tuple[str, ...]:
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names or any(name not in choices for name in names):
            raise ValueError
        return tuple(choice for choice in choices if choice in names)

    return Rule("one or more of " + ", ".join(choices), read)


def optional(rule: Rule) -> Rule:
    def read(value: Any) -> Any:
        return None if value in (None, "", "none") else rule.read(value)

    return Rule(f"{rule.allowed}, or none", read)


# SageMaker hosts no t3 and t4g types. The image is built for x86_64: on a Graviton type (a g after the generation, as
# in ml.m6g.large) the endpoint would fail, but only after half an hour of deploying.
INSTANCE_TYPE = text(
    r"ml\.(?!t3\.|t4g\.|[a-z]+\d+g[a-z]*\.)[a-z]+\d[a-z0-9-]*\.[a-z0-9]+",
    "an x86_64 SageMaker hosting type such as ml.t2.medium or ml.c5.large (no ml.t3, no Graviton)",
)
# S3 takes a notification's filter literally, so a wildcard would match no upload, in silence, and wants other
# characters than these percent-encoded (S3 user guide, "Configuring event notifications using object key filtering").
KEY_FILTER = text(r"[A-Za-z0-9/!_.'()-]{0,1024}", "at most 1024 letters, digits and / ! _ . ' ( ) -, no wildcards")


def setting(default: Any, rule: Rule, meaning: str) -> Any:
    return field(default=default, metadata={"rule": rule, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of the app. A wrong value raises SettingsError, whether it comes from the context or from code."""

    variants: tuple[str, ...] = setting(tuple(VARIANTS), some_of(tuple(VARIANTS)), "the variants to make a stack of")
    stack_prefix: str = setting(
        "Crossover",
        text(r"[A-Za-z][A-Za-z0-9-]{0,63}", "1 to 64 letters, digits and hyphens, a letter first"),
        "stacks are named `<stack_prefix>-Standard` and so on; another prefix makes a copy beside the first",
    )
    model_path: str = setting(
        "model/model.onnx",
        text(r"[^\n]+", "the path of an ONNX file, absolute or from the repository's root"),
        "the model, with its contract in its metadata",
    )
    memory_mb: int = setting(
        4096, whole_number(128, 10240), "memory of the standard and SnapStart functions; 1,769 MB = 1 vCPU"
    )
    timeout_seconds: int = setting(
        120,
        whole_number(120, 900),
        "longest invocation of a function, the proxy included; every wait for AWS ends, with its own error, within it",
    )
    proxy_memory_mb: int = setting(128, whole_number(128, 10240), "memory of the function in front of the endpoint")
    instance_type: str = setting("ml.t2.medium", INSTANCE_TYPE, "machine of the SageMaker endpoint")
    instance_count: int = setting(1, whole_number(1, 100), "how many of them")
    max_audio_seconds: int = setting(600, whole_number(1, 3600), "longer audio becomes a FAILED item")
    max_channels: int = setting(8, whole_number(1, 64), "audio of more channels becomes a FAILED item")
    max_file_mb: int = setting(
        200, whole_number(1, 2048), "a larger file becomes a FAILED item, without being downloaded"
    )
    key_prefix: str = setting("", KEY_FILTER, "only objects whose key begins so are predicted")
    key_suffix: str = setting("", KEY_FILTER, "only objects whose key ends so are predicted, for example `.wav`")
    input_lifetime_days: int | None = setting(
        None,
        optional(whole_number(1, 3650)),
        "uploads are deleted after so many days, a replaced or deleted version so many days after that",
    )
    item_lifetime_days: int | None = setting(
        None, optional(whole_number(1, 3650)), "predictions are deleted after so many days"
    )
    log_retention_days: int = setting(30, number_among(tuple(LOG_RETENTION)), "logs are deleted after so many days")
    reserved_concurrency: int | None = setting(
        None,
        optional(whole_number(1, 10000)),
        "most invocations of a function at once, so that a burst does not swamp the endpoint; the account's limit must "
        "leave 100 for the rest",
    )
    removal_policy: str = setting(
        "destroy",
        one_of("destroy", "retain"),
        "what `cdk destroy` does with the files, the predictions, the dead letters, the logs and the key that encrypts "
        "them; retain also protects the table from being deleted by hand",
    )
    bucket_versioning: bool = setting(
        False, switch(), "keep what is overwritten or deleted in the bucket; an event then reads just its own version"
    )
    point_in_time_recovery: bool = setting(False, switch(), "back up the table continuously, for 35 days")
    encryption: str = setting(
        "aws",
        one_of("aws", "customer"),
        "whose keys encrypt bucket, table, queue and logs: AWS's, or one of your own, made by the stack, at 1 to 3 USD "
        "a month",
    )
    network: str = setting(
        "public",
        one_of("public", "isolated"),
        "isolated: the compute runs in a VPC of its own, with ways to the stack's bucket and table and none to the "
        "internet; for the endpoint at some 15 USD a month",
    )
    permissions_boundary: str | None = setting(
        None,
        optional(
            text(
                r"[A-Za-z0-9+=,.@_-]{1,128}|arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,640}",
                "the name or ARN of a managed policy",
            )
        ),
        "every role of the stacks, CDK's own too, gets this permissions boundary",
    )
    monitoring: bool = setting(True, switch(), "dashboards, alarms and custom metrics")
    alarm_topic_arn: str | None = setting(
        None,
        optional(text(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", "the ARN of an SNS topic")),
        "alarms, and their end, are published there",
    )
    p99_alarm_seconds: int = setting(
        30, whole_number(1, 900), "an alarm goes off where one invocation in a hundred takes longer"
    )
    rollout: str = setting(
        "all-at-once",
        one_of("all-at-once", "canary"),
        "canary: a new version gets a tenth of the traffic first, and is rolled back if its health check fails or an "
        "alarm goes off",
    )
    bundling: str = setting("local", one_of("local", "docker"), "how the functions' code is built")
    local_python: str | None = setting(
        None,
        optional(text(r"3\.\d\d", "a Python version such as 3.12")),
        "bundle for this Python; for the local AWS only",
    )

    def __post_init__(self) -> None:
        for key in fields(self):
            value, rule = getattr(self, key.name), key.metadata["rule"]
            try:
                object.__setattr__(self, key.name, rule.read(value))
            except ValueError:
                raise SettingsError(f"The setting {key.name} is {value!r}, but must be {rule.allowed}.") from None
        if self.bundling == "docker" and self.local_python:
            raise SettingsError(
                f"The setting local_python is {self.local_python!r}, but must be none where bundling is docker, "
                "whose image has its own Python."
            )
        if self.alarm_topic_arn and not self.monitoring:
            raise SettingsError(
                f"The setting alarm_topic_arn is {self.alarm_topic_arn!r}, but must be none where monitoring is false, "
                "as there are no alarms then."
            )
        if self.p99_alarm_seconds >= self.timeout_seconds:
            raise SettingsError(
                f"The setting p99_alarm_seconds is {self.p99_alarm_seconds}, but must be below timeout_seconds, "
                f"{self.timeout_seconds}: no invocation takes longer than that."
            )

    @property
    def model_file(self) -> Path:
        return REPOSITORY / self.model_path

    @property
    def removal(self) -> RemovalPolicy:
        return RemovalPolicy[self.removal_policy.upper()]

    @property
    def boundary(self) -> PermissionsBoundary | None:
        if not self.permissions_boundary:
            return None
        is_arn = self.permissions_boundary.startswith("arn:")
        return (PermissionsBoundary.from_arn if is_arn else PermissionsBoundary.from_name)(self.permissions_boundary)

    @property
    def function_options(self) -> FunctionOptions:
        return FunctionOptions(
            timeout_seconds=self.timeout_seconds,
            reserved_concurrency=self.reserved_concurrency,
            max_file_mb=self.max_file_mb,
            max_audio_seconds=self.max_audio_seconds,
            max_channels=self.max_channels,
            item_lifetime_days=self.item_lifetime_days,
            log_retention_days=self.log_retention_days,
            removal_policy=self.removal,
            metrics=self.monitoring,
            bundle_in_docker=self.bundling == "docker",
            local_python=self.local_python,
        )

    @classmethod
    def from_context(cls, node: Node) -> "Settings":
        """Read the settings that the context holds; the others keep their default.

        The keys of the CDK and other tools hold a colon, a slash, a hyphen or the like. A plain word is meant for us,
        so a misspelt one is an error rather than silently without effect.
        """
        known = [key.name for key in fields(cls)]
        context: Mapping[str, Any] = node.get_all_context()
        ours = {key: value for key, value in context.items() if re.fullmatch(r"\w+", key)}
        for key, value in ours.items():
            if key not in known:
                raise SettingsError(f"There is no setting {key} (= {value!r}); allowed are {', '.join(known)}.")
        return cls(**ours)


def markdown_table() -> str:
    """All settings as a table: key, default, allowed, meaning."""
    rows = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for key in fields(Settings):
        default = ",".join(key.default) if isinstance(key.default, tuple) else key.default
        default = str(default).lower() if isinstance(default, bool) else default
        shown = "none" if default is None else f"`{default}`" if default != "" else "(empty)"
        rows.append(f"| `{key.name}` | {shown} | {key.metadata['rule'].allowed} | {key.metadata['meaning']} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(markdown_table())

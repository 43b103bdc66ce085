"""The settings: flat keys of the CDK context, read into a frozen dataclass in which every value is valid.

A setting is one field: its default, the rule that reads its value, and its meaning. A value comes from cdk.json, from
`-c key=value`, where everything is a string, or from code. The variants name the settings that they take.
`python -m stacks.settings` prints the table of the docs.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from aws_cdk import Environment, PermissionsBoundary, RemovalPolicy
from constructs import Node

from crossover.cdk import DEFAULT_VARIANTS, VARIANTS, FunctionOptions, rules
from stacks.contradictions import contradictions

ROOT = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """A setting that cannot be used. The message is one line: the key, its value and what is allowed."""


def setting(default: Any, rule: rules.Rule, meaning: str, *, protects: bool = False) -> Any:
    """A setting; `protects` tells that data are lost, or open, if a later deployment lacks it."""
    return field(default=default, metadata={"rule": rule, "meaning": meaning, "protects": protects})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of the app. A wrong value raises SettingsError, whether it comes from the context or from code."""

    variants: tuple[str, ...] = setting(
        ",".join(DEFAULT_VARIANTS), rules.some_of(tuple(VARIANTS)), "the variants, each deployed as a stack"
    )
    stack_prefix: str = setting(
        "Crossover",
        rules.text(r"[A-Za-z][A-Za-z0-9-]{0,63}", "1 to 64 letters, digits and hyphens, a letter first"),
        "stacks are named `<stack_prefix>-Standard` and so on; another prefix deploys a second copy",
    )
    env: str | None = setting(
        None,
        rules.optional(rules.text(r"[0-9]{12}/[a-z]+(-[a-z0-9]+)+", "an account and region as 123456789012/eu-west-1")),
        "the stacks belong into this account and region: synth refuses credentials of another account or region",
    )
    tags: tuple[tuple[str, str], ...] = setting(
        "", rules.TAGS, "tags of the stacks and, through CloudFormation, of all that they create"
    )
    model_path: str = setting(
        "model/model.onnx",
        rules.text(r"[^\n]+", "the path of an ONNX file, absolute or relative to the project"),
        "the model, which carries its contract in its metadata",
    )
    memory_mb: int = setting(4096, rules.MEMORY_MB, "memory of a function that predicts; 1,769 MB = 1 vCPU")
    architecture: str = setting(
        "x86_64",
        rules.ARCHITECTURE,
        "of all functions; the image of a SageMaker endpoint is x86_64 in any case",
    )
    timeout_seconds: int = setting(
        120,
        rules.TIMEOUT_SECONDS,
        "timeout of a function, the proxy included; every call to AWS times out earlier, with its own error",
    )
    proxy_memory_mb: int = setting(128, rules.MEMORY_MB, "memory of the function in front of the endpoint")
    instance_type: str = setting("ml.t2.medium", rules.INSTANCE_TYPE, "instance type of the SageMaker endpoint")
    instance_count: int = setting(1, rules.INSTANCE_COUNT, "number of instances of the endpoint")
    provisioned_concurrency: int = setting(
        1, rules.PROVISIONED_CONCURRENCY, "provisioned: execution environments that are kept ready; at least, if scaled"
    )
    max_provisioned_concurrency: int | None = setting(
        None,
        rules.optional(rules.PROVISIONED_CONCURRENCY),
        "provisioned: their number follows the traffic up to this; down only while there is traffic",
    )
    provisioned_utilization: float = setting(
        0.7, rules.UTILIZATION, "provisioned: the share of them in use around which their number follows the traffic"
    )
    provisioned_schedule: tuple[str, ...] = setting(
        "",
        rules.PROVISIONED_SCHEDULE,
        "provisioned: from these times on, the least and the most of them, for example one at night: "
        "`cron(0 20 * * ? *) 1-1`",
    )
    provisioned_time_zone: str = setting("UTC", rules.TIME_ZONE, "of provisioned_schedule, daylight saving included")
    model_loading: str = setting(
        "eager",
        rules.MODEL_LOADING,
        "efs: eager loads the model at INIT; lazy with the first file, for one that takes longer than INIT's 10 s",
    )
    model_in_image: bool = setting(
        True, rules.switch(), "container: the model is in the image; false: it is read from S3 at INIT"
    )
    image_snap_start: bool = setting(False, rules.switch(), "container: SnapStart for the image")
    max_audio_seconds: int = setting(600, rules.MAX_AUDIO_SECONDS, "longer audio becomes a FAILED item")
    max_channels: int = setting(8, rules.MAX_CHANNELS, "audio of more channels becomes a FAILED item")
    max_pixels: int = setting(
        64_000_000, rules.MAX_PIXELS, "a picture of more pixels (width x height) becomes a FAILED item"
    )
    max_elements: int = setting(
        10_000_000, rules.MAX_ELEMENTS, "tensors of more elements, all of a file together, become a FAILED item"
    )
    max_file_mb: int = setting(200, rules.MAX_FILE_MB, "a larger file becomes a FAILED item, without being downloaded")
    input_bucket: str | None = setting(
        None,
        rules.optional(rules.BUCKET),
        "this existing bucket instead of a new one; it keeps its own settings, and is never deleted",
        protects=True,
    )
    predictions_table: str | None = setting(
        None,
        rules.optional(rules.TABLE),
        "this existing table instead of a new one, with the partition key `object_key`, a string; it keeps its own "
        "settings, and is never deleted",
        protects=True,
    )
    key_prefix: str = setting("", rules.KEY_FILTER, "only objects whose key begins with this are predicted")
    key_suffix: str = setting(
        "", rules.KEY_FILTER, "only objects whose key ends with this are predicted, for example `.wav`"
    )
    event_source: str = setting(
        "notification",
        rules.one_of("notification", "eventbridge", "both"),
        "who tells of an upload: the bucket's own notification, or EventBridge, for a bucket that has notifications "
        "already; both: while changing from one to the other",
    )
    ingest: str | None = setting(
        None,
        rules.optional(rules.one_of(*rules.INGESTS)),
        "direct: an upload invokes the function; queue: it waits in an SQS queue until the function is free; drain: "
        "direct, while the queue of an earlier deployment is emptied; none: as the variant has it by default",
    )
    max_concurrency: int | None = setting(
        None,
        rules.MAX_CONCURRENCY,
        "with a queue: how many files are predicted at the same time, by default and at most as "
        "many as reserved_concurrency, without that 10, for sagemaker at most two for each vCPU of its endpoint, for "
        "provisioned all that can be kept ready where these are more; takes no concurrency from the account's other "
        "functions",
    )
    backfill: bool = setting(
        False,
        rules.switch(),
        "a role and a bucket for `crossover backfill`, which predicts what lies in the input bucket already",
    )
    input_lifetime_days: int | None = setting(
        None,
        rules.LIFETIME_DAYS,
        "days after which uploads are deleted, and replaced or deleted versions as many days after that",
        protects=True,
    )
    item_lifetime_days: int | None = setting(
        None,
        rules.LIFETIME_DAYS,
        "days after which predictions, and large results, are deleted; by an existing table only if its TTL on "
        "`expires_at` is on",
        protects=True,
    )
    log_level: str = setting(
        "info",
        rules.LOG_LEVEL,
        "info: the functions log a line for each file; error: for those that are refused or fail, and of the others "
        "only the metrics",
    )
    log_retention_days: int = setting(30, rules.LOG_RETENTION_DAYS, "days after which logs are deleted", protects=True)
    reserved_concurrency: int | None = setting(
        None,
        rules.RESERVED_CONCURRENCY,
        "maximum concurrency of a function, so that a burst does not overload what is behind it; 100 of the account's "
        "limit must remain for other functions",
    )
    removal_policy: str = setting(
        "destroy",
        rules.one_of("destroy", "retain"),
        "what `cdk destroy` does with the files, the predictions, the dead letters and the logs, by the last "
        "deployment; retain also protects the table from deletion by hand",
        protects=True,
    )
    termination_protection: bool = setting(
        False,
        rules.switch(),
        "`cdk destroy` and CloudFormation refuse to delete a stack until a deployment without this",
        protects=True,
    )
    bucket_versioning: bool = setting(
        False,
        rules.switch(),
        "keep what is overwritten or deleted in the bucket; an event then reads its own version",
        protects=True,
    )
    point_in_time_recovery: bool = setting(
        False, rules.switch(), "back up the table continuously, for 35 days", protects=True
    )
    encryption: str = setting(
        "aws",
        rules.one_of("aws", "customer"),
        "whose keys encrypt bucket, table, queue and logs: AWS's, or one created by the stack, at 1 to 3 USD a month, "
        "which outlives the stack",
        protects=True,
    )
    encryption_key_arn: str | None = setting(
        None,
        rules.optional(rules.KEY_ARN),
        "with encryption=customer: this existing key instead of a new one",
        protects=True,
    )
    decryption_key_arns: tuple[str, ...] = setting(
        "",
        rules.list_of(rules.KEY_ARN, most=5),
        "keys that earlier uploads and items are encrypted with, for example the stack's own of before: the roles may "
        "still decrypt with them",
        protects=True,
    )
    network: str = setting(
        "public",
        rules.one_of("public", "isolated"),
        "isolated: the compute runs in its own VPC, with endpoints for the bucket and the table, without the "
        "internet; about 15 USD a month for the SageMaker variant",
        protects=True,
    )
    vpc_id: str | None = setting(
        None,
        rules.optional(rules.VPC_ID),
        "the compute runs in this existing VPC, which must have ways to S3, to DynamoDB and, for the proxy, to "
        "SageMaker's runtime",
    )
    subnet_ids: tuple[str, ...] = setting(
        "",
        rules.list_of(rules.SUBNET_ID, most=16),
        "with vpc_id: the subnets; SageMaker needs two in different zones, efs at most one in each",
    )
    asset_key_arn: str | None = setting(
        None,
        rules.optional(rules.KEY_ARN),
        "the key of the CDK's own bucket, if `cdk bootstrap --bootstrap-kms-key-id` chose one: the roles may then "
        "decrypt the model",
    )
    permissions_boundary: str | None = setting(
        None,
        rules.optional(
            rules.text(
                r"[A-Za-z0-9+=,.@_-]{1,128}|arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,640}",
                "the name or ARN of a managed policy",
            )
        ),
        "every role of the stacks, including CDK's own, gets this permissions boundary",
        protects=True,
    )
    monitoring: bool = setting(True, rules.switch(), "dashboards, alarms and custom metrics")
    alarm_topic_arn: str | None = setting(
        None,
        rules.optional(
            rules.text(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", "the ARN of an SNS topic")
        ),
        "gets a message when an alarm goes off, and when it ends",
    )
    alarm_email: str | None = setting(
        None,
        rules.optional(rules.EMAIL),
        "each stack makes a topic for its alarms, and this address gets them once it has confirmed AWS's mail",
    )
    p99_alarm_seconds: int = setting(
        30, rules.whole_number(1, 900), "an alarm goes off when one invocation in a hundred takes longer"
    )
    tracing: bool = setting(
        False, rules.switch(), "X-Ray traces of the functions, for a sample of the invocations, billed by the trace"
    )
    rollout: str = setting(
        "all-at-once",
        rules.one_of("all-at-once", "canary"),
        "canary: a new version gets a tenth of the traffic first, and is rolled back if its health check fails or an "
        "alarm goes off",
    )
    bundling: str = setting("local", rules.one_of("local", "docker"), "how the functions' code is built")
    local_python: str | None = setting(
        None,
        rules.optional(rules.text(r"3\.\d\d", "a Python version such as 3.12")),
        "bundle for this Python; for the local AWS only",
    )

    def __post_init__(self) -> None:
        for key in fields(self):
            value, rule = getattr(self, key.name), key.metadata["rule"]
            try:
                object.__setattr__(self, key.name, rule.read(value))
            except ValueError:
                raise SettingsError(f"The setting {key.name} is {value!r}, but must be {rule.allowed}.") from None
        for sentence in contradictions(self):
            raise SettingsError(sentence)

    @property
    def model_file(self) -> Path:
        return ROOT / self.model_path

    @property
    def environment(self) -> Environment | None:
        """Account and region of the stacks; None where those of the credentials are meant.

        Raises:
            SettingsError: the CDK has credentials of another account, or another region.
        """
        if not self.env:
            return None
        account, region = self.env.split("/")
        # Set by the CDK: the account from the credentials, if there are any; the region in any case.
        here = os.environ.get("CDK_DEFAULT_ACCOUNT", ""), os.environ.get("CDK_DEFAULT_REGION", region)
        if here[0] and here != (account, region):
            raise SettingsError(
                f"The setting env is {self.env}, but the credentials are for {'/'.join(here)}: change either."
            )
        return Environment(account=account, region=region)

    @property
    def without_effect(self) -> list[str]:
        """The settings that only other variants than the chosen ones take, and that are not as they are by default."""
        chosen = {name for variant in self.variants for name in VARIANTS[variant].settings}
        others = {name for variant in VARIANTS.values() for name in variant.settings} - chosen
        usual = Settings(variants=self.variants)
        return [name for name in sorted(others) if getattr(self, name) != getattr(usual, name)]

    @property
    def canary(self) -> bool:
        return self.rollout == "canary"

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
            architecture=self.architecture,
            timeout_seconds=self.timeout_seconds,
            reserved_concurrency=self.reserved_concurrency,
            max_file_mb=self.max_file_mb,
            max_audio_seconds=self.max_audio_seconds,
            max_channels=self.max_channels,
            max_pixels=self.max_pixels,
            max_elements=self.max_elements,
            item_lifetime_days=self.item_lifetime_days,
            log_level=self.log_level,
            log_retention_days=self.log_retention_days,
            removal_policy=self.removal,
            metrics=self.monitoring,
            tracing=self.tracing,
            bundle_in_docker=self.bundling == "docker",
            local_python=self.local_python,
        )

    @classmethod
    def from_context(cls, node: Node) -> "Settings":
        """Read the settings that the context holds; the others keep their default.

        Keys of the CDK and other tools contain a colon, a slash, a hyphen or the like. A plain word is a setting, so a
        misspelt one is an error rather than silently without effect.
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
        default = rules.as_text(key.default)
        shown = f"`{default}`" if default not in ("", "none") else default or "(empty)"
        rows.append(f"| `{key.name}` | {shown} | {key.metadata['rule'].allowed} | {key.metadata['meaning']} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(markdown_table())

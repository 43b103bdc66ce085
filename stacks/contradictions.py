"""Settings of which each is valid, but not all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossover.cdk import VARIANTS, rules

if TYPE_CHECKING:
    from stacks.settings import Settings

# An existing bucket or table is not changed, so these would have no effect on it.
OF_NEW = {
    "input_bucket": ("bucket_versioning", "input_lifetime_days"),
    "predictions_table": ("point_in_time_recovery",),
}
# Used in the stack's own region, whatever region an ARN names.
REGIONAL = ("predictions_table", "encryption_key_arn", "decryption_key_arns", "asset_key_arn", "alarm_topic_arn")


def contradictions(settings: Settings) -> Iterator[str]:
    """A sentence for each."""
    several = len(settings.variants) > 1
    if settings.bundling == "docker" and settings.local_python:
        yield _must_be("none", settings, "local_python", "bundling is docker, whose image has its own Python")
    for name in ("alarm_topic_arn", "alarm_email"):
        if getattr(settings, name) and not settings.monitoring:
            yield _must_be("none", settings, name, "monitoring is false, as there are no alarms then")
    if settings.alarm_topic_arn and settings.alarm_email:
        yield _must_be("none", settings, "alarm_email", "alarm_topic_arn is set: subscribe the address to that topic")
    if settings.encryption_key_arn and settings.encryption != "customer":
        needed = "keys that are still needed for reading belong into decryption_key_arns"
        yield _must_be("none", settings, "encryption_key_arn", f"encryption is {settings.encryption}; {needed}")
    for existing, others in OF_NEW.items():
        for name in others:
            if getattr(settings, existing) and getattr(settings, name):
                default = rules.as_text(getattr(type(settings), name))
                yield _must_be(default, settings, name, f"{existing} is set: what exists already is not changed")
    if several and settings.predictions_table:
        yield _must_be(
            "one", settings, "variants", "predictions_table is set, as they would overwrite each other's items"
        )
    if several and settings.input_bucket and settings.event_source != "eventbridge":
        reason = "S3 notifies one function only; event_source=eventbridge allows several"
        yield _must_be("one", settings, "variants", f"input_bucket is set, as {reason}")
    yield from _concurrency(settings)
    yield from _elsewhere(settings)
    if bool(settings.vpc_id) != bool(settings.subnet_ids):
        vpc, subnets = rules.as_text(settings.vpc_id), rules.as_text(settings.subnet_ids) or "empty"
        yield f"The setting vpc_id is {vpc} and subnet_ids is {subnets}, but both or neither must be set."
    if settings.vpc_id and settings.network == "isolated":
        yield _must_be("none", settings, "vpc_id", "network is isolated, which makes a VPC")
    if settings.p99_alarm_seconds >= settings.timeout_seconds:
        yield (
            f"The setting p99_alarm_seconds is {settings.p99_alarm_seconds}, but must be below timeout_seconds, "
            f"{settings.timeout_seconds}: no invocation takes longer than that."
        )


def _concurrency(settings: Settings) -> Iterator[str]:
    """On queues: what is throttled counts as an attempt, and what is kept ready and not used is paid for."""
    chosen = [VARIANTS[name] for name in settings.variants]
    has_queue = [variant for variant in chosen if (settings.ingest or variant.ingest) != "direct"]
    if settings.max_concurrency and not has_queue:
        yield _must_be("none", settings, "max_concurrency", "ingest is direct")
    reserved = settings.reserved_concurrency
    if has_queue and reserved == 1:
        names = " and ".join(variant.predictor for variant in has_queue)
        where = f"uploads for {names} wait in a queue, as they do not with ingest=direct"
        yield _must_be("none or at least 2", settings, "reserved_concurrency", where)
    if reserved and settings.max_concurrency and settings.max_concurrency > reserved:
        yield _must_be(f"at most {reserved}", settings, "max_concurrency", f"reserved_concurrency is {reserved}")
    if settings.max_concurrency and any("provisioned_concurrency" in variant.settings for variant in has_queue):
        scheduled = [rules.scheduled(each).least for each in settings.provisioned_schedule]
        kept_ready = max([settings.provisioned_concurrency, *scheduled])
        if settings.max_concurrency < kept_ready:
            where = "so many execution environments are kept ready"
            yield _must_be(f"at least {kept_ready}", settings, "max_concurrency", where)


def _elsewhere(settings: Settings) -> Iterator[str]:
    """On ARNs of another region than that of the stacks, and for a table of another account."""
    if not settings.env:
        return
    account, region = settings.env.split("/")
    for name in REGIONAL:
        value = getattr(settings, name) or ()
        for arn in (value,) if isinstance(value, str) else value:
            if arn.startswith("arn:") and arn.split(":")[3] != region:
                yield f"The setting {name} is {arn}, but must be in {region} where env is {settings.env}."
    table = settings.predictions_table or ""
    if table.startswith("arn:") and table.split(":")[4] != account:
        yield _must_be(f"in {account}", settings, "predictions_table", f"env is {settings.env}")


def _must_be(allowed: str, settings: Settings, name: str, where: str) -> str:
    return f"The setting {name} is {rules.as_text(getattr(settings, name))}, but must be {allowed} where {where}."

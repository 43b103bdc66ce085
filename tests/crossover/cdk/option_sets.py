"""The sets of settings under which templates are checked, each synthesized once for all tests."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Validations

from app import add_stacks
from crossover.cdk.compute import VARIANTS
from tests.crossover.cdk.templates import StackTemplate, nag_findings, new_app

KEPT: dict[str, Any] = {
    "removal_policy": "retain",
    "bucket_versioning": "true",
    "point_in_time_recovery": "true",
    "input_lifetime_days": "30",
    "item_lifetime_days": "60",
}
NARROWED = {
    "permissions_boundary": "team-boundary",
    "key_prefix": "in/",
    "key_suffix": ".wav",
}
OPTION_SETS: dict[str, dict[str, Any]] = {
    "default": {},
    "kept": KEPT,
    "customer key": {"encryption": "customer", "event_source": "eventbridge", "ingest": "direct"},
    "isolated": {"network": "isolated", "ingest": "queue", "max_concurrency": "3"},
    "narrowed": {**NARROWED, "alarm_email": "ops@example.org", "event_source": "eventbridge", "ingest": "direct"},
    "everything": {
        **KEPT,
        **NARROWED,
        "encryption": "customer",
        "network": "isolated",
        "event_source": "both",
        "ingest": "queue",
        "backfill": "true",
        "rollout": "canary",
        "architecture": "arm64",
        "max_provisioned_concurrency": "5",
        "provisioned_schedule": "cron(0 7 ? * MON,TUE *) 2-5, cron(0 20 * * ? *) 1-1",
        "provisioned_time_zone": "Europe/Berlin",
        "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "tracing": "true",
        "tags": "team=audio",
        "termination_protection": "true",
    },
}


@dataclass(frozen=True)
class Synthesis:
    """All variants under one set of settings."""

    folder: Path  # the assembly
    templates: dict[str, StackTemplate]  # of the variants, by the stack's construct id
    findings: list[str]  # of cdk-nag: "rule at construct"
    reasons: dict[str, str]  # of the findings that are accepted here, by rule


def synthesize(model_path: Path, folder: Path, settings: dict[str, Any]) -> Synthesis:
    app = new_app(folder, model_path=str(model_path), **{"variants": "all", **settings})
    add_stacks(app)
    findings = nag_findings(app)  # which synthesizes
    files = [folder / f"{variant.stack_id}.template.json" for variant in VARIANTS.values()]
    return Synthesis(
        folder=folder,
        templates={path.name.partition(".")[0]: StackTemplate(json.loads(path.read_text())) for path in files},
        findings=findings,
        reasons={
            rule: reason
            for construct in app.node.find_all()
            for entry in construct.node.metadata
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY
            for rule, reason in entry.data.items()
            if not rule.startswith("CloudFormation-Validate::")  # those that CDK's own constructs accept
        },
    )

"""What protects the data: published by each stack, and warned of at synth where the next deployment would lose it.

CloudFormation does what the last deployment said. A setting that was given by `-c` is forgotten by the next deployment
without it, and `cdk destroy` reads none.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from crossover.cdk import rules
from stacks.settings import ROOT, Settings

CDK_JSON = ROOT / "cdk.json"
PROTECTING = {key.name: key.metadata["rule"] for key in fields(Settings) if key.metadata["protects"]}

KEYS = ("encryption_key_arn", "decryption_key_arns")


def protection(settings: Settings) -> str:
    """The settings that protect data, as `key=value` with spaces between: the output Protection of a stack.

    CloudFormation takes 1,024 bytes, so of a bucket and a table it says only whether they are the stack's own, and
    nothing of the keys: the output KeyArn names the one in use.
    """
    values = {name: rules.as_text(getattr(settings, name)) for name in PROTECTING if name not in KEYS}
    values |= {name: "own" if values[name] == "none" else "existing" for name in ("input_bucket", "predictions_table")}
    return " ".join(f"{name}={value}" for name, value in values.items())


def warnings(settings: Settings, cdk_json: Path = CDK_JSON) -> dict[str, str]:
    """What puts data at risk though it is not wrong: a sentence for each, by an id."""
    found = {}
    written = _context(cdk_json)
    for name, rule in PROTECTING.items():
        here = _shown(getattr(settings, name))
        try:
            later = _shown(rule.read(written[name]) if name in written else getattr(Settings(), name))
        except ValueError:
            continue  # only this deployment's option makes it valid: without that, synth refuses it
        if here != later:
            found[f"{name}-not-in-cdk-json"] = (
                f"The setting {name} is {here} for this deployment only: with {cdk_json.name} alone it is {later}, "
                f"which the next deployment goes back to. Write it into {cdk_json.name}."
            )
    if settings.removal_policy == "destroy":
        chosen = " and ".join(
            name for name in ("bucket_versioning", "point_in_time_recovery") if getattr(settings, name)
        )
        if chosen:
            found["removal_policy-destroy"] = (
                f"removal_policy is destroy in spite of {chosen}: `cdk destroy` deletes all files with their versions, "
                "and the predictions."
            )
    elif not settings.bucket_versioning and not settings.input_bucket:  # what exists already keeps its own versioning
        found["bucket_versioning-false"] = (
            "removal_policy is retain, but bucket_versioning is false: a file that is overwritten or deleted in the "
            "bucket is lost."
        )
    return found


def _shown(value: Any) -> str:
    return rules.as_text(value) or "none"  # an empty list


def _context(path: Path) -> Mapping[str, Any]:
    """The context of a cdk.json; empty where there is none, as in a test."""
    try:
        context: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")).get("context", {})
    except (OSError, ValueError):
        return {}
    return context

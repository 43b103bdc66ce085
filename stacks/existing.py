"""Resources that exist already, by what the settings call them. Nothing is looked up: synth asks AWS nothing."""

from aws_cdk import aws_kms as kms
from constructs import Construct


def existing_key(scope: Construct, construct_id: str, arn: str | None) -> kms.IKey | None:
    return kms.Key.from_key_arn(scope, construct_id, arn) if arn else None


def existing_keys(scope: Construct, construct_id: str, arns: tuple[str, ...]) -> list[kms.IKey]:
    return [kms.Key.from_key_arn(scope, f"{construct_id}{number}", arn) for number, arn in enumerate(arns)]

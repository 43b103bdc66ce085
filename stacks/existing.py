"""Resources that exist already, by what the settings call them. Nothing is looked up: synth asks AWS nothing."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


def existing_bucket(scope: Construct, construct_id: str, name_or_arn: str | None) -> s3.IBucket | None:
    if not name_or_arn:
        return None
    make = s3.Bucket.from_bucket_arn if name_or_arn.startswith("arn:") else s3.Bucket.from_bucket_name
    return make(scope, construct_id, name_or_arn)


def existing_table(scope: Construct, construct_id: str, name_or_arn: str | None) -> dynamodb.ITable | None:
    if not name_or_arn:
        return None
    make = dynamodb.Table.from_table_arn if name_or_arn.startswith("arn:") else dynamodb.Table.from_table_name
    return make(scope, construct_id, name_or_arn)


def existing_vpc(scope: Construct, construct_id: str, vpc_id: str | None, subnet_ids: Sequence[str]) -> ec2.IVpc | None:
    if not vpc_id:
        return None
    # CDK wants zones, to choose among the subnets by; all of them are used, so their names do not matter.
    zones = [f"zone-{number}" for number in range(len(subnet_ids))]
    vpc = ec2.Vpc.from_vpc_attributes(
        scope, construct_id, vpc_id=vpc_id, availability_zones=zones, private_subnet_ids=list(subnet_ids)
    )
    reason = "Only gateway endpoints would need the route tables; none is added to an existing VPC."
    Validations.of(vpc).acknowledge(Acknowledgment(id="@aws-cdk/aws-ec2:noSubnetRouteTableId", reason=reason))
    return vpc


def existing_key(scope: Construct, construct_id: str, arn: str | None) -> kms.IKey | None:
    return kms.Key.from_key_arn(scope, construct_id, arn) if arn else None


def existing_keys(scope: Construct, construct_id: str, arns: tuple[str, ...]) -> list[kms.IKey]:
    return [kms.Key.from_key_arn(scope, f"{construct_id}{number}", arn) for number, arn in enumerate(arns)]

"""Variant `snapstart`: a Lambda function whose cold starts restore a snapshot with the model already loaded."""

from typing import ClassVar

from aws_cdk import aws_lambda as lambda_

from crossover.cdk.compute.inference_function import InferenceFunction
from crossover.cdk.dashboard_cost import Cost, price


class SnapStartLambda(InferenceFunction):
    """Predicts in the one published version of a Lambda function, behind the alias `live`.

    Benefit: a cold start does not load the model, however long that takes.
    Cost: the snapshot is billed by the GB of memory and the hour, with or without traffic, and each restore by the GB,
    so `memory_mb` costs more here; publishing takes minutes. Lambda allows neither provisioned concurrency nor EFS with
    SnapStart.
    """

    predictor: ClassVar[str] = "snapstart"
    stack_id: ClassVar[str] = "SnapStart"
    handler: ClassVar[str] = "snapstart_handler"
    snap_start: ClassVar[lambda_.SnapStartConf | None] = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS

    def _cost(self, memory_mb: int) -> Cost:
        return snapshot_cost(memory_mb)


def snapshot_cost(memory_mb: int, leaves_out: str = "the time of restoring") -> Cost:
    """The cost of a function whose one published version starts from a snapshot."""
    gigabytes = memory_mb / 1024
    return Cost(
        memory_mb=memory_mb,
        per_cold_start=((gigabytes, price("lambda.snapstart.restore_gb")),),
        per_hour=((gigabytes * 3600, price("lambda.snapstart.cache_gb_second")),),
        leaves_out=leaves_out,
    )

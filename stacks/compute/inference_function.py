"""What the standard and the SnapStart variant share: a function that predicts in its own process."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.bundling import Bundle
from stacks.model_artifact import ModelArtifact
from stacks.python_function import FunctionOptions, create_python_function
from stacks.storage import PipelineStorage


def create_inference_function(
    scope: Construct,
    construct_id: str,
    *,
    predictor: str,
    storage: PipelineStorage,
    model: ModelArtifact,
    memory_mb: int,
    options: FunctionOptions,
    snap_start: lambda_.SnapStartConf | None = None,
) -> lambda_.Function:
    """A function that may read the uploads and the one model object, and put items into the table.

    Args:
        predictor: the variant's name; its handler is the module `<predictor>_handler`.
    """
    function = create_python_function(
        scope,
        construct_id,
        bundle=Bundle.INFERENCE,
        handler=f"{predictor}_handler.handler",
        memory_mb=memory_mb,
        environment={
            "PREDICTOR": predictor,
            "PREDICTIONS_TABLE": storage.predictions_table.table_name,
            "MODEL_S3_URI": model.s3_uri,
        },
        options=options,
        snap_start=snap_start,
    )
    model.grant_read(function)
    storage.grant_read_files(function)
    storage.grant_write_predictions(function)
    return function

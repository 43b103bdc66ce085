"""The functions' code packages: here those that functions share; a handler in none of them gets one of its own.

Without the CDK: code that needs only a bundle does not start Node.
"""

from crossover.bundling.recipe import Bundle
from crossover.paths import sources


def inference_bundle(input_kind: str) -> Bundle:
    """Handlers that run the model themselves.

    Args:
        input_kind: what the model takes, such as "audio"; its decoders are in the bundle, and no others.
    """
    decoders = f"{input_kind}_formats"
    folders = sorted((sources() / "lambda_src/inference/inputs").glob("*_formats"))
    return Bundle(
        name=f"inference-{input_kind}",
        # one package, built and uploaded once
        handlers=("standard_handler", "snapstart_handler", "efs_handler", "provisioned_handler"),
        packages=("inference",),
        leaves_out=tuple(f"inference/inputs/{folder.name}" for folder in folders if folder.name != decoders),
        locks=("requirements-inference.txt", f"requirements-{input_kind}.txt"),
        services=("s3", "dynamodb", "sagemaker-runtime"),
    )


PROXY = Bundle(
    name="proxy",
    handlers=("sagemaker_trigger_handler",),
    packages=("inference",),
    leaves_out=(  # what reads files and runs the model
        "inference/content.py",
        "inference/contract.py",
        "inference/inputs",
        "inference/kinds.py",
        "inference/local_predictor.py",
        "inference/model.py",
        "inference/outputs",
        "inference/runtime_reason.py",
        "inference/shapes.py",
    ),
    locks=("requirements-proxy.txt",),
    services=("s3", "dynamodb", "sagemaker-runtime"),
)
"""Handlers that leave the model to an endpoint, and so need neither NumPy nor onnxruntime."""

HEALTH_CHECK = Bundle(name="health_check", handlers=("health_check_handler",))
"""CodeDeploy's health check; the runtime's own boto3 is enough for its two calls."""

MODEL_LOADER = Bundle(name="model_loader", handlers=("efs_loader_handler", "efs_provider_handler"))
"""What copies a model to EFS; the runtime's own boto3 is enough."""

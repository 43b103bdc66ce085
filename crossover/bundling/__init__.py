"""The functions' code packages: here those that functions share; a handler in none of them gets one of its own.

Without the CDK: code that needs only a bundle does not start Node.
"""

from crossover.bundling.recipe import Bundle

INFERENCE = Bundle(
    name="inference",
    handlers=("standard_handler", "snapstart_handler"),  # one package for both, built and uploaded once
    packages=("inference",),
    lock="requirements-inference.txt",
    services=("s3", "dynamodb", "sagemaker-runtime"),
)
"""Handlers that run the model themselves."""

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
        "inference/shapes.py",
    ),
    lock="requirements-proxy.txt",
    services=("s3", "dynamodb", "sagemaker-runtime"),
)
"""Handlers that leave the model to an endpoint, and so need neither NumPy nor onnxruntime."""

HEALTH_CHECK = Bundle(name="health_check", handlers=("health_check_handler",))
"""CodeDeploy's health check; the runtime's own boto3 is enough for its two calls."""

"""An app with a pipeline for each kind of model: `kinds_app.py FOLDER`, the folder of the models.

One app, so that one synthesis and one deployment serve all tests of kinds.
"""

import sys
from pathlib import Path

from aws_cdk import App, Stack

from crossover.cdk import (
    Compute,
    FunctionOptions,
    InferencePipeline,
    ModelArtifact,
    PipelineStorage,
    SageMakerEndpoint,
    StandardLambda,
)

COMPUTES = {"standard": StandardLambda, "sagemaker": SageMakerEndpoint}


def main(models: Path, local_python: str) -> None:
    """A stack `Kinds-MODEL-VARIANT` for each file `MODEL-VARIANT.onnx`."""
    app = App()
    options = FunctionOptions(local_python=local_python or None)
    for path in sorted(models.glob("*.onnx")):
        name, variant = path.stem.split("-")
        stack = Stack(app, path.stem, stack_name=f"Kinds-{name}-{variant}")
        model = ModelArtifact(stack, "Model", path=path)
        storage = PipelineStorage(stack, "Storage", results_bucket=model.stores_files)
        compute: Compute = COMPUTES[variant](stack, "Compute", storage=storage, model=model, options=options)
        InferencePipeline(stack, "Pipeline", storage=storage, compute=compute, publish_outputs=True)
    app.synth()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

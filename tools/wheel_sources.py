"""A build hook: what the package deploys, and what `crossover new` copies, goes into the distributions too.

The wheel has it beneath the package, laid out as in the repository, so that nothing but `crossover` lies in
site-packages; crossover/paths.py finds it there. Hatch's `force-include` would do the same, but for an editable
installation too, whose copy would go stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "app.py",
    "cdk.json",
    "package.json",
    "package-lock.json",
    "requirements.txt",
    "stacks",
    "lambda_src",
    "sagemaker_container",
    "model/model.onnx",
    "model/MODEL_CARD.md",
    "model/LICENSE-YAMNET",
    "model/samples",
    "model/image/model.onnx",
    "model/image/MODEL_CARD.md",
    "model/image/LICENSE-EFFICIENTNET-LITE",
    "model/image/samples",
)


class SourcesHook(BuildHookInterface[Any]):
    """Hatch finds the class by its base."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files and folders; hatch leaves out __pycache__ and the like."""
        if version != "editable":
            folder = "crossover/sources/" if self.target_name == "wheel" else ""
            build_data["force_include"].update({source: f"{folder}{source}" for source in SOURCES})

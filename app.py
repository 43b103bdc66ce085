"""The CDK app: one stack for each variant that the settings name."""

import sys

from aws_cdk import App

from stacks.bundling import BundlingError
from stacks.compute import VARIANTS
from stacks.inference_stack import InferenceStack
from stacks.model_artifact import ModelArtifactError
from stacks.settings import Settings, SettingsError


def add_stacks(app: App) -> None:
    settings = Settings.from_context(app.node)
    for name in settings.variants:
        variant = VARIANTS[name]
        InferenceStack(app, variant.stack_id, variant=variant, settings=settings)


def main() -> None:
    app = App()
    try:
        add_stacks(app)
    except (SettingsError, ModelArtifactError, BundlingError) as error:
        sys.exit(f"Error: {error}")
    app.synth()


if __name__ == "__main__":
    main()

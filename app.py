"""The CDK app: one stack for each variant that the settings name, and one that compares them."""

import sys

from aws_cdk import Annotations, App

from crossover.cdk import VARIANTS, BundlingError, InvalidValueError, ModelArtifactError
from stacks.comparison import Comparison
from stacks.inference_stack import InferenceStack
from stacks.protection import warnings
from stacks.settings import Settings, SettingsError


def add_stacks(app: App) -> None:
    settings = Settings.from_context(app.node)
    variants = [VARIANTS[name] for name in settings.variants]
    stacks = [InferenceStack(app, variant.stack_id, variant=variant, settings=settings) for variant in variants]
    for name in settings.without_effect:
        takers = " and ".join(variant.predictor for variant in VARIANTS.values() if name in variant.settings)
        text = f"The setting {name} has no effect: of the variants only {takers} takes it."
        Annotations.of(stacks[0]).add_warning_v2(f"crossover:{name}", text)
    for stack in stacks:
        for name, text in warnings(settings).items():
            Annotations.of(stack).add_warning_v2(f"crossover:{name}", text)
    if settings.monitoring and len(stacks) > 1:
        Comparison(
            app,
            "Comparison",
            stack_name=f"{settings.stack_prefix}-Comparison",
            stacks=stacks,
            env=settings.environment,
            tags=dict(settings.tags),
        )


def main() -> None:
    app = App()
    try:
        add_stacks(app)
    except (SettingsError, InvalidValueError, ModelArtifactError, BundlingError) as error:
        sys.exit(f"crossover: {error}")
    app.synth()


if __name__ == "__main__":
    main()

"""The registry: variants that this project deploys, and others to compare them with.

A new one is a file here, whose `Variant` says all that others ask, and one line below.
"""

from crossover.cost.variants import (
    container,
    ec2,
    efs,
    endpoint,
    flat,
    provisioned,
    serverless,
    snapstart,
    standard,
    websocket,
)
from crossover.cost.variants.style import OTHER, Style, styles
from crossover.cost.variants.variant import Billing, Measurement, Variant

__all__ = ["VARIANTS", "Billing", "Measurement", "Style", "Variant", "by_default", "deployable", "style_of"]

VARIANTS = {
    variant.name: variant
    for variant in (
        standard.VARIANT,
        snapstart.VARIANT,
        endpoint.VARIANT,
        provisioned.VARIANT,
        efs.VARIANT,
        container.VARIANT,
        websocket.VARIANT,
        serverless.VARIANT,
        *ec2.VARIANTS,
        flat.RENT,
        flat.CALL_PRICE,
    )
}


def deployable() -> tuple[str, ...]:
    """Names of the variants that this project has a construct for."""
    return tuple(name for name, variant in VARIANTS.items() if variant.is_deployable)


def by_default() -> tuple[str, ...]:
    """Names of those that are deployed where nobody chooses."""
    return tuple(name for name, variant in VARIANTS.items() if variant.by_default)


def style_of(name: str) -> Style:
    """How a variant's line is drawn, whatever variants there are."""
    return styles(VARIANTS.values()).get(name, OTHER)

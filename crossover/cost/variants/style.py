"""Colour and dashes of each variant's line, so that every line looks different."""

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from crossover.cost.variants.variant import Variant

# Okabe and Ito's palette, which people who confuse red and green can tell apart: page.css has its values by name.
COLOURS = ("blue", "orange", "green", "purple", "sky", "vermillion", "grey", "black")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


class Style(NamedTuple):
    """How a line is drawn."""

    colour: str
    dash: str


OTHER = Style("black", "solid")  # of anything that is not a variant of the cost model


def styles(variants: Iterable[Variant]) -> dict[str, Style]:
    """The style of each variant by its name.

    A variant's own style goes first; then those that name a colour get its next free dash, and the others the next
    free pair, in the variants' order. Beyond 48 variants pairs repeat.
    """
    by_name: dict[str, Style] = {}
    ordered = sorted(variants, key=lambda variant: (not variant.dash, not variant.colour))  # stable
    for variant in ordered:
        wanted = [
            Style(colour, dash)
            for dash, colour in product(DASHES, COLOURS)
            if colour == (variant.colour or colour) and dash == (variant.dash or dash)
        ]
        free = [style for style in wanted if style not in by_name.values()]
        by_name[variant.name] = (free or wanted)[0]
    return by_name

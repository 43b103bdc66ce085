"""The picture of the pipeline is current, well-formed, and shows every variant that can be deployed."""

import xml.etree.ElementTree as ET

from crossover.cost.variants import VARIANTS, by_default
from tools.pipeline_picture import PICTURE, svg


def test_the_picture_is_current() -> None:
    assert PICTURE.read_text() == svg(), "docs/images/pipeline.svg is out of date: run `make pictures`"


def test_the_picture_shows_every_deployable_variant() -> None:
    texts = [element.text for element in ET.fromstring(svg()).iter("{http://www.w3.org/2000/svg}text")]
    assert [VARIANTS[name].title for name in by_default()] == [
        text for text in texts if text in {variant.title for variant in VARIANTS.values()}
    ]

"""How the files of a benchmark are made: one file a kind of input."""

from collections.abc import Mapping

from crossover.bench.run.contents import audio, image, tensor
from crossover.bench.run.contents.content import Content

CONTENTS: Mapping[str, Content] = {"audio": audio.CONTENT, "image": image.CONTENT, "tensor": tensor.CONTENT}
"""By the name of the kind of input."""

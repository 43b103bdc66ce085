"""What models take: one file a kind. Each can be imported with the standard library alone."""

from collections.abc import Mapping

from ..kinds import InputKind
from .audio import AudioInput
from .image import ImageInput
from .tensor import TensorInput

KINDS: Mapping[str, type[InputKind]] = {each.kind: each for each in (AudioInput, ImageInput, TensorInput)}
"""By their name in the model's metadata."""

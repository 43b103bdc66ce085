"""What models give: one file a kind. Each can be imported with the standard library alone."""

from collections.abc import Mapping

from ..kinds import OutputKind
from .detections import DetectionsOutput
from .labels import LabelsOutput
from .tensors import TensorsOutput

KINDS: Mapping[str, type[OutputKind]] = {each.kind: each for each in (LabelsOutput, DetectionsOutput, TensorsOutput)}
"""By their name in the model's metadata."""

"""The options of `crossover model describe`: one for each field of a contract."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from crossover.errors import UsageError, reason_of

ANY, AUDIO, IMAGE, TENSOR = "Any model", "Audio", "Pictures", "Tensors"
LABELS, DETECTIONS, OUTPUTS = "Labels", "Detections", "Outputs as they are"

LISTS = ("input_columns", "outputs")
"""Fields that are JSON lists, for which names with commas may be given."""


def _option(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, show_default=False, rich_help_panel=panel)


@dataclass(kw_only=True)
class ContractOptions:
    """Values of the fields as they stand in the metadata; empty where they are not given."""

    input_kind: Annotated[str, _option(ANY, "audio, image or tensor; by default what the graph tells.", "--kind")] = ""
    output_kind: Annotated[str, _option(ANY, "labels, detections or tensors; by default what the graph tells.")] = ""
    name: Annotated[str, _option(ANY, "By default the file's name.")] = ""
    version: Annotated[str, _option(ANY, "By default 1.")] = ""
    license: Annotated[str, _option(ANY, "Such as MIT.")] = ""
    states: Annotated[str, _option(ANY, 'Inputs and the outputs that continue them, as {"h": "hn"}.')] = ""
    constants: Annotated[str, _option(ANY, 'Inputs that are always the same, as {"sr": 16000}.')] = ""

    sample_rate: Annotated[str, _option(AUDIO, "That the model takes, Hz.")] = ""
    window: Annotated[str, _option(AUDIO, "Samples of a window, where the graph takes windows of one length.")] = ""
    context: Annotated[str, _option(AUDIO, "Samples before each window that the graph gets again with it.")] = ""
    windowing: Annotated[str, _option(AUDIO, "How scores of windows are joined: mean or max.")] = ""

    size: Annotated[str, _option(IMAGE, "The side, or HEIGHTxWIDTH, pixels.")] = ""
    resize: Annotated[str, _option(IMAGE, "squash, fit or crop.")] = ""
    crop_ratio: Annotated[str, _option(IMAGE, "For crop: 0.875 keeps 224 of 256 pixels.")] = ""
    interpolation: Annotated[str, _option(IMAGE, "bilinear, bicubic, nearest, lanczos or box.")] = ""
    pad: Annotated[str, _option(IMAGE, "For fit: the level around the picture, 0 to 255.")] = ""
    layout: Annotated[str, _option(IMAGE, "NCHW or NHWC.")] = ""
    channels: Annotated[str, _option(IMAGE, "RGB, BGR or GRAY.")] = ""
    scale: Annotated[str, _option(IMAGE, "That levels are multiplied by first, as 1/255.")] = ""
    mean: Annotated[str, _option(IMAGE, "That is subtracted then, as 0.485,0.456,0.406.")] = ""
    std: Annotated[str, _option(IMAGE, "That is divided by then, as 0.229,0.224,0.225.")] = ""

    input_columns: Annotated[str, _option(TENSOR, "Names of the values of a row, as a CSV file has them.")] = ""
    missing_values: Annotated[str, _option(TENSOR, "What becomes of missing values: refuse or nan.")] = ""
    example: Annotated[str, _option(TENSOR, "An input, in JSON, or a file of it.")] = ""

    scores: Annotated[str, _option(LABELS, "The output that has the scores.")] = ""
    activation: Annotated[str, _option(LABELS, "That makes probabilities: softmax, sigmoid or none.")] = ""

    boxes: Annotated[str, _option(DETECTIONS, "The output that has the boxes.")] = ""
    classes: Annotated[str, _option(DETECTIONS, "The output that has the classes.")] = ""
    columns: Annotated[str, _option(DETECTIONS, "What rows have behind the box: scores, objectness or class.")] = ""
    boxes_format: Annotated[str, _option(DETECTIONS, "xyxy, yxyx, xywh or cxcywh.")] = ""
    boxes_unit: Annotated[str, _option(DETECTIONS, "pixels or fraction.")] = ""
    class_offset: Annotated[str, _option(DETECTIONS, "Class of the first label: 1 where 0 is none.")] = ""
    min_score: Annotated[str, _option(DETECTIONS, "Below which nothing is reported.")] = ""
    nms: Annotated[str, _option(DETECTIONS, "Overlap above which the better box is kept.")] = ""
    max_detections: Annotated[str, _option(DETECTIONS, "That are reported of a picture.")] = ""

    outputs: Annotated[str, _option(OUTPUTS, "Names of the outputs that are stored.")] = ""
    map: Annotated[str, _option(OUTPUTS, "Of pixels: classes or levels.")] = ""

    def given(self) -> dict[str, str]:
        """The values that are given, by field.

        Raises:
            UsageError: a file that is named cannot be read.
        """
        return dict(self._given())

    def _given(self) -> Iterator[tuple[str, str]]:
        for each in fields(ContractOptions):
            value = getattr(self, each.name)
            if each.name in LISTS and value and not value.startswith("["):
                value = json.dumps([part.strip() for part in value.split(",")], ensure_ascii=False)
            if each.name == "example" and value and not value.lstrip().startswith(("[", "{")):
                value = _content(Path(value))
            if value:
                yield each.name, "" if (each.name, value) == ("activation", "none") else value


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"The example {path} cannot be read: {reason_of(error)}.") from None

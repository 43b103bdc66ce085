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
    """Values of the fields as they stand in the metadata; an empty one removes the field."""

    input_kind: Annotated[
        str | None, _option(ANY, "audio, image or tensor; by default what the graph tells.", "--kind")
    ] = None
    output_kind: Annotated[
        str | None, _option(ANY, "labels, detections or tensors; by default what the graph tells.")
    ] = None
    name: Annotated[str | None, _option(ANY, "By default the file's name.")] = None
    version: Annotated[str | None, _option(ANY, "By default 1.")] = None
    license: Annotated[str | None, _option(ANY, "Such as MIT.")] = None
    states: Annotated[str | None, _option(ANY, 'Inputs and the outputs that continue them, as {"h": "hn"}.')] = None
    constants: Annotated[str | None, _option(ANY, 'Inputs that are always the same, as {"sr": 16000}.')] = None

    sample_rate: Annotated[str | None, _option(AUDIO, "That the model takes, Hz.")] = None
    window: Annotated[
        str | None, _option(AUDIO, "Samples of a window, where the graph takes windows of one length.")
    ] = None
    context: Annotated[str | None, _option(AUDIO, "Samples before each window that the graph gets again with it.")] = (
        None
    )
    windowing: Annotated[str | None, _option(AUDIO, "How scores of windows are joined: mean or max.")] = None

    size: Annotated[str | None, _option(IMAGE, "The side, or HEIGHTxWIDTH, pixels.")] = None
    resize: Annotated[str | None, _option(IMAGE, "squash, fit or crop.")] = None
    crop_ratio: Annotated[str | None, _option(IMAGE, "For crop: 0.875 keeps 224 of 256 pixels.")] = None
    interpolation: Annotated[str | None, _option(IMAGE, "bilinear, bicubic, nearest, lanczos or box.")] = None
    pad: Annotated[str | None, _option(IMAGE, "For fit: the level around the picture, 0 to 255.")] = None
    layout: Annotated[str | None, _option(IMAGE, "NCHW or NHWC.")] = None
    channels: Annotated[str | None, _option(IMAGE, "RGB, BGR or GRAY.")] = None
    scale: Annotated[str | None, _option(IMAGE, "That levels are multiplied by first, as 1/255.")] = None
    mean: Annotated[str | None, _option(IMAGE, "That is subtracted then, as 0.485,0.456,0.406.")] = None
    std: Annotated[str | None, _option(IMAGE, "That is divided by then, as 0.229,0.224,0.225.")] = None

    input_columns: Annotated[str | None, _option(TENSOR, "Names of the values of a row, as a CSV file has them.")] = (
        None
    )
    missing_values: Annotated[str | None, _option(TENSOR, "What becomes of missing values: refuse or nan.")] = None
    example: Annotated[str | None, _option(TENSOR, "An input, in JSON, or a file of it.")] = None

    scores: Annotated[str | None, _option(LABELS, "The output that has the scores.")] = None
    activation: Annotated[str | None, _option(LABELS, "That makes probabilities: softmax, sigmoid or none.")] = None

    boxes: Annotated[str | None, _option(DETECTIONS, "The output that has the boxes.")] = None
    classes: Annotated[str | None, _option(DETECTIONS, "The output that has the classes.")] = None
    columns: Annotated[
        str | None, _option(DETECTIONS, "What rows have behind the box: scores, objectness or class.")
    ] = None
    boxes_format: Annotated[str | None, _option(DETECTIONS, "xyxy, yxyx, xywh or cxcywh.")] = None
    boxes_unit: Annotated[str | None, _option(DETECTIONS, "pixels or fraction.")] = None
    class_offset: Annotated[str | None, _option(DETECTIONS, "Class of the first label: 1 where 0 is none.")] = None
    min_score: Annotated[str | None, _option(DETECTIONS, "Below which nothing is reported.")] = None
    nms: Annotated[str | None, _option(DETECTIONS, "Overlap above which the better box is kept.")] = None
    max_detections: Annotated[str | None, _option(DETECTIONS, "That are reported of a picture.")] = None

    outputs: Annotated[str | None, _option(OUTPUTS, "Names of the outputs that are stored.")] = None
    map: Annotated[str | None, _option(OUTPUTS, "Of pixels: classes or levels.")] = None

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
            if value is not None:
                yield each.name, "" if (each.name, value) == ("activation", "none") else value


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"The example {path} cannot be read: {reason_of(error)}.") from None

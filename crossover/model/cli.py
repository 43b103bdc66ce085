"""`crossover model`: from an ONNX file to a model that can be deployed."""

from pathlib import Path
from typing import Annotated

import typer

from crossover.errors import UsageError, reason_of

app = typer.Typer(
    help="Your own ONNX model: describe it, check it, try it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="An ONNX file.", show_default=False)]


def _option(text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=text, show_default=False)
    return option


@app.command()
def describe(
    model: Model,
    output: Annotated[Path | None, _option("File to write; MODEL itself by default.")] = None,
    kind: Annotated[str, _option("Of input: audio, image or tensor; by default what the graph tells.")] = "",
    name: Annotated[str, _option("By default the file's name.")] = "",
    version: Annotated[str, _option("By default 1.")] = "",
    license_name: Annotated[str, typer.Option("--license", help="Such as MIT.", show_default=False)] = "",
    labels: Annotated[str, _option("A file of labels (lines, JSON or CSV), or cat,dog.")] = "",
    number_labels: Annotated[
        bool, typer.Option("--number-labels", help="Name the classes class 0, class 1, ...")
    ] = False,
    sample_rate: Annotated[str, _option("Audio: that the model takes, Hz.")] = "",
    windowing: Annotated[str, _option("Audio: how scores of windows are joined, mean or max.")] = "",
    size: Annotated[str, _option("Image: side, or HEIGHT,WIDTH, in pixels.")] = "",
    resize: Annotated[str, _option("Image: squash, fit or crop.")] = "",
    layout: Annotated[str, _option("Image: NCHW or NHWC.")] = "",
    channels: Annotated[str, _option("Image: RGB, BGR or GRAY.")] = "",
    mean: Annotated[str, _option("Image: subtracted, a number for each channel, such as 0.485,0.456,0.406.")] = "",
    std: Annotated[str, _option("Image: divided by, such as 0.229,0.224,0.225.")] = "",
    output_kind: Annotated[str, _option("labels, detections or tensors; by default what the graph tells.")] = "",
    scores: Annotated[str, _option("Labels, detections: the output that has them.")] = "",
    activation: Annotated[str, _option("That makes scores probabilities: softmax, sigmoid or none.")] = "",
    states: Annotated[str, _option('Inputs that the outputs continue, such as {"h": "hn"}.')] = "",
    constants: Annotated[str, _option('Inputs that are always the same, such as {"sr": 16000}.')] = "",
    fields: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="Any other field of the metadata.")
    ] = None,
) -> None:
    """Write into an ONNX file what it takes and gives: its contract.

    What the graph tells need not be said; the rest is named. The weights come into the file if they are beside it.
    """
    from crossover.model.describe import contract_fields, describe
    from crossover.model.metadata import ModelFileError, write_metadata
    from crossover.terminal import printable

    options = {
        "input_kind": kind,
        "name": name,
        "version": version,
        "license": license_name,
        "sample_rate": sample_rate,
        "windowing": windowing,
        "size": size,
        "resize": resize,
        "layout": layout,
        "channels": channels,
        "mean": mean,
        "std": std,
        "output_kind": output_kind,
        "scores": scores,
        "activation": activation,
        "states": states,
        "constants": constants,
    }
    given = {name: value for name, value in options.items() if value} | _fields(fields or [])
    if activation == "none":
        given["activation"] = ""
    entries = describe(model, given=given, labels=labels, number_labels=number_labels)
    target = output or model
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        metadata = {name: entry.value for name, entry in entries.items()}
        write_metadata(model, target, metadata, without=contract_fields())
    except ModelFileError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"The model cannot be written to {target}: {reason_of(error)}.") from None
    print(f"Wrote {target}, {target.stat().st_size / 1e6:,.1f} MB:")
    width = max(map(len, entries))
    for name, entry in entries.items():
        print(f"  {name:{width}}  {_shorten(printable(entry.value))}  ({entry.source})")
    print(f"Next: crossover model check {target}")


@app.command()
def check(
    model: Model,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is missing for a deployment, how the model runs on awkward inputs, and where it fits.

    Exits with 1 unless it can be deployed.
    """
    import json

    from crossover.model.check import check
    from crossover.model.check_tables import print_check

    found = check(model)
    if as_json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        print_check(found)
    if found.faults:
        raise typer.Exit(1)


def _fields(texts: list[str]) -> dict[str, str]:
    from crossover.model.describe import contract_fields

    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or name not in contract_fields():
            raise UsageError(
                f"The field is {text!r}; --field must be NAME=VALUE with one of {', '.join(contract_fields())}."
            )
        found[name] = value
    return found


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"

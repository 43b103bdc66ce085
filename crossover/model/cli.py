"""`crossover model`: from an ONNX file to a model that can be deployed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from crossover.errors import UsageError, reason_of
from crossover.model.options import ContractOptions
from crossover.terminal import printable

app = typer.Typer(
    help="Your own ONNX model: describe it, check it, try it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="An ONNX file.", show_default=False)]


@app.command("describe")
@dataclass(kw_only=True)
class Describe(ContractOptions):
    """Write into an ONNX file what it takes and gives: its contract.

    What the graph tells need not be said, nor what the file has already: an empty value removes a field. Weights beside
    the file come into it.
    """

    model: Model
    output: Annotated[Path | None, typer.Option(help="File to write; by default MODEL itself.", show_default=False)] = (
        None
    )
    labels: Annotated[
        str | None, typer.Option(help="A file of them: lines, JSON or CSV; or as cat,dog.", show_default=False)
    ] = None
    number_labels: Annotated[bool, typer.Option("--number-labels", help="Name the classes class 0, class 1, ...")] = (
        False
    )

    def __post_init__(self) -> None:
        from crossover.model.describe import contract_fields, describe
        from crossover.model.labels_file import repeated
        from crossover.model.metadata import ModelFileError, write_metadata

        given = {**self.given(), **({"labels": ""} if self.labels == "" else {})}
        entries = describe(self.model, given=given, labels=self.labels or "", number_labels=self.number_labels)
        target = self.output or self.model
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            metadata = {name: entry.value for name, entry in entries.items() if entry.value}
            write_metadata(self.model, target, metadata, without=contract_fields())
        except ModelFileError as error:
            raise UsageError(str(error)) from None
        except OSError as error:
            raise UsageError(f"The model cannot be written to {target}: {reason_of(error)}.") from None
        print(f"Wrote {target}, {target.stat().st_size / 1e6:,.1f} MB:")
        width = max(map(len, entries))
        for name, entry in entries.items():
            print(f"  {name:{width}}  {_shorten(printable(entry.value)) or 'left out'}  ({entry.source})")
        if twice := repeated(entries["labels"].value if "labels" in entries else ""):
            print(
                printable(
                    f"Warning: {twice!r} is more than once among the labels, so results do not tell these classes."
                )
            )
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


@app.command("try")
def try_(
    model: Model,
    files: Annotated[list[Path], typer.Argument(help="Files that the model takes, or folders.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option(help="Folder for results that do not fit an item.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each file.")] = False,
) -> None:
    """Predict files here, with the code and the packages that a function has; needs no AWS.

    Exits with 1 unless every prediction succeeds.
    """
    import json

    from crossover.model.trying import print_outcomes, try_files

    outcomes = []
    for outcome in try_files(model, files, output=output):
        outcomes.append(outcome)
        if as_json:
            print(json.dumps(outcome), flush=True)
    if not as_json:
        print_outcomes(outcomes, kept=output is not None)
    if any(outcome["status"] != "SUCCEEDED" for outcome in outcomes):
        raise typer.Exit(1)


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"

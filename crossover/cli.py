"""`crossover`: the commands, each of which imports what it needs only when it runs."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from crossover import command_line
from crossover.errors import UsageError
from crossover.local.container_engine import CONTAINERS_HELP, CONTAINERS_VARIABLE, Containers
from crossover.local.ports import check_port
from crossover.project import PREFIX_HELP, stack_prefix
from crossover.published_models import DEFAULT, MODEL_HELP

app = typer.Typer(
    help="Deploy one ONNX model on AWS in several ways, and know at which traffic to switch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Files = Annotated[list[Path], typer.Argument(help="Files that the model takes, or folders.", show_default=False)]
Variants = Annotated[str, typer.Option(help="Names separated by commas; all by default.", show_default=False)]


@app.command()
def demo(
    variants: Variants = "",
    model: Annotated[str, typer.Option(help=f"{MODEL_HELP}; by default that of cdk.json.", show_default=False)] = "",
    file: Annotated[
        Path | None, typer.Option(help="A file or a folder; by default three samples for the kind of model.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(callback=check_port, help="Port of the local AWS; a free one by default.")
    ] = None,
    containers: Annotated[Containers, typer.Option(envvar=CONTAINERS_VARIABLE, help=CONTAINERS_HELP)] = Containers.AUTO,
) -> None:
    """Deploy to a local AWS, predict real files there, and clean up: needs no account and no Docker.

    Exits with 1 unless every prediction succeeds.
    """
    from crossover.local.demo import run

    run(variants=variants, model=model, file=file, port=port, containers=containers)


@app.command()
def predict(
    files: Files,
    variants: Variants = "",
    key: Annotated[str, typer.Option(help="Key of the object, for a single file; by default a unique one.")] = "",
    prefix: Annotated[str, typer.Option(help=PREFIX_HELP, show_default=False)] = "",
    timeout: Annotated[float, typer.Option(min=1, help="Maximum wait for an item, in seconds.")] = 120,
) -> None:
    """Upload files to variants that are deployed on AWS, and print what they predict.

    Exits with 1 unless every prediction succeeds.
    """
    from rich.console import Console

    from crossover import predicting
    from crossover.aws import aws_errors, open_clients
    from crossover.deployed import find_variants
    from crossover.inputs import input_files, split_names

    paths = input_files(files)
    if key and len(paths) > 1:
        raise UsageError(f"--key is for a single file, but there are {len(paths)}; leave it out or name one file.")
    with aws_errors(), Console(stderr=True).status("") as status:
        clients = open_clients()
        found = find_variants(clients, prefix=prefix or stack_prefix(), names=split_names(variants))
        rows = predicting.predict_all(clients, found, files, key=key, timeout_seconds=timeout, announce=status.update)
    predicting.print_table(rows)
    if not all(row.succeeded for row in rows):
        raise typer.Exit(1)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.", show_default=False)],
    model: Annotated[str, typer.Option(help=f"{MODEL_HELP}.")] = DEFAULT,
    variants: Variants = "",
    name: Annotated[str, typer.Option(help="Prefix of the stacks' names; by default from the folder's name.")] = "",
) -> None:
    """Write your own CDK app: settings, stacks, a test and the checked model."""
    from crossover.new.create import create

    print(create(folder, model=model, variants=variants, name=name))


def _add(name: str, module: str, meaning: str) -> None:
    """Add a group of commands whose module is imported only when it runs."""

    def delegate(context: typer.Context) -> None:
        sub_app = importlib.import_module(module).app
        raise typer.Exit(command_line.run(sub_app, context.args, program=f"crossover {name}"))

    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(name, help=meaning, context_settings=settings)(delegate)


_add("model", "crossover.model.cli", "Your own ONNX model: describe it, check it, try it.")
_add("cost", "crossover.cost.cli", "Which variant is the cheapest at your traffic, and when to switch.")
_add("doctor", "crossover.doctor.cli", "What a deployment would fail on, and what to do; changes nothing.")
_add("local", "crossover.local.cli", "The local AWS step by step: up, deploy, predict, status, down.")
_add("deadletters", "crossover.deadletters.cli", "Events that failed for good: list, show, redrive.")
_add("backfill", "crossover.backfill.cli", "Predict what lies in a variant's bucket already: price, job, report.")
_add("bench", "crossover.bench.cli", "Measure deployed variants, and the handlers on this machine.")
_add("prices", "crossover.cost.prices_cli", "The prices of the cost model: show, diff, refresh.")
_add("report", "crossover.report.cli", "Pages and pictures: of a benchmark, and of cost by traffic.")


def main() -> None:
    """The installed command."""
    command_line.main(app, "crossover")

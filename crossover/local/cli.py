"""`crossover local`: the steps of the demo one by one, for an emulator that keeps running."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crossover.inputs import input_files, split_names
from crossover.local.account import REGION, ROOT_KEY, Quotas
from crossover.local.chosen_model import choose_model
from crossover.local.container_engine import CONTAINERS_HELP, CONTAINERS_VARIABLE, Containers
from crossover.local.ports import check_port
from crossover.local.process import DEFAULT_PORT, Emulator
from crossover.local.python_environments import find_interpreter
from crossover.local.work import describe_containers, describe_python, open_local_aws, persistent_emulator
from crossover.local.workspace import Workspace
from crossover.project import choose_variants
from crossover.published_models import MODEL_HELP

app = typer.Typer(
    help="The local AWS: the real CDK against an emulator on this machine, with no account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Variants = Annotated[str, typer.Option(help="Names separated by commas; all by default.", show_default=False)]
errors = Console(stderr=True)


@app.command()
def up(
    port: Annotated[int, typer.Option(callback=check_port, help="Port, on this machine only.")] = DEFAULT_PORT,
    containers: Annotated[Containers, typer.Option(envvar=CONTAINERS_VARIABLE, help=CONTAINERS_HELP)] = Containers.AUTO,
    max_memory_mb: Annotated[
        int | None,
        typer.Option(min=128, max=10240, help="Quota of a function's memory, MB; a new account has 3008."),
    ] = None,
    max_concurrency: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Quota of concurrent executions; a new account often has 10."),
    ] = None,
) -> None:
    """Start the local AWS in the background."""
    workspace = Workspace()
    workspace.create()
    emulator = persistent_emulator(workspace)
    if emulator is None:
        with open_local_aws(workspace, errors) as aws:
            aws.choose_containers(containers)
            quotas = Quotas(max_memory_mb=max_memory_mb, max_concurrency=max_concurrency)
            emulator = aws.start_emulator(find_interpreter(), port=port, settings=quotas.environment())
            aws.bootstrap()
            aws.keep_running()
        print(f"The local AWS is up at {emulator.endpoint}. {describe_python(emulator.python)}")
    else:
        print(f"The local AWS is up already at {emulator.endpoint}.")
    _print_usage(emulator)


def _print_usage(emulator: Emulator) -> None:
    print(f"""
The AWS command line, boto3 and every other AWS SDK reach it with
  export AWS_ENDPOINT_URL={emulator.endpoint} AWS_ACCESS_KEY_ID={ROOT_KEY} AWS_SECRET_ACCESS_KEY={ROOT_KEY}
  export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}
for example
  aws s3 ls
  python -c 'import boto3; print(boto3.client("s3").list_buckets()["Buckets"])'
Next: crossover local deploy, crossover local predict FILE, crossover local down.""")


@app.command()
def deploy(
    variants: Annotated[str, typer.Argument(help="Names with commas, or all; by default those of cdk.json.")] = "",
    model: Annotated[str, typer.Option(help=f"{MODEL_HELP}; by default that of cdk.json.", show_default=False)] = "",
) -> None:
    """Deploy the variants to it with the settings of cdk.json, or again after a change of those or of the code."""
    names = choose_variants(variants)
    chosen = choose_model(model)
    with open_local_aws(Workspace(), errors) as aws:
        emulator = aws.running()
        aws.deploy(*aws.begin_synth(names, python=emulator.python, model=chosen))
        if sentence := describe_containers(aws.workspace):
            print(sentence)


@app.command()
def predict(
    files: Annotated[list[Path], typer.Argument(help="Files that the model takes, or folders.", show_default=False)],
    variants: Variants = "",
) -> None:
    """Upload files to the deployed variants, and print what they predict.

    Exits with 1 unless every prediction succeeds.
    """
    input_files(files)  # that they exist, before the AWS is asked
    with open_local_aws(Workspace(), errors) as aws:
        aws.running()
        rows = aws.predict(split_names(variants), files)
    from crossover.predicting import print_table

    print_table(rows)
    if not all(row.succeeded for row in rows):
        raise typer.Exit(1)


@app.command()
def status() -> None:
    """Show whether it runs, and what is deployed there."""
    with open_local_aws(Workspace(), errors) as aws:
        emulator = Emulator.find(aws.workspace)
        if emulator is None:
            print("The local AWS is not running; `crossover local up` starts it.")
            raise typer.Exit(1)
        print(
            f"The local AWS is up at {emulator.endpoint} (process {emulator.pid}). {describe_python(emulator.python)}"
        )
        emulator.configure_aws_clients()
        for stack, state in aws.stacks().items():
            print(f"  {stack}: {state}")


@app.command()
def down() -> None:
    """Stop it; everything that was deployed there is lost."""
    workspace = Workspace()
    workspace.create()
    emulator = Emulator.find(workspace)
    if emulator is None:
        print("The local AWS is not running.")
        return
    emulator.stop(workspace)
    print("The local AWS is stopped.")

"""A check of a model, for a person."""

from rich.table import Table
from rich.text import Text

from crossover.model.check import LAMBDA_MEMORY_MB, Check
from crossover.model.contract import remedy_of
from crossover.terminal import print_table, printable


def print_check(check: Check) -> None:
    """Faults, warnings, runs, needs, and where the model fits."""
    if check.facts:
        facts = check.facts
        kinds = f"{facts['input_kind']} to {facts['output_kind']}"
        print(printable(f"{check.path}: {facts['name']} {facts['version']} ({facts['license']}), {kinds}"))
        print_table(_runs(check))
        print(
            f"Loading took {facts['load_ms']:,.0f} ms after {facts['import_ms']:,.0f} ms of imports, with "
            f"{facts['threads']} threads; at most {facts['peak_mb']:,.0f} MB of memory."
        )
        if not facts["decoded"]:
            print("No files were decoded, because the decoders are not installed here; `crossover model try` has them.")
        print_table(_places(check))
        print(f"Smallest memory size of a function: {_memory(check)}.")
    for warning in check.warnings:
        print(printable(f"Warning: {warning}"))
    if check.faults:
        print(f"{check.path} cannot be deployed:")
        for fault in check.faults:
            print(printable(f"- {fault.rstrip('.')}."))
        if remedy := remedy_of(check.path, check.faults):
            print(remedy)
    else:
        print(f"{check.path} can be deployed.")
        print(f"Next: crossover model try {check.path} FILE, crossover demo --model {check.path} --file FILE")


def _memory(check: Check) -> str:
    need, size = check.facts["need_mb"], check.facts["lambda_mb"]
    if size is None:
        return f"none, for it needs about {need:,} MB and 10 % more, and Lambda has at most {LAMBDA_MEMORY_MB[-1]:,} MB"
    return f"{size:,} MB, for the model needs about {need:,} MB with the runtime, and 10 % more are added"


def _runs(check: Check) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("input", overflow="fold")
    table.add_column("decode ms", justify="right")
    table.add_column("model ms", justify="right")
    table.add_column("result", overflow="fold")
    for run in check.runs:
        timings = ["" if ms is None else f"{ms:,.1f}" for ms in (run.decode_ms, run.ms)]
        table.add_row(run.what, *timings, Text(printable(run.fault or run.note or "ok")))
    return table


def _places(check: Check) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("where", overflow="fold")
    table.add_column("fits")
    table.add_column("needs", overflow="fold")
    for place in check.places:
        table.add_row(place.name, "yes" if place.fits else "no", place.detail)
    return table

"""docs/performance.md, written from the two committed results: `python -m benchmarks.performance`."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.peers import benchmark as peers_benchmark
from benchmarks.peers.handlers import shown as handlers_shown
from benchmarks.peers.serving import shown as serving_shown
from crossover import documents
from crossover.bench.micro import benchmark as micro_benchmark
from crossover.bench.micro import shown as micro_shown
from crossover.cost.measured import ON_ONE_MACHINE
from crossover.errors import CrossoverError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "performance.md"
MICRO, PEERS = ROOT / "benchmarks/results/micro.json.gz", ROOT / "benchmarks/results/peers.json.gz"

INTRODUCTION = """\
# Performance

<!-- Written by `python -m benchmarks.performance` from docs/performance/*.json; edit that. -->

How long this project's own parts take, and how they compare with other ways to do the same, on [one
machine](#the-machine). `make performance` measures all of it anew on yours and writes this page; nothing needs AWS.
**No figure here is AWS's**: what a deployed variant takes is measured with `crossover bench run`.

Ratios hold within one run: the sides are fresh processes that take turns. Among handlers a ratio is the median of what
one side was of the other in the same turn, not that of two medians. Every observation, those of disturbed moments too,
is in benchmarks/results."""

AIMS = "## What is aimed at"

HANDLERS = """\
## The handler beside other ways to write it

`ours` is the standard variant's handler in the bundle that is deployed. `usual` is how such a handler is commonly
written. `tflite` runs the file that the ONNX model was made from, in its own interpreter. Each has its packages in a
folder of its own, on the same Python, with S3 and DynamoDB answered on loopback. One that gives the clip another label
than `ours` is not measured.

TFLite computes the network in 8-bit integers, this project in float32. 8-bit values take less memory, and their
products less time on a processor with instructions for them (VNNI). Why the model stays in float32 is in
[decision 10](decisions/0010-float-activations.md). Of decoding FLAC most is libFLAC's own time, for every side; why it
stays although another decoder is faster is in [decision 12](decisions/0012-flac-by-libflac.md)."""

SERVERS = """\
## The container beside other servers

Every server has the same ONNX file and decodes with the same soundfile and soxr. wrk posts the speech clip as WAV over
kept-alive connections, on the same cores as the server. Each peer runs in two settings, since either may suit it
better: one worker with onnxruntime's default session, and one worker for each core with one thread each. The limit is
the same work in bare loops without HTTP; wrk's own share of the cores is part of the distance to it. The speed of a
shared machine changes within seconds, so such loops run right before each step, and after it as soon as the server has
finished what wrk asked last. The ratios compare what each server made of the limit beside its own steps: two servers
with equal figures in milliseconds may differ in them. `ours` has more turns than each of the others, since all are
compared with it. Decisions [9](decisions/0009-lean-event-loop.md) and
[11](decisions/0011-no-web-framework.md) say where the rest goes."""

PHASES = """\
## What a call consists of

The standard variant's handler, phase by phase, in fresh processes. The model comes from an S3 on loopback."""

SIZES = """\
## Memory sizes

Each memory size has Lambda's share of vCPUs, as a processor quota where one can be set. GB-seconds and USD follow from
what would be billed for the handler's own work: S3 and DynamoDB answer on loopback, and AWS's own time is not in it."""

MACHINE = "## The machine"


def main() -> None:
    """Write the page, or say in one sentence why not and exit with 1."""
    try:
        write()
    except CrossoverError as error:
        sys.exit(f"performance: {error}")


def write() -> None:
    """Write the page from the results.

    Raises:
        CrossoverError: a result is not there, is another one or damaged, or the page cannot be written.
    """
    micro = read(MICRO, ON_ONE_MACHINE, micro_benchmark.SCHEMA)
    peers = read(PEERS, peers_benchmark.KIND, peers_benchmark.SCHEMA)
    missing = [part for part in peers_benchmark.PARTS if part not in peers]
    if missing:
        raise CrossoverError(f"{PEERS} has no {missing[0]}; the page needs {' and '.join(peers_benchmark.PARTS)}.")
    try:
        text = page(micro, peers)
    except (KeyError, TypeError, ValueError) as error:
        raise CrossoverError(f"{MICRO} or {PEERS} is damaged: {error!r}.") from error
    try:
        PAGE.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CrossoverError(f"{PAGE} cannot be written: {error.strerror}.") from error


def read(path: Path, kind: str, schema: int) -> dict[str, Any]:
    """A result document.

    Raises:
        CrossoverError: it cannot be read, or is of another kind or schema.
    """
    if not path.exists():
        raise CrossoverError(f"There is no {path}; `{kind} --output` writes it.")
    document = documents.read(path)
    if not isinstance(document, dict) or (document.get("schema"), document.get("kind")) != (schema, kind):
        raise CrossoverError(f"{path} is no result of `{kind}` of schema {schema}.")
    return document


def page(micro: Mapping[str, Any], peers: Mapping[str, Any]) -> str:
    """The page, as Markdown.

    Args:
        micro: a result of `crossover bench micro`.
        peers: a result of `python -m benchmarks peers`, with both parts.
    """
    cold, warm, sizes, promised = micro_shown.tables(micro)
    blocks: list[str | Table] = [
        INTRODUCTION,
        AIMS,
        _list(peers_benchmark.sentences(peers)),
        promised,
        HANDLERS,
        *handlers_shown.tables(peers["handlers"]),
        SERVERS,
        *serving_shown.tables(peers["serving"]),
        PHASES,
        cold,
        warm,
        SIZES,
        sizes,
        _list(micro_shown.sentences(micro)),
        MACHINE,
        _machine_table(micro, peers),
    ]
    return "\n\n".join(markdown(block) if isinstance(block, Table) else block for block in blocks) + "\n"


def speed_table(micro: Mapping[str, Any], peers: Mapping[str, Any]) -> str:
    """The README's table, as Markdown: a few of the page's figures. The arguments are those of `page`."""
    handlers, serving = peers["handlers"], peers["serving"]
    table = Table("", "median", "beside it", "ratio")

    def of_handlers(name: str, part: str, subject: str, measure: str, unit: str) -> None:
        rows = {
            row["side"]: row
            for row in handlers["summary"]
            if (row["part"], row["subject"], row["measure"]) == (part, subject, measure)
        }
        ours, usual = rows["ours"]["median"], rows["usual"]["median"]
        ratio = 1 / rows["usual"]["to_ours"]
        table.add_row(name, f"{ours:,.1f} {unit}", f"the usual way, with librosa: {usual:,.1f} {unit}", f"{ratio:.2f}")

    def of_serving(clients: int) -> None:
        rows = [row for row in serving["summary"] if row["clients"] == clients]
        (ours,) = (row for row in rows if row["server"] == "ours")
        best = max((row for row in rows if row is not ours), key=lambda row: row["to_ours"]["requests_per_second"])
        speeds = [f"{row['figures']['requests_per_second']:.1f} requests/s" for row in (ours, best)]
        name = f"the container, {clients} client{'s' * (clients > 1)}"
        ratio = 1 / best["to_ours"]["requests_per_second"]
        table.add_row(name, speeds[0], f"the best other server, {best['server']}: {speeds[1]}", f"{ratio:.2f}")

    for each in micro["measurements"]:
        middle, unit = median(each["observed"]), each["unit"]
        yardstick = f"{each['yardstick_name']}: {median(each['yardstick']):.1f} {unit}" if each["yardstick"] else ""
        ratio = f"{each['result']:.2f}" if each["yardstick"] else ""
        table.add_row(each["name"], f"{middle:.1f} {unit}", yardstick, ratio)
    of_handlers("cold start, spawn to first answer", "handler", handlers["speech"], "cold_ms", "ms")
    stereo = handlers["clips"][0]["name"]
    of_handlers(f"decoding and resampling {stereo}", "decode", stereo, "warm_ms", "ms")
    for clients in (min(serving["settings"]["clients"]), max(serving["settings"]["clients"])):
        of_serving(clients)
    return markdown(table)


def markdown(table: Table) -> str:
    """A table as it is printed, in Markdown: its title, its rows, its caption. Lines between sections are left out."""
    columns = [
        [
            _text(column.header),
            "---:" if column.justify == "right" else "---",
            *(_text(cell, "<br>") for cell in column.cells),
        ]
        for column in table.columns
    ]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))
    title = f"**{_text(table.title)}**" if table.title else ""
    caption = _text(table.caption) if table.caption else ""
    return "\n\n".join(block for block in (title, rows, caption) if block)


def _text(printed: RenderableType, line_break: str = " ") -> str:
    """What rich prints of a title or a cell, its style left out."""
    plain = printed.plain if isinstance(printed, Text) else Text.from_markup(str(printed)).plain
    return line_break.join(_escaped(" ".join(line.split())) for line in plain.splitlines())


def _escaped(text: str) -> str:
    """Markdown that reads as this text. Between letters _ marks nothing; in a table | ends a cell."""
    return re.sub(r"[\\`*\[\]<&|~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(sentence)}" for sentence in sentences)


def _measured_at(result: Mapping[str, Any]) -> str:
    """When the measuring began; of peers, that of each part, since a part can be measured by itself."""
    parts = [f"{part} {result[part]['measured_at']}" for part in peers_benchmark.PARTS if part in result]
    return ", ".join(parts) or str(result["measured_at"])


def _machine_table(*results: Mapping[str, Any]) -> Table:
    """What the figures of each result hang on."""
    table = Table("", *(str(result["kind"]) for result in results))
    machines = [result["machine"] for result in results]
    packages = [", ".join(f"{name} {version}" for name, version in each["packages"].items()) for each in machines]
    for name, values in (
        ("measured at", [_measured_at(result) for result in results]),
        ("processor", [each["processor"] for each in machines]),
        ("processors", [each["processors"] for each in machines]),
        ("memory", [f"{each['memory_mb'] / 1024:.1f} GiB" for each in machines]),
        ("kernel", [each["kernel"] for each in machines]),
        ("Python of the handlers", [each["python"] for each in machines]),
        ("packages of the handlers", packages),
        ("load average before, 1 minute", [each["load_average"][0] for each in machines]),
    ):
        table.add_row(name, *(Text(str(value)) for value in values))
    return table


if __name__ == "__main__":
    main()
